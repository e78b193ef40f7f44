"""`verify --template`: which functions run that a template describes, and none of them is left out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.stub import Stubber

from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.adapters.aws.stacks import functions_of_stack
from shipsafe.errors import ConfigError, IncompleteError, NothingError
from shipsafe.flows.what_runs import WhatRuns, verify_what_runs
from shipsafe.model.chain import Verification
from shipsafe.verify.request import VerifyRequest
from tests.verify.live_world import CODE, World, broken, make_world, the, told

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage:
    Type: String
    Default: prod
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      {name}
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src
"""


@pytest.fixture
def world(local_aws: object, tmp_path: Path) -> World:
    """`orders-prod` runs what was signed as Orders."""
    world = make_world(local_aws, tmp_path)  # type: ignore[arg-type]  # imported by the fixture only
    world.deploy("orders-prod", world.signed("Orders", {"app.py": CODE}))
    return world


def _verify(world: World, name: str = "", **words: object) -> Verification:
    template = world.folder / "template.yaml"
    template.write_text(TEMPLATE.format(name=name or "Timeout: 3"))
    bundle = world.folder / "all.intoto.jsonl"
    bundle.write_bytes(b"\n".join(world.evidence) + b"\n")
    request = VerifyRequest(policy=world.policy(), now=world.site.now(), bundles=(bundle,))
    return verify_what_runs(WhatRuns(template=template, **words), request, world.connect)  # type: ignore[arg-type]  # of the tests


@pytest.mark.parametrize("name", ["FunctionName: orders-prod", "FunctionName: !Sub orders-${Stage}"])
def test_a_function_is_known_by_the_name_that_the_template_gives_it(world: World, name: str) -> None:
    found = _verify(world, name)
    assert found.exit_code == 0, told(found)
    assert the(found.chains[0], "code-sha256").notes == ()


def test_a_parameter_decides_about_the_name(world: World) -> None:
    found = _verify(world, "FunctionName: !Sub orders-${Stage}", overrides={"Stage": "test"})
    assert broken(found) == ("code-sha256", 4)


@pytest.mark.parametrize("name", ["", "FunctionName: !Sub '${AWS::StackName}-orders'"])
def test_a_function_whose_name_nobody_knows_is_an_error_and_not_left_out(world: World, name: str) -> None:
    with pytest.raises(ConfigError, match="does not say what function Orders is called"):
        _verify(world, name)


def test_a_name_that_is_mapped_wins_and_may_name_an_alias(world: World) -> None:
    world.lambda_.create_alias(FunctionName="orders-prod", Name="live", FunctionVersion=world.publish("orders-prod"))
    found = _verify(world, "FunctionName: other", known={"Orders": "orders-prod:live"})
    assert found.exit_code == 0, told(found)
    with pytest.raises(ConfigError, match="has no function 'Nobody'"):
        _verify(world, known={"Nobody": "orders-prod"})


def test_a_function_that_runs_the_code_of_another_one_of_the_template_is_broken(world: World) -> None:
    world.deploy("swapped", world.signed("Billing", {"app.py": CODE + b"\n"}))
    assert broken(_verify(world, known={"Orders": "swapped"})) == ("code-sha256", 5)


SECOND = """\
  Billing:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: billing
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src
"""


@pytest.mark.parametrize("known", [{"Billing": "orders-prod"}, {"Orders": "billing:live"}])
def test_two_functions_of_one_name_are_an_error_and_neither_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch, known: dict[str, str]
) -> None:  # fmt: skip
    monkeypatch.setattr(f"{__name__}.TEMPLATE", TEMPLATE + SECOND)
    with pytest.raises(ConfigError, match="Functions Orders and Billing of the template are both called"):
        _verify(world, "FunctionName: orders-prod", known=known)


def test_a_stack_that_may_not_be_looked_at_ends_with_4(world: World) -> None:
    with pytest.raises(AwsRefusal) as refused:
        _verify(world, stack="shop")
    assert refused.value.exit_code == 4


def test_a_stack_without_a_template_is_an_error(world: World) -> None:
    request = VerifyRequest(policy=world.policy(), now=world.site.now())
    with pytest.raises(ConfigError, match="no template"):
        verify_what_runs(WhatRuns(names=("orders-prod",), stack="shop"), request, world.connect)


def test_a_template_without_functions_is_nothing(world: World) -> None:
    template = world.folder / "template.yaml"
    template.write_text("Resources:\n  Shared:\n    Type: AWS::Serverless::LayerVersion\n    Properties:\n      ContentUri: shared\n")
    request = VerifyRequest(policy=world.policy(), now=world.site.now())
    with pytest.raises(NothingError):
        verify_what_runs(WhatRuns(template=template), request, world.connect)


def _listed(logical: str, kind: str, physical: str) -> dict[str, object]:
    return {"LogicalResourceId": logical, "ResourceType": kind, "PhysicalResourceId": physical, "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": datetime(2026, 11, 21, tzinfo=UTC)}  # fmt: skip


@pytest.fixture
def stacks(world: World) -> Iterator[tuple[Aws, Stubber]]:
    """CloudFormation, answering as its service model has it: no endpoint here has stacks."""
    aws = world.connect(Place())
    with Stubber(aws.client("cloudformation")) as stubber:
        yield aws, stubber


def test_a_stack_says_what_its_functions_are_called_nested_ones_too(stacks: tuple[Aws, Stubber]) -> None:
    aws, stubber = stacks
    inner = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-Inner-1A2B/0a1b"
    first = [_listed("Orders", "AWS::Lambda::Function", "shop-Orders-1A2B"), _listed("Bucket", "AWS::S3::Bucket", "shop-bucket")]
    second = [_listed("Inner", "AWS::CloudFormation::Stack", inner)]
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": first, "NextToken": "2"}, {"StackName": "shop"})
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": second}, {"StackName": "shop", "NextToken": "2"})
    third = [_listed("Orders", "AWS::Lambda::Function", "shop-Inner-Orders-3C4D")]
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": third}, {"StackName": inner})
    assert functions_of_stack(aws, "shop") == {"Orders": "shop-Orders-1A2B", "Inner.Orders": "shop-Inner-Orders-3C4D"}


def test_stacks_that_nest_for_ever_are_given_up(stacks: tuple[Aws, Stubber]) -> None:
    aws, stubber = stacks
    for _ in range(9):
        stubber.add_response("list_stack_resources", {"StackResourceSummaries": [_listed("Inner", "AWS::CloudFormation::Stack", "shop")]})
    with pytest.raises(IncompleteError, match="nested more than 8 deep"):
        functions_of_stack(aws, "shop")


def test_the_names_of_a_stack_are_verified_and_a_function_that_it_lacks_is_told(world: World, stacks: tuple[Aws, Stubber]) -> None:
    listed = [_listed("Orders", "AWS::Lambda::Function", "orders-prod")]
    stacks[1].add_response("list_stack_resources", {"StackResourceSummaries": listed}, {"StackName": "shop"})
    found = _verify(world, stack="shop")
    assert found.exit_code == 0, told(found)
    stacks[1].add_response("list_stack_resources", {"StackResourceSummaries": []}, {"StackName": "shop"})
    found = _verify(world, stack="shop")
    assert broken(found) == ("function", 4)
    assert the(found.chains[0], "function").sentence.startswith("The stack has no function Orders")
