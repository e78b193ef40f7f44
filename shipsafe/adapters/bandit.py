"""Bandit's engine, in a child process; its errors become ours.

Two runs are compared: what bandit says of the code with nothing turned off, and what the project lets it say (`[tool.bandit]`
and `# nosec`). So a finding that is turned off is still known, and so is who turned it off.
"""

import fnmatch
import json
import shutil
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.adapters.process import Run
from shipsafe.adapters.process import run as run_process
from shipsafe.adapters.pyproject import pyprojects
from shipsafe.errors import ConfigError, IncompleteError

LARGEST = 5 * MEBIBYTE  # bytes of one source file
_TIMEOUT = 600.0  # seconds for all files of one function
_LISTS = ("skips", "tests", "exclude_dirs")
_LEVELS = ("undefined", "low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class BanditSettings:
    """`[tool.bandit]` of the nearest pyproject.toml that has it.

    `base` is the folder that its paths are relative to; `shown` the file as the user knows it; `table` None when there is none.
    """

    base: Path
    shown: str = ""
    table: Mapping[str, Any] | None = None

    def excludes(self, name: str) -> bool:
        """Whether `exclude_dirs` names that file (relative to `base`), by bandit's rule: a glob, or a part of the path."""
        path = f"./{name}"  # as `bandit -r .` beside the file names it
        return any(fnmatch.fnmatch(path, pattern) or pattern in path for pattern in (self.table or {}).get("exclude_dirs") or ())


def settings_for(start: Path, root: Path) -> BanditSettings:
    """The settings that hold for code in the folder `start`.

    Raises:
        ConfigError: a pyproject.toml on the way is not TOML, or `[tool.bandit]` is not what bandit expects.
    """
    for path, content in pyprojects(start, root):
        tool = content.get("tool")
        table = tool.get("bandit") if isinstance(tool, dict) else None
        if table is None:
            continue
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        if not isinstance(table, dict):
            raise ConfigError("`tool.bandit` is not a table.", remedy="Write it as [tool.bandit].", path=shown)
        for key in _LISTS:
            value = table.get(key, [])
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise ConfigError(f"`tool.bandit.{key}` is not a list of strings.", remedy='Write it as ["..."].', path=shown)
        both = sorted(set(table.get("tests", [])) & set(table.get("skips", [])))
        if both:
            raise ConfigError(f"`tool.bandit` has {both[0]} both in tests and in skips.", remedy="Take it out of one.", path=shown)
        return BanditSettings(base=path.parent, shown=shown, table=table)
    return BanditSettings(base=root)


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


def lint(
    files: Mapping[str, Path],
    settings: BanditSettings,
    *,
    known: Collection[str],
    honour: bool,
    workspace: Path,
    run: Run = run_process,
) -> BanditReport:
    """Run bandit over the files.

    Args:
        files: name -> file. Names are POSIX and relative, as bandit beside `settings.base` would see them, because its options
            match them; the content is taken from the file.
        settings: the project's.
        known: ids of the tests to run.
        honour: whether what the project excludes need not be readable, and its options may lower a severity.
        workspace: an empty folder.
        run: starts the child.

    Raises:
        IncompleteError: bandit ended without an answer, ran for too long, or the disk refused.
    """
    code = workspace / "code"
    large = [name for name, path in files.items() if path.stat().st_size > LARGEST]
    with disk_errors(workspace):
        code.mkdir()
        for name in files.keys() - large:
            (code / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(files[name], code / name)
    names = sorted(files.keys() - large)
    answer = _ask(names, settings, known, workspace, run)
    runs = {key: _Run.of(value) for key, value in answer["runs"].items()}
    looked = runs["configured"] if honour else runs["plain"]
    oversized = [
        Unread(name=name, line=None, reason=f"larger than {LARGEST // MEBIBYTE} MiB", syntax=False)
        for name in sorted(large)
        if not (honour and settings.excludes(name))
    ]
    return BanditReport(
        version=answer["version"],
        issues=_merge(runs, settings, honour=honour),
        unread=(*oversized, *looked.unread),
        crashes=looked.crashes,
        unknown=tuple(sorted(set(answer["tests"]) - set(known))),
    )


def _ask(names: Sequence[str], settings: BanditSettings, known: Collection[str], workspace: Path, run: Run) -> Any:
    """Run the child and read its answer."""
    request, target = workspace / "request.json", workspace / "answer.json"
    question = {
        "files": names,
        "included": [name for name in names if not settings.excludes(name)],
        "known": sorted(known),
        "config": settings.table,
    }
    with disk_errors(request):
        request.write_text(json.dumps(question, default=str), encoding="utf-8")
    # -P: the folder with the audited code must not be a place to import from.
    argv: list[str | Path] = [sys.executable, "-P", "-m", "shipsafe.adapters.bandit_child", request, target]
    finished = run(argv, cwd=workspace / "code", timeout=_TIMEOUT)
    if finished.returncode != 0:
        cause = (finished.stderr.strip().splitlines() or [f"code {finished.returncode}"])[-1]
        raise IncompleteError(f"bandit ended without an answer: {cause}.", remedy="Look for a file that is not ordinary source.")
    return json.loads(target.read_text(encoding="utf-8"))


_Place = tuple[str, int, int, str, int]


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the answer; issues by place, because that is what two runs have in common."""

    issues: Mapping[_Place, Mapping[str, Any]]
    unread: tuple[Unread, ...]
    crashes: tuple[str, ...]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "_Run":
        issues: dict[_Place, Mapping[str, Any]] = {}
        seen: Counter[tuple[str, int, int, str]] = Counter()
        for issue in value["issues"]:
            # The same test can speak twice of one place; the count keeps both.
            place = (issue["path"], issue["line"], issue["column"], issue["test"])
            issues[*place, seen[place]] = issue
            seen[place] += 1
        unread = tuple(
            Unread(name=entry["path"], line=entry["line"], reason=entry["reason"], syntax=entry["syntax"]) for entry in value["unread"]
        )
        return cls(issues, unread, tuple(value["crashes"]))


def _merge(runs: Mapping[str, _Run], settings: BanditSettings, *, honour: bool) -> tuple[Issue, ...]:
    """Every issue of any run once, with what turns it off."""
    plain, configured, honoured = (runs[key].issues for key in ("plain", "configured", "honoured"))
    merged = []
    for place in sorted(plain.keys() | configured.keys()):
        issue = configured.get(place) or plain[place]
        severity = issue["severity"]
        if not honour and place in plain:
            severity = max(severity, plain[place]["severity"], key=_LEVELS.index)
        off = place in configured and place not in honoured
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
