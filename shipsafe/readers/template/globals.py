"""SAM's `Globals`: what every function and layer of a template inherits, merged as SAM merges it.

Maps are merged, lists are concatenated with the global entries first, anything else is overridden by the resource; an intrinsic
function counts as one value. `Architectures` is the exception: a function has one, so the resource's list replaces the global
one (SAM since June 2026; before that, both together were an error at deployment).
Source: https://github.com/aws/serverless-application-model, samtranslator/plugins/globals
"""

from collections.abc import Mapping

from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.node import Node

_REPLACED = frozenset(("Architectures",))
_PREFIX = "AWS::Serverless::"


def inherited(body: Node, kind: str, properties: Node | None, budget: Budget) -> Mapping[str, Node]:
    """The properties of a resource of that type together with what it inherits."""
    own = properties.fields if properties else {}
    section = body.fields.get("Globals")
    defaults = section.fields.get(kind.removeprefix(_PREFIX)) if section and kind.startswith(_PREFIX) else None
    if defaults is None or defaults.call:
        return own
    return _merge_fields(defaults.fields, own, budget, _REPLACED)


def _merge_fields(
    general: Mapping[str, Node], own: Mapping[str, Node], budget: Budget, replaced: frozenset[str] = frozenset()
) -> dict[str, Node]:
    budget.spend(len(general) + len(own))
    merged = {**general, **own}
    for key in general.keys() & own.keys() - replaced:
        merged[key] = _merge(general[key], own[key], budget)
    return merged


def _merge(general: Node, own: Node, budget: Budget) -> Node:
    if general.call or own.call:
        return own
    if isinstance(general.value, tuple) and isinstance(own.value, tuple):
        budget.spend(len(general.value) + len(own.value))
        value: tuple[Node, ...] | Mapping[str, Node] = general.value + own.value
    elif isinstance(general.value, Mapping) and isinstance(own.value, Mapping):
        value = _merge_fields(general.value, own.value, budget)
    else:
        return own
    return Node(value=value, path=own.path, line=own.line, column=own.column, marks={**general.marks, **own.marks})
