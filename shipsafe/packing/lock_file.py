"""A lock written in TOML, read with a bound, with the line of each of its packages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from shipsafe.adapters import toml
from shipsafe.adapters.files import MEBIBYTE, read_bounded, relative
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location

_LIMIT = 64 * MEBIBYTE
_FIELD = re.compile(r'(name|version)\s*=\s*"([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """What stands in a lock.

    `shown` is its path for people; `lines` says where a package begins: (name, version) -> line, and (name, "") for the first
    of that name.
    """

    path: Path
    shown: str
    text: str
    document: Mapping[str, Any]
    lines: Mapping[tuple[str, str], int]

    def place(self, name: str, version: str = "") -> Location:
        """Where a package stands."""
        return Location(path=self.shown, line=self.lines.get((name, version)) or self.lines.get((name, "")))

    def check_python(self, requires: str, python: str) -> None:
        """Whether the lock is for the runtime's Python.

        Raises:
            IncompleteError: it is not, or what it says of Python cannot be read.
        """
        try:
            fits = SpecifierSet(requires).contains(f"{python}.0", prereleases=True)
        except InvalidSpecifier as error:
            raise IncompleteError(f"requires-python is {requires[:80]!r}.", remedy="Lock again.", path=self.shown) from error
        # `>=3.13.2` holds for the runtime's 3.13 too: which patch release Lambda runs is not known here.
        if not fits and not SpecifierSet(requires).contains(f"{python}.999"):
            raise IncompleteError(
                f"The lock is for Python {requires}, and the runtime has {python}.",
                remedy="Lock for the runtime's Python, or change the runtime.",
                path=self.shown,
            )


def open_lock(path: Path, root: Path, header: str) -> LockFile:
    """Read a lock whose packages stand in tables with that header.

    Raises:
        IncompleteError: it cannot be read, is larger than 64 MiB, or is not TOML.
    """
    shown = relative(path, root)
    try:
        text = read_bounded(path, limit=_LIMIT, shown=shown).decode()
        document, lines = _parsed(text, header)
    except ConfigError as error:
        raise IncompleteError(error.what, remedy=error.remedy, path=shown) from error
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and TOMLDecodeError are ValueErrors
        raise IncompleteError(f"Not valid TOML: {error}.", remedy="Make the lock again.", path=shown) from error
    return LockFile(path=path, shown=shown, text=text, document=document, lines=lines)


@lru_cache(maxsize=4)
def _parsed(text: str, header: str) -> tuple[Mapping[str, Any], Mapping[tuple[str, str], int]]:
    """Content and lines of a lock, for reading alone: many functions share one, and a large one takes a third of a second."""
    return toml.loads(text), _lines(text, header)


def _lines(text: str, header: str) -> dict[tuple[str, str], int]:
    lines: dict[tuple[str, str], int] = {}
    name, start, inside = "", 0, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            inside = line.strip() == header
        elif inside and (found := _FIELD.match(line)):
            if found[1] == "name":
                name, start = canonicalize_name(found[2]), number
                lines.setdefault((name, ""), number)
            elif name:
                lines.setdefault((name, found[2]), start)
    return lines
