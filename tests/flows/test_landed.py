"""Functions to which CloudFormation gave a name are found through their stacks: the one that is named, or those of a cloud assembly."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.stub import Stubber

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.deploy.managed import Via
from shipsafe.flows.landed import named_by_stacks
from shipsafe.flows.rewrite import Rewritten
from shipsafe.flows.via import Handing
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.project import Project
from tests.flows.test_what_runs import _listed as listed
from tests.local_endpoint import REGION
from tests.readers import test_cdk
from tests.readers.writing import read

SAM = """\
Resources:
  Orders: {Type: AWS::Lambda::Function, Properties: {Code: src, Handler: a.h, Runtime: python3.13}}
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml}}
"""
INNER = "Resources:\n  Orders: {Type: AWS::Lambda::Function, Properties: {Code: src, Handler: a.h, Runtime: python3.13}}\n"


@pytest.fixture
def stacks(local_aws: Endpoint) -> Iterator[tuple[Aws, Stubber]]:  # noqa: ARG001 - its environment is needed
    """CloudFormation, answering as its service model has it: no endpoint here has stacks."""
    aws = open_aws(Place(region=REGION))
    with Stubber(aws.client("cloudformation")) as stubber:
        yield aws, stubber


def answer(stubber: Stubber, stack: str, *found: tuple[str, str, str]) -> None:
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": [listed(*one) for one in found]}, {"StackName": stack})


def handing(via: Via, source: Path, project: Project) -> Handing:
    return Handing(via=via, source=source, written=source, project=project, rewritten=Rewritten())


def test_a_stack_that_is_named_says_it_nested_ones_too(stacks: tuple[Aws, Stubber], tmp_path: Path) -> None:
    aws, stubber = stacks
    project = read(tmp_path, SAM, files={"inner.yaml": INNER, "src/a.py": ""})
    inner = f"arn:aws:cloudformation:{REGION}:123456789012:stack/shop-Inner-1A2B/0a1b"
    answer(stubber, "shop", ("Orders", "AWS::Lambda::Function", "shop-Orders-1A2B"), ("Inner", "AWS::CloudFormation::Stack", inner))
    answer(stubber, inner, ("Orders", "AWS::Lambda::Function", "shop-Inner-Orders-3C4D"))
    found = named_by_stacks(handing(Via.SAM, tmp_path / "template.yaml", project), aws, "shop")
    assert found == {"Orders": "shop-Orders-1A2B", "Inner.Orders": "shop-Inner-Orders-3C4D"}


def test_without_a_stack_nobody_says_it(stacks: tuple[Aws, Stubber], tmp_path: Path) -> None:
    project = read(tmp_path, SAM, files={"inner.yaml": INNER, "src/a.py": ""})
    assert named_by_stacks(handing(Via.SAM, tmp_path / "template.yaml", project), stacks[0], None) == {}


def test_an_assembly_says_its_stacks_itself(stacks: tuple[Aws, Stubber], tmp_path: Path) -> None:
    """Two stacks with one logical id: each function is found in its own."""
    aws, stubber = stacks
    made = {name: {"Resources": {"F1": test_cdk.zipped(path=f"{name}/Handler/Resource")}} for name in ("Api", "Jobs")}
    files = {f"{name}.template.json": one for name, one in made.items()} | {
        f"{name}.assets.json": test_cdk.assets("a" * 64) for name in made
    }
    test_cdk.app(tmp_path, test_cdk.stack("Api") | test_cdk.stack("Jobs"), files | {f"asset.{'a' * 64}/app.py": ""})
    project = test_cdk.read(tmp_path)
    for name in ("Api", "Jobs"):
        answer(stubber, name, ("F1", "AWS::Lambda::Function", f"{name}-F1-7K"))
    found = named_by_stacks(handing(Via.CDK, tmp_path / "cdk.out", project), aws, None)
    assert sorted(found.values()) == ["Api-F1-7K", "Jobs-F1-7K"]
    assert {one.name: one.trail[0][0] for one in project.functions} == {
        name: f"cdk.out/{physical.partition('-')[0]}.template.json" for name, physical in found.items()
    }
