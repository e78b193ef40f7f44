"""Nested stacks are part of the project where their template lies in it; where it does not, the verdict hears of it."""

from pathlib import Path

import pytest

from shipsafe.readers import read_project
from tests.readers.writing import function, policy, read, refused, write

CHILD = """
Parameters:
  Layer: {Type: String, Default: ""}
  Stage: {Type: String}
  Secret: {Type: String, NoEcho: true, Default: hunter2}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: python3.13
      Handler: !Sub "app.${Stage}"
      Layers: [!Ref Layer]
      Environment: {Variables: {REGION: !Ref AWS::Region, STACK: !Ref AWS::StackName, SECRET: !Ref Secret}}
"""
LAYERS = """
Resources:
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: content}}
Outputs:
  Arn: {Value: !Ref Shared}
  Name: {Value: tools}
"""
PARENT = """
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Child:
    Type: AWS::Serverless::Application
    Properties:
      Location: services/child.yaml
      Parameters: {Stage: !Ref Stage, Layer: !GetAtt Layers.Outputs.Arn}
  Layers:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./layers/template.json
  Own:
    Type: AWS::Serverless::Function
    Properties: {Layers: [!GetAtt Layers.Outputs.Arn, !GetAtt Layers.Outputs.Nope], Handler: !GetAtt Layers.Outputs.Name}
"""
FILES = {"services/child.yaml": CHILD, "layers/template.json": LAYERS.replace("!Ref Shared", "{Ref: Shared}")}


def json_of(text: str) -> str:
    """The same template as JSON, so that both forms are nested in one project."""
    import json  # noqa: PLC0415 - only here

    import yaml  # noqa: PLC0415 - only here

    return json.dumps(yaml.safe_load(text))


def project_files() -> dict[str, str]:
    return FILES | {"layers/template.json": json_of(FILES["layers/template.json"])}


def test_functions_and_layers_of_nested_stacks_follow_their_parents(tmp_path: Path) -> None:
    project = read(tmp_path, PARENT, files=project_files(), overrides={"AWS::Region": "eu-west-1", "AWS::StackName": "top"})
    assert [entry.name for entry in project.functions] == ["Own", "Child.F"]
    assert [entry.name for entry in project.layers] == ["Layers.Shared"]
    assert set(project.templates) == {"template.yaml", "services/child.yaml", "layers/template.json"}
    assert project.hints == ()
    assert project.unresolved == ()


def test_parameters_are_handed_down_and_paths_belong_to_their_template(tmp_path: Path) -> None:
    project = read(tmp_path, PARENT, files=project_files(), overrides={"AWS::Region": "eu-west-1", "AWS::StackName": "top"})
    child = function(project, "Child.F")
    assert (child.handler, child.code.path) == ("app.dev", "services/src")
    assert str(child.location) == "services/child.yaml:7"
    assert [ref.local for ref in child.layers] == ["Layers.Shared"]
    assert child.environment == {"REGION": "eu-west-1", "STACK": "${AWS::StackName}", "SECRET": None}
    assert project.layers[0].code.path == "layers/content"


def test_outputs_of_nested_stacks_are_followed(tmp_path: Path) -> None:
    own = function(read(tmp_path, PARENT, files=project_files()), "Own")
    assert own.handler == "tools"
    assert own.layers[0].local == "Layers.Shared"
    assert own.layers[1].unresolved == "nested stack Layers has no output Nope"


def test_what_the_parent_does_not_know_the_child_does_not_know(tmp_path: Path) -> None:
    parent = PARENT.replace("Stage: !Ref Stage, ", "")
    child = function(read(tmp_path, parent, files=project_files()), "Child.F")
    assert {entry.field: entry.reason for entry in child.unresolved}["handler"] == "parameter Stage has no value"


def nested(location: str) -> str:
    return (
        "Resources:\n  F: {Type: AWS::Lambda::Function}\n"
        f"  N: {{Type: AWS::Serverless::Application, Properties: {{Location: {location}}}}}\n"
    )


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("{ApplicationId: 'arn:aws:x', SemanticVersion: 1.0.0}", "application of the Serverless Application Repository"),
        ("'https://bucket.s3.amazonaws.com/t.yaml'", "its template is remote"),
        ("'s3://bucket/t.yaml'", "its template is remote"),
        ("!Sub 'https://${AWS::Region}.x/t.yaml'", "it depends on AWS::Region"),
        ("nowhere.yaml", "its template nowhere.yaml does not exist"),
        ('"a\\0b"', "its path cannot be used"),
        ("!ImportValue x", "Fn::ImportValue"),
        ("null", "it has no value"),
    ],
)
def test_a_stack_that_is_not_here_is_unresolved(tmp_path: Path, location: str, says: str) -> None:
    project = read(tmp_path, nested(location))
    (entry,) = project.unresolved
    assert entry.field == "N"
    assert says in entry.reason
    assert str(entry.location) == "template.yaml:3"


def test_a_project_of_remote_stacks_alone_is_not_nothing(tmp_path: Path) -> None:
    text = "Resources:\n  N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://x/y'}}\n"
    assert read(tmp_path, text).unresolved[0].reason == "its template is remote"


def test_a_nested_stack_whose_condition_is_false_is_left_out(tmp_path: Path) -> None:
    text = "Conditions: {No: !Equals [a, b]}\n" + nested("child.yaml").replace("Application,", "Application, Condition: No,")
    project = read(tmp_path, text, files={"child.yaml": CHILD})
    assert [entry.name for entry in project.functions] == ["F"]
    assert project.hints[0].startswith("N is left out")


def test_a_template_above_the_root_is_read_and_located_by_its_full_path(tmp_path: Path) -> None:
    write(tmp_path, {"app/template.yaml": nested("../shared/child.yaml"), "shared/child.yaml": CHILD})
    project = read_project(tmp_path / "app", policy=policy(), overrides={})
    child = function(project, "N.F")
    assert child.location.path == (tmp_path.resolve() / "shared/child.yaml").as_posix()
    assert child.code.path == "../shared/src"


def test_a_broken_nested_template_is_refused_with_its_own_place(tmp_path: Path) -> None:
    found = refused(tmp_path, nested("child.yaml"), files={"child.yaml": "a:\n  ]"})
    assert (found.path, found.line) == ("child.yaml", 2)


@pytest.mark.parametrize("location", ["template.yaml", "./x/../template.yaml"])
def test_a_stack_that_contains_itself_is_refused(tmp_path: Path, location: str) -> None:
    assert "contains itself" in refused(tmp_path, nested(location)).what


def test_a_circle_of_stacks_is_refused(tmp_path: Path) -> None:
    assert "contains itself" in refused(tmp_path, nested("b.yaml"), files={"b.yaml": nested("template.yaml")}).what


def test_stacks_nested_too_deep_are_refused(tmp_path: Path) -> None:
    files = {f"t{i}.yaml": nested(f"t{i + 1}.yaml") for i in range(20)}
    assert "nested deeper than 10" in refused(tmp_path, nested("t0.yaml"), files=files).what


def test_stacks_that_multiply_are_refused(tmp_path: Path) -> None:
    def many(location: str) -> str:
        entry = f"{{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {location}}}}}"
        return "Resources:\n" + "".join(f"  N{i}: {entry}\n" for i in range(20))

    files = {"a.yaml": many("b.yaml"), "b.yaml": many("c.yaml"), "c.yaml": CHILD}
    assert "one of more than 200" in refused(tmp_path, many("a.yaml"), files=files).what


def test_stacks_that_need_each_others_outputs_are_unknown_and_end(tmp_path: Path) -> None:
    text = """
Resources:
  A: {Type: AWS::Serverless::Application, Properties: {Location: c.yaml, Parameters: {Stage: !GetAtt B.Outputs.O}}}
  B: {Type: AWS::Serverless::Application, Properties: {Location: c.yaml, Parameters: {Stage: !GetAtt A.Outputs.O}}}
"""
    child = CHILD + "Outputs: {O: {Value: !Ref Stage}}\n"
    found = function(read(tmp_path, text, files={"c.yaml": child}), "A.F")
    assert {entry.field: entry.reason for entry in found.unresolved}["handler"] == "nested stack A depends on its own outputs"


def test_a_long_chain_of_outputs_is_refused_and_not_crashed_on(tmp_path: Path) -> None:
    entry = "{{Type: AWS::Serverless::Application, Properties: {{Location: c.yaml, Parameters: {{Stage: !GetAtt N{}.Outputs.O}}}}}}"
    text = "Resources:\n" + "".join(f"  N{i}: {entry.format(i + 1)}\n" for i in range(150))
    assert "nested more than" in refused(tmp_path, text, files={"c.yaml": CHILD + "Outputs: {O: {Value: !Ref Stage}}\n"}).what


@pytest.mark.parametrize(
    ("head", "field", "says"),
    [
        ("Transform: [AWS::Serverless-2016-10-31, DatadogServerless]", "Transform", "DatadogServerless may add or change functions"),
        ("Transform: {Name: 'AWS::Include', Parameters: {Location: 's3://b/k'}}", "Transform", "AWS::Include may add"),
        ("Transform: AWS::SecretsManager-2024-09-16", "Transform", "AWS::SecretsManager-2024-09-16 may add"),
        ("Fn::Transform: {Name: M}", "Fn::Transform", "it writes resources that only CloudFormation knows"),
    ],
)
def test_macros_are_unresolved(tmp_path: Path, head: str, field: str, says: str) -> None:
    (entry,) = read(tmp_path, f"{head}\nResources:\n  F: {{Type: AWS::Lambda::Function}}\n").unresolved
    assert entry.field == field
    assert says in entry.reason


@pytest.mark.parametrize(
    "resource",
    [
        "  Fn::ForEach::Topics: [x, [a], {'F${x}': {Type: AWS::Lambda::Function}}]",
        "  Fn::Transform: {Name: AWS::Include}",
        "  M: {Type: My::Own::Thing::MODULE}",
        "  M: {Type: AWS::Serverless::WebFunction, Properties: {CodeUri: 's3://b/k'}}",
    ],
)
def test_loops_includes_and_modules_among_resources_are_unresolved(tmp_path: Path, resource: str) -> None:
    project = read(tmp_path, f"Transform: AWS::LanguageExtensions\nResources:\n  F: {{Type: AWS::Lambda::Function}}\n{resource}\n")
    assert [entry.location and entry.location.line for entry in project.unresolved] == [4]
    assert [entry.name for entry in project.functions] == ["F"]
