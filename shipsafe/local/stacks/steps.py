"""One step of a stack that is on its way: a resource is created or changed, call by call, each when it rests from the one before."""

import copy

from shipsafe.local.call import ApiError, Call
from shipsafe.local.identity import partition_of
from shipsafe.local.stacks import scopes
from shipsafe.local.stacks.events import resource_is
from shipsafe.local.stacks.kinds.kind import Acting
from shipsafe.local.stacks.kinds.table import kind_of
from shipsafe.local.stacks.state import Resource, Source, Stack, Step, Work
from shipsafe.local.stacks.world import World

_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
_KEEP = ("Retain", "RetainExceptOnCreate")


def begin(world: World, stack: Stack, work: Work, step: Step) -> None:
    """Work out what a step is, and make its first call where it creates something.

    Raises:
        ApiError: its properties have no value, or a service refuses it.
    """
    step["begun"] = True
    current = stack["resources"].get(step["logical"])
    if work["back"]:  # what it leads to is known: what was there before
        if current is not None and step["former"] is not None:
            _begin_update(world, stack, step, current, step["former"])
        return
    source = work["source"]
    raw = source["processed"]["Resources"][step["logical"]]
    of = scopes.scope(world, acting_call(stack, source), stack, source)
    kind, rest = kind_of(raw["Type"]), step["rest"]
    new: Resource = {
        "logical": step["logical"], "type": raw["Type"], "physical": "", "status": "", "reason": "", "at": 0.0,
        "properties": {}, "attributes": {}, "tags": source["tags"], "rest": rest,
    }  # fmt: skip
    step["former"] = copy.deepcopy(current) if current is not None and current["physical"] else None
    try:
        new["properties"] = scopes.properties(of, raw.get("Properties"))
    except ApiError:
        step["doing"] = "create" if current is None else "update"
        stack["resources"].setdefault(step["logical"], new)
        raise
    if current is None or not current["physical"]:
        _begin_creation(world, stack, work, step, new)
        return
    changed = {
        name for name in {*current["properties"], *new["properties"]} if current["properties"].get(name) != new["properties"].get(name)
    }
    if kind.replaces(changed):
        resource_is(world, stack, current, "UPDATE_IN_PROGRESS", _REPLACING)
        new["physical"] = ""
        _begin_creation(world, stack, work, step, new)
    elif changed or (kind.tagged and current["tags"] != source["tags"]):
        _begin_update(world, stack, step, current, new)
    else:
        current["rest"] = rest


def _begin_creation(world: World, stack: Stack, work: Work, step: Step, new: Resource) -> None:
    step["doing"] = "create"
    stack["resources"][step["logical"]] = new
    replacing = step["former"] is not None
    if not replacing:
        resource_is(world, stack, new, "CREATE_IN_PROGRESS")
    new["physical"] = kind_of(new["type"]).create(acting_of(world, stack, work, new), new["properties"])
    resource_is(world, stack, new, "UPDATE_IN_PROGRESS" if replacing else "CREATE_IN_PROGRESS", "Resource creation Initiated")


def _begin_update(world: World, stack: Stack, step: Step, current: Resource, to: Resource) -> None:
    step["doing"] = "update"
    resource_is(world, stack, current, "UPDATE_IN_PROGRESS")
    step["former"] = copy.deepcopy(current)
    current["properties"], current["tags"], current["rest"] = copy.deepcopy(to["properties"]), dict(to["tags"]), dict(to["rest"])


def go_on(world: World, stack: Stack, work: Work, step: Step) -> bool:
    """Make the calls of a step that are left, each when the resource has rested; whether all is done.

    Raises:
        ApiError: a service refuses one, or the resource did not become what it was told to be.
    """
    one = stack["resources"][step["logical"]]
    kind, acting = kind_of(one["type"]), acting_of(world, stack, work, one)
    if step["doing"] == "create":
        todo = kind.finish(acting, one["physical"], one["properties"])
    else:
        todo = kind.update(acting, one["physical"], step["former"]["properties"] if step["former"] else {}, one["properties"])
    while True:
        now = kind.condition(acting, one["physical"])
        if now.busy:
            return False
        if now.trouble and (step["phase"] or step["doing"] == "create"):  # before, it is of what somebody else did
            raise ApiError("NotStabilized", now.trouble)
        if step["phase"] >= len(todo):
            break
        todo[step["phase"]]()
        step["phase"] += 1
    one["attributes"] = dict(kind.attributes(acting, one["physical"], one["properties"]))
    replaced = step["former"] if step["doing"] == "create" else None
    resource_is(world, stack, one, "UPDATE_COMPLETE" if replaced or step["doing"] == "update" else "CREATE_COMPLETE")
    if replaced is not None:
        work["gone"].append({"resource": replaced, "kept": kept(replaced, "UpdateReplacePolicy")})
    return True


def acting_of(world: World, stack: Stack, work: Work, one: Resource) -> Acting:
    """The stack, as it does something with one of its resources.

    Raises:
        ApiError: the resource's UpdatePolicy has no value.
    """
    call, policy = acting_call(stack, work["source"]), one["rest"].get("UpdatePolicy")
    if policy and not work["back"] and not work["cleaning"]:
        return scopes.acting(world, call, stack, one, scopes.properties(scopes.scope(world, call, stack, work["source"]), policy))
    return scopes.acting(world, call, stack, one, {})


def acting_call(stack: Stack, source: Source) -> Call:
    """A call as the stack makes it: of its account and Region, as its role where it has one."""
    _, _, _, region, account, _ = stack["id"].split(":", 5)
    return Call(
        service="cloudformation",
        operation="",
        parameters={},
        account=account,
        region=region,
        partition=partition_of(region),
        caller=source["role"],
    )


def kept(one: Resource, policy: str) -> bool:
    """Whether a resource's DeletionPolicy or UpdateReplacePolicy lets it outlive the stack."""
    return str(one["rest"].get(policy)) in _KEEP
