"""One more waiver in the policy file: where it goes, as text, with everything else in the file as it was.

Waivers that stand in the order of rule and subject stay so; else the new one goes after the last. The text is edited and not written
anew from what was parsed, because a policy is reviewed, and a review reads comments. Whatever the edit gives is parsed again, and must
hold the old policy and this waiver and nothing else; it must also be one that the policy admits.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded, write_atomic
from shipsafe.errors import ConfigError
from shipsafe.model.policy import Waiver
from shipsafe.policy.chain import Found, find_policy, read_chain
from shipsafe.policy.document import Document, as_age, parse
from shipsafe.policy.load import known_as
from shipsafe.policy.merge import merge
from shipsafe.policy.waivers import read_waivers

_LIMIT = MEBIBYTE
_HEADER = re.compile(r"\s*\[")
_WAIVERS = re.compile(r"\s*\[\[\s*(tool\s*\.\s*shipsafe\s*\.\s*)?waivers\s*\]\]\s*(#.*)?")
_COMMENT = re.compile(r"\s*#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What will be written.

    Attributes:
        path: the file, absolute; `shown` as the user knows it.
        line: where the new table begins; `table` its lines.
        before: the bytes that were read, None when there is no file yet; `after` those to write.
    """

    path: Path
    shown: str
    line: int
    table: tuple[str, ...]
    before: bytes | None
    after: bytes

    def apply(self) -> None:
        """Write it, in one step.

        Raises:
            ConfigError: somebody else has changed the file since it was read.
            IncompleteError: the file cannot be written.
        """
        now = read_bounded(self.path, limit=_LIMIT, shown=self.shown) if self.path.exists() else None
        if now != self.before:
            raise ConfigError("Changed while this was asked, and is left as it is.", remedy="Try again.", path=self.shown)
        write_atomic(self.path, self.after)


def plan_waiver(
    root: Path, waiver: Waiver, *, explicit: Path | None, offline: bool, cache: Path, fetch: Callable[[str], bytes], today: date
) -> Edit:
    """The edit that writes a waiver into the policy of a project; a new `shipsafe.toml` where there is none.

    Args:
        root: the project's folder, absolute.
        waiver: what to write; whether its rule exists is for the caller to know.
        explicit: a policy file to use instead of the one that is found.
        offline: nothing is fetched.
        cache: the user's cache folder.
        fetch: gives the bytes of an https URL.
        today: the day on which it is judged.

    Raises:
        ConfigError: the policy does not admit it, it is there already, or the file cannot be edited so.
        IntegrityError, IncompleteError: as for `load`.
    """
    found = Found(path=explicit.resolve()) if explicit is not None else find_policy(root)
    path = found.path if found else root / "shipsafe.toml"
    name = known_as(path, root)
    before = read_bounded(path, limit=_LIMIT, shown=name) if found else None
    chain = read_chain(found, shown=name, offline=offline, cache=cache, fetch=fetch)
    bases, own = (chain[:-1], chain[-1]) if found else (chain, parse("", name=name))
    _check([*bases, own], today)
    _refuse_twice(own, waiver)
    text = before.decode() if before is not None else ""
    table = found.table if found else ""
    lines = _table(waiver, f"{table}.waivers" if table else "waivers", "\r\n" if "\r\n" in text else "\n")
    for number, place in _places(text, own, waiver):
        edited = _inserted(text, place, lines)
        document = _as_meant(edited, own, waiver, number, name=name, table=table)
        if document is not None:
            try:
                _check([*bases, document], today)
            except ConfigError as error:  # at a line that is not written yet
                raise ConfigError(error.what, remedy=error.remedy, path=name) from error
            header = document.place(f"waivers.{number}")[1]
            plain = tuple(line.rstrip("\r\n") for line in lines)
            return Edit(path=path.resolve(), shown=name, line=header or 1, table=plain, before=before, after=edited.encode())
    raise ConfigError("There is no place in this file where a `[[waivers]]` table can stand.",
                      remedy="Write the waivers that it has as `[[waivers]]` tables.", path=name)  # fmt: skip


def _refuse_twice(own: Document, waiver: Waiver) -> None:
    for number, entry in enumerate(own.values.get("waivers", ())):
        target = str(entry.get("rule") or entry.get("advisory") or "")
        there = Waiver(target=target, subject=str(entry.get("subject", "")), reason="", owner="")
        same_place = there.covers(waiver.subject) or (waiver.subject != "*" and waiver.covers(there.subject))
        if target.casefold() == waiver.target.casefold() and same_place:
            raise own.error(f"waivers.{number}", f"{target} is already waived for {there.subject}.", "Edit that waiver.")


def _entry(waiver: Waiver) -> dict[str, Any]:
    """The waiver as the keys of its table."""
    entry: dict[str, Any] = {
        "rule" if "/" in waiver.target else "advisory": waiver.target,
        "subject": waiver.subject,
        "reason": waiver.reason,
        "owner": waiver.owner,
    }
    if waiver.expires is not None:
        entry["expires"] = waiver.expires
    if waiver.until_fixed:
        entry["until-fixed"] = True
    if waiver.justification:
        entry["justification"] = waiver.justification
    return entry


def _table(waiver: Waiver, name: str, newline: str) -> list[str]:
    return [f"[[{name}]]{newline}", *(f"{key} = {_value(value)}{newline}" for key, value in _entry(waiver).items())]


def _value(value: object) -> str:
    """A date as it is; a text as a basic string, which JSON writes but for one character (TOML 1.0, "String")."""
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _places(text: str, own: Document, waiver: Waiver) -> list[tuple[int, int]]:
    """Where it can go, the best first: its number among the waivers, and the line, from 0, before which it stands."""
    lines = text.splitlines(keepends=True)
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    waivers = [number for number in headers if _WAIVERS.fullmatch(lines[number].rstrip("\r\n"))]
    known = [_key(entry) for entry in own.values.get("waivers", ())]
    last = (len(known), len(lines))
    if len(waivers) != len(known) or not known:
        return [last]
    after = next((header for header in headers if header > waivers[-1]), None)
    places = [(len(known), len(lines) if after is None else _with_comments(lines, after)), last]
    later = next((number for number, key in enumerate(known) if key > _key(_entry(waiver))), None)
    if later is not None and known == sorted(known):
        places.insert(0, (later, _with_comments(lines, waivers[later])))
    return places


def _key(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry.get("rule") or entry.get("advisory")).casefold(), str(entry.get("subject"))


def _with_comments(lines: Sequence[str], header: int) -> int:
    """Comments right above a table belong to it."""
    while header and _COMMENT.match(lines[header - 1]):
        header -= 1
    return header


def _inserted(text: str, place: int, table: Sequence[str]) -> str:
    """The text with the table before that line, an empty line on both sides."""
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if table[0].endswith("\r\n") else "\n"
    before, after = lines[:place], lines[place:]
    if before and not before[-1].endswith(("\n", "\r")):
        before[-1] += newline
    gap = [newline] if before and before[-1].strip() else []
    return "".join([*before, *gap, *table, *([newline] if after and after[0].strip() else []), *after])


def _as_meant(text: str, own: Document, waiver: Waiver, number: int, *, name: str, table: str) -> Document | None:
    """The edited text, parsed, if it says what the old one said and the waiver besides; a line that only looks like a table is not one."""
    try:
        document = parse(text, name=name, table=table)
    except ConfigError:
        return None
    expected: dict[str, Any] = deepcopy(dict(own.values))
    expected["waivers"] = [*expected.get("waivers", ())]
    expected["waivers"].insert(number, _entry(waiver))
    return document if document.values == expected else None


def _check(chain: list[Document], today: date) -> None:
    """Whether the policy admits its waivers, as `load` asks."""
    values, origins = merge(chain)
    unwaivable, longest = tuple(values.get("unwaivable", ())), as_age(values.get("longest-waiver"))
    read_waivers(chain, unwaivable=unwaivable, longest=longest, today=today, origins=origins)
