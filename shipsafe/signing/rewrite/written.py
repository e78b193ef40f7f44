"""A template as it is written: every part with its span in the text, so that an editor can cut out one and leave the others alone.

Bounded like a reader's tree: a bomb of aliases is refused where it stands, so that whatever follows may walk the parts as a tree.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from shipsafe.adapters.events import Event
from shipsafe.adapters.shown import shown
from shipsafe.adapters.template_text import parse
from shipsafe.errors import ConfigError

_DEEPEST = 80
_MOST = 250_000  # parts of one file, aliases expanded
_MERGE = "<<"
_BLANK = " \t\r\n\x85\u2028\u2029"  # not what Python takes for blank besides: a non-breaking space is text


class Entry(NamedTuple):
    """A key of a mapping and its value."""

    key: "Part"
    value: "Part"


@dataclass(slots=True, kw_only=True, eq=False)
class Part:
    """One value: `{` a mapping, `[` a list, `s` a scalar, `*` an alias of `target`.

    `start` and `end` are positions in the text; trailing comments and blank lines are not part of it. `flow`: it has brackets.
    """

    kind: str
    start: int
    end: int
    line: int
    column: int
    text: str = ""
    plain: bool = False
    tag: str | None = None
    anchor: str | None = None
    flow: bool = False
    items: "list[Part]" = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    target: "Part | None" = None
    weight: int = 1
    height: int = 0
    # Worked out when first asked for: a part does not change once it is read, and templates with thousands of resources are asked often.
    index: dict[str, Entry] | None = None
    known: "dict[str, Part] | None" = None

    @property
    def meant(self) -> "Part":
        """What an alias stands for; every other part itself."""
        return self.target.meant if self.target else self

    @property
    def is_null(self) -> bool:
        """Whether nothing is written there."""
        return self.kind == "s" and self.plain and self.tag is None and self.text in ("", "~", "null", "Null", "NULL")

    def own(self, key: str) -> Entry | None:
        """The entry of that key where it stands in this very mapping."""
        if self.index is None:
            self.index = {entry.key.text: entry for entry in self.entries if not _is_merge(entry)}
        return self.index.get(key)

    def get(self, *keys: str) -> "Part | None":
        """The value below those keys, through aliases and merges, or None."""
        part: Part | None = self
        for key in keys:
            part = part._effective().get(key) if part else None  # noqa: SLF001 - of its own class
        return part.meant if part else None

    def _effective(self) -> "dict[str, Part]":
        """The mapping's own entries, then those of its merges that it has not."""
        part = self.meant
        if part.known is not None:
            return part.known
        found = {entry.key.text: entry.value for entry in part.entries if not _is_merge(entry)}
        for entry in part.entries:
            if _is_merge(entry):
                merged = entry.value.meant
                for source in merged.items if merged.kind == "[" else (merged,):
                    found = source._effective() | found  # noqa: SLF001 - of its own class
        part.known = found
        return found

    def fields(self) -> "dict[str, Part]":
        """Key to value, merges included, aliases resolved; empty for what is no mapping."""
        return {key: value.meant for key, value in self._effective().items()}

    @property
    def call(self) -> str | None:
        """The name of the intrinsic function that this is a call of, in its long form: `Ref`, `Fn::Sub`; else None."""
        part = self.meant
        if part.tag and part.tag.startswith("!") and len(part.tag) > 1:
            name = part.tag[1:]
            return name if name in ("Ref", "Condition") else f"Fn::{name}"
        names = list(part.fields()) if part.kind == "{" else []
        return names[0] if len(names) == 1 and (names[0] in ("Ref", "Condition") or names[0].startswith("Fn::")) else None

    def calls(self) -> Iterator[str]:
        """The names of all intrinsic functions in it, and of those that stand as one key among others."""
        part = self.meant
        if call := part.call:
            yield call
        for key, value in part.fields().items():
            if key.startswith("Fn::"):
                yield key
            yield from value.calls()
        for item in part.items:
            yield from item.calls()

    def written(self) -> "Iterator[Part]":
        """Every part that stands in the text there, aliases as such."""
        yield self
        for part in (*self.items, *(entry.value for entry in self.entries)):
            yield from part.written()

    def texts(self) -> Iterator[str]:
        """Every scalar in it."""
        part = self.meant
        if part.kind == "s":
            yield part.text
        for inner in (*part.fields().values(), *part.items):
            yield from inner.texts()

    def value(self) -> Any:
        """What it means, to compare: dicts, lists, `(tag, text)` for scalars, `(tag, value)` for what has a tag; nothing is shared."""
        part = self.meant
        if part.kind == "s":
            return (_tag_of(part), part.text)
        inner: Any = [item.value() for item in part.items] if part.kind == "[" else {key: one.value() for key, one in part.fields().items()}
        return (part.tag, inner) if part.tag else inner


def text_value(text: str) -> tuple[str, str]:
    """What a scalar that is text means, as `Part.value` has it."""
    return ("tag:yaml.org,2002:str", text)


def is_text_when_plain(text: str) -> bool:
    """Whether YAML takes that word for text where it stands without quotes."""
    return _resolve(text) == "tag:yaml.org,2002:str"


def _tag_of(part: Part) -> str:
    if part.tag:
        return part.tag
    return _resolve(part.text) if part.plain else "tag:yaml.org,2002:str"


def _resolve(text: str) -> str:
    import yaml  # noqa: PLC0415 - whoever imports the names of this package need not have it

    # Its own table of what a word without quotes is: `on`, `012`, `1e3`, a date.
    return str(yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]


def _is_merge(entry: Entry) -> bool:
    return entry.key.plain and entry.key.text == _MERGE


def read_written(text: str, *, name: str, json_only: bool) -> Part:
    """The mapping that a template is.

    Raises:
        ConfigError: it cannot be read, is no mapping, or is larger or deeper than any template.
    """
    root = parse(text, lambda events: _Builder(text, name).run(events), name=name, json_only=json_only)
    if root is None or root.meant.kind != "{":
        raise ConfigError("A template is a mapping, and this is not.", remedy="Begin with `Resources:`.", path=name)
    return root


class _Builder:
    """The state of one reading."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._open: list[Part] = []
        self._keys: list[Part | None] = []
        self._seen: list[set[str]] = []
        self._anchors: dict[str, Part] = {}
        self._root: Part | None = None
        self._documents = 0

    def run(self, events: Iterable[Event]) -> Part | None:
        for event in events:
            match event.kind:
                case "{" | "[":
                    if len(self._open) >= _DEEPEST:
                        self._refuse(event.line, f"Nested more than {_DEEPEST} deep.")
                    self._open.append(self._part(event))
                    self._keys.append(None)
                    self._seen.append(set())
                    # What is still open cannot be meant by an alias in it.
                    self._anchors.pop(event.anchor or "", None)
                case "}" | "]":
                    self._end(event)
                case "s":
                    part = self._part(event)
                    # A text of several lines ends, for the parser, where the next thing begins.
                    part.end = part.start + len(self._text[part.start : part.end].rstrip(_BLANK))
                    self._finish(part)
                case "*":
                    self._alias(event)
                case _:
                    self._documents += 1
                    if self._documents > 1:
                        self._refuse(event.line, "A second document begins here.")
        return self._root

    def _part(self, event: Event) -> Part:
        return Part(kind=event.kind, start=event.start, end=event.end, line=event.line, column=event.column, text=event.text,
                    plain=event.plain, tag=None if event.tag == "!" else event.tag, anchor=event.anchor, flow=event.flow)  # fmt: skip

    def _finish(self, part: Part) -> None:
        if part.anchor:
            self._anchors[part.anchor] = part
        self._place(part)

    def _end(self, event: Event) -> None:
        part = self._open.pop()
        self._keys.pop()
        self._seen.pop()
        inner = part.items or [entry.value for entry in part.entries]
        if part.flow:
            part.end = event.end
        elif inner:
            part.end = inner[-1].end
        self._finish(part)

    def _alias(self, event: Event) -> None:
        target = self._anchors.get(event.text)
        if target is None:
            self._refuse(event.line, f"Alias *{shown(event.text)} names nothing before it.")
        part = self._part(event)
        part.target, part.weight, part.height = target, target.weight, target.height
        self._place(part)

    def _place(self, part: Part) -> None:
        if not self._open:
            self._root = part
            return
        holder = self._open[-1]
        holder.weight += part.weight
        holder.height = max(holder.height, part.height + 1)
        if holder.weight > _MOST or len(self._open) + part.height > _DEEPEST:
            self._refuse(part.line, "Larger or deeper than any template, aliases expanded.")
        if holder.kind == "[":
            holder.items.append(part)
        elif (key := self._keys[-1]) is None:
            self._key(part)
        else:
            holder.entries.append(Entry(key, part))
            self._keys[-1] = None

    def _key(self, part: Part) -> None:
        if part.meant.kind != "s":
            self._refuse(part.line, "A key must be text.")
        if part.target:
            part.text = part.meant.text
        if not (part.plain and part.text == _MERGE):
            if part.text in self._seen[-1]:
                self._refuse(part.line, f"Key `{shown(part.text)}` stands twice.")
            self._seen[-1].add(part.text)
        self._keys[-1] = part

    def _refuse(self, line: int, what: str) -> NoReturn:
        raise ConfigError(what, remedy="Correct the template.", path=self._name, line=line)
