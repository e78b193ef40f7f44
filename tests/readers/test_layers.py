"""Which layer a function uses: one of the project's own, an ARN, or the reason why neither is known."""

from pathlib import Path

import pytest

from shipsafe.model.project import LayerRef
from tests.readers.writing import function, layer, read

ARN = "arn:aws:lambda:eu-west-1:111122223333:layer:tools"
OPEN = "Parameters: {P: {Type: String}, Q: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /v}}"


@pytest.mark.parametrize(
    ("written", "arn", "version", "account", "region"),
    [
        (f"{ARN}:12", f"{ARN}:12", 12, "111122223333", "eu-west-1"),
        (ARN, ARN, None, "111122223333", "eu-west-1"),
        ("arn:aws:lambda:::awslayer:AmazonLinux1803", "arn:aws:lambda:::awslayer:AmazonLinux1803", None, None, None),
        (
            '!Sub "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:layer:tools:5"',
            "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:layer:tools:5",
            5,
            "${AWS::AccountId}",
            "${AWS::Region}",
        ),
        (f"!Join [':', ['{ARN}', 3]]", f"{ARN}:3", 3, "111122223333", "eu-west-1"),
    ],
)
def test_an_arn_is_taken_apart(
    tmp_path: Path, written: str, arn: str, version: int | None, account: str | None, region: str | None
) -> None:
    ref = layer(tmp_path, written)
    assert (ref.arn, ref.version, ref.account, ref.region) == (arn, version, account, region)
    assert (ref.local, ref.changeable, ref.unresolved) == (None, "", "")


@pytest.mark.parametrize(
    "written", ["tools", f"{ARN}:0", f"{ARN}:latest", f"{ARN}:1:2", f"{ARN}:", f"{ARN}x y:1", "arn:aws:s3:::bucket", f"{ARN}:{'9' * 30}"]
)
def test_what_is_not_the_arn_of_a_layer_says_so(tmp_path: Path, written: str) -> None:
    ref = layer(tmp_path, f"'{written}'")
    assert (ref.arn, ref.unresolved) == (None, "it is not the ARN of a layer")


@pytest.mark.parametrize("kind", ["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"])
@pytest.mark.parametrize("written", ["!Ref Own", "!GetAtt Own.LayerVersionArn", "!Sub '${Own}'", "!Join ['', [!Ref Own]]"])
def test_a_layer_of_the_project_is_known_by_its_name(tmp_path: Path, kind: str, written: str) -> None:
    ref = layer(tmp_path, written, more=f"  Own: {{Type: {kind}}}\n")
    assert (ref.local, ref.arn, ref.unresolved) == ("Own", None, "")


@pytest.mark.parametrize(
    ("written", "changeable", "arn"),
    [
        ("!Ref P", "parameter P has no fixed value", None),
        ("!Ref Q", "parameter Q is read anew from SSM at every deployment", None),
        (f"!Sub '{ARN}:${{P}}'", "parameter P has no fixed value", ARN),
        (f"!Join [':', ['{ARN}', !Ref Q]]", "parameter Q is read anew from SSM at every deployment", ARN),
        ("!Sub 'arn:aws:lambda:eu-west-1:${P}:layer:x:1'", "parameter P has no fixed value", None),
        ("'{{resolve:ssm:/layer}}'", "ssm parameter /layer without a version is read anew at every deployment", None),
        (f"'{ARN}:{{{{resolve:ssm:/v}}}}'", "ssm parameter /v without a version is read anew at every deployment", ARN),
        ("'{{resolve:secretsmanager:x:SecretString:arn}}'", "a secret is read anew at every deployment", None),
        ("!If [C, a, b]", "parameter P has no fixed value", None),
    ],
)
def test_what_can_change_between_two_deployments_says_why(tmp_path: Path, written: str, changeable: str, arn: str | None) -> None:
    ref = layer(tmp_path, written, head=f"{OPEN}\nConditions: {{C: !Equals [!Ref P, x]}}")
    assert (ref.changeable, ref.arn, ref.version) == (changeable, arn, None)
    assert bool(ref.unresolved) == (arn is None)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("!ImportValue shared", "is the export of another stack"),
        ("!GetAtt Custom.Arn", "Arn of Custom (Custom::Thing) is known only after deployment"),
        ("!Ref Nobody", "neither a parameter nor a resource"),
        ("'{{resolve:ssm:/layer:4}}'", "is not in the template"),
        (f"!Sub '{ARN}:${{Custom.Version}}'", "Version of Custom"),
        ("{a: b}", "it is a mapping"),
        ("!GetAtt Own.Name", "Name of Own"),
    ],
)
def test_what_cannot_be_known_is_unresolved_and_not_changeable(tmp_path: Path, written: str, says: str) -> None:
    more = "  Custom: {Type: Custom::Thing}\n  Own: {Type: AWS::Serverless::LayerVersion}\n"
    ref = layer(tmp_path, written, more=more)
    assert says in ref.unresolved
    assert (ref.arn, ref.local, ref.changeable) == (None, None, "")


def test_a_layer_that_its_condition_leaves_out_is_not_used(tmp_path: Path) -> None:
    ref = layer(
        tmp_path, "!Ref Own", head="Conditions: {No: !Equals [a, b]}", more="  Own: {Type: AWS::Lambda::LayerVersion, Condition: No}\n"
    )
    assert ref.unresolved == "resource Own is left out by its condition No"


def refs(folder: Path, layers: str) -> tuple[LayerRef, ...]:
    head = f"Parameters: {{L: {{Type: CommaDelimitedList, Default: '{ARN}:1, {ARN}:2'}}}}\nConditions: {{No: !Equals [a, b]}}\n"
    text = f"{head}Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Layers: {layers}\n"
    return function(read(folder, text)).layers


def test_lists_of_layers_may_be_expressions(tmp_path: Path) -> None:
    assert [ref.version for ref in refs(tmp_path, "!Ref L")] == [1, 2]
    assert [ref.version for ref in refs(tmp_path, f"!If [No, [{ARN}:8], [{ARN}:9, !Ref AWS::NoValue]]")] == [9]
    assert refs(tmp_path, "!If [No, [a], !Ref AWS::NoValue]") == ()
    assert [ref.version for ref in refs(tmp_path, f"[!If [No, {ARN}:3, !Ref AWS::NoValue], {ARN}:4]")] == [4]
    assert [ref.text for ref in refs(tmp_path, "!Ref L")] == ["!Ref L", "!Ref L"]
    assert "export of another stack" in refs(tmp_path, "!Split [',', !ImportValue x]")[0].unresolved


def test_a_reference_is_shown_as_it_is_written(tmp_path: Path) -> None:
    assert layer(tmp_path, "!GetAtt Own.Arn").text == "!GetAtt Own.Arn"
    assert layer(tmp_path, "{'Fn::If': [C, !Ref A, !Sub 'x${y}']}").text == '!If [C, !Ref A, !Sub "x${y}"]'
    assert len(layer(tmp_path, f"!Join ['', [{', '.join(['abcdefgh'] * 1000)}]]").text) < 150


def test_the_projects_layers_are_read(tmp_path: Path) -> None:
    text = """
Globals:
  LayerVersion: {PublishLambdaVersion: true}
Resources:
  Sam:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13, BuildArchitecture: arm64}
    Properties:
      ContentUri: layers/sam
      CompatibleRuntimes: [python3.9, python3.13, python3.10]
      CompatibleArchitectures: [arm64]
  Cfn:
    Type: AWS::Lambda::LayerVersion
    Properties:
      Content: {S3Bucket: b, S3Key: k}
      CompatibleRuntimes: [python3.9, python3.13, python3.10]
  Local:
    Type: AWS::Lambda::LayerVersion
    Properties: {Content: layers/made.zip}
  Empty:
    Type: AWS::Serverless::LayerVersion
"""
    sam, cfn, local, empty = read(tmp_path, text).layers
    assert (sam.name, sam.code.path, sam.runtime, sam.build_architecture) == ("Sam", "layers/sam", "python3.13", "arm64")
    assert (sam.architectures, sam.location.line, sam.unresolved) == (("arm64",), 5, ())
    assert (cfn.code.uri, cfn.runtime, cfn.build_method) == ("s3://b/k", "python3.13", None)
    assert (local.code.kind.value, local.code.path) == ("zip", "layers/made.zip")
    assert (empty.code.kind.value, empty.unresolved[0].reason) == ("unknown", "ContentUri is not set")
