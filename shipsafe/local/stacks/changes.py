"""What a change set would do: the template held against what the stack has, resource by resource.

A value that depends on what is only made by the execution counts as changed, as on AWS ("Dynamic"); the execution looks again.
"""

import json
from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.stacks import scopes
from shipsafe.local.stacks.intrinsics import LATER, references
from shipsafe.local.stacks.kinds.kind import Kind
from shipsafe.local.stacks.kinds.table import kind_of
from shipsafe.local.stacks.state import Change, Resource, Source, Stack
from shipsafe.local.stacks.steps import kept
from shipsafe.local.stacks.wanted import Wanted, wanted
from shipsafe.local.stacks.world import World, invalid


def changes(world: World, call: Call, stack: Stack, source: Source) -> list[Change]:
    """The changes, by logical id.

    Raises:
        ApiError: ValidationError: the template cannot be evaluated.
    """
    later: set[str] = set()
    of = scopes.scope(world, call, stack, source, later=later)
    found: list[Change] = []
    chosen = wanted(source["processed"], of)
    for one in chosen:
        kind_of(one.type)  # one that is not reproduced is refused here, and not half way
        current = stack["resources"].get(one.logical)
        if current is None or not current["physical"]:
            later.add(one.logical)
            scopes.properties(of, one.properties)
            found.append(_change("Add", one.logical, one.type))
            continue
        if current["type"] != one.type:
            words = "The new template modifies resource type of the following resources"
            raise invalid(f"Update of resource type is not permitted. {words}: [{one.logical}]")
        change = _modified(one, current, scopes.properties(of, one.properties), source)
        if change is not None:
            found.append(change)
            if change["replacement"] != "False":
                later.add(one.logical)
    scopes.outputs(source["processed"], of)
    left = {one.logical for one in chosen}
    for logical, current in stack["resources"].items():
        if logical not in left:
            policy = "Retain" if kept(current, "DeletionPolicy") else "Delete"
            found.append({**_change("Remove", logical, current["type"]), "policy": policy, "physical": current["physical"]})
    return sorted(found, key=lambda change: change["logical"])


def told(change: Change) -> dict[str, Any]:
    """A change as DescribeChangeSet has it."""
    members = {
        "PolicyAction": change["policy"] or None,
        "Action": change["action"],
        "LogicalResourceId": change["logical"],
        "PhysicalResourceId": change["physical"] or None,
        "ResourceType": change["type"],
        "Replacement": change["replacement"] or None,
        "Scope": change["scope"],
        "Details": change["details"],
    }
    return {"Type": "Resource", "ResourceChange": {name: value for name, value in members.items() if value is not None}}


def _modified(one: Wanted, current: Resource, new: Mapping[str, Any], source: Source) -> Change | None:
    """How a resource changes, None if it does not."""
    kind, old = kind_of(one.type), current["properties"]
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    scope = ["Properties"] if changed else []
    scope += [
        name for name in ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy") if current["rest"].get(name) != one.rest.get(name)
    ]
    if kind.tagged and current["tags"] != source["tags"]:
        scope.append("Tags")
    if not scope:
        return None
    details = [_detail(kind, name, one.properties.get(name), new.get(name)) for name in changed]
    recreated = {detail["Target"]["RequiresRecreation"] for detail in details}
    replacement = "True" if "Always" in recreated else "Conditional" if "Conditionally" in recreated else "False"
    return {**_change("Modify", one.logical, one.type, replacement), "physical": current["physical"], "scope": scope, "details": details}


def _detail(kind: Kind, name: str, expression: Any, value: Any) -> dict[str, Any]:
    dynamic = LATER in json.dumps(value)
    replaces = kind.replaces({name})
    detail: dict[str, Any] = {
        "Target": {
            "Attribute": "Properties",
            "Name": name,
            "RequiresRecreation": "Conditionally" if replaces and dynamic else "Always" if replaces else "Never",
        },
        "Evaluation": "Dynamic" if dynamic else "Static",
        "ChangeSource": "ResourceReference" if dynamic else "DirectModification",
    }
    if dynamic:
        detail["CausingEntity"] = min(references(expression))
    return detail


def _change(action: str, logical: str, type_name: str, replacement: str = "") -> Change:
    return {
        "action": action, "policy": "", "logical": logical, "physical": "", "type": type_name, "replacement": replacement, "scope": [],
        "details": [],
    }  # fmt: skip
