"""Bandit's engine, in a child process; its errors become ours.

Two runs are compared: what bandit says of the code with nothing turned off, and what the project lets it say (`[tool.bandit]`
and `# nosec`). So a finding that is turned off is still known, and so is who turned it off.
"""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from shipsafe.adapters.bandit_settings import BanditSettings
from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.adapters.forkserver import ForkServer, LostError
from shipsafe.adapters.parsing import is_too_much

LARGEST = 5 * MEBIBYTE  # bytes of one source file
MOST = 1_000_000  # names, numbers and signs of one: 700 MB; ordinary code of 5 MiB has as many
_PATIENCE = 120.0  # seconds for a question,
_PACE = 16 * 1024  # and one more for so many bytes of source: twenty times as long as it takes
_SHARE = 64 * 1024  # bytes of source, about a fifth of a second; less is not worth another process
# -P: no folder of audited code may be a place to import from. Warnings about that code's escapes are not our news.
SERVER = ForkServer(
    [sys.executable, "-P", "-W", "ignore", "-m", "shipsafe.adapters.bandit_child"],
    name="bandit",
    remedy="Look for a file that is not ordinary source.",
)
_LEVELS = ("undefined", "low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that bandit found.

    Attributes:
        name: the file, as the caller named it; `line` from 1.
        test: bandit's id, `B602`; `cwe` 0 when there is none.
        severity, confidence: `high`, `medium`, `low` or `undefined`.
        code: the line of code, stripped.
        nosec: the line of the `# nosec` that turns it off, or None.
        configured: the key of `[tool.bandit]` that turns it off, or "".
    """

    name: str
    line: int
    test: str
    severity: str
    confidence: str
    cwe: int
    text: str
    code: str
    nosec: int | None = None
    configured: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that could not be looked at. `syntax` says that Python's parser refused it."""

    name: str
    line: int | None
    reason: str
    syntax: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BanditReport:
    """What bandit said.

    Attributes:
        version: bandit's.
        issues: by file and line, those that are turned off too.
        unread: files it could not look at; `crashes` tests of bandit that failed, a sentence each.
        unknown: ids of tests that this bandit has and the caller does not know; they were not run.
    """

    version: str
    issues: tuple[Issue, ...]
    unread: tuple[Unread, ...] = ()
    crashes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = field(default=())


def stop() -> None:
    """End bandit's processes; the next question starts them again."""
    SERVER.close()


def start() -> None:
    """Have bandit imported beside other work, for questions that will come."""
    SERVER.start()


def lint(
    files: Mapping[str, Path],
    settings: BanditSettings,
    *,
    known: Collection[str],
    honour: bool,
    workspace: Path,
    server: ForkServer = SERVER,
) -> BanditReport:
    """Run bandit over the files.

    Args:
        files: name -> file. Names are POSIX and relative, as bandit beside `settings.base` would see them, because its options
            match them; the content is taken from the file.
        settings: the project's.
        known: ids of the tests to run.
        honour: whether what the project excludes need not be readable, and its options and `# nosec` may lower a finding.
        workspace: an empty folder.
        server: the process that runs bandit.

    Raises:
        IncompleteError: bandit ended without an answer, ran for too long, or the disk refused.
    """
    code = workspace / "code"
    sizes = {}
    with disk_errors(workspace):
        code.mkdir()
        for name, path in files.items():
            sizes[name] = path.stat().st_size
            if sizes[name] <= LARGEST:
                (code / name).parent.mkdir(parents=True, exist_ok=True)
                _lay(path.absolute(), code / name)

    def ask(names: Sequence[str]) -> Any:
        included = [name for name in names if not settings.excludes(name)]
        question = {"folder": str(code.absolute()), "files": names, "included": included}
        patience = _PATIENCE + sum(sizes[name] for name in names) / _PACE
        return server.ask({**question, "known": sorted(known), "config": settings.table, "honour": honour}, timeout=patience)

    given_up = {name: why for name, size in sizes.items() if (why := _why_given_up(files[name], size))}
    shares = _shares({name: size for name, size in sizes.items() if name not in given_up})
    with ThreadPoolExecutor(len(shares), thread_name_prefix="bandit") as pool:
        told = list(pool.map(partial(_ask_apart, ask), shares))
    answers = [answer for some, _ in told for answer in some] or [ask(())]
    given_up |= {name: error.what for _, lost in told for name, error in lost.items()}
    runs = _Runs.of(answers)
    looked = runs.honoured if honour else runs.plain
    unread = [
        Unread(name=name, line=None, reason=reason, syntax=False)
        for name, reason in sorted(given_up.items())
        if not (honour and settings.excludes(name))
    ]
    return BanditReport(
        version=answers[0]["version"],
        issues=_merge(runs, settings, honour=honour),
        unread=(*unread, *looked.unread),
        crashes=looked.crashes,
        unknown=tuple(sorted(set(answers[0]["tests"]) - set(known))),
    )


def _why_given_up(file: Path, size: int) -> str:
    """Why bandit is not asked about a file, or ""."""
    if size > LARGEST:
        return f"larger than {LARGEST // MEBIBYTE} MiB"
    with disk_errors(file):
        too_much = size > MOST and is_too_much(file.read_bytes(), MOST)
    return f"too much: more than {MOST:,} names, numbers and signs, which would take gigabytes" if too_much else ""


def _ask_apart(ask: Callable[[Sequence[str]], Any], names: Sequence[str]) -> tuple[list[Any], dict[str, LostError]]:
    """Ask about files; where bandit does not survive that, about halves of them, until the one is known that it does not survive.

    Raises:
        IncompleteError: bandit could not be asked, or ran for too long.
    """
    try:
        return [ask(names)], {}
    except LostError as error:
        if not names:
            raise
        if len(names) == 1:
            return [], {names[0]: error}
    middle = len(names) // 2
    answers, lost = _ask_apart(ask, names[:middle])
    more, others = _ask_apart(ask, names[middle:])
    return answers + more, lost | others


def _lay(source: Path, target: Path) -> None:
    """Put a file where bandit sees it, without copying it where the system can."""
    try:
        target.symlink_to(source)
    except OSError:  # Windows lets only some users make links
        shutil.copyfile(source, target)


def _shares(sizes: Mapping[str, int]) -> list[list[str]]:
    """The names, in shares of about equal size for several processes; files that are few are one share."""
    count = max(min(os.cpu_count() or 1, sum(sizes.values()) // _SHARE), 1)
    shares: list[list[str]] = [[] for _ in range(count)]
    weights = [0] * count
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        lightest = weights.index(min(weights))
        shares[lightest].append(name)
        weights[lightest] += sizes[name]
    return [sorted(share) for share in shares]


_Place = tuple[str, int, int, str, int]


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run of bandit said; issues by place, because that is what two runs have in common."""

    issues: Mapping[_Place, Mapping[str, Any]]
    unread: tuple[Unread, ...]
    crashes: tuple[str, ...]

    @classmethod
    def of(cls, shares: Iterable[Mapping[str, Any]]) -> "_Run":
        """The same run over different files, as one."""
        issues: dict[_Place, Mapping[str, Any]] = {}
        unread: list[Unread] = []
        crashes: list[str] = []
        seen: Counter[tuple[str, int, int, str]] = Counter()
        for share in shares:
            for issue in share["issues"]:
                # The same test can speak twice of one place; the count keeps both.
                place = (issue["path"], issue["line"], issue["column"], issue["test"])
                issues[*place, seen[place]] = issue
                seen[place] += 1
            unread += [Unread(name=one["path"], line=one["line"], reason=one["reason"], syntax=one["syntax"]) for one in share["unread"]]
            crashes += share["crashes"]
        return cls(issues, tuple(sorted(unread, key=attrgetter("name"))), tuple(crashes))


@dataclass(frozen=True, slots=True)
class _Runs:
    """The three runs of an answer; see `bandit_child`."""

    plain: _Run
    configured: _Run
    honoured: _Run

    @classmethod
    def of(cls, answers: Iterable[Mapping[str, Any]]) -> "_Runs":
        """All answers as one; a run that says the same as the one before it was sent as null."""
        told = []
        for answer in answers:
            plain, configured, honoured = (answer["runs"][name] for name in ("plain", "configured", "honoured"))
            told.append((plain, configured or plain, honoured or configured or plain))
        return cls(*(_Run.of(shares) for shares in zip(*told, strict=True)))


def _merge(runs: _Runs, settings: BanditSettings, *, honour: bool) -> tuple[Issue, ...]:
    """Every issue of any run once, with what turns it off."""
    plain, configured, honoured = runs.plain.issues, runs.configured.issues, runs.honoured.issues
    unread = {one.name for one in runs.honoured.unread}  # what was not looked at is not turned off
    merged = []
    for place in sorted(plain.keys() | configured.keys()):
        issue = configured.get(place) or plain[place]
        severity = issue["severity"]
        if not honour and place in plain:
            severity = max(severity, plain[place]["severity"], key=_LEVELS.index)
        off = place in configured and place not in honoured and issue["path"] not in unread
        merged.append(
            Issue(
                name=issue["path"],
                line=max(issue["line"], 1),
                test=issue["test"],
                severity=severity,
                confidence=issue["confidence"],
                cwe=issue["cwe"],
                text=issue["text"],
                code=issue["code"],
                nosec=(issue["nosec"] or issue["line"]) if off else None,
                configured="" if place in configured else _reason(issue, settings),
            )
        )
    return tuple(merged)


def _reason(issue: Mapping[str, Any], settings: BanditSettings) -> str:
    """Which key of `[tool.bandit]` keeps bandit from reporting it."""
    table = settings.table or {}
    if settings.excludes(issue["path"]):
        return "exclude_dirs"
    if issue["test"] in (table.get("skips") or ()):
        return "skips"
    if table.get("tests") and issue["test"] not in table["tests"]:
        return "tests"
    return "options"
