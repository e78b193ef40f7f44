"""What the expressions of a stack's template are evaluated in: its parameters, and its resources as they are now."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.stacks import parameters
from shipsafe.local.stacks.intrinsics import LATER, Scope
from shipsafe.local.stacks.kinds.kind import Acting
from shipsafe.local.stacks.kinds.table import kind_of
from shipsafe.local.stacks.state import Resource, Source, Stack
from shipsafe.local.stacks.world import World, invalid


def scope(world: World, call: Call, stack: Stack, source: Source, *, later: AbstractSet[str] = frozenset()) -> Scope:
    """A scope.

    Args:
        world: where exports of other stacks are.
        call: of the stack's account and Region.
        stack: its resources are what `Ref` and `Fn::GetAtt` see.
        source: the template and parameters, which need not be those that the stack has now.
        later: resources of which only an execution can tell. It may grow while the scope is used.
    """
    document = source["processed"]

    def reference(logical: str) -> str:
        if logical in later:
            return LATER
        return _there(stack, logical)["physical"]

    def attribute(logical: str, name: str) -> Any:
        if logical in later:
            return LATER
        return _attribute(_there(stack, logical), name)

    def exported(name: str) -> str:
        for other in world.place(call)["stacks"].values():
            for output in other["outputs"]:
                if output.get("ExportName") == name:
                    return output["OutputValue"]
        raise invalid(f"No export named {name} found.")

    return Scope(
        parameters=parameters.in_scope(document, source["parameters"], call, stack["name"], stack["id"], source["notify"]),
        conditions=document.get("Conditions") or {},
        mappings=document.get("Mappings") or {},
        resources=frozenset(document["Resources"]),
        reference=reference,
        attribute=attribute,
        exported=exported,
    )


def outputs(document: Mapping[str, Any], of: Scope) -> list[dict[str, str]]:
    """The outputs of a template whose conditions hold.

    Raises:
        ApiError: one refers to what is not there.
    """
    found = []
    for name, one in (document.get("Outputs") or {}).items():
        if one.get("Condition") is not None and not of.holds(str(one["Condition"])):
            continue
        told = {"OutputKey": name, "OutputValue": of.text(one.get("Value", ""))}
        if one.get("Description"):
            told["Description"] = str(one["Description"])
        if export := one.get("Export"):
            told["ExportName"] = of.text(export.get("Name", ""))
        found.append(told)
    return found


def properties(of: Scope, expression: Any) -> dict[str, Any]:
    """The properties of a resource.

    Raises:
        ApiError: they have no value, or it is no mapping.
    """
    value = of.value(expression or {})
    if not isinstance(value, dict):
        raise invalid("Template format error: Properties must be an object.")
    return value


def acting(world: World, call: Call, stack: Stack, one: Resource, policy: Mapping[str, Any]) -> Acting:
    """A stack that does something with one of its resources. `policy` is the resource's UpdatePolicy, resolved."""
    return Acting(
        world=world,
        call=call,
        stack=stack["name"],
        stack_id=stack["id"],
        logical=one["logical"],
        type=one["type"],
        tags=one["tags"],
        policy=policy,
        occasion=stack["change_set"],
    )


def _there(stack: Stack, logical: str) -> Resource:
    if logical not in stack["resources"]:
        raise invalid(f"Unresolved resource dependencies [{logical}] in the Resources block of the template")
    return stack["resources"][logical]


def _attribute(one: Resource, name: str) -> Any:
    if name in one["attributes"]:
        return one["attributes"][name]
    if not kind_of(one["type"]).open:
        raise invalid(f"Template error: resource {one['logical']} does not support attribute type {name} in Fn::GetAtt")
    return f"{one['physical']}-{name}"
