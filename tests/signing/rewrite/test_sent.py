"""A template as CloudFormation itself is given it: no file of this machine is named in it, and what it keeps is what it was sent."""

import json
from typing import Any

import pytest

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.sent import Declared, read_sent, same_template

SIGNED = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Size: {Type: Number}
  Password: {Type: String, NoEcho: true}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: {Bucket: b, Key: k, Version: v}
"""


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_sent(text, name="template.signed.yaml")
    return str(caught.value)


def test_a_signed_template_says_its_parameters_and_needs_roles_and_a_transform() -> None:
    sent = read_sent(SIGNED, name="template.signed.yaml")
    assert sent.parameters == {
        "Stage": Declared(default="dev", hidden=False),
        "Size": Declared(default=None, hidden=False),
        "Password": Declared(default=None, hidden=True),
    }
    assert sent.capabilities == ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")


@pytest.mark.parametrize(
    ("resource", "capabilities"),
    [
        ("{Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: k}}}", ()),
        ("{Type: AWS::IAM::Role, Properties: {Path: /}}", ("CAPABILITY_IAM",)),
        ("{Type: AWS::IAM::Role, Properties: {RoleName: orders}}", ("CAPABILITY_NAMED_IAM", "CAPABILITY_IAM")),
        ("{Type: AWS::IAM::Policy, Properties: {PolicyName: orders}}", ("CAPABILITY_IAM",)),
        ("{Type: AWS::SNS::Topic, Properties: {'Fn::Transform': {Name: Ours}}}", ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")),
        (
            "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://s3.amazonaws.com/b/k'}}",
            ("CAPABILITY_NAMED_IAM", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        ),
    ],
)
def test_only_what_a_template_needs_is_acknowledged(resource: str, capabilities: tuple[str, ...]) -> None:
    assert read_sent(f"Resources:\n  One: {resource}\n", name="t.yaml").capabilities == capabilities


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        ("{Type: AWS::Serverless::Function, Properties: {CodeUri: src/}}", "Resources.One.Properties.CodeUri is 'src/'"),
        ("{Type: AWS::Lambda::LayerVersion, Properties: {Content: layer/}}", "Resources.One.Properties.Content is 'layer/'"),
        ("{Type: AWS::Serverless::Api, Properties: {DefinitionUri: api.yaml}}", "Resources.One.Properties.DefinitionUri is 'api.yaml'"),
        (
            "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}",
            "Resources.One.Properties.TemplateURL is 'child.yaml'",
        ),
        ("{Type: AWS::Serverless::Application, Properties: {Location: /srv/child.yaml}}", "Properties.Location is '/srv/child.yaml'"),
        (
            "{Type: AWS::Glue::Job, Properties: {Command: {ScriptLocation: job.py}}}",
            "Resources.One.Properties.Command.ScriptLocation is 'job.py'",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: orders}}",
            "Resources.One.Properties.ImageUri is 'orders'",
        ),
        (
            "{Type: AWS::SNS::Topic, Properties: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: topic.yaml}}}}",
            "Resources.One.Properties.Fn::Transform.Parameters.Location is 'topic.yaml'",
        ),
    ],
)
def test_a_file_of_this_machine_is_refused_with_the_name_of_its_property(resource: str, said: str) -> None:
    message = refused(f"Resources:\n  One: {resource}\n")
    assert message.startswith("template.signed.yaml:2: ")
    assert said in message
    assert "--via sam" in message


def test_code_for_all_functions_that_lies_here_is_refused() -> None:
    assert "Globals.Function.CodeUri is 'src/'" in refused("Globals: {Function: {CodeUri: src/}}\n" + SIGNED)


@pytest.mark.parametrize(
    "resource",
    [
        "{Type: AWS::Serverless::Api, Properties: {DefinitionUri: 's3://bucket/api.yaml'}}",
        "{Type: AWS::Serverless::Api, Properties: {DefinitionUri: {Bucket: b, Key: k}}}",
        "{Type: AWS::Serverless::Api, Properties: {DefinitionUri: !Ref Api}}",
        "{Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: 'arn:x', SemanticVersion: 1.0.0}}}",
        "{Type: AWS::Lambda::Function, Metadata: {DockerContext: .}, Properties: {Code: {ImageUri: '1.dkr.ecr.eu-west-1.amazonaws.com'}}}",
        "{Type: AWS::Serverless::Function, Properties: {ImageUri: '111122223333.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:00'}}",
    ],
)
def test_what_lies_on_aws_is_left_alone(resource: str) -> None:
    assert read_sent(f"Resources:\n  One: {resource}\n", name="t.yaml").text


def test_what_cloudformation_keeps_is_compared_by_value() -> None:
    assert same_template(SIGNED, SIGNED, name="t.yaml")
    assert same_template(SIGNED, SIGNED.replace("{Bucket: b, Key: k, Version: v}", "{Key: k, Version: v, Bucket: b}"), name="t.yaml")
    text = '{"Description": "für alle", "Resources": {"One": {"Type": "AWS::SNS::Topic", "Properties": {"A": 1.50, "B": [true, null]}}}}'
    kept: Any = json.loads(text.replace("ü", "?"))
    assert same_template(text, kept, name="t.json")
    assert same_template(f"# für alle\n{SIGNED}", f"# f?r alle\n{SIGNED}", name="t.yaml")
    assert same_template(f"# für alle\n{SIGNED}", f"# für alle\n{SIGNED}", name="t.yaml")
    assert same_template(text, json.loads(text), name="t.json")


def test_what_it_keeps_beyond_ascii_is_what_it_was_sent() -> None:
    """Behind U+2028 a new line begins: what stood in a comment is one of the template."""
    sent = f"{SIGNED}  # é Evil: {{Type: AWS::IAM::User}}\n"
    assert not same_template(sent, sent.replace("é", "\u2028 "), name="t.yaml")
    assert not same_template(sent, sent.replace("é", "\u2028"), name="t.yaml")
    text = '{"Description": "é", "Resources": {"One": {"Type": "AWS::SNS::Topic", "Properties": {"A": 1}}}}'
    assert not same_template(text, json.loads(text.replace("é", "è")), name="t.json")
    assert not same_template(text, json.loads(text.replace(": 1}", ": true}")), name="t.json"), "to Python they are equal"


def test_functions_and_layers_are_told_whatever_their_conditions() -> None:
    arn = "arn:aws:lambda:eu-central-1:111122223333:code-signing-config:csc-0123456789abcdef0"
    told = read_sent(
        f"""\
Globals: {{Function: {{CodeSigningConfigArn: {arn}}}}}
Conditions: {{Never: !Equals [a, b]}}
Resources:
  One: {{Type: AWS::Serverless::Function, Condition: Never, Properties: {{CodeUri: 's3://b/k'}}}}
  Two: {{Type: AWS::Lambda::Function, Properties: {{PackageType: Image, Code: {{ImageUri: '1.dkr.ecr.eu-west-1.amazonaws.com/x'}}}}}}
  Three: {{Type: AWS::Lambda::Function, Properties: {{PackageType: !Ref Image, CodeSigningConfigArn: !Ref Config, Code: {{S3Key: k}}}}}}
  Four: {{Type: AWS::Lambda::Function, Properties: {{CodeSigningConfigArn: !If [Never, !Ref Config, !Ref AWS::NoValue]}}}}
  Five: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: 's3://b/k'}}}}
  Config: {{Type: AWS::Lambda::CodeSigningConfig, Properties: {{}}}}
""",
        name="t.yaml",
    ).coded
    assert [(one.logical_id, one.is_function, one.is_zip, one.configuration) for one in told] == [
        ("One", True, True, arn),
        ("Two", True, False, ""),
        ("Three", True, True, None),
        ("Four", True, True, ""),
        ("Five", False, True, ""),
    ]


@pytest.mark.parametrize(
    "kept",
    [
        SIGNED.replace("Key: k", "Key: other"),
        SIGNED.replace("Default: dev", "Default: 'dev '"),
        f"{SIGNED}  More: {{Type: AWS::IAM::User}}\n",
        "",
        "- a",
        "{",
        {"Resources": {}},
        ["x"],
    ],
)
def test_another_template_is_another(kept: Any) -> None:
    assert not same_template(SIGNED, kept, name="t.yaml")


@pytest.mark.parametrize(
    ("conditions", "function", "hanging"),
    [
        ("Theirs: !Equals [!Ref Secret, b]", "Handler: !If [Theirs, a.b, c.d]", {"Secret": "Theirs"}),
        (
            "Theirs: !Not [{Condition: Inner}], Inner: !Equals [!Sub 'x${Secret}', b]",
            "Layers: {'Fn::If': [Theirs, [], []]}",
            {"Secret": "Theirs"},
        ),
        ("Theirs: !Equals [!Ref Secret, b]", "Handler: a.b", {}),
        ("Theirs: !Equals [!Ref Shown, b]", "Handler: !If [Theirs, a.b, c.d]", {}),
    ],
)
def test_what_hangs_on_a_hidden_value_is_told(conditions: str, function: str, hanging: dict[str, str]) -> None:
    text = (
        f"Parameters: {{Secret: {{Type: String, NoEcho: true}}, Shown: {{Type: String}}}}\nConditions: {{{conditions}}}\n"
        f"Resources: {{One: {{Type: AWS::Serverless::Function, Properties: {{{function}}}}}, Two: {{Type: A::B::C, Condition: Theirs}}}}\n"
    )
    assert read_sent(text, name="t.yaml").hanging == hanging
