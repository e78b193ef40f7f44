"""Parameters: the command line wins over the policy, the policy over samconfig.toml, and all over the default."""

from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from tests.readers.writing import function, handler, layer, read, refused

HEAD = "Parameters:\n  Stage: {Type: String, Default: dev, AllowedValues: [dev, test, prod]}\n"
BODY = HEAD + "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {Handler: !Ref Stage}\n"


def stage(folder: Path, samconfig: str = "", *, text: str = BODY) -> str | None:
    return function(read(folder, text, files={"samconfig.toml": samconfig})).handler


def test_the_nearest_source_wins(tmp_path: Path) -> None:
    samconfig = {"samconfig.toml": "[default.deploy.parameters]\nparameter_overrides = 'Stage=test'\n"}
    assert function(read(tmp_path, BODY)).handler == "dev"
    assert function(read(tmp_path, BODY, files=samconfig)).handler == "test"
    assert function(read(tmp_path, BODY, parameters={"Stage": "prod"})).handler == "prod"
    assert function(read(tmp_path, BODY, parameters={"Stage": "prod"}, overrides={"Stage": "dev"})).handler == "dev"


@pytest.mark.parametrize(
    "line",
    [
        'parameter_overrides = "Stage=test Other=1"',
        'parameter_overrides = "Stage=\\"test\\""',
        "parameter_overrides = 'ParameterKey=Stage,ParameterValue=test ParameterKey=Other,ParameterValue=1'",
        "parameter_overrides = ['Stage=test', 'Other=a=b']",
        "parameter_overrides = [{Stage = 'test'}, {Other = [1, true]}]",
        "parameter_overrides = {Stage = 'test'}",
    ],
)
@pytest.mark.parametrize("command", ["deploy", "global"])
def test_samconfig_may_be_written_in_every_way_that_sam_takes(tmp_path: Path, line: str, command: str) -> None:
    assert stage(tmp_path, f"version = 0.1\n[default.{command}.parameters]\n{line}\n") == "test"


def test_samconfig_of_the_command_wins_over_the_global_one(tmp_path: Path) -> None:
    text = (
        "[default.deploy.parameters]\nparameter_overrides = 'Stage=test'\n[default.global.parameters]\nparameter_overrides = 'Stage=prod'"
    )
    assert stage(tmp_path, text) == "test"


def test_samconfig_gives_the_region_and_the_stack_name(tmp_path: Path) -> None:
    text = BODY.replace("!Ref Stage", "!Sub '${AWS::Region}.${AWS::StackName}'")
    assert stage(tmp_path, "[default.deploy.parameters]\nregion = 'eu-west-1'\nstack_name = 'orders'\n", text=text) == "eu-west-1.orders"


def test_samconfig_may_name_what_the_template_has_not(tmp_path: Path) -> None:
    """SAM hands on only what the template declares."""
    assert stage(tmp_path, "[default.deploy.parameters]\nparameter_overrides = 'Old=1'\n") == "dev"


@pytest.mark.parametrize(
    ("samconfig", "says"),
    [
        ("a = 1\nb = ?\n", r"^samconfig\.toml:2:5: Not TOML: Invalid value\."),
        ('[default.deploy.parameters]\nparameter_overrides = "Stage=\'x"\n', "quotes of parameter_overrides"),
        ("[default.deploy.parameters]\nparameter_overrides = 'Stage'\n", "without `=`"),
        ("[default.deploy.parameters]\nparameter_overrides = 5\n", "neither text nor a list"),
        ("[default.deploy.parameters]\nparameter_overrides = 'Stage=nope'\n", r"samconfig\.toml gives parameter Stage nope"),
        ("a = " + "[" * 100_000, "Not TOML|Nested too deep"),
        ("# " + "x" * 300_000, "Larger than"),
    ],
)
def test_a_samconfig_that_cannot_be_used_is_refused(tmp_path: Path, samconfig: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        stage(tmp_path, samconfig)


def test_samconfig_in_yaml_is_mentioned_and_not_read(tmp_path: Path) -> None:
    assert "samconfig.yaml is not read" in read(tmp_path, BODY, files={"samconfig.yaml": "x: y"}).hints[0]


def test_an_unknown_parameter_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    found = refused(tmp_path, BODY, overrides={"stage": "prod"})
    assert str(found) == "--parameter-overrides names stage, which the template has not. Did you mean Stage?"
    with pytest.raises(ConfigError, match=r"shipsafe\.toml: The policy's \[parameters\] names Sage"):
        read(tmp_path, BODY, parameters={"Sage": "x"})
    assert refused(tmp_path, "Resources: {}", overrides={"X": "1"}).remedy == "It has no parameters."


def test_a_value_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    found = refused(tmp_path, BODY, overrides={"Stage": "live"})
    assert "gives parameter Stage live, which it does not allow." in found.what
    assert found.remedy == "Allowed: dev, test, prod."


def test_every_value_of_a_list_must_be_allowed(tmp_path: Path) -> None:
    head = "Parameters:\n  L: {Type: CommaDelimitedList, Default: a, AllowedValues: [a, b]}\n"
    assert handler(tmp_path, "!Join ['+', !Ref L]", head=head, overrides={"L": "a, b"}) == "a+b"
    with pytest.raises(ConfigError, match="does not allow"):
        handler(tmp_path, "!Join ['+', !Ref L]", head=head, overrides={"L": "a,c"})


def test_a_parameter_that_is_not_a_mapping_is_refused(tmp_path: Path) -> None:
    assert "is not a mapping" in refused(tmp_path, "Parameters: {P: x}\nResources: {}").what


def test_a_secret_is_compared_but_never_shown(tmp_path: Path) -> None:
    text = """
Parameters:
  Token: {Type: String, NoEcho: true, Default: hunter2, AllowedValues: [hunter2, hunter3]}
Conditions:
  Set: !Equals [!Ref Token, hunter3]
Resources:
  F:
    Type: AWS::Lambda::Function
    Condition: Set
    Properties:
      Runtime: !Ref Token
      Handler: !Sub "app.${Token}"
      Layers: [!Ref Token, !Sub "arn:aws:lambda:eu-west-1:111122223333:layer:${Token}:1"]
      Code: {S3Bucket: !Ref Token, S3Key: !Sub "x/${Token}"}
      Environment: {Variables: {TOKEN: !Ref Token, URL: !Sub "https://u:${Token}@h", PART: !Select [0, !Split ["e", !Ref Token]]}}
"""
    project = read(tmp_path, text, overrides={"Token": "hunter3"})
    found = function(project)
    assert "hunter" not in repr(project)
    assert found.environment == {"TOKEN": None, "URL": None, "PART": None}
    assert "NoEcho" in found.unresolved[0].reason
    assert "hunter" not in str(refused(tmp_path, text, overrides={"Token": "hunter4"}))


def test_a_default_is_a_fixed_value_and_its_absence_is_not(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:eu-west-1:111122223333:layer:x:7"
    default = layer(tmp_path, "!Ref P", head=f"Parameters: {{P: {{Type: String, Default: '{arn}'}}}}")
    assert (default.arn, default.version, default.changeable, default.unresolved) == (arn, 7, "", "")
    bare = layer(tmp_path, "!Ref P", head="Parameters: {P: {Type: String}}")
    assert (bare.arn, bare.changeable) == (None, "parameter P has no fixed value")
    given = layer(tmp_path, "!Ref P", head="Parameters: {P: {Type: String}}", overrides={"P": arn})
    assert (given.arn, given.changeable) == (arn, "")


def test_an_ssm_parameter_changes_between_deployments_even_when_it_is_given(tmp_path: Path) -> None:
    head = "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /layers/x}}"
    for overrides in ({}, {"P": "/layers/y"}):
        ref = layer(tmp_path, "!Ref P", head=head, overrides=overrides)
        assert ref.arn is None
        assert ref.changeable == "parameter P is read anew from SSM at every deployment"


def test_a_dynamic_reference_in_a_default_is_seen(tmp_path: Path) -> None:
    ref = layer(tmp_path, "!Ref P", head="Parameters: {P: {Type: String, Default: '{{resolve:ssm:/x}}'}}")
    assert "without a version" in ref.changeable
