"""`shipsafe policy waivers` and `shipsafe policy waive`: what is allowed for now, and one thing more."""

import difflib
import re
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from shipsafe.adapters.git import user_email
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.errors import ConfigError
from shipsafe.gates import all_rules
from shipsafe.model.policy import Policy, Waiver
from shipsafe.model.vex import JUSTIFICATIONS
from shipsafe.policy.document import as_age, as_date
from shipsafe.policy.waive import Edit, plan_waiver
from shipsafe.policy.waivers import WaiverState, state
from shipsafe.reports.escape import short
from shipsafe.reports.strict_json import dump

_SOON = 14  # days; as in the reports of a run
_ADVISORY = re.compile(r"[A-Za-z0-9]+-[A-Za-z0-9._:-]+")
_SUBJECT = re.compile(r"\*|project|(?:(?:function|layer):)?[^\s*:][^\x00-\x1f\x7f]*")
_CELL = 200


def listing(policy: Policy, today: date, *, expiring: int | None) -> list[tuple[Waiver, WaiverState]]:
    """The waivers, the soonest to end first; with `expiring` only those that end within so many days or have ended."""
    soon = timedelta(days=_SOON if expiring is None else expiring)
    found = [(waiver, state(waiver, today, soon)) for waiver in policy.waivers]
    found.sort(key=lambda one: (one[0].expires or date.max, one[0].target, one[0].subject))
    return found if expiring is None else [(waiver, how) for waiver, how in found if how is not WaiverState.LIVE]


def table(found: Iterable[tuple[Waiver, WaiverState]], expiring: int | None) -> str:
    """Waivers for a terminal: all, or those that end within so many days."""
    rows: list[tuple[str, ...]] = [("state", "allows", "at", "until", "owner", "where", "reason")]
    for waiver, how in found:
        cells = (how, waiver.target, waiver.subject, _until(waiver), waiver.owner, str(waiver.location or ""), waiver.reason)
        rows.append(tuple(short(cell, _CELL) for cell in cells))
    if len(rows) == 1:
        return "There are no waivers.\n" if expiring is None else f"No waiver has ended or ends within {expiring} days.\n"
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[6]]) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def as_json(found: Iterable[tuple[Waiver, WaiverState]], today: date) -> str:
    """Waivers for other programs. `used` is null: only a run of the gates knows, and reports it."""
    return dump(
        {
            "today": today.isoformat(),
            "waivers": [
                {
                    "state": how,
                    "used": None,
                    "target": waiver.target,
                    "subject": waiver.subject,
                    "reason": waiver.reason,
                    "owner": waiver.owner,
                    "expires": waiver.expires.isoformat() if waiver.expires else None,
                    "days_left": (waiver.expires - today).days if waiver.expires else None,
                    "until_fixed": waiver.until_fixed,
                    "justification": waiver.justification,
                    "path": waiver.location.path if waiver.location else None,
                    "line": waiver.location.line if waiver.location else None,
                }
                for waiver, how in found
            ],
        }
    )


def _until(waiver: Waiver) -> str:
    ends = [str(waiver.expires)] if waiver.expires else []
    return " or ".join([*ends, *(["fixed"] if waiver.until_fixed else [])])


def waiver_of(
    root: Path, target: str, subject: str, *, reason: str, owner: str | None, expires: str | None, until_fixed: bool,
    justification: str | None, today: date,
) -> Waiver:  # fmt: skip
    """The waiver that the words of a command line make.

    Raises:
        ConfigError: one of them is not what it should be.
    """
    for word in (target, subject, reason, owner or "", justification or ""):
        if not word.isascii() and word != word.encode(errors="replace").decode():
            raise ConfigError(f"{word!a} is not text.", remedy="Write it in UTF-8.")
    if not _SUBJECT.fullmatch(subject):
        raise ConfigError(f"{subject!r} is no place.", remedy="Write function:ID, layer:ID, project, an ID, or '*'.")
    if not reason.strip():
        raise ConfigError("A waiver needs a reason.", remedy="Say with --reason why this may stay.")
    if expires is None and not until_fixed:
        raise ConfigError("A waiver has an end.", remedy="Say --expires 30d or YYYY-MM-DD, or --until-fixed.")
    if justification and justification not in JUSTIFICATIONS:
        near = difflib.get_close_matches(justification, JUSTIFICATIONS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise ConfigError(f"{justification!r} is no justification.", remedy=f"{hint}Choose one of {', '.join(JUSTIFICATIONS)}.")
    answering = (owner or user_email(root)).strip()
    if not answering:
        raise ConfigError("Nobody answers for this waiver.", remedy="Name somebody with --owner.")
    return Waiver(
        target=_target(target),
        subject=subject,
        reason=reason.strip(),
        owner=answering,
        expires=_end(expires, today),
        until_fixed=until_fixed,
        justification=justification or "",
    )


def _target(word: str) -> str:
    """A rule that there is, or what can be an advisory's id."""
    rules = [rule.id for rule in all_rules()]
    if word in rules:
        return word
    if "/" not in word and _ADVISORY.fullmatch(word):
        return word
    near = difflib.get_close_matches(word, rules, n=1, cutoff=0.5) or [rule for rule in rules if rule.partition("/")[2] == word]
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise ConfigError(f"There is no rule {word!r}.", remedy=f"{hint}`shipsafe explain` lists all; an advisory is named by its id.")


def _end(word: str | None, today: date) -> date | None:
    if word is None:
        return None
    days = as_age(word)
    try:
        end = today + days if days is not None else as_date(word)
    except OverflowError:
        end = None
    if end is None:
        raise ConfigError(f"--expires {word!r} is no day.", remedy="Write YYYY-MM-DD, or 30d for thirty days from today.")
    if end < today:
        raise ConfigError(f"--expires {end} has passed.", remedy="Name a day to come.")
    return end


def plan(root: Path, waiver: Waiver, *, policy: Path | None, offline: bool, today: date) -> Edit:
    """What would be written; see `plan_waiver`."""
    return plan_waiver(root, waiver, explicit=policy, offline=offline, cache=cache_dir(), fetch=fetch, today=today)


def plan_text(edit: Edit) -> str:
    """The plan for a terminal."""
    verb = "creates" if edit.before is None else "adds to"
    return "".join(f"{line}\n" for line in [f"This {verb} {edit.shown}, at line {edit.line}:", "", *(f"  {line}" for line in edit.table)])


def confirmed(*, yes: bool) -> bool:
    """Whether somebody wants it.

    Raises:
        ConfigError: there is nobody to ask.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("Nothing was written, because there is no terminal to ask at.", remedy="Pass --yes to write it.")
    sys.stdout.write("\nWrite it? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")
