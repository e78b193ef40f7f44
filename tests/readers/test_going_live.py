"""How a function goes live, as templates say it: what is certain is taken, what is written and not certain is named, nothing is guessed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.model.deployment import CodeDeployGroup, FunctionDeploy, Rollout, Strategy
from shipsafe.model.preference import Preference, filled, preference_of, strategy_of
from shipsafe.model.project import Function
from tests.readers.test_terraform import configured, lambda_function, one, resource
from tests.readers.writing import function, read

SAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Alias: {Type: String, Default: live}
  Open: {Type: String}
  Safe: {Type: String, Default: 'true'}
Conditions:
  IsSafe: !Equals [!Ref Safe, 'true']
Globals:
  Function:
    Runtime: python3.13
    Handler: app.handler
    CodeUri: src
    AutoPublishAlias: !Ref Alias
Resources:
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: orders-errors}
  Nameless:
    Type: AWS::CloudWatch::Alarm
    Properties: {}
  Hook:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: orders-hook}
  F:
    Type: AWS::Serverless::Function
    Properties:
"""
CANARY = Strategy(rollout=Rollout.CANARY, percent=10, every=timedelta(minutes=5))
LINEAR = Strategy(rollout=Rollout.LINEAR, percent=10, every=timedelta(minutes=1))


def sam(folder: Path, *lines: str) -> Function:
    return function(read(folder, SAM + "".join(f"      {line}\n" for line in lines)))


def test_an_alias_is_inherited_and_its_preference_is_read_whole(tmp_path: Path) -> None:
    found = sam(
        tmp_path,
        "FunctionName: orders",
        "DeploymentPreference: {Type: Canary10Percent5Minutes, Alarms: [!Ref Errors, plain], Hooks: {PreTraffic: !Ref Hook}}",
    )
    assert (found.function_name, found.alias, found.unclear) == ("orders", "live", ())
    assert found.preference == Preference(strategy=CANARY, alarms=("orders-errors", "plain"), before_hook="orders-hook")


@pytest.mark.parametrize("off", ["{Enabled: false, Type: AllAtOnce}", "!Ref AWS::NoValue"])
def test_a_preference_that_is_switched_off_is_none(tmp_path: Path, off: str) -> None:
    found = sam(tmp_path, f"DeploymentPreference: {off}")
    assert (found.alias, found.preference, found.unclear) == ("live", None, ())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("DeploymentPreference: {Type: MyOwn}", "preference: MyOwn is a deployment configuration of your own"),
        ("DeploymentPreference: {Alarms: [x]}", "preference: it has no type"),
        ("DeploymentPreference: [AllAtOnce]", "preference: it is not a mapping"),
        ("DeploymentPreference: {Type: AllAtOnce, Enabled: !Ref Open}", "preference: parameter Open has no value"),
        ("DeploymentPreference: {Type: AllAtOnce, Alarms: [!Ref Nameless]}", "alarms: CloudFormation makes up the name of Nameless"),
        ("DeploymentPreference: {Type: AllAtOnce, Alarms: !Ref Errors}", "alarms: Ref of Errors"),
        ("AutoPublishAlias: !Ref Open", "alias: parameter Open has no value"),
        ("AutoPublishAlias: '7'", "alias: 7 cannot be one"),
        ("FunctionName: !Sub '${AWS::StackName}-orders'", "name: it depends on AWS::StackName"),
        ("FunctionName: ../orders", "name: ../orders cannot be one"),
    ],
)
def test_what_is_written_and_not_certain_is_named(tmp_path: Path, written: str, said: str) -> None:
    found = sam(tmp_path, written)
    assert [text for text in found.unclear if text.startswith(said)], found.unclear
    assert not found.unresolved, "a build needs none of it"


def test_a_function_without_alias_has_none(tmp_path: Path) -> None:
    text = "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {Code: src, Handler: a.h, Runtime: python3.13}\n"
    found = function(read(tmp_path, text))
    assert (found.function_name, found.alias, found.preference, found.unclear) == (None, None, None, ())


CLOUDFORMATION = """\
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {{FunctionName: orders, Code: src, Handler: a.h, Runtime: python3.13}}
  App:
    Type: AWS::CodeDeploy::Application
    Properties: {{ApplicationName: shop, ComputePlatform: Lambda}}
  Group:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref App
      {group}
      DeploymentConfigName: CodeDeployDefault.LambdaLinear10PercentEvery1Minute
      AlarmConfiguration: {{Enabled: true, Alarms: [{{Name: slow}}]}}
  Live:
    Type: AWS::Lambda::Alias
    Properties: {{Name: live, FunctionName: {name}, FunctionVersion: '1'}}
    UpdatePolicy:
      CodeDeployLambdaAliasUpdate: {{ApplicationName: !Ref App, DeploymentGroupName: !Ref Group}}
{more}"""


@pytest.mark.parametrize("name", ["!Ref F", "!GetAtt F.Arn", "orders"])
def test_codedeploy_of_an_alias_resource_is_read(tmp_path: Path, name: str) -> None:
    text = CLOUDFORMATION.format(name=name, group="DeploymentGroupName: orders-live", more="")
    found = function(read(tmp_path, text))
    group = CodeDeployGroup(application="shop", group="orders-live")
    assert (found.alias, found.unclear) == ("live", ())
    assert found.preference == Preference(strategy=LINEAR, alarms=("slow",), codedeploy=group)


def test_a_made_up_group_is_not_guessed(tmp_path: Path) -> None:
    found = function(read(tmp_path, CLOUDFORMATION.format(name="!Ref F", group="Tags: []", more="")))
    assert found.preference is not None
    assert found.preference.codedeploy is None
    assert found.unclear == ("CodeDeploy's group: CloudFormation makes up the name of Group",)


def test_two_aliases_are_none_of_them(tmp_path: Path) -> None:
    more = "  Next:\n    Type: AWS::Lambda::Alias\n    Properties: {Name: next, FunctionName: !Ref F, FunctionVersion: '1'}\n"
    found = function(read(tmp_path, CLOUDFORMATION.format(name="!Ref F", group="DeploymentGroupName: g", more=more)))
    assert (found.alias, found.preference, found.unclear) == (None, None, ("alias: it has 2: Live, Next",))


def plan_alias(name: str = "aws_lambda_alias.live", **how: Any) -> dict[str, Any]:
    return resource(name, {"name": "live"}, unknown={"function_name": True}, **how)


def test_a_plans_alias_is_the_one_that_refers_to_the_function(tmp_path: Path) -> None:
    written = [configured("aws_lambda_alias.live", function_name=["aws_lambda_function.f.function_name", "aws_lambda_function.f"])]
    found = one(tmp_path, lambda_function(function_name="orders"), plan_alias(), written=written)
    assert (found.function_name, found.alias, found.unclear) == ("orders", "live", ())


def test_a_plans_alias_may_name_the_function_or_its_arn(tmp_path: Path) -> None:
    for text in ("orders", "arn:aws:lambda:eu-central-1:111122223333:function:orders"):
        alias = resource("aws_lambda_alias.live", {"name": "live", "function_name": text})
        assert one(tmp_path, lambda_function(function_name="orders"), alias).alias == "live"
    hidden = resource("aws_lambda_alias.live", {"name": "live", "function_name": "orders"}, sensitive={"name": True})
    found = one(tmp_path, lambda_function(function_name="orders"), hidden)
    assert (found.alias, found.unclear) == (None, ("alias: it is known only after apply, or sensitive",))


def test_the_policy_counts_and_the_template_fills_what_it_leaves_open() -> None:
    preference = Preference(strategy=CANARY, alarms=("b",), codedeploy=CodeDeployGroup(application="a", group="g"))
    told = filled(FunctionDeploy(alarms=("a",)), function_name="orders", alias="live", preference=preference)
    assert (told.name, told.alias, told.strategy, told.alarms) == ("orders", "live", CANARY, ("a", "b"))
    assert told.codedeploy == preference.codedeploy
    stated = FunctionDeploy(name="mine", alias="main", strategy=LINEAR, strategy_stated=True)
    told = filled(stated, function_name="orders", alias="live", preference=preference)
    assert (told.name, told.alias, told.strategy) == ("mine", "main", LINEAR)
    assert filled(stated, function_name="orders", alias=None, preference=None) == stated


def test_names_of_deployment_configurations_are_strategies() -> None:
    assert strategy_of("Linear10PercentEvery1Minute") == strategy_of("CodeDeployDefault.LambdaLinear10PercentEvery1Minute") == LINEAR
    assert strategy_of("AllAtOnce") == Strategy()
    assert [strategy_of(text) for text in ("Canary0Percent5Minutes", "Canary100Percent5Minutes", "canary", "")] == [None] * 4


def test_a_preference_survives_the_manifest() -> None:
    whole = Preference(strategy=CANARY, alarms=("a",), before_hook="x", codedeploy=CodeDeployGroup(application="a", group="g"))
    for one_ in (whole, Preference()):
        assert preference_of(one_.as_json()) == one_
