"""The baseline file: findings that were there before. Written to be reviewed, read with suspicion.

    [[findings]]
    rule = "dependencies/vulnerable"
    subject = "function:Billing"
    severity = "high"
    message = "jinja2 3.1.2 renders attributes that a template's author chose."
    key = "jinja2"
    advisory = "GHSA-h5c8-rqwp-cp95"
    aliases = "CVE-2024-22195 PYSEC-2024-9"
    date = 2026-11-21
    owner = "team@example.com"
    expires = 2027-02-28

Rule, subject, key and the ids of an advisory are what a finding is known by: no line number and no path of a machine is among them.
`owner` and `expires` are for people to edit. An entry from the future is refused: its age is what a policy bounds.

It is TOML of which one value stands on a line. So every fault has a line, and no line can cost more than reading it (`tomllib` takes
quadratic time for a key of many parts).
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE, read_bounded, write_atomic
from shipsafe.errors import ConfigError
from shipsafe.model.baseline import Baseline, BaselineEntry
from shipsafe.model.location import Location
from shipsafe.model.severity import Severity

_LIMIT = 32 * MEBIBYTE
_MOST = 100_000  # entries
_HEAD = """\
# Findings that were there before: they are known, and do not block. What is new does.
# Written by --write-baseline; written again, it keeps dates, owners and ends, and drops what is gone.
# An entry may be given an end: expires = 2027-01-31
version = 1
"""
_ENTRY = re.compile(r"\[\[\s*findings\s*\]\]\s*(?:#.*)?")
_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*=\s*([\"'0-9].*)")
_PLAIN = re.compile(r'"([^"\\\x00-\x1f\x7f]*)"')  # what nearly all values are, and need no parser of TOML for
_TEXTS = ("rule", "subject", "severity", "message", "key", "advisory", "aliases", "owner")
_DATES = ("date", "expires")
_NEEDED = ("rule", "subject", "severity", "key", "date", "owner")
_AGAIN = "Correct it, or write the file again with --write-baseline."


@dataclass(slots=True)
class _Draft:
    """An entry as it is being read."""

    line: int
    texts: dict[str, str] = field(default_factory=dict)
    dates: dict[str, date] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def read_baseline(path: Path, *, shown: str, today: date) -> Baseline:
    """The baseline in a file.

    Args:
        path: the file.
        shown: its name in messages and reports.
        today: an entry of a later day is refused.

    Raises:
        ConfigError: it is missing, too large, not UTF-8, or a line is not as `write_baseline` writes it; with file and line.
    """
    if not path.exists():
        raise ConfigError("There is no such baseline.", remedy="Write one with --write-baseline FILE.", path=shown)
    return parse_baseline(read_bounded(path, limit=_LIMIT, shown=shown), shown=shown, today=today)


def parse_baseline(data: bytes, *, shown: str, today: date) -> Baseline:
    """The baseline that these bytes are, as `read_baseline`.

    Raises:
        ConfigError: they are none.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Save the file as UTF-8.", path=shown) from error
    entries = [_entry(draft, shown, today) for draft in _drafts(text, shown)]
    return Baseline(path=shown, entries=tuple(sorted(entries, key=lambda one: one.order)), sha256=hashlib.sha256(data).hexdigest())


def write_baseline(path: Path, entries: Iterable[BaselineEntry]) -> None:
    """Write the entries, sorted, whole or not at all.

    Raises:
        ConfigError: it would be too large to be read again.
        IncompleteError: the file cannot be written.
    """
    once = {replace(entry, location=None) for entry in entries}
    data = (_HEAD + "".join(_written(entry) for entry in sorted(once, key=lambda one: one.order))).encode()
    if len(once) > _MOST or len(data) > _LIMIT:
        raise ConfigError(f"A baseline of {len(once)} findings is too large, and was not written.",
                          remedy="Begin with --fail-on critical, or with fewer gates that enforce.", path=str(path))  # fmt: skip
    write_atomic(path, data)


def _written(entry: BaselineEntry) -> str:
    texts = {"rule": entry.rule, "subject": entry.subject, "severity": str(entry.severity), "message": entry.message, "key": entry.key}
    if entry.advisory:
        texts["advisory"] = entry.advisory
    if entry.aliases:
        texts["aliases"] = " ".join(entry.aliases)
    lines = [f"{name} = {_quoted(text)}" for name, text in texts.items()]
    lines += [f"date = {entry.recorded.isoformat()}", f"owner = {_quoted(entry.owner)}"]
    if entry.expires:
        lines.append(f"expires = {entry.expires.isoformat()}")
    return "\n[[findings]]\n" + "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    """A TOML text on one line in which a reviewer sees every character: what does not print is escaped."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08X}"


def _drafts(text: str, shown: str) -> Iterator[_Draft]:
    """The entries of a text, with the line of each."""
    draft: _Draft | None = None
    number, versioned = 0, False
    for at, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t\r")
        if not line or line.startswith("#"):
            continue
        if not versioned:
            _check_version(line, at, shown)
            versioned = True
        elif _ENTRY.fullmatch(line):
            if draft:
                yield draft
            number += 1
            if number > _MOST:
                raise ConfigError(f"More than {_MOST} entries.", remedy="Split the project, or fix some.", path=shown, line=at)
            draft = _Draft(line=at)
        elif draft is None:
            raise _no_baseline(at, shown)
        else:
            _read_line(draft, line, at, shown)
    if not versioned:
        raise _no_baseline(None, shown)
    if draft:
        yield draft


def _no_baseline(at: int | None, shown: str) -> ConfigError:
    return ConfigError("Not a baseline of shipsafe.", remedy="Name a file that --write-baseline wrote.", path=shown, line=at)


def _check_version(line: str, at: int, shown: str) -> None:
    found = re.fullmatch(r"version\s*=\s*(\d{1,9})\s*(?:#.*)?", line)
    if found is None:
        raise _no_baseline(at, shown)
    if found[1] != "1":
        raise ConfigError(f"It is of version {found[1]}, and this shipsafe reads version 1.", remedy="Use the shipsafe that wrote it.",
                          path=shown, line=at)  # fmt: skip


def _read_line(draft: _Draft, line: str, at: int, shown: str) -> None:
    def wrong(what: str) -> ConfigError:
        return ConfigError(what, remedy=_AGAIN, path=shown, line=at)

    found = _LINE.fullmatch(line)
    if found is None:
        raise wrong('Not of the form `name = "text"` or `name = DATE`, which is all that an entry may hold.')
    name = found[1]
    if name not in (*_TEXTS, *_DATES):
        raise wrong(f"Unknown key `{name[:40]}`.")
    if name in draft.lines:
        raise wrong(f"`{name}` stands twice in one entry.")
    if plain := _PLAIN.fullmatch(found[2]):
        value: object = plain[1]
    else:
        try:
            value = tomllib.loads(f"v = {found[2]}")["v"]
        except ValueError as error:  # TOMLDecodeError is one; so is a number of too many digits
            raise wrong(f"The value of `{name}` is not valid TOML.") from error
    if name in _TEXTS and isinstance(value, str):
        draft.texts[name] = value
    elif name in _DATES and isinstance(value, date) and not isinstance(value, datetime):
        draft.dates[name] = value
    else:
        raise wrong(f"`{name}` is not a {'text' if name in _TEXTS else 'date such as 2027-01-31'}.")
    draft.lines[name] = at


def _entry(draft: _Draft, shown: str, today: date) -> BaselineEntry:
    texts, dates = draft.texts, draft.dates
    for name in _NEEDED:
        if name not in draft.lines or (name == "owner" and not texts["owner"].strip()):
            raise ConfigError(f"The entry has no `{name}`.", remedy=_AGAIN, path=shown, line=draft.line)
    if dates["date"] > today:
        raise ConfigError(f"The entry is of {dates['date']}, which is after today.", remedy="Write the day on which it was recorded.",
                          path=shown, line=draft.lines["date"])  # fmt: skip
    if texts["severity"] not in list(Severity):
        raise ConfigError(f"There is no severity `{texts['severity'][:40]}`.", remedy=f"Choose one of {', '.join(Severity)}.",
                          path=shown, line=draft.lines["severity"])  # fmt: skip
    return BaselineEntry(
        rule=texts["rule"],
        subject=texts["subject"],
        key=texts["key"],
        message=texts.get("message", ""),
        severity=Severity(texts["severity"]),
        recorded=dates["date"],
        owner=texts["owner"],
        expires=dates.get("expires"),
        advisory=texts.get("advisory") or None,
        aliases=tuple(sorted(set(texts.get("aliases", "").split()))),
        location=Location(path=shown, line=draft.line),
    )
