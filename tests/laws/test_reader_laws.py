"""Whatever a template holds, reading it ends in a Project or in our error, soon, and always in the same one."""

import json
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipsafe.errors import ShipsafeError
from shipsafe.model.project import CodeKind, Project
from shipsafe.readers import read_project
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.document import read_document
from shipsafe.readers.template.node import Node
from tests.readers.writing import policy

_SECONDS = 5.0
_VALID = """Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Open: {Type: CommaDelimitedList}
Mappings: {M: {dev: {v: '3'}}}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  Other: !Not [!Or [!Condition IsDev, !Equals [!Ref Open, x]]]
Globals:
  Function: &g {Runtime: python3.13, Layers: [!Ref Own], Environment: {Variables: {S: !Ref Stage}}}
Resources:
  Own:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13}
    Properties: {ContentUri: layers/own, CompatibleRuntimes: [python3.13]}
  F:
    Type: AWS::Serverless::Function
    Condition: IsDev
    Properties:
      <<: *g
      CodeUri: !Sub 'src/${Stage}'
      Handler: !If [Other, !ImportValue x, app.handler]
      Layers: [!Sub 'arn:aws:lambda:${AWS::Region}:111122223333:layer:x:${V}', !Select [0, !Split [',', 'a,b']]]
  G:
    Type: AWS::Lambda::Function
    Properties: {Code: {ZipFile: !Join ["\\n", [a, !FindInMap [M, !Ref Stage, v]]]}, Layers: !Ref Open}
  N:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: template.yaml, Parameters: {Stage: !GetAtt N.Outputs.X}}
"""
_WORDS = (
    *("Resources", "Type", "Properties", "Ref", "Fn::Sub", "Fn::If", "Fn::GetAtt", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Equals"),
    *("Fn::FindInMap", "Fn::Transform", "Fn::ForEach::x", "Condition", "Conditions", "Parameters", "Default", "Mappings", "Globals"),
    *("Function", "AWS::Serverless::Function", "AWS::Lambda::Function", "AWS::Serverless::LayerVersion", "AWS::Serverless::Application"),
    *("Location", "template.yaml", "CodeUri", "Code", "ZipFile", "ImageUri", "Layers", "Handler", "Runtime", "Environment", "Variables"),
    *("Metadata", "AllowedValues", "NoEcho", "Outputs", "Value", "Transform", "AWS::NoValue", "AWS::Region", "Stage", "F", "N", "0", ""),
    *("${Stage}", "${N.Outputs.X}", "{{resolve:ssm:/x}}", "s3://b/k", "../x", "/etc/passwd", "a\x00b", "true", "N.Outputs.X", "<<", "~"),
)
_TAGS = ("!Ref", "!Sub", "!GetAtt", "!If", "!Join", "!Select", "!Equals", "!Not", "!And", "!FindInMap", "!!str", "!!python/none", "!")
_SNIPPETS = (*_WORDS, *_TAGS, *":-,[]{}&*|>'\"#%?!@`\n\t ", "&a ", "*a", "<<: *g", "\n  ", "\x00", "\ufeff")

words = st.sampled_from(_WORDS) | st.text(max_size=8)
values = st.recursive(
    words | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=25,
)
resources = st.dictionaries(
    st.sampled_from(("F", "N", "Own", "f")),
    st.fixed_dictionaries(
        {
            "Type": st.sampled_from(
                ("AWS::Lambda::Function", "AWS::Serverless::Function", "AWS::Serverless::LayerVersion", "AWS::Serverless::Application")
            )
        },
        optional={"Properties": st.dictionaries(words, values, max_size=6), "Condition": words, "Metadata": values},
    ),
    max_size=4,
)
templates = st.fixed_dictionaries(
    {"Resources": resources},
    optional={
        **dict.fromkeys(("Parameters", "Conditions", "Mappings", "Outputs"), st.dictionaries(words, values, max_size=4)),
        "Globals": st.fixed_dictionaries({"Function": values}),
        "Transform": values,
    },
)


def _mutated(edits: list[tuple[int, int, str]]) -> str:
    text = _VALID
    for start, length, new in edits:
        at = start % (len(text) + 1)
        text = text[:at] + new + text[at + length :]
    return text


mutations = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 60), st.sampled_from(_SNIPPETS)), min_size=1, max_size=4).map(_mutated)
soup = st.lists(st.sampled_from(_SNIPPETS) | st.text(max_size=5), max_size=60).map("".join)
bounded = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ended(text: str | bytes, name: str = "template.yaml") -> Project | str:
    """What reading ends in: a Project, or the text of our error. Anything else is raised and fails the law."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
        began = time.process_time()
        end = _end(path)
        assert time.process_time() - began < _SECONDS
        if isinstance(end, Project):
            return _checked(end)
        assert end.what.endswith("."), end.what
        assert str(end).isprintable(), end
        assert end.remedy
        return str(end)


def _end(path: Path) -> Project | ShipsafeError:
    try:
        return read_project(path, policy=policy(), overrides={})
    except ShipsafeError as error:
        return error


def _checked(project: Project) -> Project:
    """What must be true of every Project, whatever it was read from."""
    for function in project.functions:
        noted = {entry.field for entry in function.unresolved}
        assert function.architectures
        if not function.is_image:
            assert (function.runtime is None) == ("runtime" in noted)
            assert (function.handler is None) == ("handler" in noted)
        for ref in function.layers:
            assert [ref.local is not None, ref.arn is not None, bool(ref.unresolved)].count(True) == 1
            assert ref.local is None or project.layer(ref.local)
            assert ref.version is None or (ref.arn or "").endswith(f":{ref.version}")
    for subject in project.subjects:
        assert (subject.code.kind is CodeKind.UNKNOWN) == any(entry.field == "code" for entry in subject.unresolved)
        assert (subject.code.path is not None) == (subject.code.kind in (CodeKind.FOLDER, CodeKind.FILE, CodeKind.ZIP))
        assert "\x00" not in (subject.code.path or "")
        assert all(entry.reason for entry in subject.unresolved)
    return project


@bounded
@given(soup)
def test_any_text_ends_in_a_project_or_in_our_error(text: str) -> None:
    ended(text)


@bounded
@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_project_or_in_our_error(data: bytes) -> None:
    ended(data)
    ended(data, "template.json")


@bounded
@given(mutations)
def test_a_valid_template_with_anything_changed_ends_in_a_project_or_in_our_error(text: str) -> None:
    ended(text)


@bounded
@given(templates)
def test_any_template_in_json_ends_in_a_project_or_in_our_error(template: object) -> None:
    ended(json.dumps(template), "template.json")


@bounded
@given(values)
def test_any_json_ends_in_a_project_or_in_our_error(value: object) -> None:
    ended(json.dumps(value), "template.json")
    ended(json.dumps(value, ensure_ascii=False, indent=1))


@bounded
@given(st.integers(0, 2000), st.text(alphabet='{}[]",: 1tfn\\u\n', max_size=6))
def test_json_with_anything_changed_ends_in_a_project_or_in_our_error(at: int, new: str) -> None:
    text = json.dumps({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": {"Fn::Sub": "a\n"}}}}}, indent=1)
    at %= len(text)
    ended(text[:at] + new + text[at + len(new) :], "template.json")


@bounded
@given(st.one_of(mutations, templates.map(json.dumps)))
def test_the_same_input_ends_twice_in_the_same(text: str) -> None:
    """In the same folder in an equal Project; in another folder in one that differs in the folder's name alone."""
    ends = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "template.yaml"
            path.write_text(text)
            first, second = _end(path), _end(path)
            assert first == second if isinstance(first, Project) else str(first) == str(second)
            ends.append((repr(first) if isinstance(first, Project) else str(first)).replace(str(path.parent.resolve()), ""))
    assert ends[0] == ends[1]


@bounded
@given(st.dictionaries(words, values, max_size=5))
def test_json_gives_the_values_that_were_written(value: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(value))
        node = read_document(path, name=path.name, budget=Budget())
    assert _plain(node) == _as_text(value)


def _plain(node: Node) -> object:
    if isinstance(node.value, tuple):
        return [_plain(child) for child in node.value]
    if isinstance(node.value, str | None):
        return node.value
    return {key: _plain(child) for key, child in node.value.items()}


def _as_text(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_text(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_as_text(child) for child in value]
    return value if isinstance(value, str | None) else json.dumps(value)
