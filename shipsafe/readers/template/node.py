"""A value of a template as it is written: text, a list or a mapping, each with the place where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipsafe.adapters.shown import shown
from shipsafe.model.location import Location

_DESCRIBED = 120


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """One value of a template. Short tags (`!Ref X`) are already in their long form (`{Ref: X}`).

    Attributes:
        value: text for every scalar (a version `012` stays `012`), None for null, a tuple, or a mapping in file order.
        path: the file, as `Location.path` has it; `line` and `column` count from 1.
        marks: for a mapping, where each key stands: (line, column).
    """

    value: "str | tuple[Node, ...] | Mapping[str, Node] | None"
    path: str
    line: int
    column: int
    marks: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def location(self) -> Location:
        """Where it stands."""
        return Location(path=self.path, line=self.line, column=self.column)

    @property
    def fields(self) -> "Mapping[str, Node]":
        """The mapping, or an empty one when it is something else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def call(self) -> "tuple[str, Node] | None":
        """Name and argument when this is an intrinsic function: `("Ref", ...)`, `("Fn::Sub", ...)`."""
        if not isinstance(self.value, Mapping) or len(self.value) != 1:
            return None
        name, argument = next(iter(self.value.items()))
        return (name, argument) if name in ("Ref", "Condition") or name.startswith("Fn::") else None

    def key_location(self, key: str) -> Location:
        """Where a key of this mapping stands."""
        line, column = self.marks[key]
        return Location(path=self.path, line=line, column=column)


def describe(node: Node) -> str:
    """A value as a person would write it in YAML on one line: `!Ref Common`, `!Sub "arn:...:${Version}"`."""
    text = _describe(node, _DESCRIBED)
    return text if len(text) <= _DESCRIBED else f"{text[:_DESCRIBED]}..."


def _describe(node: Node, room: int) -> str:
    """At most a little more than `room` characters, so that a large value costs no more than a small one."""
    if room <= 0:
        return "..."
    if node.value is None or isinstance(node.value, str):
        return shown(node.value or "null", room)
    if isinstance(node.value, tuple):
        parts: list[str] = []
        for child in node.value:
            if room <= 0:
                break
            parts.append(_describe(child, room))
            room -= len(parts[-1]) + 2
        return f"[{', '.join(parts)}]"
    if node.call is None:
        return "{...}"
    name, argument = node.call
    if name == "Fn::GetAtt" and isinstance(argument.value, tuple):
        return "!GetAtt " + ".".join(_describe(part, room - 1) for part in argument.value[:2])
    text = _describe(argument, room - 1)
    quoted = name == "Fn::Sub" and isinstance(argument.value, str)
    return f"!{shown(name.removeprefix('Fn::'))} " + (f'"{text}"' if quoted else text)
