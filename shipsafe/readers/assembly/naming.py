"""What functions and layers of a CDK application are called: as their constructs, which is how people know them.

CreateOrder, Api.Handler        where one stack has all functions and layers: the path below the stack, as in a SAM template
Orders.CreateOrder              where several stacks have some
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipsafe.readers.assembly.constructs import Construct
from shipsafe.readers.assembly.manifest import StackArtifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A function or layer: the name that it was read under (`STACK.LOGICALID`), its stack, and its construct where CDK says."""

    name: str
    artifact: StackArtifact
    construct: Construct | None


def names(all_named: Sequence[Named]) -> Mapping[str, str]:
    """The name that each was read under -> what it is called; no two are called the same."""
    alone = len({one.artifact.id for one in all_named}) == 1
    wanted = {one.name: _wanted(one, alone=alone) for one in all_named}
    taken = Counter(name.casefold() for name in wanted.values())
    # Two constructs whose paths differ only in what no file name can have are called after their logical ids.
    return {name: better if taken[better.casefold()] == 1 else name for name, better in wanted.items()}


def _wanted(one: Named, *, alone: bool) -> str:
    stack = f"/{one.artifact.display.strip('/')}/"
    if one.construct is None:
        return one.name.removeprefix(f"{one.artifact.id}.") if alone else one.name
    path = one.construct.path
    inner = path.removeprefix(stack) if alone else path
    return Construct(path=inner, location=None, helper=False).name or one.name
