"""`--state`, `reset` and control calls: stacks are kept, go on after a restart, and are forgotten with everything else."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.local.call import Clock
from shipsafe.local.endpoint import Endpoint, start
from shipsafe.local.pki import LocalRoot
from tests.local.stacks.shop import BUCKET, Shop, function, template, zipped
from tests.local_endpoint import client, set_environment


@contextmanager
def kept(state: Path, root: LocalRoot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Endpoint]:
    with start(state=state, delay=timedelta(), root=root) as endpoint:
        set_environment(monkeypatch, endpoint, tmp_path)
        yield endpoint


def test_an_update_goes_on_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot) -> None:
    with kept(tmp_path / "state", local_root, monkeypatch, tmp_path) as endpoint:
        shop = Shop(endpoint)
        shop.change(template(Orders=function(shop.put(zipped("1")))))
        name, before = shop.resources["Orders"], shop.code(shop.resources["Orders"])
        shop.functions_take(3600)
        more = shop.make(template(Orders=function(shop.put(zipped("2"))), Other=function(shop.put(zipped("3")))))
        shop.stacks.execute_change_set(ChangeSetName=more["ChangeSetId"])
        assert shop.status == "UPDATE_IN_PROGRESS"
        events = shop.stacks.describe_stack_events(StackName="shop")["StackEvents"]
    with kept(tmp_path / "state", local_root, monkeypatch, tmp_path) as endpoint:
        endpoint.functions.configure({"creating": 0, "updating": 0})
        endpoint.advance(timedelta(hours=1))
        stacks = client("cloudformation")
        [told] = stacks.describe_stacks()["Stacks"]
        assert told["StackStatus"] == "UPDATE_COMPLETE"
        assert stacks.describe_stack_events(StackName="shop")["StackEvents"][-len(events) :] == events
        assert client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"] != before
        assert len(stacks.list_stack_resources(StackName="shop")["StackResourceSummaries"]) == 2
        endpoint.reset()
        assert stacks.describe_stacks()["Stacks"] == []
    with kept(tmp_path / "state", local_root, monkeypatch, tmp_path):
        assert client("cloudformation").describe_stacks()["Stacks"] == []


@pytest.mark.parametrize("value", [{}, {"format": 0, "places": {}}, {"format": 1, "places": {"a": {"stacks": {"b": {}}}}}])
def test_a_state_of_another_version_is_refused(local_aws: Endpoint, value: object) -> None:
    with pytest.raises(IncompleteError, match="local CloudFormation"):
        local_aws.stacks.restore(value)


def test_the_making_of_change_sets_takes_as_long_as_a_control_call_says(local_aws: Endpoint) -> None:
    url = f"{local_aws.url}/_shipsafe/stacks/settings"
    with urllib.request.urlopen(urllib.request.Request(url, data=json.dumps({"making": 3600}).encode(), method="POST")) as answer:  # noqa: S310 - on loopback
        assert answer.status == 200
    stacks = client("cloudformation")
    text = json.dumps(template(Topic={"Type": "AWS::SNS::Topic"}))
    made = stacks.create_change_set(StackName="shop", ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=text)["Id"]
    assert stacks.describe_change_set(ChangeSetName=made)["Status"] == "CREATE_IN_PROGRESS"
    with pytest.raises(ConfigError, match="one setting"):
        local_aws.stacks.configure({"making": -1})


def test_accounts_and_regions_have_stacks_of_their_own(shop: Shop) -> None:
    shop.change(template(Orders=function(shop.put(zipped("1")))))
    assert client("cloudformation", region="us-east-1").describe_stacks()["Stacks"] == []
    assert client("cloudformation", account="111122223333").describe_stacks()["Stacks"] == []
    there = client("cloudformation", account="111122223333")
    code = {"S3Bucket": BUCKET, "S3Key": "app.zip"}
    text = json.dumps(template(Orders=function("", Code=code, FunctionName="theirs")))
    there.create_change_set(StackName="shop", ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=text)
    there.execute_change_set(StackName="shop", ChangeSetName="one")
    names = [one["FunctionName"] for one in client("lambda", account="111122223333").list_functions()["Functions"]]
    assert names == ["theirs"]


def test_a_stack_with_many_resources_is_told_in_pages(shop: Shop) -> None:
    many = {f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(230)}
    made = shop.make(template(**many))
    assert (len(made["Changes"]), made["NextToken"]) == (100, "100")
    shop.stacks.execute_change_set(ChangeSetName=made["ChangeSetId"])
    pages = shop.stacks.get_paginator("list_stack_resources").paginate(StackName="shop").build_full_result()
    assert len(pages["StackResourceSummaries"]) == 230
    assert len(shop.events("Topic7")) == 3
    assert len(shop.stacks.describe_stack_resources(StackName="shop", LogicalResourceId="Topic7")["StackResources"]) == 1
    others = shop.stacks.describe_stack_resources(PhysicalResourceId=shop.resources["Topic7"])["StackResources"]
    assert len(others) == 100  # of the stack that it belongs to, and AWS tells no more here
    detail = shop.stacks.describe_stack_resource(StackName="shop", LogicalResourceId="Topic7")["StackResourceDetail"]
    assert detail["ResourceStatus"] == "CREATE_COMPLETE"


def test_events_of_one_millisecond_have_ids_of_their_own(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has seen an id does not look at its event again."""
    now = shop.endpoint.clock.now()
    monkeypatch.setattr(Clock, "now", lambda _: now)
    assert shop.change(template(Orders=function(shop.put(zipped("1"))))) == "CREATE_COMPLETE"
    told = shop.stacks.describe_stack_events(StackName="shop")["StackEvents"]
    assert len(told) == 6
    assert len({one["EventId"] for one in told}) == 6


def test_templates_and_exports_can_be_asked_for(shop: Shop) -> None:
    body = template(Role={"Type": "AWS::IAM::Role"}, Topic={"Type": "AWS::SNS::Topic"})
    body |= {"Parameters": {"Stage": {"Type": "String", "Default": "dev"}}, "Description": "The shop."}
    told = shop.stacks.validate_template(TemplateBody=json.dumps(body))
    assert (told["Description"], told["Capabilities"]) == ("The shop.", ["CAPABILITY_IAM"])
    assert told["Parameters"] == [{"ParameterKey": "Stage", "DefaultValue": "dev", "NoEcho": False}]
    del body["Resources"]["Role"]
    body["Outputs"] = {"Topic": {"Value": {"Ref": "Topic"}, "Export": {"Name": "shop-topic"}}}
    shop.change(body)
    assert shop.stacks.get_template(StackName="shop")["TemplateBody"] == body
    assert [one["Name"] for one in shop.stacks.list_exports()["Exports"]] == ["shop-topic"]
    assert [one["StackName"] for one in shop.stacks.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]] == ["shop"]
    assert shop.stacks.list_stacks(StackStatusFilter=["CREATE_FAILED"])["StackSummaries"] == []
