"""A function has what its resource and its Globals say, each value with its place."""

from pathlib import Path

import pytest

from shipsafe.model.location import Location
from shipsafe.model.project import Code, Function
from tests.readers.writing import function, read

SAM = """Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
    Architectures: [arm64]
    Layers: ["arn:aws:lambda:eu-west-1:111122223333:layer:base:1"]
    Environment:
      Variables: {STAGE: dev, SHARED: "1"}
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: python3.13, SkipBuild: True}
    Properties:
      CodeUri: src/
      Handler: app.handler
      Layers:
        - arn:aws:lambda:eu-west-1:111122223333:layer:own:2
      Environment:
        Variables:
          STAGE: prod
  G:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src, Runtime: nodejs22.x, Handler: index.handler, Architectures: [x86_64], Layers: !Ref AWS::NoValue}
  Plain:
    Type: AWS::Lambda::Function
    Properties: {Handler: app.handler, Runtime: python3.12, Code: src}
"""


def made(folder: Path, properties: str, *, kind: str = "AWS::Serverless::Function", more: str = "") -> Function:
    return function(read(folder, f"Resources:\n  F:\n    Type: {kind}\n    Properties: {properties}\n{more}"))


def reasons(found: Function) -> dict[str, str]:
    return {entry.field: entry.reason for entry in found.unresolved}


def test_globals_are_merged_as_sam_merges_them(tmp_path: Path) -> None:
    project = read(tmp_path, SAM, files={"src/app.py": ""})
    found = function(project)
    assert (found.runtime, found.handler, found.architectures) == ("python3.13", "app.handler", ("arm64",))
    assert [ref.arn and ref.arn.rpartition("layer:")[2] for ref in found.layers] == ["base:1", "own:2"]
    assert found.environment == {"STAGE": "prod", "SHARED": "1"}
    assert (found.build_method, found.skip_build, found.unresolved) == ("python3.13", True, ())
    other = function(project, "G")
    assert (other.runtime, other.architectures, other.layers, other.is_python) == ("nodejs22.x", ("x86_64",), (), False)
    plain = function(project, "Plain")
    assert (plain.runtime, plain.architectures, plain.layers, plain.environment) == ("python3.12", ("x86_64",), (), {})


def test_every_value_keeps_its_place_wherever_it_was_inherited_from(tmp_path: Path) -> None:
    found = function(read(tmp_path, SAM))
    assert found.location == Location(path="template.yaml", line=10, column=3)
    lines = {field: place.line for field, place in found.places.items()}
    assert lines == {"code": 14, "handler": 15, "runtime": 4, "architectures": 5, "layers": 17, "environment": 19}
    assert [ref.location and ref.location.line for ref in found.layers] == [6, 17]


@pytest.mark.parametrize(
    ("properties", "kind", "expected"),
    [
        ("{CodeUri: src}", "Serverless", ("folder", "src", None)),
        ("{CodeUri: ./src/}", "Serverless", ("folder", "src", None)),
        ("{CodeUri: .}", "Serverless", ("folder", ".", None)),
        ("{CodeUri: ../src}", "Serverless", ("folder", "../src", None)),
        ("{CodeUri: src/app.py}", "Serverless", ("file", "src/app.py", None)),
        ("{CodeUri: made.zip}", "Serverless", ("zip", "made.zip", None)),
        ("{CodeUri: target/app.jar}", "Serverless", ("zip", "target/app.jar", None)),
        ("{CodeUri: absent}", "Serverless", ("folder", "absent", None)),
        ("{CodeUri: folder.zip}", "Serverless", ("folder", "folder.zip", None)),
        ("{CodeUri: 's3://b/k.zip'}", "Serverless", ("s3", None, "s3://b/k.zip")),
        ("{CodeUri: {Bucket: b, Key: k, Version: '3'}}", "Serverless", ("s3", None, "s3://b/k?versionId=3")),
        ("{ImageUri: 'repo:1'}", "Serverless", ("image", None, "repo:1")),
        ("{PackageType: Image}", "Serverless", ("image", None, None)),
        # SAM takes an image only where PackageType says so, and what stands beside it else.
        ("{ImageUri: 'repo:1', CodeUri: 's3://b/k.zip'}", "Serverless", ("s3", None, "s3://b/k.zip")),
        ("{ImageUri: 'repo:1', CodeUri: src, PackageType: !Ref P}", "Serverless", ("folder", "src", None)),
        ("{ImageUri: 'repo:1', InlineCode: 'x = 1'}", "Serverless", ("inline", None, None)),
        ("{ImageUri: 'repo:1', CodeUri: src, PackageType: Image}", "Serverless", ("image", None, "repo:1")),
        ("{Code: {ImageUri: 'repo:1', S3Bucket: b, S3Key: k}}", "Lambda", ("s3", None, "s3://b/k")),
        ("{Code: {ImageUri: 'repo:1', ZipFile: 'x = 1'}}", "Lambda", ("inline", None, None)),
        ("{Code: src}", "Lambda", ("folder", "src", None)),
        ("{Code: {S3Bucket: b, S3Key: k}}", "Lambda", ("s3", None, "s3://b/k")),
        ("{Code: {S3Bucket: !Ref B, S3Key: !Sub 'x/${B}'}}", "Lambda", ("s3", None, 's3://!Ref B/!Sub "x/${B}"')),
        ("{Code: {ImageUri: !Sub '${AWS::AccountId}.dkr'}}", "Lambda", ("image", None, "${AWS::AccountId}.dkr")),
        ("{Code: 's3://b/k'}", "Lambda", ("s3", None, "s3://b/k")),
    ],
)
def test_code_is_found_where_the_template_says(
    tmp_path: Path, properties: str, kind: str, expected: tuple[str, str | None, str | None]
) -> None:
    for name in ("src/app.py", "folder.zip/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    code = made(tmp_path, properties, kind=f"AWS::{kind}::Function").code
    assert (code.kind.value, code.path, code.uri) == expected


def test_an_absolute_path_becomes_relative_to_the_root(tmp_path: Path) -> None:
    assert made(tmp_path, f"{{CodeUri: {tmp_path.resolve()}/src}}").code.path == "src"


@pytest.mark.parametrize(("kind", "properties"), [("Serverless", "InlineCode: |"), ("Lambda", "Code:\n        ZipFile: |")])
def test_inline_code_is_text(tmp_path: Path, kind: str, properties: str) -> None:
    text = f"Resources:\n  F:\n    Type: AWS::{kind}::Function\n    Properties:\n      {properties}\n          x = '${{AWS::Region}}'\n"
    code = function(read(tmp_path, text)).code
    assert (code.kind.value, code.text) == ("inline", "x = '${AWS::Region}'\n")


@pytest.mark.parametrize(
    ("properties", "kind", "says"),
    [
        ("{}", "Serverless", "CodeUri is not set"),
        ("{}", "Lambda", "Code is not set"),
        ("{CodeUri: !Ref P}", "Serverless", "parameter P has no value"),
        ("{CodeUri: !Sub 'src/${AWS::Region}'}", "Serverless", "it depends on AWS::Region"),
        ("{CodeUri: {Name: x}}", "Serverless", "it is a list or a mapping where text is needed"),
        ('{CodeUri: "a\\0b"}', "Serverless", "the path is too long or has a control character"),
        (f"{{CodeUri: {'x' * 5000}}}", "Serverless", "the path is too long"),
        ("{InlineCode: !Sub 'x = \"${AWS::Region}\"'}", "Serverless", "it depends on AWS::Region"),
        ("{Code: {ZipFile: !Ref P}}", "Lambda", "parameter P has no value"),
        ("{Code: {ZipFile: !Ref AWS::NoValue}}", "Lambda", "the inline code is empty"),
        ("{Fn::Transform: {Name: AWS::Include}, CodeUri: src}", "Serverless", "Fn::Transform writes properties"),
        ("{Fn::ForEach::x: [a, [b], {}], Code: src}", "Lambda", "Fn::ForEach::x writes properties"),
        ("[a]", "Lambda", "its `Properties` are not a mapping"),
        ("text", "Lambda", "its `Properties` are not a mapping"),
    ],
)
def test_code_that_cannot_be_known_says_why(tmp_path: Path, properties: str, kind: str, says: str) -> None:
    found = made(tmp_path, properties, kind=f"AWS::{kind}::Function", more="Parameters: {P: {Type: String}}\n")
    assert found.code == Code(kind=found.code.kind, location=found.code.location)
    assert found.code.kind.value == "unknown"
    assert says in reasons(found)["code"]


def test_a_path_too_long_for_the_disk_is_a_path_that_does_not_exist(tmp_path: Path) -> None:
    assert made(tmp_path, f"{{CodeUri: {'x' * 300}}}").code.path == "x" * 300


def test_an_image_needs_neither_runtime_nor_handler(tmp_path: Path) -> None:
    found = made(tmp_path, "{PackageType: Image, ImageUri: !Ref Nobody}")
    assert (found.is_image, found.runtime, found.handler, found.unresolved) == (True, None, None, ())


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert reasons(made(tmp_path, "{CodeUri: src}")) == {"runtime": "Runtime is not set", "handler": "Handler is not set"}


def test_null_properties_are_properties_that_are_not_there(tmp_path: Path) -> None:
    found = made(tmp_path, "{CodeUri: src, Runtime: null, Handler: a.b, Layers: null, Environment: null, Architectures: null}")
    assert (found.layers, found.environment, found.architectures) == ((), {}, ("x86_64",))
    assert reasons(found) == {"runtime": "Runtime is not set"}


@pytest.mark.parametrize(
    ("written", "found", "noted"),
    [
        ("[arm64]", ("arm64",), False),
        ("[x86_64, arm64]", ("x86_64", "arm64"), False),
        ("[!Ref P]", ("x86_64",), True),
        ("!Ref P", ("x86_64",), True),
        ("[mips]", ("x86_64",), True),
        ("arm64", ("arm64",), False),
    ],
)
def test_architectures_are_lambdas(tmp_path: Path, written: str, found: tuple[str, ...], noted: bool) -> None:  # noqa: FBT001 - a case
    result = made(tmp_path, f"{{CodeUri: src, Architectures: {written}}}", more="Parameters: {P: {Type: String}}\n")
    assert (result.architectures, "architectures" in reasons(result)) == (found, noted)


def test_environment_values_that_are_not_known_are_none_and_named(tmp_path: Path) -> None:
    text = """
Resources:
  T: {Type: AWS::DynamoDB::Table}
  F:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          TABLE: !Ref T
          HOME: !Sub "s-${AWS::Region}"
          DEBUG: True
          NONE: !Ref AWS::NoValue
"""
    found = function(read(tmp_path, text))
    assert found.environment == {"TABLE": None, "HOME": "s-${AWS::Region}", "DEBUG": "true"}
    entry = next(entry for entry in found.unresolved if entry.field == "environment.TABLE")
    assert (entry.reason, str(entry.location)) == (
        "Ref of T (AWS::DynamoDB::Table) is known only after deployment",
        "template.yaml:9",
    )


def test_an_environment_that_is_not_known_is_named_as_a_whole(tmp_path: Path) -> None:
    found = made(tmp_path, "{CodeUri: src, Environment: {Variables: !ImportValue x}}")
    assert found.environment == {}
    assert "Fn::ImportValue" in reasons(found)["environment"]


def test_functions_in_every_language_are_read_in_their_order(tmp_path: Path) -> None:
    names = ["go", "provided.al2023", "java21", "python3.13"]
    text = "Resources:\n" + "".join(
        f"  F{i}: {{Type: AWS::Lambda::Function, Properties: {{Runtime: {name}}}}}\n" for i, name in enumerate(names)
    )
    assert [entry.runtime for entry in read(tmp_path, text).functions] == names
