r"""JSON -> events with positions, for templates that are JSON.

The YAML reader would take most of it, but `"\\ud83d\\ude00"` is an error there, and so is a key of more than 1,024 characters.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator

from shipsafe.adapters.events import Event

_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")


class NotJsonError(Exception):
    """The text is not JSON from `position` on; caught where the text's file is known."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what)
        self.what = what
        self.position = position


class Places:
    """Line and column of a position in a text, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def of(self, position: int) -> tuple[int, int]:
        """Line and column of that position."""
        line = bisect_right(self._starts, position)
        return line, position - self._starts[line - 1] + 1


def json_events(text: str) -> Iterator[Event]:
    """The steps through a JSON document: no recursion, and nothing is read that has not been asked for.

    Raises:
        NotJsonError: where it stops being JSON.
    """
    return _Steps(text).run()


class _Steps:
    """Where the reading stands, which brackets are open, and what must come next."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._places = Places(text)
        self._decode = json.JSONDecoder().raw_decode
        self._at = 0
        self._open: list[str] = []
        self._wants = "value"  # value, item (or `]`), key, first key (or `}`), comma (or the closing bracket), end

    def run(self) -> Iterator[Event]:
        while True:
            char = self._next()
            match self._wants, char:
                case "end", "":
                    return
                case "end", _:
                    raise NotJsonError("expected the end", self._at)
                case ("comma", "}" | "]") | ("item", "]") | ("first key", "}"):
                    yield self._close(char)
                case "comma", _:
                    self._comma(char)
                case (("key" | "first key"), _):
                    yield self._key(char)
                case _:
                    yield self._value(char)

    def _next(self) -> str:
        if space := _SPACE.match(self._text, self._at):
            self._at = space.end()
        return self._text[self._at : self._at + 1]

    def _event(self, kind: str, end: int, text: str = "", *, plain: bool = False) -> Event:
        line, column = self._places.of(self._at)
        return Event(kind, line, column, text, plain, start=self._at, end=end, flow=True)

    def _close(self, char: str) -> Event:
        if self._open[-1] != ("{" if char == "}" else "["):
            raise NotJsonError(f"`{char}` closes nothing", self._at)
        event = self._event(char, self._at + 1)
        self._open.pop()
        self._at += 1
        self._ended()
        return event

    def _ended(self) -> None:
        self._wants = "comma" if self._open else "end"

    def _comma(self, char: str) -> None:
        if char != ",":
            raise NotJsonError(f"expected `,` or `{'}' if self._open[-1] == '{' else ']'}`", self._at)
        self._at += 1
        self._wants = "key" if self._open[-1] == "{" else "value"

    def _key(self, char: str) -> Event:
        if char != '"':
            raise NotJsonError("expected a key in double quotes", self._at)
        event = self._string()
        if self._next() != ":":
            raise NotJsonError("expected `:`", self._at)
        self._at += 1
        self._wants = "value"
        return event

    def _value(self, char: str) -> Event:
        if char == '"':
            event = self._string()
            self._ended()
        elif char in ("{", "["):
            event = self._event(char, self._at + 1)
            self._open.append(char)
            self._at += 1
            self._wants = "first key" if char == "{" else "item"
        elif word := _WORD.match(self._text, self._at):
            event = self._event("s", word.end(), word[0], plain=True)
            self._at = word.end()
            self._ended()
        else:
            raise NotJsonError("expected a value", self._at)
        return event

    def _string(self) -> Event:
        try:
            value, end = self._decode(self._text, self._at)
            value.encode()  # half of a surrogate pair is JSON, but no text
        except (json.JSONDecodeError, UnicodeEncodeError) as error:
            raise NotJsonError("the string is broken", self._at) from error
        event = self._event("s", end, value)
        self._at = end
        return event
