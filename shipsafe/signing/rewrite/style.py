"""How new parts of a template are written: as their neighbours are."""

import json
import re
from collections.abc import Mapping

from shipsafe.adapters.json_events import NotJsonError, json_events
from shipsafe.adapters.template_text import looks_like_json
from shipsafe.signing.rewrite.written import Part, is_text_when_plain

New = str | Mapping[str, "New"]

_PLAIN = re.compile(r"(?:\.{0,2}/)*[A-Za-z][A-Za-z0-9_./-]*(?::+[A-Za-z0-9_./-]+)*")
_STEP = "  "


class Opaque(str):
    """Text that nobody reads, such as a version: always in quotes, so that each looks like the next one."""

    __slots__ = ()


class Style:
    """The style of one text: JSON or YAML, its line ends, and how far in things stand."""

    def __init__(self, text: str, root: Part, *, json_only: bool) -> None:
        self._text = text
        self._root = root
        self._is_json = json_only or (looks_like_json(text) and _is_json(text))
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        self.step = self._step()

    def key(self, key: str) -> str:
        """A key."""
        return json.dumps(key) if self._is_json else self.scalar(key)

    def scalar(self, text: str) -> str:
        """Text outside of brackets, without quotes where nobody could take it for something else."""
        if not isinstance(text, Opaque) and _PLAIN.fullmatch(text) and is_text_when_plain(text):
            return text
        # A string of JSON is one of YAML, too, but for what lies beyond the first 65,536 characters: that is left as it is.
        return json.dumps(text, ensure_ascii=False)

    def lines(self, new: Mapping[str, New], pad: str) -> str:
        """Entries of a mapping without brackets, each line behind that space."""
        lines: list[str] = []
        for key, value in new.items():
            if isinstance(value, str):
                lines.append(f"{pad}{self.key(key)}: {self.scalar(value)}")
            else:
                lines += [f"{pad}{self.key(key)}:", self.lines(value, pad + self.step)]
        return self.line_end.join(lines)

    def value(self, holder: Part, new: New) -> str:
        """A value of a mapping in brackets."""
        return self._inline(new, self._indent(holder), compact=self._is_compact(holder))

    def text(self, text: str) -> str:
        """Text in brackets, whatever stands around it."""
        return self._inline(text, "", compact=False)

    def member(self, holder: Part, key: str, new: New) -> str:
        """An entry of a mapping in brackets."""
        return f"{self.key(key)}{':' if self._is_compact(holder) else ': '}{self.value(holder, new)}"

    def comma(self, holder: Part) -> str:
        """What stands between two entries of a mapping in brackets."""
        indent = self._indent(holder)
        if self._is_json and indent:
            return f",{self.line_end}{indent}"
        return "," if self._is_compact(holder) else ", "

    def _inline(self, new: New, indent: str, *, compact: bool) -> str:
        """A value between brackets: on one line, or in JSON on lines of its own where its neighbours are."""
        if isinstance(new, str):
            return json.dumps(new) if self._is_json else self.scalar(new)
        if self._is_json and indent:
            step = self._indent(self._root) or _STEP
            lines = [
                f"{indent}{step}{json.dumps(key)}: {self._inline(value, indent + step, compact=compact)}" for key, value in new.items()
            ]
            return f"{{{self.line_end}{f',{self.line_end}'.join(lines)}{self.line_end}{indent}}}"
        comma, colon = (",", ":") if compact else (", ", ": ")
        return "{" + comma.join(f"{self.key(key)}{colon}{self._inline(value, '', compact=compact)}" for key, value in new.items()) + "}"

    def _indent(self, holder: Part) -> str:
        """The space before each entry of a mapping with brackets, where each has its own line; else ""."""
        if not holder.entries:
            return ""
        start = holder.entries[0].key.start
        blank = re.compile(r"[ \t]*\Z").search(self._text, holder.start, start)
        begins = blank.start() if blank else start
        return self._text[begins:start] if begins > holder.start and self._text[begins - 1] in "\r\n" else ""

    def _is_compact(self, holder: Part) -> bool:
        """Whether it is JSON without a space after commas and colons."""
        start = holder.entries[0].value.start if holder.entries else 0
        return self._is_json and self._text[start - 1 : start] == ":"

    def _step(self) -> str:
        """How much further in the entries of a mapping inside another stand, as elsewhere in the file."""
        for entry in self._root.entries:
            if entry.value.kind == "{" and not entry.value.flow and entry.value.entries:
                return " " * (entry.value.entries[0].key.column - entry.key.column)
        return _STEP


def _is_json(text: str) -> bool:
    try:
        for _ in json_events(text):
            pass
    except NotJsonError:
        return False
    return True
