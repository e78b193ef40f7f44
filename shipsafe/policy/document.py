"""A policy file as it stands: parsed, every key known, every value of its kind, and every place remembered.

shipsafe.toml:4: Unknown key `requird`. Did you mean `required`?
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from shipsafe.adapters import toml
from shipsafe.errors import ConfigError
from shipsafe.policy.keys import BY_PATH, KEYS, TABLE_LISTS
from shipsafe.policy.kinds import Key, Kind

_AGE = re.compile(r"(\d{1,5})d")
_SPAN = re.compile(r"(\d{1,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r'\s*([A-Za-z0-9_\-."\' ]+?)\s*=')
_POSITION = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file: its tree of values, its name for people, and key -> line. List entries are `waivers.0.reason`."""

    name: str
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def place(self, path: str) -> tuple[str, int | None]:
        """File and line of a key, or of the nearest table around it."""
        while path:
            if path in self.lines:
                return self.name, self.lines[path]
            path = path.rpartition(".")[0]
        return self.name, None

    def origin(self, path: str) -> str:
        """`shipsafe.toml:4`, or `preset baseline`."""
        name, line = self.place(path)
        return name if line is None or name.startswith("preset ") else f"{name}:{line}"

    def error(self, path: str, what: str, remedy: str) -> ConfigError:
        """An error at that key."""
        name, line = self.place(path)
        return ConfigError(what, remedy=remedy, path=name, line=line)


def parse(text: str, *, name: str, table: str = "") -> Document:
    """Parse and check a policy.

    Args:
        text: TOML.
        name: the file, as the user knows it.
        table: `tool.shipsafe` when the policy is a table of pyproject.toml.

    Raises:
        ConfigError: not TOML, an unknown key, or a value of the wrong kind; with file and line.
    """
    try:
        values: Any = toml.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _POSITION.search(str(error))
        line, column = (int(found[1]), int(found[2])) if found else (None, None)
        what = _POSITION.sub("", str(error)).strip().rstrip(".")
        raise ConfigError(f"Not valid TOML: {what}.", remedy="Correct the line.", path=name, line=line, column=column) from error
    lines = _lines(text)
    if table:
        for part in table.split("."):
            values = values.get(part, {})
        prefix = f"{table}."
        lines = {path.removeprefix(prefix): line for path, line in lines.items() if path.startswith(prefix)}
    document = Document(name=name, values=values, lines=lines)
    for path, pattern, value in leaves(values):
        _check(document, path, pattern, value)
    _check_needed(document)
    return document


def leaves(values: Mapping[str, Any], path: str = "", pattern: str = "") -> Iterator[tuple[str, str, Any]]:
    """Path (`waivers.0.reason`), pattern (`waivers.*.reason`) and value of everything that is no table."""
    for key, value in values.items():
        here, shape = f"{path}{key}", f"{pattern}{key}"
        if isinstance(value, dict) and shape not in BY_PATH:
            yield from leaves(value, f"{here}.", f"{shape}.")
        elif isinstance(value, list) and shape in TABLE_LISTS:
            for number, item in enumerate(value):
                if isinstance(item, dict):
                    yield from leaves(item, f"{here}.{number}.", f"{shape}.*.")
                else:
                    yield f"{here}.{number}", f"{shape}.*", item
        else:
            yield here, shape, value


def _check(document: Document, path: str, pattern: str, value: Any) -> None:
    key = BY_PATH.get(pattern)
    if key is None:
        raise document.error(path, f"Unknown key `{path}`.", _nearest(pattern))
    if not _is_of_kind(key, value):
        raise document.error(
            path, f"`{path}` is not {_expected(key)}.", f"Write `{pattern.rpartition('.')[2]} = {key.example}`, for example."
        )


def _nearest(pattern: str) -> str:
    known = [key.path for key in KEYS]
    tables = {path.rpartition(".")[0] for path in known}
    near = difflib.get_close_matches(pattern, known, n=1, cutoff=0.6)
    parent, _, last = pattern.rpartition(".")
    siblings = [path.rpartition(".")[2] for path in known if path.rpartition(".")[0] == parent]
    sibling = difflib.get_close_matches(last, siblings, n=1, cutoff=0.5)
    if sibling:
        return f"Did you mean `{sibling[0]}`?"
    if siblings and parent.endswith("*"):  # of an entry of a list, none of the others is meant
        return f"It may have {', '.join(siblings)}."
    if near:
        return f"Did you mean `{near[0]}`?"
    table = difflib.get_close_matches(parent, [one for one in tables if one], n=1, cutoff=0.5)
    return f"Did you mean the table `[{table[0]}]`?" if table else "`shipsafe policy schema` lists all keys."


def _is_of_kind(key: Key, value: Any) -> bool:  # noqa: C901, PLR0912 - one line a kind
    match key.kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.TEXT_OR_TEXTS:
            return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        case Kind.TEXTS:
            allowed = isinstance(value, list) and all(isinstance(item, str) for item in value)
            return allowed and (not key.choices or set(value) <= set(key.choices))
        case Kind.FLAG:
            return isinstance(value, bool)
        case Kind.COUNT:
            return isinstance(value, int) and not isinstance(value, bool) and value >= 1
        case Kind.DATE:
            return as_date(value) is not None
        case Kind.AGE:
            return value == "off" or (isinstance(value, str) and _AGE.fullmatch(value) is not None)
        case Kind.SPAN:
            return isinstance(value, str) and _SPAN.fullmatch(value) is not None
        case Kind.THRESHOLD:
            return isinstance(value, str) and value.removesuffix(":fixable") in key.choices and value != "never:fixable"
        case Kind.CHOICE:
            return value in key.choices
        case Kind.TEXT_TABLE:
            return isinstance(value, dict) and all(isinstance(item, str | int | float | bool) for item in value.values())
        case Kind.EXTENDS:
            return isinstance(value, str) or (isinstance(value, dict) and set(value) in ({"path", "sha256"}, {"url", "sha256"})
                                              and all(isinstance(item, str) for item in value.values()))  # fmt: skip
        case Kind.SOURCE:
            if isinstance(value, dict):
                dated = "date" not in value or as_date(value["date"]) is not None
                return set(value) in ({"path"}, {"path", "date"}) and isinstance(value["path"], str) and dated
            return value in key.choices


def _expected(key: Key) -> str:
    if key.kind is Kind.SOURCE:
        return "one of snapshot, pypi, osv, or { path = ..., date = ... }"
    if key.kind is Kind.EXTENDS:
        return "a preset, or { path = ..., sha256 = ... } or { url = ..., sha256 = ... }"
    if key.kind is Kind.AGE:
        return 'a number of days such as "7d", or "off"'
    if key.kind is Kind.SPAN:
        return 'a duration such as "30s", "5m", "24h" or "7d"'
    if key.choices:
        return f"{'made of' if key.kind is Kind.TEXTS else 'one of'} {', '.join(key.choices)}"
    return {Kind.TEXT: "a text", Kind.DATE: "a date", Kind.COUNT: "a whole number from 1"}.get(key.kind, f"a {key.kind}")


def _check_needed(document: Document) -> None:
    for name in TABLE_LISTS:
        items: Any = document.values
        for part in name.split("."):
            items = items.get(part, {}) if isinstance(items, dict) else {}
        for number, item in enumerate(items if isinstance(items, list) else ()):
            for key in KEYS:
                last = key.path.removeprefix(f"{name}.*.")
                if key.needed and key.path.startswith(f"{name}.*.") and not str(item.get(last) or "").strip():
                    raise document.error(f"{name}.{number}", f"Entry {number + 1} of `[[{name}]]` has no `{last}`.",
                                         f"Add `{last} = {key.example}`.")  # fmt: skip


def _lines(text: str) -> dict[str, int]:
    """Dotted key -> line, found by looking at the text: tomllib knows values, not places."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _plain(header[1])
            if line.lstrip().startswith("[["):
                index = counts.get(table, 0)
                counts[table] = index + 1
                table = f"{table}.{index}"
            found.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            key = _plain(assignment[1])
            found.setdefault(f"{table}.{key}" if table else key, number)
    return found


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def as_date(value: Any) -> date | None:
    """A TOML date, or an ISO text; None for anything else."""
    if isinstance(value, datetime):
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def as_age(value: Any) -> timedelta | None:
    """`7d`, `24h`, `5m` or `30s` as a duration; `off` is None."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
