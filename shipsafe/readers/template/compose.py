"""Text -> Node: composition from a stream of events, bounded while it happens.

`yaml.compose` would follow the text to any depth (in C, where too deep is a crash) and leave aliases as they are; working on
events we can count. An alias costs as much as everything below what it names, so that a bomb of aliases is refused where it
stands and everything after this file may walk a Node like a tree.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from shipsafe.adapters.events import Event
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.node import Node

MAX_DEPTH = 80  # lists and mappings inside each other
MAX_VALUES = 250_000  # per file, aliases expanded; a template of 1 MB has about 100,000
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp"))
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


class _Built(NamedTuple):
    """A finished value, with the number of values in it (aliases expanded) and its depth."""

    node: Node
    weight: int
    height: int


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended."""

    event: Event
    items: list[Node] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    marks: dict[str, tuple[int, int]] = field(default_factory=dict)
    merges: list[Node] = field(default_factory=list)
    key: str | None = None
    merging: bool = False
    weight: int = 1
    height: int = 1


def compose(events: Iterable[Event], *, path: str, budget: Budget) -> Node | None:
    """The one document of a stream, or None when it is empty.

    Raises:
        ConfigError: too deep, too many values, a key twice, a key that is not text, a tag that is not CloudFormation's, an
            alias of nothing or of what it stands in, or a second document; with line and column.
    """
    return _Composer(path, budget).run(events)


class _Composer:
    """The state of one composition."""

    def __init__(self, path: str, budget: Budget) -> None:
        self._path = path
        self._budget = budget
        self._open: list[_Open] = []
        self._anchors: dict[str, _Built] = {}
        self._root: Node | None = None
        self._documents = 0

    def run(self, events: Iterable[Event]) -> Node | None:
        for event in events:
            match event.kind:
                case "s":
                    self._scalar(event)
                case "{" | "[":
                    self._begin(event)
                case "}" | "]":
                    self._end()
                case "*":
                    self._alias(event)
                case _:
                    self._documents += 1
                    if self._documents > 1:
                        self._refuse(event, "A second document begins here.", "Keep one template in one file.")
        return self._root

    def _begin(self, event: Event) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._refuse(event, f"Nested more than {MAX_DEPTH} deep.", "Write it flatter.")
        if self._wants_key():
            self._refuse(event, "A key must be text.", "Put it in quotes, or look at the indentation.")
        self._open.append(_Open(event))

    def _end(self) -> None:
        part = self._open.pop()
        event = part.event
        value = tuple(part.items) if event.kind == "[" else self._merged(part)
        node = Node(value=value, path=self._path, line=event.line, column=event.column, marks=part.marks)
        self._finish(event, _Built(node, part.weight, part.height))

    def _merged(self, part: _Open) -> dict[str, Node]:
        """The mapping's own keys, then those of its `<<` merges that it has not, the first merge first."""
        for merge in part.merges:
            sources = merge.value if isinstance(merge.value, tuple) else (merge,)
            for source in sources:
                if not isinstance(source.value, dict):
                    self._refuse(part.event, "`<<` merges something that is not a mapping.", "Name a mapping with an alias.")
                for key, value in source.value.items():
                    part.fields.setdefault(key, value)
                    part.marks.setdefault(key, source.marks[key])
        return part.fields

    def _scalar(self, event: Event) -> None:
        if self._wants_key():
            self._key(event, event.text, merges=event.plain and event.text == "<<")
            if event.anchor:
                self._anchors[event.anchor] = _Built(self._text(event), 1, 0)
            return
        self._finish(event, _Built(self._text(event), 1, 0))

    def _text(self, event: Event) -> Node:
        text: str | None = event.text
        if event.plain and event.tag is None:
            # CloudFormation reads a plain True as the boolean and hands on "true".
            text = None if event.text in _NULLS else _BOOLEANS.get(event.text, event.text)
        return Node(value=text, path=self._path, line=event.line, column=event.column)

    def _alias(self, event: Event) -> None:
        built = self._anchors.get(event.text)
        if built is None:
            self._refuse(event, f"Alias *{shown(event.text)} names nothing before it.", "Define the anchor first.")
        if not self._wants_key():
            self._place(event, built)
        elif isinstance(built.node.value, str):
            self._key(event, built.node.value, merges=False)
        else:
            self._refuse(event, "A key must be text.", "Write the key out.")

    def _wants_key(self) -> bool:
        return bool(self._open) and self._open[-1].event.kind == "{" and self._open[-1].key is None

    def _key(self, event: Event, key: str, *, merges: bool) -> None:
        part = self._open[-1]
        if key in part.fields and not merges:
            first, _ = part.marks[key]
            self._refuse(event, f"Key `{shown(key)}` stands twice, first in line {first}.", "Keep one of them.")
        part.key, part.merging = key, merges
        if not merges:
            part.marks[key] = (event.line, event.column)

    def _finish(self, event: Event, built: _Built) -> None:
        """Apply the tag, remember the anchor, and put the value where it belongs."""
        if event.tag and event.tag != "!" and event.tag not in _CORE_TAGS:
            built = self._long_form(event, built)
        if event.anchor:
            self._anchors[event.anchor] = built
        self._place(event, built)

    def _place(self, event: Event, built: _Built) -> None:
        self._budget.spend()
        if not self._open:
            self._root = built.node
            return
        part = self._open[-1]
        part.weight += built.weight
        part.height = max(part.height, built.height + 1)
        if part.weight > MAX_VALUES:
            self._refuse(event, f"More than {MAX_VALUES:,} values, aliases expanded.", "Split the template.")
        if len(self._open) + built.height > MAX_DEPTH:
            self._refuse(event, f"Nested more than {MAX_DEPTH} deep, tags and aliases expanded.", "Write it flatter.")
        if part.event.kind == "[":
            part.items.append(built.node)
        elif part.merging:
            part.merges.append(built.node)
        elif part.key is not None:
            part.fields[part.key] = built.node
        part.key, part.merging = None, False

    def _long_form(self, event: Event, built: _Built) -> _Built:
        """`!Ref X` -> `{Ref: X}`, `!GetAtt A.B` -> `{Fn::GetAtt: [A, B]}`."""
        tag = event.tag or ""
        name = tag.removeprefix("!")
        if not tag.startswith("!") or not name.isalnum():
            self._refuse(event, f"Tag {shown(tag)} is not one of CloudFormation's.", "Take the tag away.")
        argument = built.node
        if name == "GetAtt" and isinstance(argument.value, str):
            parts = tuple(self._copy(argument, part) for part in argument.value.split(".", 1))
            argument = self._copy(argument, parts)
        key = name if name in ("Ref", "Condition") else f"Fn::{name}"
        mark = {key: (event.line, event.column)}
        node = Node(value={key: argument}, path=self._path, line=event.line, column=event.column, marks=mark)
        return _Built(node, built.weight + 1, built.height + 1)

    @staticmethod
    def _copy(node: Node, value: str | tuple[Node, ...]) -> Node:
        return Node(value=value, path=node.path, line=node.line, column=node.column)

    def _refuse(self, event: Event, what: str, remedy: str) -> NoReturn:
        raise ConfigError(what, remedy=remedy, path=self._path, line=event.line, column=event.column)
