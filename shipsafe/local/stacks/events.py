"""What becomes of a stack and its resources, told as events: the newest first, as DescribeStackEvents has them."""

import json
from datetime import UTC, datetime
from typing import Any

from shipsafe.local.stacks.state import Event, Resource, Stack
from shipsafe.local.stacks.world import World, as_time

STACK = "AWS::CloudFormation::Stack"
_KEPT = 5_000  # events of one stack


def stack_is(world: World, stack: Stack, status: str, reason: str = "") -> None:
    """Let a stack have a status, and tell it."""
    stack["status"], stack["reason"] = status, reason
    at = world.now()
    if status.startswith("UPDATE") or "ROLLBACK" in status:
        stack["updated"] = at
    work = stack["work"]
    _add(stack, {
        "id": world.new_id(), "at": at, "logical": stack["name"], "physical": stack["id"], "type": STACK, "status": status,
        "reason": reason, "properties": "", "token": work["token"] if work else "",
    })  # fmt: skip


def resource_is(world: World, stack: Stack, one: Resource, status: str, reason: str = "") -> None:
    """Let a resource have a status, and tell it."""
    at = world.now()
    one["status"], one["reason"], one["at"] = status, reason, at
    work = stack["work"]
    _add(stack, {
        "id": _id_of(stack, f"{one['logical']}-{status}", at), "at": at, "logical": one["logical"], "physical": one["physical"],
        "type": one["type"], "status": status, "reason": reason, "properties": json.dumps(one["properties"]),
        "token": work["token"] if work else "",
    })  # fmt: skip


def _id_of(stack: Stack, what: str, at: float) -> str:
    """An id as CloudFormation makes it, with the millisecond; two events of one kind that meet in it have ids that differ all the same."""
    taken = {event["id"] for event in stack["events"]}
    while True:
        made = f"{what}-{datetime.fromtimestamp(at, UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z"
        if made not in taken:
            return made
        at += 0.001


def _add(stack: Stack, event: Event) -> None:
    stack["events"].append(event)
    del stack["events"][:-_KEPT]


def told(stack: Stack) -> list[dict[str, Any]]:
    """The events of a stack as the API has them, the newest first."""
    return [
        {
            "StackId": stack["id"],
            "EventId": one["id"],
            "StackName": stack["name"],
            "LogicalResourceId": one["logical"],
            "PhysicalResourceId": one["physical"],
            "ResourceType": one["type"],
            "Timestamp": as_time(one["at"]),
            "ResourceStatus": one["status"],
            "ResourceStatusReason": one["reason"] or None,
            "ResourceProperties": one["properties"] or None,
            "ClientRequestToken": one["token"] or None,
        }
        for one in reversed(stack["events"])
    ]
