"""Stacks: described with their events and resources, and deleted."""

import json
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.stacks import events, parameters, running
from shipsafe.local.stacks.pages import page
from shipsafe.local.stacks.state import Resource, Stack
from shipsafe.local.stacks.templates import source_of
from shipsafe.local.stacks.world import Operation, World, as_time, find, invalid, living

_MOST_TOLD = 100  # resources in one answer of DescribeStackResources


def describe_stacks(world: World, call: Call) -> dict[str, Any]:
    """DescribeStacks: one, or all that are not deleted."""
    named = call.parameters.get("StackName")
    if named:
        return {"Stacks": [_described(find(world, call, named))]}
    stacks = [one for one in world.place(call)["stacks"].values() if not one["deleted"]]
    return page([_described(one) for one in reversed(stacks)], call.parameters, "Stacks")


def list_stacks(world: World, call: Call) -> dict[str, Any]:
    """ListStacks, those that are deleted, too."""
    wanted = call.parameters.get("StackStatusFilter") or ()
    stacks = [one for one in reversed(world.place(call)["stacks"].values()) if not wanted or one["status"] in wanted]
    return page([_summary(one) for one in stacks], call.parameters, "StackSummaries")


def describe_stack_events(world: World, call: Call) -> dict[str, Any]:
    """DescribeStackEvents, the newest first."""
    stack = find(world, call, call.parameters["StackName"], words="Stack [{}] does not exist")
    return page(events.told(stack), call.parameters, "StackEvents")


def list_stack_resources(world: World, call: Call) -> dict[str, Any]:
    """ListStackResources."""
    stack = find(world, call, call.parameters["StackName"])
    return page([_resource(one, "LastUpdatedTimestamp") for one in _sorted(stack)], call.parameters, "StackResourceSummaries")


def describe_stack_resources(world: World, call: Call) -> dict[str, Any]:
    """DescribeStackResources: of a stack, or of the one that something with a physical id belongs to; never more than 100."""
    given = call.parameters
    stack = find(world, call, given["StackName"]) if given.get("StackName") else _with(world, call, given.get("PhysicalResourceId") or "")
    found = [one for one in _sorted(stack) if given.get("LogicalResourceId") in (None, one["logical"])]
    own = {"StackId": stack["id"], "StackName": stack["name"]}
    return {"StackResources": [{**own, **_resource(one, "Timestamp")} for one in found[:_MOST_TOLD]]}


def describe_stack_resource(world: World, call: Call) -> dict[str, Any]:
    """DescribeStackResource."""
    stack, logical = find(world, call, call.parameters["StackName"]), call.parameters["LogicalResourceId"]
    if logical not in stack["resources"]:
        raise invalid(f"Resource {logical} does not exist for stack {stack['name']}")
    one = stack["resources"][logical]
    metadata = json.dumps(one["rest"].get("Metadata") or {})
    own = {"StackId": stack["id"], "StackName": stack["name"], "Metadata": metadata}
    return {"StackResourceDetail": {**own, **_resource(one, "LastUpdatedTimestamp")}}


def delete_stack(world: World, call: Call) -> dict[str, Any]:
    """DeleteStack; one that is not there is no error."""
    given = call.parameters
    named = given["StackName"]
    stack = world.place(call)["stacks"].get(named) or living(world, call, named)
    if stack is None or stack["deleted"]:
        return {}
    if stack["work"] is not None:
        if stack["work"]["kind"] == "delete":
            return {}
        raise invalid(f"Stack [{stack['name']}] cannot be deleted while in status {stack['status']}")
    running.delete(world, stack, given.get("ClientRequestToken") or "")
    return {}


def list_exports(world: World, call: Call) -> dict[str, Any]:
    """ListExports."""
    found = [
        {"ExportingStackId": stack["id"], "Name": output["ExportName"], "Value": output["OutputValue"]}
        for stack in world.place(call)["stacks"].values()
        for output in stack["outputs"]
        if not stack["deleted"] and "ExportName" in output
    ]
    return page(sorted(found, key=lambda one: one["Name"]), call.parameters, "Exports")


def _with(world: World, call: Call, physical: str) -> Stack:
    for stack in world.place(call)["stacks"].values():
        if not stack["deleted"] and any(one["physical"] == physical for one in stack["resources"].values()):
            return stack
    raise invalid(f"Stack for {physical} does not exist")


def _sorted(stack: Stack) -> list[Resource]:
    return [stack["resources"][logical] for logical in sorted(stack["resources"])]


def _summary(stack: Stack) -> dict[str, Any]:
    return {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "TemplateDescription": stack["description"] or None,
        "CreationTime": as_time(stack["created"]),
        "LastUpdatedTime": as_time(stack["updated"]) if stack["updated"] else None,
        "DeletionTime": as_time(stack["deleted"]) if stack["deleted"] else None,
        "StackStatus": stack["status"],
        "StackStatusReason": stack["reason"] or None,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def _described(stack: Stack) -> dict[str, Any]:
    source = source_of(stack)
    told = {name: value for name, value in _summary(stack).items() if name != "TemplateDescription"}
    told |= {"Description": stack["description"] or None, "ChangeSetId": stack["change_set"] or None, "DisableRollback": False}
    told |= {"RollbackConfiguration": {}, "EnableTerminationProtection": False, "Outputs": stack["outputs"]}
    if source is not None:
        told |= {
            "Parameters": parameters.shown(source["processed"], source["parameters"]),
            "NotificationARNs": source["notify"],
            "Capabilities": source["capabilities"],
            "RoleARN": source["role"] or None,
            "Tags": [{"Key": key, "Value": value} for key, value in source["tags"].items()],
        }
    return told


def _resource(one: Resource, time_name: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": one["logical"],
        "PhysicalResourceId": one["physical"] or None,
        "ResourceType": one["type"],
        time_name: as_time(one["at"]),
        "ResourceStatus": one["status"],
        "ResourceStatusReason": one["reason"] or None,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


OPERATIONS = {
    "DescribeStacks": Operation(describe_stacks),
    "ListStacks": Operation(list_stacks),
    "DescribeStackEvents": Operation(describe_stack_events),
    "ListStackResources": Operation(list_stack_resources),
    "DescribeStackResource": Operation(describe_stack_resource),
    "DescribeStackResources": Operation(describe_stack_resources),
    "DeleteStack": Operation(delete_stack, "RetainResources and DeletionMode without effect"),
    "ListExports": Operation(list_exports),
}
