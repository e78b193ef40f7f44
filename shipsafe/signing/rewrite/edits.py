"""Changes to a template, made in its text: each is a cut and a paste, and the result is read again before anybody gets it.

    edits = Edits(text, name="template.yaml")
    edits.put(("Resources", "Orders", "Properties"), "CodeUri", {"Bucket": "b", "Key": "k", "Version": "v"})
    edits.result()

What is read again must mean exactly what the changes say, and nothing else: else the text is not given out. So whatever the cutting
does not know of YAML ends in a refusal, never in another template.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.style import New, Style
from shipsafe.signing.rewrite.written import Entry, Part, read_written, text_value

Path = tuple[str, ...]


_BREAK = "\r\n\x85\u2028\u2029"
_REST = re.compile(rf"[ \t]*(#[^{_BREAK}]*)?(?=[{_BREAK}]|\Z)")


class Edits:
    """The changes to one template. Order matters only between things that are added at one place."""

    def __init__(self, text: str, *, name: str, json_only: bool = False) -> None:
        self._text = text
        self._name = name
        self._json_only = json_only
        self.root = read_written(text, name=name, json_only=json_only)
        self._style = Style(text, self.root, json_only=json_only)
        self.gone: set[Path] = set()  # what was taken out
        self._made: dict[Path, dict[str, Any]] = {}
        self._cutters: list[Callable[[], None]] = []  # called at the end, when it is known what is in a mapping that is made
        self._cuts: list[tuple[int, int, str]] = []
        self._meant: list[Callable[[Any], None]] = []

    @property
    def changed(self) -> bool:
        """Whether anything is to be changed."""
        return bool(self._meant)

    def refuse(self, part: Part | None, what: str, remedy: str) -> NoReturn:
        """Give up, naming the place."""
        raise ConfigError(what, remedy=remedy, path=self._name, line=part.line if part else None)

    def mapping(self, path: Path) -> Part:
        """The mapping at that path as it is written there.

        Raises:
            ConfigError: it is an alias or comes from a merge, so that a change would reach further; or it is no mapping.
        """
        part = self.root
        for key in path:
            entry = part.own(key)
            if entry is None or entry.value.kind != "{":
                part = entry.value if entry else part
                self.refuse(
                    part,
                    f"{shown('.'.join(path))} is an alias, an expression, or comes from a merge, so that it cannot be changed alone.",
                    "Write it out there.",
                )
            part = entry.value
        return part

    def put(self, path: Path, key: str, new: New, *, after: str | None = None) -> None:
        """Set a key of the mapping at that path; one that is not there yet is written behind `after`, or behind the first one.

        Mappings on the way that are missing, or empty, are made.
        """
        for depth in range(len(path) + 1):
            if (made := self._made.get(path[:depth])) is not None:
                for inner in path[depth:]:
                    made = made.setdefault(inner, {})
                made[key] = new
                return
        for depth in range(len(path)):
            entry = self.mapping(path[:depth]).own(path[depth])
            if entry is None and self.root.get(*path[: depth + 1]):
                self.mapping(path[: depth + 1])  # it comes from a merge, and says so
            if entry is None or entry.value.is_null:
                made = self._made[path[: depth + 1]] = {}
                self._queue(path[:depth], path[depth], made, None)
                self.put(path, key, new)
                return
        self._queue(path, key, new, after)

    def _queue(self, path: Path, key: str, new: New, after: str | None) -> None:
        holder = self.mapping(path)
        entry = holder.own(key)
        beside = holder.own(after) if after else None
        self._cutters.append(
            (lambda: self._replace(holder, entry, entry.key.text, new)) if entry else (lambda: self._add(holder, key, new, beside))
        )
        self._meant.append(lambda tree: _at(tree, path).update({key: _value(new)}))

    def turn(self, path: Path, key: str, into: str, new: New) -> None:
        """Replace an entry by one of another key, at its place."""
        holder = self.mapping(path)
        if (entry := holder.own(key)) is None:
            self.refuse(holder, f"{shown(key)} comes from a merge.", "Write it out.")
        self._replace(holder, entry, into, new)

        def change(tree: Any) -> None:
            del _at(tree, path)[key]
            _at(tree, path)[into] = _value(new)

        self._meant.append(change)

    def remove(self, path: Path, keys: Sequence[str]) -> None:
        """Take keys out of the mapping at that path; a mapping that would be left empty goes as a whole."""
        holder = self.mapping(path)
        while path and {entry.key.text for entry in holder.entries} <= set(keys):
            path, keys = path[:-1], (path[-1],)
            holder = self.mapping(path)
        self.gone |= {(*path, key) for key in keys}
        gone = [number for number, entry in enumerate(holder.entries) if entry.key.text in keys]
        for number in gone:
            if holder.flow:
                self._cut_between(holder, number, kept_before=any(one not in gone for one in range(number)))
            else:
                self._cut_lines(holder.entries[number])

        def change(tree: Any) -> None:
            for key in keys:
                _at(tree, path).pop(key, None)

        self._meant.append(change)

    def swap(self, path: Path, key: str, old: str, new: str) -> None:
        """Replace a piece of text wherever it stands in the scalars below a key."""
        entry = self.mapping(path).own(key)
        if entry is None:
            return
        for part in entry.value.written():
            if part.kind == "s" and old in part.text:
                tag = f"{part.tag} " if part.tag else ""
                self._cuts.append((part.start, part.end, tag + self._style.text(part.text.replace(old, new))))

        self._mean(path, key, lambda text: text.replace(old, new))

    def exchange(self, path: Path, key: str, new: Callable[[str], str]) -> list[int]:
        """Let every text below a key be what `new` makes of it, in its own quotes; gives the lines where that is another one."""
        entry = self.mapping(path).own(key)
        lines: list[int] = []
        for part in entry.value.written() if entry else ():
            if part.kind != "s" or (text := new(part.text)) == part.text:
                continue
            before = self._text[part.start : part.end]
            if before.count(part.text) != 1:  # it is folded, or has escapes
                self.refuse(part, f"{shown(part.text)} is not written there as such.", "Write it on one line.")
            self._cuts.append((part.start, part.end, before.replace(part.text, text)))
            lines.append(part.line)
        if entry and any(new(text) != text for text in entry.value.texts()):  # through an alias, too
            self._mean(path, key, new)
        return lines

    def _mean(self, path: Path, key: str, new: Callable[[str], str]) -> None:
        def change(tree: Any) -> None:
            _at(tree, path)[key] = _changed(_at(tree, path)[key], new)

        self._meant.append(change)

    def result(self) -> str:
        """The changed text.

        Raises:
            ConfigError: it would not mean what was asked for, and only that.
        """
        for cut in self._cutters:
            cut()
        self._cutters.clear()
        pieces: list[str] = []
        at = 0
        for start, end, new in sorted(self._cuts, key=lambda cut: cut[:2]):
            if start < at:
                self._unfaithful()
            pieces += [self._text[at:start], new]
            at = end
        text = "".join([*pieces, self._text[at:]])
        wanted = self.root.value()
        for change in self._meant:
            change(wanted)
        try:
            found = read_written(text, name=self._name, json_only=self._json_only).value()
        except ConfigError as error:
            self._unfaithful(error)
        if found != wanted:
            self._unfaithful()
        return text

    def _unfaithful(self, error: ConfigError | None = None) -> NoReturn:
        raise ConfigError("The signed objects cannot be written into this template without changing more than them.",
                          remedy="Write out anchors and aliases at the functions that were signed, or set the code there by hand.",
                          path=self._name) from error  # fmt: skip

    def _replace(self, holder: Part, entry: Entry, key: str, new: New) -> None:
        if key != entry.key.text:
            self._cuts.append((entry.key.start, entry.key.end, self._style.key(key)))
        value = entry.value
        if holder.flow:
            self._cuts.append((value.start, value.end, self._style.value(holder, new)))
            return
        colon = self._after_colon(entry)
        gap, old = self._text[colon : value.start], self._text[value.start : value.end]
        one_line = not any(char in gap + old for char in _BREAK)
        if isinstance(new, str) and one_line and old:
            self._cuts.append((value.start, value.end, self._style.scalar(new)))
            return
        body = f" {self._style.scalar(new)}" if isinstance(new, str) else ""
        if not isinstance(new, str):
            body = self._style.line_end + self._style.lines(new, " " * (entry.key.column - 1) + self._style.step)
        rest = self._rest(value.end) if one_line else ""
        comment = rest or gap.rstrip()
        if isinstance(new, str):
            self._cuts.append((colon, value.end, body + (comment if not one_line else "")))
        else:
            self._cuts.append((colon, value.end + len(rest), comment + body))

    def _add(self, holder: Part, key: str, new: New, after: Entry | None) -> None:
        if not holder.entries:
            self._cuts.append((holder.start, holder.end, "{" + self._style.member(holder, key, new) + "}"))
            return
        before = after or holder.entries[0]
        end = before.value.end
        if holder.flow:
            self._cuts.append((end, end, self._style.comma(holder) + self._style.member(holder, key, new)))
            return
        end = self._line_end(before)
        pad = " " * (holder.entries[0].key.column - 1)
        self._cuts.append((end, end, f"{self._style.line_end}{self._style.lines({key: new}, pad)}"))

    def _cut_between(self, holder: Part, number: int, *, kept_before: bool) -> None:
        entry = holder.entries[number]
        if kept_before:
            self._cuts.append((holder.entries[number - 1].value.end, entry.value.end, ""))
        else:
            self._cuts.append((entry.key.start, holder.entries[number + 1].key.start, ""))

    def _cut_lines(self, entry: Entry) -> None:
        start = entry.key.start
        while start and self._text[start - 1] in " \t":
            start -= 1
        end = self._line_end(entry)
        if start and self._text[start - 1] not in _BREAK:
            self.refuse(entry.key, f"{shown(entry.key.text)} does not stand on a line of its own.", "Put it on one.")
        after = re.compile(f"\r\n|[{_BREAK}]").match(self._text, end)
        if after:
            end = after.end()
        elif start:
            start -= 2 if self._text[start - 2 : start] == "\r\n" else 1
        self._cuts.append((start, end, ""))

    def _after_colon(self, entry: Entry) -> int:
        found = re.compile(r"[ \t]*:").match(self._text, entry.key.end)
        if found is None or found.end() > entry.value.start:
            self.refuse(entry.key, f"{shown(entry.key.text)} is not written as `key: value`.", "Write it so.")
        return found.end()

    def _rest(self, end: int) -> str:
        found = _REST.match(self._text, end)
        return found[0].rstrip() if found else ""

    def _line_end(self, entry: Entry) -> int:
        end = max(entry.value.end, entry.key.end)
        if entry.value.end == entry.value.start:  # nothing is written there; its colon is
            end = self._after_colon(entry)
        found = _REST.match(self._text, end)
        if found is None:
            self.refuse(entry.key, f"Something else stands on the line of {shown(entry.key.text)}.", "Give each a line of its own.")
        return found.end()


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _value(new: New) -> Any:
    return text_value(new) if isinstance(new, str) else {key: _value(value) for key, value in new.items()}


def _changed(value: Any, new: Callable[[str], str]) -> Any:
    match value:
        case dict():
            return {key: _changed(inner, new) for key, inner in value.items()}
        case list():
            return [_changed(inner, new) for inner in value]
        case (tag, str() as text):
            return (tag, new(text))
        case (tag, inner):
            return (tag, _changed(inner, new))
        case _:
            return value
