"""The text of a workflow -> values with their lines, bounded while they are made.

    on: push          # `on` is the word `on`: GitHub reads it as text, and nothing here reads it as true
    jobs: {}

An alias costs as much as everything below what it names, so that a bomb of aliases is refused where it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from shipsafe.adapters.events import Event
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError

_MAX_DEPTH = 50
_MAX_VALUES = 100_000  # of a file, aliases expanded
_REMEDY = "Correct it there; GitHub would not run it either."


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value and where it begins: text, a list, or a mapping; counted from 1. `weight` and `height` are what it costs to walk."""

    value: "str | tuple[Node, ...] | dict[str, Node]"
    line: int
    column: int
    weight: int = 1
    height: int = 0

    @property
    def text(self) -> str:
        """The text; "" for anything else."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def items(self) -> "tuple[Node, ...]":
        """The values of a list; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def fields(self) -> "dict[str, Node]":
        """The values of a mapping by key; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def at(self, *keys: str) -> "Node | None":
        """What stands below these keys, or None."""
        node: Node | None = self
        for key in keys:
            node = node.fields.get(key) if node else None
        return node


def read(text: str, *, name: str) -> Node:
    """The one document of a workflow or an action.

    Raises:
        ConfigError: it is no mapping, no YAML, too deep or too large, with its place.
    """
    from shipsafe.adapters.template_text import parse  # noqa: PLC0415 - the rules are wanted without the parser

    root = parse(text, _Composer(name).run, name=name, json_only=False)
    if root is None or not isinstance(root.value, dict):
        raise ConfigError("Not a mapping.", remedy=_REMEDY, path=name)
    return root


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended."""

    event: Event
    items: list[Node] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    key: str | None = None

    def node(self) -> Node:
        inner = (*self.items, *self.fields.values())
        return Node(
            value=tuple(self.items) if self.event.kind == "[" else self.fields,
            line=self.event.line,
            column=self.event.column,
            weight=1 + sum(one.weight for one in inner),
            height=1 + max((one.height for one in inner), default=0),
        )


@dataclass(slots=True)
class _Composer:
    """The state of one composition."""

    name: str
    opened: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    root: Node | None = None
    documents: int = 0
    values: int = 0

    def run(self, events: Iterable[Event]) -> Node | None:
        for event in events:
            match event.kind:
                case "d":
                    self.documents += 1
                    if self.documents > 1:
                        self._refuse(event, "A second document begins here.")
                case "{" | "[":
                    if len(self.opened) == _MAX_DEPTH:
                        self._refuse(event, f"Nested more than {_MAX_DEPTH} deep.")
                    self.opened.append(_Open(event))
                case "}" | "]":
                    ended = self.opened.pop()
                    self._finish(ended.event, ended.node(), cost=1)
                case "s":
                    self._finish(event, Node(value=event.text, line=event.line, column=event.column), cost=1)
                case _:
                    named = self.anchors.get(event.text)
                    if named is None:
                        self._refuse(event, f"Alias *{shown(event.text)} names nothing before it.")
                    self._finish(event, named, cost=named.weight)
        return self.root

    def _finish(self, event: Event, node: Node, *, cost: int) -> None:
        self.values += cost
        if self.values > _MAX_VALUES:
            self._refuse(event, f"More than {_MAX_VALUES:,} values, aliases expanded.")
        if len(self.opened) + node.height > _MAX_DEPTH:
            self._refuse(event, f"Nested more than {_MAX_DEPTH} deep, aliases expanded.")
        if event.anchor and event.kind != "*":
            self.anchors[event.anchor] = node
        if not self.opened:
            self.root = node
        elif problem := _place(self.opened[-1], node):
            self._refuse(event, problem)

    def _refuse(self, event: Event, what: str) -> NoReturn:
        raise ConfigError(what, remedy=_REMEDY, path=self.name, line=event.line, column=event.column)


def _place(part: _Open, node: Node) -> str:
    """Put a value into what is open; what is wrong with that, or ""."""
    if part.event.kind == "[":
        part.items.append(node)
    elif part.key is not None:
        part.fields[part.key], part.key = node, None
    elif not isinstance(node.value, str):
        return "A key must be text."
    elif node.value in part.fields:
        return f"Key `{shown(node.value)}` stands twice."
    else:
        part.key = node.value
    return ""
