"""Change sets: made, described, executed, deleted and listed."""

from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.stacks import parameters, running
from shipsafe.local.stacks.bodies import text_of
from shipsafe.local.stacks.capabilities import lacking
from shipsafe.local.stacks.changes import changes, told
from shipsafe.local.stacks.document import document
from shipsafe.local.stacks.events import stack_is
from shipsafe.local.stacks.pages import page
from shipsafe.local.stacks.service_role import check_role
from shipsafe.local.stacks.state import ChangeSet, Source, Stack
from shipsafe.local.stacks.transform import transformed, transforms
from shipsafe.local.stacks.world import Operation, World, as_time, find, find_change_set, invalid, living, not_reproduced

_REVIEW = "REVIEW_IN_PROGRESS"
_ENDS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "CREATE_FAILED", "IMPORT_COMPLETE")
_NOT_HERE = ("ResourcesToImport", "IncludeNestedStacks", "ImportExistingResources", "ResourceTypes", "DeploymentConfig")
_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_NO_CHANGES_TRANSFORMED = "No updates are to be performed."


def create_change_set(world: World, call: Call) -> dict[str, Any]:
    """CreateChangeSet: of a new stack, which then waits for it, or of one that is there."""
    given = call.parameters
    _refuse_unknown(given)
    name, kind = given["ChangeSetName"], given.get("ChangeSetType") or "UPDATE"
    stack = living(world, call, given["StackName"]) or _by_id(world, call, given["StackName"])
    if stack is not None and (have := stack["change_sets"].get(name)) is not None:
        if have["token"] and have["token"] == given.get("ClientToken"):
            return {"Id": have["id"], "StackId": stack["id"]}  # the same request once more
        raise ApiError("AlreadyExistsException", f"ChangeSet {name} already exists", 400)
    _check_stack(stack, given["StackName"], name, kind)
    source = _source(world, given, stack["source"] if stack is not None else None)
    read = source["processed"]
    if not transforms(read) and (missing := lacking(read, source["capabilities"])):
        raise ApiError("InsufficientCapabilitiesException", f"Requires capabilities : [{missing}]", 400)
    if source["role"]:
        check_role(world, call, source["role"])
    stack = stack or _new_stack(world, call, given["StackName"])
    it: ChangeSet = {
        "id": _arn(call, f"changeSet/{name}/{world.new_id()}"),
        "name": name,
        "kind": kind,
        "status": "CREATE_COMPLETE",
        "reason": "",
        "execution": "AVAILABLE",
        "description": given.get("Description") or "",
        "created": world.now(),
        "ready": world.now() + world.making,
        "token": given.get("ClientToken") or "",
        "on_failure": given.get("OnStackFailure") or "",
        "source": source,
        "changes": [],
    }
    try:
        _work_out(world, call, stack, it)
    except ApiError as error:
        if error.code != "ValidationError" or not transforms(read):
            _forget_if_new(world, call, stack)
            raise
        _fail(it, error.message)
    stack["change_sets"][name] = it
    return {"Id": it["id"], "StackId": stack["id"]}


def describe_change_set(world: World, call: Call) -> dict[str, Any]:
    """DescribeChangeSet."""
    if call.parameters.get("IncludePropertyValues"):
        raise not_reproduced("IncludePropertyValues of DescribeChangeSet")
    stack, it = find_change_set(world, call)
    made = _made(world, it)
    source = it["source"]
    answer = {
        **_summary(world, stack, it),
        "Parameters": parameters.shown(source["processed"], source["parameters"]),
        "NotificationARNs": source["notify"],
        "RollbackConfiguration": {},
        "Capabilities": source["capabilities"],
        "Tags": [{"Key": key, "Value": value} for key, value in source["tags"].items()],
        "OnStackFailure": it["on_failure"] or None,
    }
    return answer | page([told(change) for change in it["changes"]] if made else [], call.parameters, "Changes")


def list_change_sets(world: World, call: Call) -> dict[str, Any]:
    """ListChangeSets."""
    stack = find(world, call, call.parameters["StackName"], words="Stack [{}] does not exist")
    return page([_summary(world, stack, it) for it in stack["change_sets"].values()], call.parameters, "Summaries")


def execute_change_set(world: World, call: Call) -> dict[str, Any]:
    """ExecuteChangeSet: all others of the stack are gone then."""
    given = call.parameters
    if given.get("RetainExceptOnCreate"):
        raise not_reproduced("RetainExceptOnCreate of ExecuteChangeSet")
    stack, it = find_change_set(world, call)
    if not _made(world, it) or it["execution"] != "AVAILABLE":
        told_as = _summary(world, stack, it)
        state = told_as["Status"] if told_as["ExecutionStatus"] in ("UNAVAILABLE", "AVAILABLE") else told_as["ExecutionStatus"]
        raise ApiError("InvalidChangeSetStatus", f"ChangeSet [{it['id']}] cannot be executed in its current status of [{state}]", 400)
    if stack["work"] is not None or stack["status"] not in (_REVIEW, *_ENDS):
        raise invalid(f"Stack:{stack['id']} is in {stack['status']} state and can not be updated.")
    stack["change_sets"] = {it["name"]: it}
    keep = bool(given.get("DisableRollback")) or it["on_failure"] == "DO_NOTHING"
    running.execute(world, stack, it, keep=keep, token=given.get("ClientRequestToken") or "")
    return {}


def delete_change_set(world: World, call: Call) -> dict[str, Any]:
    """DeleteChangeSet; one that is not there is no error. A stack that waited for it stays."""
    try:
        stack, it = find_change_set(world, call)
    except ApiError as error:
        if error.code == "ChangeSetNotFound":
            return {}
        raise
    if it["execution"] == "EXECUTE_IN_PROGRESS":
        raise ApiError(
            "InvalidChangeSetStatus", f"ChangeSet [{it['id']}] cannot be deleted in its current status of [EXECUTE_IN_PROGRESS]", 400
        )
    del stack["change_sets"][it["name"]]
    return {}


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    """Refuse what could only be ignored here.

    Raises:
        ApiError: status 501.
    """
    if given.get("ChangeSetType") not in (None, "CREATE", "UPDATE"):
        raise not_reproduced(f"change sets of the type {given['ChangeSetType']}")
    if given.get("OnStackFailure") == "DELETE":
        raise not_reproduced("OnStackFailure DELETE")
    if (given.get("RollbackConfiguration") or {}).get("RollbackTriggers"):
        raise not_reproduced("RollbackTriggers of a change set")
    for name in _NOT_HERE:
        if given.get(name):
            raise not_reproduced(f"{name} of a change set")


def _source(world: World, given: Mapping[str, Any], former: Source | None) -> Source:
    """What a change set is made from: what is given, else what the stack has.

    Raises:
        ApiError: ValidationError: it is no template, or its parameters are not right.
    """
    text = text_of(world, given, former)
    read = document(text)
    tags, notify = given.get("Tags"), given.get("NotificationARNs")
    return {
        "text": text,
        "processed": read,
        "parameters": parameters.values(read, given.get("Parameters") or (), former),
        "tags": {one["Key"]: one["Value"] for one in tags} if tags is not None else dict(former["tags"]) if former else {},
        "role": str(given.get("RoleARN") or (former["role"] if former else "")),
        "capabilities": list(given.get("Capabilities") or ()),
        "notify": list(notify) if notify is not None else list(former["notify"]) if former else [],
    }


def _work_out(world: World, call: Call, stack: Stack, it: ChangeSet) -> None:
    """Expand the template, and find out what would change.

    Raises:
        ApiError: as CloudFormation refuses it.
    """
    source, read = it["source"], it["source"]["processed"]
    named = transforms(read)
    source["processed"] = transformed(read, source["parameters"], call.region)
    if named and (missing := lacking(source["processed"], source["capabilities"])):
        _fail(it, f"Requires capabilities : [{missing}]")
        return
    it["changes"] = changes(world, call, stack, source)
    former = stack["source"]
    same_outputs = former is not None and former["processed"].get("Outputs") == source["processed"].get("Outputs")
    if not it["changes"] and former is not None and same_outputs and former["tags"] == source["tags"]:
        _fail(it, _NO_CHANGES_TRANSFORMED if named else _NO_CHANGES)


def _fail(it: ChangeSet, reason: str) -> None:
    it["status"], it["execution"], it["reason"] = "FAILED", "UNAVAILABLE", reason


def _check_stack(stack: Stack | None, named: str, change_set: str, kind: str) -> None:
    if kind == "CREATE":
        if stack is not None and stack["status"] != _REVIEW:
            raise invalid(f"Stack [{stack['name']}] already exists and cannot be created again with the changeSet [{change_set}].")
        return
    if stack is None:
        raise invalid(f"Stack [{named}] does not exist")
    if stack["status"] not in _ENDS:
        raise invalid(f"Stack:{stack['id']} is in {stack['status']} state and can not be updated.")


def _new_stack(world: World, call: Call, name: str) -> Stack:
    stack: Stack = {
        "id": _arn(call, f"stack/{name}/{world.new_id()}"), "name": name, "status": "", "reason": "", "created": world.now(),
        "updated": 0.0, "deleted": 0.0, "description": "", "source": None, "outputs": [], "resources": {}, "events": [], "change_sets": {},
        "change_set": "", "work": None,
    }  # fmt: skip
    world.place(call)["stacks"][stack["id"]] = stack
    stack_is(world, stack, _REVIEW, "User Initiated")
    return stack


def _forget_if_new(world: World, call: Call, stack: Stack) -> None:
    """A stack of which there is no change set was never begun."""
    if stack["status"] == _REVIEW and not stack["change_sets"] and len(stack["events"]) == 1:
        del world.place(call)["stacks"][stack["id"]]


def _by_id(world: World, call: Call, name: str) -> Stack | None:
    found = world.place(call)["stacks"].get(name)
    return found if found is not None and not found["deleted"] else None


def _made(world: World, it: ChangeSet) -> bool:
    return world.now() >= it["ready"]


def _summary(world: World, stack: Stack, it: ChangeSet) -> Mapping[str, Any]:
    made = _made(world, it)
    return {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "ChangeSetId": it["id"],
        "ChangeSetName": it["name"],
        "ExecutionStatus": it["execution"] if made else "UNAVAILABLE",
        "Status": it["status"] if made else "CREATE_IN_PROGRESS",
        "StatusReason": (it["reason"] or None) if made else None,
        "CreationTime": as_time(it["created"]),
        "Description": it["description"] or None,
        "IncludeNestedStacks": False,
    }


def _arn(call: Call, rest: str) -> str:
    return f"arn:{call.partition}:cloudformation:{call.region}:{call.account}:{rest}"


OPERATIONS = {
    "CreateChangeSet": Operation(
        create_change_set,
        "types CREATE and UPDATE; the transform of SAM alone; nested stacks, imports, triggers 501; a role need not exist",
    ),
    "DescribeChangeSet": Operation(describe_change_set, "IncludePropertyValues 501"),
    "ExecuteChangeSet": Operation(
        execute_change_set, "one resource after the other; a second call is refused whatever its token; RetainExceptOnCreate 501"
    ),
    "DeleteChangeSet": Operation(delete_change_set),
    "ListChangeSets": Operation(list_change_sets),
}
