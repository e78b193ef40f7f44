"""The child that runs bandit: `python -m shipsafe.adapters.bandit_child`, which `shipsafe.adapters.forkserver` talks to.

Bandit runs in a process of its own because what it reads is hostile: Python's parser can be made to overflow the stack
(https://docs.python.org/3/library/ast.html#ast.parse), a pattern can be made to run for hours, and bandit keeps the options of
its tests on module-level functions, so two runs in one process would share them. A child can be given a limit and can crash.

A question: `folder` (which holds the code), `files` (names relative to it), `included` (those that the project's configuration
does not exclude), `known` (ids of the tests to run), `config` (the table `[tool.bandit]`, or null), `honour` (whether `# nosec`
counts). The answer: `version`, `tests` (every id that this bandit has) and `runs`: `plain` (all known tests, bandit's own
options), `configured` (the project's options) and `honoured` (the same, with `# nosec`), each with `issues`, `unread` and
`crashes`. A run that says the same as the one before it is null.

Most files are read by bandit once, not three times: see `_configured` and `_honoured`, each with its reason.
"""

import ast
import linecache
import logging
import os
import sys
import tokenize
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

# stevedore keeps a list of plugins in the user's cache folder and believes whatever stands there, also that bandit has no tests.
os.environ["HOME"] = os.environ["XDG_CACHE_HOME"] = os.devnull

import bandit  # type: ignore[import-untyped]  # has no types
from bandit.core import extension_loader  # type: ignore[import-untyped]  # has no types
from bandit.core.blacklisting import blacklist  # type: ignore[import-untyped]  # has no types
from bandit.core.config import BanditConfig  # type: ignore[import-untyped]  # has no types
from bandit.core.docs_utils import get_url  # type: ignore[import-untyped]  # has no types
from bandit.core.manager import NOSEC_COMMENT  # type: ignore[import-untyped]  # has no types

from shipsafe.adapters.bandit_visitor import Manager
from shipsafe.adapters.forkserver import serve

_MEMORY = 4 * 1024**3  # bytes of address space, several times what the largest file that we are asked about needs
_PLAIN_ENCODINGS = frozenset({"utf-8", "utf-8-sig", "iso-8859-1"})  # as `tokenize` names those in which ASCII is ASCII
_LONGEST = 1000  # characters of a text or of a line of code that are handed on


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """What bandit has to say."""
    os.chdir(request["folder"])
    have = {*extension_loader.MANAGER.plugins_by_id, *extension_loader.MANAGER.blacklist_by_id}
    known = set(request["known"])
    config = request["config"] or {}
    plain = _run(_manager({}, {"include": known}), request["files"])
    profile = {"include": set(config.get("tests") or known), "exclude": {*(config.get("skips") or ()), *(have - known)}}
    configured = plain if request["config"] is None else _configured(plain, request["included"], config, profile)
    honoured = _honoured(configured, request["included"], config, profile) if request["honour"] else configured
    return {
        "version": bandit.__version__,
        "tests": sorted(have),
        "runs": {
            "plain": plain,
            "configured": None if configured is plain else configured,
            "honoured": None if honoured is configured else honoured,
        },
    }


def catalogue() -> dict[str, tuple[str, str]]:
    """Every test of this bandit: id -> its name and the address of its page."""
    manager = extension_loader.MANAGER
    # `get_url` rewrites the names of some tests in place, so all names are taken first.
    names = {key: str(plugin.name) for key, plugin in manager.plugins_by_id.items()}
    names |= {key: str(entry["name"]) for key, entry in manager.blacklist_by_id.items()}
    return {key: (names[key], get_url(key).replace(f"/{bandit.__version__}/", "/latest/")) for key in sorted(names)}


_Said = dict[str, Any]  # `issues`, `unread` and `crashes` of one run


def _configured(plain: _Said, included: Sequence[str], config: Mapping[str, Any], profile: Mapping[str, Collection[str]]) -> _Said:
    """What bandit says with the project's configuration.

    Tests only speak of what they find: a test that found nothing in a file can be left out without changing the answer. So where
    no option is set, only files in which a test spoke that the project turned off are looked at again (again, because of several
    forbidden names for one import bandit reports the first).
    """
    manager = _manager(config, profile)
    if plain["crashes"] or any(manager.b_conf.get_option(name) is not None for name in _option_names()):
        return _run(manager, included)
    left = _tests(manager)
    spoke = {issue["path"] for issue in plain["issues"] if issue["test"] not in left}
    return _replaced(plain, included, manager, spoke)


def _honoured(configured: _Said, included: Sequence[str], config: Mapping[str, Any], profile: Mapping[str, Collection[str]]) -> _Said:
    """What bandit says when `# nosec` counts: only files that hold the word can differ."""
    commented = {name for name in included if _may_hold_nosec(name)}
    if not commented:
        return configured
    return _replaced(configured, included, _manager(config, profile, honour=True), commented)


def _replaced(before: _Said, included: Collection[str], manager: Manager, again: Collection[str]) -> _Said:
    """What was said `before` of the included files, but of those to be looked at `again` what bandit says now."""
    kept = set(included).difference(again)
    now = _run(manager, [name for name in included if name in again])
    return {
        "issues": [issue for issue in before["issues"] if issue["path"] in kept] + now["issues"],
        "unread": sorted([entry for entry in before["unread"] if entry["path"] in kept] + now["unread"], key=itemgetter("path")),
        "crashes": before["crashes"] + now["crashes"],
    }


def _manager(config: Mapping[str, Any], profile: Mapping[str, Collection[str]], *, honour: bool = False) -> Manager:
    """Bandit with these options, which stand on its module-level functions until the next is made."""
    settings = BanditConfig()
    settings.config.update(config)
    return Manager(settings, "file", profile={key: set(value) for key, value in profile.items()}, ignore_nosec=not honour)


def _option_names() -> set[str]:
    """The tables of options that tests take: bandit notes them, and what else it knows of a test, on the test's function."""
    return {getattr(plugin.plugin, "_takes_config", "") for plugin in extension_loader.MANAGER.plugins} - {""}


def _tests(manager: Manager) -> set[str]:
    """The ids under which the manager's tests can speak."""
    ids = set()
    for plugin in manager.b_ts.plugins:
        ids.add(plugin.plugin._test_id)  # noqa: SLF001 - where bandit keeps it
        if plugin.plugin is blacklist:  # one test that speaks under the id of what it found
            ids.update(entry["id"] for entries in blacklist._config.values() for entry in entries)  # noqa: SLF001 - where bandit keeps it
    return ids


def _run(manager: Manager, files: Sequence[str]) -> _Said:
    """One run of bandit over the files."""
    # Not `discover_files`: it would match `exclude_dirs` against names that are not the project's.
    # "./" as bandit itself names files of the current folder: the options of its tests match against it.
    manager.files_list = [f"./{name}" for name in files]
    crashes = _Crashes()
    log = logging.getLogger("bandit")
    log.propagate = False
    log.addHandler(crashes)
    try:
        manager.run_tests()
    finally:
        log.removeHandler(crashes)
    unread = [_unread(name.removeprefix("./"), reason) for name, reason in manager.get_skipped()]
    return {"issues": [_issue(issue) for issue in manager.get_issue_list()], "unread": unread, "crashes": crashes.lines}


class _Crashes(logging.Handler):
    """Keeps what bandit logs as an error: a test that raised is logged and otherwise forgotten (bandit/core/tester.py)."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message without its traceback."""
        message = record.getMessage().partition("Traceback (most recent call last)")[0]
        self.lines.append(" ".join(message.split())[:_LONGEST])


def _issue(issue: Any) -> dict[str, Any]:
    """An issue as JSON, with its line of code and the line of the `# nosec` that speaks of it."""
    comments = _nosec_lines(issue.fname)
    lines = [line for line in (issue.lineno, *issue.linerange) if line in comments]
    return {
        "path": issue.fname.removeprefix("./"),
        "line": issue.lineno,
        "column": issue.col_offset,
        "test": issue.test_id,
        "severity": issue.severity.lower(),
        "confidence": issue.confidence.lower(),
        "cwe": issue.cwe.id,
        "text": issue.text[:_LONGEST],
        "code": linecache.getline(issue.fname, issue.lineno).strip()[:_LONGEST],
        "nosec": lines[0] if lines else None,
    }


@cache
def _nosec_lines(name: str) -> frozenset[int]:
    """The lines of a file that have a `# nosec`, by the pattern that bandit uses."""
    found: set[int] = set()
    if not _may_hold_nosec(name):
        return frozenset()
    with Path(name).open("rb") as file:
        try:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.COMMENT and NOSEC_COMMENT.search(token.string):
                    found.add(token.start[0])
        except (tokenize.TokenError, SyntaxError):
            return frozenset(found)  # as bandit: what was read so far counts
    return frozenset(found)


def _may_hold_nosec(name: str) -> bool:
    """Whether bandit could see a `# nosec` in a file. It looks for the word in decoded text, we in bytes where that is the same."""
    with Path(name).open("rb") as file:
        try:
            encoding, _ = tokenize.detect_encoding(file.readline)
        except SyntaxError:
            return True
        file.seek(0)
        return encoding not in _PLAIN_ENCODINGS or b"nosec" in file.read()


def _unread(name: str, reason: str) -> dict[str, Any]:
    """Why a file was skipped. Bandit says only "syntax error", so the parser is asked again."""
    try:
        ast.parse(Path(name).read_bytes())
    except SyntaxError as error:
        return {"path": name, "line": error.lineno, "reason": error.msg, "syntax": True}
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes before 3.12, nesting, size
        return {"path": name, "line": None, "reason": str(error) or type(error).__name__, "syntax": True}
    return {"path": name, "line": None, "reason": f"bandit stopped with: {reason}", "syntax": False}


def main() -> None:
    """Answer until there are no more questions."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not on Windows; macOS refuses this limit

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    serve(answer)


if __name__ == "__main__":
    main()
