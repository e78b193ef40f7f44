"""The child that runs bandit: `python -m shipsafe.adapters.bandit_child REQUEST ANSWER`, in the folder that holds the code.

Bandit runs in a process of its own because what it reads is hostile: Python's parser can be made to overflow the stack
(https://docs.python.org/3/library/ast.html#ast.parse), a pattern can be made to run for hours, and bandit keeps the options of
its tests on module-level functions, so two runs in one process would share them. A child can be given a limit and can crash.

REQUEST and ANSWER are JSON files. REQUEST: `files` (names relative to the current folder), `included` (those that the project's
configuration does not exclude), `known` (ids of the tests to run), `config` (the table `[tool.bandit]`, or null). ANSWER:
`version`, `tests` (every id that this bandit has) and `runs`: `plain` (all known tests, bandit's own options), `configured`
(the project's options) and `honoured` (the same, with `# nosec`), each with `issues`, `unread` and `crashes`.
"""

import ast
import json
import linecache
import logging
import sys
import tokenize
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import bandit  # type: ignore[import-untyped]  # has no types
from bandit.core import extension_loader  # type: ignore[import-untyped]  # has no types
from bandit.core.config import BanditConfig  # type: ignore[import-untyped]  # has no types
from bandit.core.docs_utils import get_url  # type: ignore[import-untyped]  # has no types
from bandit.core.manager import NOSEC_COMMENT, BanditManager  # type: ignore[import-untyped]  # has no types

_MEMORY = 4 * 1024**3  # bytes of address space: a file of 5 MiB that is one long list needs about 3 GiB
_LONGEST = 1000  # characters of a text or of a line of code that are handed on


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """What bandit has to say."""
    manager = extension_loader.MANAGER
    files, included, known, config = request["files"], request["included"], set(request["known"]), request["config"]
    plain = _run(files, {}, {"include": known, "exclude": set()}, honour=False)
    if config is None:
        profile = {"include": known, "exclude": set()}
        configured = plain
    else:
        profile = {"include": set(config.get("tests") or known), "exclude": set(config.get("skips") or ())}
        configured = _run(included, config, profile, honour=False)
    honoured = _run(included, config or {}, profile, honour=True)
    return {
        "version": bandit.__version__,
        "tests": sorted({*manager.plugins_by_id, *manager.blacklist_by_id}),
        "runs": {"plain": plain, "configured": configured, "honoured": honoured},
    }


def catalogue() -> dict[str, tuple[str, str]]:
    """Every test of this bandit: id -> its name and the address of its page."""
    manager = extension_loader.MANAGER
    # `get_url` rewrites the names of some tests in place, so all names are taken first.
    names = {key: str(plugin.name) for key, plugin in manager.plugins_by_id.items()}
    names |= {key: str(entry["name"]) for key, entry in manager.blacklist_by_id.items()}
    return {key: (names[key], get_url(key).replace(f"/{bandit.__version__}/", "/latest/")) for key in sorted(names)}


def _run(files: Sequence[str], config: Mapping[str, Any], profile: Mapping[str, Collection[str]], *, honour: bool) -> dict[str, Any]:
    """One run of bandit over the files."""
    settings = BanditConfig()
    settings.config.update(config)
    manager = BanditManager(settings, "file", profile={key: set(value) for key, value in profile.items()}, ignore_nosec=not honour)
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
    with Path(name).open("rb") as file:
        try:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.COMMENT and NOSEC_COMMENT.search(token.string):
                    found.add(token.start[0])
        except (tokenize.TokenError, SyntaxError):
            return frozenset(found)  # as bandit: what was read so far counts
    return frozenset(found)


def _unread(name: str, reason: str) -> dict[str, Any]:
    """Why a file was skipped. Bandit says only "syntax error", so the parser is asked again."""
    try:
        ast.parse(Path(name).read_bytes())
    except SyntaxError as error:
        return {"path": name, "line": error.lineno, "reason": error.msg, "syntax": True}
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes before 3.12, nesting, size
        return {"path": name, "line": None, "reason": str(error) or type(error).__name__, "syntax": True}
    return {"path": name, "line": None, "reason": f"bandit stopped with: {reason}", "syntax": False}


def main(request: str, target: str) -> None:
    """Read the request, write the answer."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not on Windows; macOS refuses this limit

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    result = answer(json.loads(Path(request).read_text(encoding="utf-8")))
    Path(target).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
