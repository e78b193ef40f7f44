"""A stack on its way: what its change set says is done with one resource after the other, and undone where one of them fails.

Nothing here waits. `advance` goes on as far as it can be gone now, and is asked again before each call of CloudFormation and of Lambda.
Simpler than AWS: resources are changed one at a time.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from shipsafe.local.call import ApiError
from shipsafe.local.stacks import scopes
from shipsafe.local.stacks.events import resource_is, stack_is
from shipsafe.local.stacks.kinds.kind import reason_of
from shipsafe.local.stacks.kinds.table import kind_of
from shipsafe.local.stacks.state import ChangeSet, Doing, Gone, Resource, Source, Stack, Step, Work
from shipsafe.local.stacks.steps import acting_call, acting_of, begin, go_on, kept
from shipsafe.local.stacks.wanted import wanted
from shipsafe.local.stacks.world import World


def execute(world: World, stack: Stack, it: ChangeSet, *, keep: bool, token: str) -> None:
    """Begin what a change set says.

    Args:
        world: all there is.
        stack: the stack.
        it: its change set.
        keep: whether what fails stays as it is, in place of going back.
        token: the client's, which each event has.
    """
    source = copy.deepcopy(it["source"])
    resources = wanted(source["processed"], scopes.scope(world, acting_call(stack, source), stack, source))
    creating = it["kind"] == "CREATE"
    stack["work"] = _work(
        "create" if creating else "update", source, token, steps=[_step(one.logical, one.rest) for one in resources], keep=keep
    )
    if creating:
        stack["source"] = source
    it["execution"] = "EXECUTE_IN_PROGRESS"
    stack["change_set"] = it["id"]
    stack["description"] = str(source["processed"].get("Description") or "")
    stack_is(world, stack, "CREATE_IN_PROGRESS" if creating else "UPDATE_IN_PROGRESS", "User Initiated")


def delete(world: World, stack: Stack, token: str) -> None:
    """Begin to delete a stack with all that it has."""
    if stack["source"] is None:  # it waits for a change set, and has nothing
        stack_is(world, stack, "DELETE_COMPLETE", "User Initiated")
        stack["deleted"] = world.now()
        return
    work = _work("delete", stack["source"], token)
    work["gone"] = [{"resource": one, "kept": kept(one, "DeletionPolicy")} for one in backwards(stack["resources"].values())]
    work["cleaning"] = True
    stack["work"] = work
    stack_is(world, stack, "DELETE_IN_PROGRESS", "User Initiated")


def advance(world: World, stack: Stack) -> None:
    """Go on as far as it can be gone now."""
    while (work := stack["work"]) is not None:
        if work["at"] < len(work["steps"]):
            if not _take(world, stack, work, work["steps"][work["at"]]):
                return
        elif not work["cleaning"]:
            _clean_up(world, stack, work)
        elif work["gone"]:
            _dispose(world, stack, work, work["gone"].pop(0))
        else:
            _finish(world, stack, work)


def backwards(resources: Iterable[Resource]) -> list[Resource]:
    """Resources, each before those that it needs."""
    left = {one["logical"]: one for one in resources}
    placed: list[Resource] = []
    while left:
        needed = {name for one in left.values() for name in one["rest"].get("needs", ()) if name in left and name != one["logical"]}
        free = [name for name in left if name not in needed] or list(left)
        placed += [left.pop(name) for name in free]
    return placed


def _take(world: World, stack: Stack, work: Work, step: Step) -> bool:
    """Go on with one step; whether it is over."""
    try:
        if not step["begun"]:
            begin(world, stack, work, step)
        if step["doing"] and not go_on(world, stack, work, step):
            return False
    except ApiError as error:
        _failed(world, stack, work, step, error)
        return True
    work["at"] += 1
    return True


def _failed(world: World, stack: Stack, work: Work, step: Step, error: ApiError) -> None:
    one = stack["resources"][step["logical"]]
    creating = step["doing"] == "create" and step["former"] is None
    resource_is(world, stack, one, "CREATE_FAILED" if creating else "UPDATE_FAILED", reason_of(error, acting_of(world, stack, work, one)))
    words = f"The following resource(s) failed to {'create' if creating else 'update'}: [{step['logical']}]. "
    if step["former"] is not None and (work["back"] or work["keep"]):
        if step["doing"] == "update":
            one["properties"] = step["former"]["properties"]  # it may have some of the new: the next change makes all of it again
        elif not one["physical"]:
            stack["resources"][step["logical"]] = step["former"]  # nothing came in its place
    if work["back"]:
        _end(world, stack, "UPDATE_ROLLBACK_FAILED", words)
    elif work["keep"]:
        _end(world, stack, "CREATE_FAILED" if work["kind"] == "create" else "UPDATE_FAILED", words)
    elif work["kind"] == "create":
        stack_is(world, stack, "ROLLBACK_IN_PROGRESS", f"{words}Rollback requested by user.")
        _go_back(stack, work)
    else:
        stack_is(world, stack, "UPDATE_ROLLBACK_IN_PROGRESS", words)
        _go_back(stack, work)


def _go_back(stack: Stack, work: Work) -> None:
    """Let the work be the way back: what was changed is changed again, the last first; then what was created is deleted."""
    steps: list[Step] = []
    gone: list[Gone] = []
    for step in reversed([one for one in work["steps"] if one["doing"]]):
        current = stack["resources"][step["logical"]]
        if step["doing"] == "update":
            steps.append({**_step(step["logical"], step["rest"]), "former": step["former"]})
            continue
        if current["physical"]:
            gone.append({"resource": current, "kept": kept(current, "DeletionPolicy")})
        elif step["former"] is None:
            del stack["resources"][step["logical"]]
        if step["former"] is not None:
            stack["resources"][step["logical"]] = step["former"]
    work["steps"], work["at"], work["gone"], work["back"] = steps, 0, gone, True


def _clean_up(world: World, stack: Stack, work: Work) -> None:
    """All steps are done: what they led to is in force, and what is left of before can go."""
    if not work["back"]:
        source = work["source"]
        of = scopes.scope(world, acting_call(stack, source), stack, source)
        try:
            told = scopes.outputs(source["processed"], of)
        except ApiError as error:
            stack_is(world, stack, "ROLLBACK_IN_PROGRESS" if work["kind"] == "create" else "UPDATE_ROLLBACK_IN_PROGRESS", error.message)
            _go_back(stack, work)
            return
        stack["outputs"], stack["source"] = told, source
        there = {step["logical"] for step in work["steps"]}
        gone = backwards(one for one in stack["resources"].values() if one["logical"] not in there)
        work["gone"] += [{"resource": one, "kept": kept(one, "DeletionPolicy")} for one in gone]
    if work["kind"] == "update":
        stack_is(world, stack, f"UPDATE_{'ROLLBACK_' if work['back'] else ''}COMPLETE_CLEANUP_IN_PROGRESS")
    work["cleaning"] = True


def _dispose(world: World, stack: Stack, work: Work, gone: Gone) -> None:
    """Delete one resource, or leave it to itself."""
    one = stack["resources"].get(gone["resource"]["logical"])
    if one is None or one["physical"] != gone["resource"]["physical"]:
        one = gone["resource"]  # replaced: another has its name
    if gone["kept"]:
        resource_is(world, stack, one, "DELETE_SKIPPED")
    else:
        resource_is(world, stack, one, "DELETE_IN_PROGRESS")
        acting = acting_of(world, stack, work, one)
        try:
            kind_of(one["type"]).delete(acting, one["physical"], one["properties"])
        except ApiError as error:
            resource_is(world, stack, one, "DELETE_FAILED", reason_of(error, acting))
            work["trouble"].append(one["logical"])
            return
        resource_is(world, stack, one, "DELETE_COMPLETE")
    if stack["resources"].get(one["logical"]) is one:
        del stack["resources"][one["logical"]]


def _finish(world: World, stack: Stack, work: Work) -> None:
    words = f"The following resource(s) failed to delete: [{', '.join(work['trouble'])}]. " if work["trouble"] else ""
    if work["kind"] == "delete":
        _end(world, stack, "DELETE_FAILED" if words else "DELETE_COMPLETE", words)
        if not words:
            stack["deleted"] = world.now()
    elif work["kind"] == "create":
        _end(world, stack, "CREATE_COMPLETE" if not work["back"] else "ROLLBACK_FAILED" if words else "ROLLBACK_COMPLETE", words)
    else:  # what could not be deleted after an update is left behind, and the update holds
        _end(world, stack, "UPDATE_ROLLBACK_COMPLETE" if work["back"] else "UPDATE_COMPLETE")


def _end(world: World, stack: Stack, status: str, reason: str = "") -> None:
    stack_is(world, stack, status, reason)
    stack["work"] = None
    for one in stack["change_sets"].values():
        if one["execution"] == "EXECUTE_IN_PROGRESS":
            one["execution"] = "EXECUTE_COMPLETE" if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else "EXECUTE_FAILED"


def _step(logical: str, rest: Mapping[str, Any]) -> Step:
    return {"logical": logical, "rest": dict(rest), "doing": "", "begun": False, "phase": 0, "former": None}


def _work(kind: Doing, source: Source, token: str, *, steps: list[Step] | None = None, keep: bool = False) -> Work:
    return {
        "kind": kind, "steps": steps or [], "at": 0, "gone": [], "cleaning": False, "back": False, "keep": keep, "trouble": [],
        "token": token, "source": source,
    }  # fmt: skip
