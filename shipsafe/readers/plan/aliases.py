"""What a plan says of how a function goes live: its name, and the one `aws_lambda_alias` that is made of it.

CodeDeploy's groups of a plan are tied to no function (an AppSpec ties them, at the deployment), so that the policy names them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shipsafe.adapters.shown import shown
from shipsafe.model.preference import ALIAS_NAME, FUNCTION_NAME
from shipsafe.readers.plan.document import Plan, Planned
from shipsafe.readers.plan.references import References

ALIAS = "aws_lambda_alias"
_FUNCTION = "aws_lambda_function"
_UNKNOWN = "it is known only after apply, or sensitive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """As `Function` has them."""

    function_name: str | None
    alias: str | None
    unclear: tuple[str, ...]


def aliases(plan: Plan, references: References) -> dict[str, list[Planned]]:
    """The aliases of a plan, by the address of the function that each is of."""
    found: dict[str, list[Planned]] = {}
    functions = {one.values.get("function_name"): one.address for one in plan.of_type(_FUNCTION) if not one.data}
    for alias in plan.of_type(ALIAS):
        if not alias.data:
            for address in dict.fromkeys(_functions(alias, references, functions)):
                found.setdefault(address, []).append(alias)
    return found


def _functions(alias: Planned, references: References, functions: Mapping[object, str]) -> Iterator[str]:
    name = alias.values.get("function_name")
    if isinstance(name, str):  # a name, or an ARN that ends in it
        if address := functions.get(name) or functions.get(name.rpartition(":function:")[2].partition(":")[0]):
            yield address
        return
    for target in references.targets(alias, "function_name"):
        if isinstance(target, Planned) and target.type == _FUNCTION:
            yield target.address


def names_of(planned: Planned, known: Mapping[str, list[Planned]]) -> Names:
    """The name and the alias that are certain; those that are not are `unclear`."""
    unclear: list[str] = []
    name = _text(planned, "function_name")
    if name is not None and not FUNCTION_NAME.fullmatch(name):
        unclear.append(f"name: {shown(name, 120)} cannot be one")
        name = None
    elif name is None:
        unclear.append(f"name: {_UNKNOWN}")
    found = known.get(planned.address, [])
    alias = _text(found[0], "name") if len(found) == 1 else None
    if len(found) > 1:
        unclear.append(f"alias: it has {len(found)}: {', '.join(shown(one.address, 60) for one in found[:5])}")
    elif found and (alias is None or not ALIAS_NAME.fullmatch(alias)):
        unclear.append(f"alias: {_UNKNOWN}" if alias is None else f"alias: {shown(alias, 120)} cannot be one")
        alias = None
    return Names(function_name=name, alias=alias, unclear=tuple(unclear))


def _text(planned: Planned, argument: str) -> str | None:
    """What the plan says for certain and may show."""
    found = planned.values.get(argument)
    return found if isinstance(found, str) and found and planned.sensitive.get(argument) is not True else None
