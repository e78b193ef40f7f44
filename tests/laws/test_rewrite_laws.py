"""Whatever a template looks like: its rewritten form means the same but for the code that was signed, which is exactly what was signed."""

import json
from collections.abc import Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.flows.rewrite import rewrite
from shipsafe.model.project import CodeKind, Function, Subject
from shipsafe.readers import read_project
from shipsafe.signing.rewrite.edits import Edits
from shipsafe.signing.rewrite.written import Part, read_written
from tests.readers.writing import policy
from tests.shared_data import shared_data
from tests.signing.rewrite.making import CONFIG, deployable, turned

_TYPES = {
    "AWS::Serverless::Function": ("CodeUri", ("Bucket", "Key", "Version")),
    "AWS::Lambda::Function": ("Code", ("S3Bucket", "S3Key", "S3ObjectVersion")),
    "AWS::Serverless::LayerVersion": ("ContentUri", ("Bucket", "Key", "Version")),
    "AWS::Lambda::LayerVersion": ("Content", ("S3Bucket", "S3Key", "S3ObjectVersion")),
}
_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    (
        "on",
        "~",
        "1e3",
        "012",
        "- a",
        "a: b",
        "# c",
        "two\nlines\n",
        "\n",
        " x ",
        "é\N{GRINNING FACE}",
        "*a",
        "&a",
        "!Ref X",
        "{}",
        "[",
        "%a",
        "'\"",
    )
)
_VALUES = st.recursive(
    _TEXT | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_TEXT.filter(lambda key: key != "<<" and not key.startswith("Fn::")), inner, max_size=3)
    ),
    max_leaves=6,
)
_EXTRA = st.dictionaries(st.sampled_from(("Description", "Tags", "Environment", "Timeout", "Handler")), _VALUES, max_size=3)


@st.composite
def _functions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(_TYPES)))
    key, fields = _TYPES[kind]
    code: list[Any] = ["src", {fields[0]: "b", fields[1]: "k"}, {fields[0]: "b", fields[1]: "k", fields[2]: "v"}]
    if kind == "AWS::Lambda::Function":
        code += [{"ZipFile": draw(_TEXT)}, {"ZipFile": "x", "SourceKMSKeyArn": "arn"}]
    properties = dict(draw(_EXTRA)) | {key: draw(st.sampled_from(code))}
    if kind == "AWS::Serverless::Function" and draw(st.booleans()):
        del properties[key]
        properties["InlineCode"] = draw(_TEXT)
    items = draw(st.permutations(sorted(properties.items(), key=lambda item: item[0])))
    body: dict[str, Any] = {"Type": kind, "Properties": dict(items)}
    if draw(st.booleans()):
        body["Metadata"] = {"BuildMethod": "python3.13", "aws:asset:path": "asset.1"} | draw(_EXTRA)
    return body


_TEMPLATES = st.fixed_dictionaries(
    {"Resources": st.dictionaries(st.sampled_from("ABCDEF"), _functions(), min_size=1, max_size=4)},
    optional={"Description": _VALUES, "Outputs": _VALUES},
)
_STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from((False, None, True)),
        "indent": st.integers(2, 6),
        "width": st.sampled_from((20, 80, 10_000)),
        "allow_unicode": st.booleans(),
        "default_style": st.sampled_from((None, None, "'", '"')),
        "explicit_start": st.booleans(),
    }
)
_JSON_STYLES = st.fixed_dictionaries(
    {
        "indent": st.sampled_from((None, 0, 1, 2, 4, "\t")),
        "ensure_ascii": st.booleans(),
        "separators": st.sampled_from((None, (",", ":"), (", ", ": "))),
    }
)


def _expected(template: Mapping[str, Any], signed: set[str]) -> Any:
    """The template with the code of those resources replaced, worked out on the value and not on the text."""
    new = json.loads(json.dumps(template))
    for name in signed:
        body = new["Resources"][name]
        key, fields = _TYPES[body["Type"]]
        properties = body["Properties"]
        properties.pop("InlineCode", None)
        old = properties.get(key)
        kept = {one: value for one, value in old.items() if one == "SourceKMSKeyArn"} if isinstance(old, dict) else {}
        properties[key] = dict(zip(fields, ("signed", f"shipsafe/{name}.zip", "v1"), strict=True)) | kept
        if body["Type"].endswith("Function"):
            properties["CodeSigningConfigArn"] = CONFIG
        metadata = body.get("Metadata", {})
        if metadata.pop("aws:asset:path", None) and not metadata:
            del body["Metadata"]
    return new


def _turned(text: str, signed: set[str]) -> str | None:
    """The new text, or None where it was refused: that is allowed where the text cannot be cut, never a wrong text."""
    try:
        return turned(text, *sorted(signed), config=CONFIG)
    except ConfigError as error:
        if not any(part in error.what for part in ("without changing more", "is not written as", "on the line of", "on a line of")):
            raise
        return None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(template=_TEMPLATES, style=_STYLES, data=st.data())
def test_yaml_means_the_same_but_for_the_code(template: dict[str, Any], style: dict[str, Any], data: st.DataObject) -> None:
    text = yaml.safe_dump(template, sort_keys=False, **style)
    signed = data.draw(st.sets(st.sampled_from(sorted(template["Resources"])), min_size=1))
    new = _turned(text, signed)
    event("refused" if new is None else "rewritten")
    if new is not None:
        assert yaml.safe_load(new) == _expected(yaml.safe_load(text), signed)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(template=_TEMPLATES, style=_JSON_STYLES, data=st.data())
def test_json_is_never_refused_and_means_the_same_but_for_the_code(
    template: dict[str, Any], style: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(template, **style)
    signed = data.draw(st.sets(st.sampled_from(sorted(template["Resources"])), min_size=1))
    new = turned(text, *sorted(signed), config=CONFIG, json_only=True)
    assert json.loads(new) == _expected(template, signed)
    order = [list(value) for value in _mappings(json.loads(text))]
    kept = [[key for key in value if key in old] for old, value in zip(order, _mappings(json.loads(new)), strict=False)]
    assert kept[0] == order[0]  # the order of the sections


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [value] if isinstance(value, dict) else []


_PIECES = st.sampled_from(
    (
        *(
            "Resources:\n",
            "  F:\n",
            "    Type: AWS::Serverless::Function\n",
            "    Properties:\n",
            "      CodeUri: src\n",
            "      CodeUri: |\n",
        ),
        *("        x\n", "\n", "# c\n", "      <<: *a\n", "    Properties: &a\n", "    Properties: *a\n", "      InlineCode: x\n"),
        *("  F: {Type: ", "AWS::Serverless::Function, Properties: {CodeUri: src}}\n", "Globals: {Function: {CodeUri: src}}\n"),
        *(
            "{",
            "}",
            "[",
            "]",
            ", ",
            ": ",
            "!If [A, b, c]",
            "- ",
            "? ",
            "'",
            '"',
            "\t",
            "---\n",
            "...\n",
            "\u2028",
            "\r\n",
            "\N{GRINNING FACE}",
        ),
    )
)


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(_PIECES, max_size=14))
def test_anything_ends_in_a_text_that_can_be_read_or_in_our_error(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        new = turned(text, config=CONFIG)
    except ShipsafeError:
        return
    code = read_written(new, name="t", json_only=False).get("Resources", "F", "Properties", "CodeUri")
    assert code is not None
    assert {key: value.text for key, value in code.fields().items()} == {"Bucket": "signed", "Key": "shipsafe/F.zip", "Version": "v1"}


def _real() -> list[Path]:
    suffixes = (".yaml", ".yml", ".json", ".template")
    return [path for path in sorted(shared_data("templates").resolve().rglob("*")) if path.suffix in suffixes and path.is_file()]


def _lines_of(text: str, name: str, signed: set[str]) -> set[int]:
    """The lines, from 0, in which a signed resource, a version of one, or the `Globals` stand."""
    root = Edits(text, name=name, json_only=name.endswith(".json")).root
    resources = root.get("Resources")
    parts = [entry for entry in (resources.entries if resources else ()) if entry.key.text in signed or _is_version(entry.value)]
    parts += [entry for entry in root.entries if entry.key.text == "Globals"]
    found: set[int] = set()
    for entry in parts:
        found |= set(range(text.count("\n", 0, entry.key.start), text.count("\n", 0, entry.value.end) + 1))
    return found


def test_real_templates_change_where_something_was_signed_and_nowhere_else(tmp_path: Path) -> None:
    rewritten = 0
    for path in _real():
        try:
            project = read_project(path, policy=policy(), overrides={})
        except ShipsafeError:
            continue
        subjects = [one for one in project.subjects if not (isinstance(one, Function) and one.is_image)]
        if not subjects or not subjects[0].trail:
            continue
        # Beside the original, so that no path of it has to change; nothing is written there.
        out = path.with_name(f"rewritten{path.suffix}")
        made = rewrite([f"{path}={out}"], [deployable(one.subject, config=CONFIG) for one in subjects], policy=policy())
        rewritten += 1
        own = {one.trail[-1][1] for one in subjects if len(one.trail) == 1}
        before, after = path.read_bytes().decode("utf-8-sig"), made.files[out].decode()
        allowed = _lines_of(before, path.name, own) | _stacks_of(before, path.name, subjects)
        for tag, start, end, _, _ in SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False).get_opcodes():
            changed = set(range(start, max(end, start + 1))) if tag != "equal" else set()
            # What is added behind the last line of a resource stands before the next one.
            assert changed <= allowed | {line + 1 for line in allowed}, (path, tag, start, end)
        _read_again(tmp_path, path, project.root, made.files, subjects)
    assert rewritten > 150


def _is_version(body: Part) -> bool:
    kind = body.get("Type")
    return kind is not None and kind.text == "AWS::Lambda::Version"


def _stacks_of(text: str, name: str, subjects: list[Subject]) -> set[int]:
    return _lines_of(text, name, {one.trail[0][1] for one in subjects if len(one.trail) > 1})


def _read_again(tmp_path: Path, path: Path, root: Path, files: Mapping[Path, bytes], subjects: list[Subject]) -> None:
    """Our own reader finds the same functions, each with exactly what was signed for it."""
    if len(files) > 1:
        return  # nested ones: tests/flows/test_rewrite.py
    name = path.with_name(f"rewritten{path.suffix}")
    copy = tmp_path / name.name
    copy.write_bytes(files[root / name.name])
    again = {one.subject: one.code for one in read_project(copy, policy=policy(), overrides={}).subjects}
    for one in subjects:
        assert again[one.subject].kind is CodeKind.S3, (path, one.subject)
        assert again[one.subject].uri == f"s3://signed/shipsafe/{one.name}.zip?versionId=v1"
