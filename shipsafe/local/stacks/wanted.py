"""What a template wants a stack to have: its resources whose conditions hold, in the order in which they can be made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.local.stacks.intrinsics import Scope, references
from shipsafe.local.stacks.world import invalid

_ATTRIBUTES = ("CreationPolicy", "DeletionPolicy", "Metadata", "UpdatePolicy", "UpdateReplacePolicy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A resource of a template. `properties` are expressions; `needs` are the logical ids that have to be there before it."""

    logical: str
    type: str
    properties: Mapping[str, Any]
    needs: frozenset[str]
    rest: Mapping[str, Any]


def wanted(document: Mapping[str, Any], scope: Scope) -> list[Wanted]:
    """The resources of a template, each after those that it needs.

    Raises:
        ApiError: ValidationError: something refers to what is not there, or in a circle.
    """
    resources: Mapping[str, Any] = document["Resources"]
    there = {name for name, one in resources.items() if one.get("Condition") is None or scope.holds(str(one["Condition"]))}
    found: dict[str, Wanted] = {}
    for name, one in resources.items():
        after = one.get("DependsOn") or []
        after = [after] if isinstance(after, str) else after
        named = references([one.get("Properties") or {}, one.get("UpdatePolicy") or {}]) | set(after)
        if unknown := sorted(part for part in named if part not in resources and part not in scope.parameters):
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{', '.join(unknown)}] in the Resources block of the template"
            )
        if name in there:
            found[name] = Wanted(
                logical=name,
                type=one["Type"],
                properties=one.get("Properties") or {},
                needs=frozenset(named & there),
                rest={key: one[key] for key in _ATTRIBUTES if one.get(key) is not None} | {"needs": sorted(named & there)},
            )
    return _ordered(found)


def _ordered(found: Mapping[str, Wanted]) -> list[Wanted]:
    left, placed = dict(found), dict[str, Wanted]()
    while left:
        ready = [one for one in left.values() if one.needs <= placed.keys()]
        if not ready:
            raise invalid(f"Circular dependency between resources: [{', '.join(sorted(left))}]")
        for one in ready:
            placed[one.logical] = left.pop(one.logical)
    return list(placed.values())
