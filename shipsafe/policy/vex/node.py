"""JSON from outside, with the place of everything in it, so that an error names the file and the JSON pointer.

security/vex.json: /statements/0/status: `not-affected` is not one of not_affected, affected, fixed, under_investigation.
"""

import difflib
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shipsafe.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value, the file it is from and where in it."""

    value: Any
    file: str
    pointer: str = ""

    def error(self, what: str, remedy: str) -> ConfigError:
        """An error at this place."""
        return ConfigError(f"{self.pointer}: {what}" if self.pointer else what, remedy=remedy, path=self.file)

    def get(self, key: str) -> "Node | None":
        """The value of a key, None where it is not there.

        Raises:
            ConfigError: this is not an object.
        """
        if not isinstance(self.value, dict):
            raise self.error("Not an object.", "Write { ... }.")
        return self.at(key, self.value[key]) if key in self.value else None

    def need(self, key: str) -> "Node":
        """The value of a key that has to be there.

        Raises:
            ConfigError: it is not.
        """
        found = self.get(key)
        if found is None:
            raise self.error(f"There is no `{key}`.", f"Add `{key}`.")
        return found

    def only(self, known: Collection[str]) -> "Node":
        """This object, which has no other keys than these.

        Raises:
            ConfigError: it has.
        """
        self.get("")
        for key in self.value:
            if key not in known:
                near = difflib.get_close_matches(key[:60], known, n=1)
                raise self.error(f"Unknown key `{key[:60]}`.", f"Did you mean `{near[0]}`?" if near else "Remove it.")
        return self

    def items(self, key: str) -> "Iterator[Node]":
        """The items of a list; none where it is not there.

        Raises:
            ConfigError: there is something else.
        """
        found = self.get(key)
        if found is None:
            return
        if not isinstance(found.value, list):
            raise found.error("Not a list.", "Write [ ... ].")
        for number, item in enumerate(found.value):
            yield found.at(str(number), item)

    def text(self) -> str:
        """This text.

        Raises:
            ConfigError: it is none, or empty.
        """
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.error("Not a text, or an empty one.", 'Write "...".')
        return self.value

    def texts(self, *keys: str) -> list[str]:
        """The texts of those keys that are there."""
        return [found.text() for key in keys if (found := self.get(key))]

    def one_of(self, choices: Collection[str]) -> str:
        """This text, which is one of a few.

        Raises:
            ConfigError: it is not.
        """
        if self.value not in choices:
            raise self.error(f"`{str(self.value)[:60]}` is not one of {', '.join(choices)}.", "Correct it.")
        return str(self.value)

    def time(self) -> datetime:
        """This time, in UTC.

        Raises:
            ConfigError: it is not a date and time with an offset (RFC 3339).
        """
        text = self.text()
        try:
            when = datetime.fromisoformat(text)
            if "T" in text.upper() and when.tzinfo is not None:
                return when.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.error(f"`{text[:60]}` is not a date and time with an offset.", "Write 2026-11-01T12:00:00Z, for example.")

    def at(self, part: str, value: Any) -> "Node":
        """A value inside this one."""
        escaped = part.replace("~", "~0").replace("/", "~1")  # RFC 6901
        return Node(value=value, file=self.file, pointer=f"{self.pointer}/{escaped}")


def parse(data: bytes, *, file: str) -> Node:
    """The root of a JSON document.

    Raises:
        ConfigError: not UTF-8, not JSON (with line and column), nested too deep, or a key twice in one object.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
            raise ConfigError(f"Key `{twice[:60]}` stands twice in one object.", remedy="Keep one of them.", path=file)
        return found

    try:
        return Node(value=json.loads(data.decode("utf-8-sig"), object_pairs_hook=unique), file=file)
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Save the file as UTF-8.", path=file) from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"Not JSON: {error.msg}.", remedy="Correct the line.", path=file, line=error.lineno, column=error.colno
        ) from error
    except RecursionError as error:
        raise ConfigError("Nested too deep.", remedy="No VEX document needs that.", path=file) from error
    except ValueError as error:  # an integer with more digits than Python wants to read
        raise ConfigError("It holds a number that is too long.", remedy="No VEX document needs that.", path=file) from error
