"""Whether what lies in a checkout is what its commit says, and whose repository it is.

Asked of git with everything turned off that a repository's configuration could start: hooks, monitors, filters, transports. Nothing is
written, the index is not even refreshed. Where git trusts marks that hide a change, nobody can say, and the answer is None.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from shipsafe.adapters.git_tree import Git, quiet_git
from shipsafe.adapters.process import Run, run
from shipsafe.errors import ShipsafeError

_SCHEMES = ("https", "http", "ssh", "git")
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^/\\:].*)")
_SUBMODULE = "160000"
_HIDDEN = "S"  # skip-worktree; what is assumed to be unchanged has a small letter
_LONGEST = 2000  # characters of an address
_PATIENCE = 60.0  # seconds


def is_dirty(top: Path, code: Iterable[Path], *, out: Path | None = None, run: Run = run) -> bool | None:
    """Whether a file that git tracks differs from HEAD, or one that it neither tracks nor ignores lies among the code.

    Args:
        top: of the checkout.
        code: absolute paths without links: folders whose files ship.
        out: a folder that is no part of the source, the one that is built into.
        run: starts git.

    Gives None where nobody can say: there is no git, it takes too long, files are marked as unchanged or left out, or a submodule's files
    are there.
    """
    inside = [_inside(path, top) for path in code]
    left_out = _inside(out, top) if out is not None else None
    spare = [f":(exclude,top,literal){left_out}"] if left_out not in (None, PurePosixPath()) else []
    try:
        git = replace(quiet_git(top, run), timeout=_PATIENCE)
        own = {"GIT_OPTIONAL_LOCKS": "0", "GIT_WORK_TREE": str(top)}
        told = git("status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=dirty", "--no-renames", "--",
                   ":(top)", *spare, more=own)  # fmt: skip
        if told.returncode != 0:
            return None
        changed = list(_changed(told.stdout, [one for one in inside if one is not None]))
        return True if changed else None if _hides(git, top, own) else False
    except ShipsafeError:
        return None


def _inside(path: Path, top: Path) -> PurePosixPath | None:
    """A path as git calls it; None outside of the checkout."""
    return PurePosixPath(path.relative_to(top).as_posix()) if path.is_relative_to(top) else None


def _changed(told: str, code: list[PurePosixPath]) -> Iterator[str]:
    """Paths that differ from the commit; new ones only where code lies, below it, or above it (a new folder is named alone)."""
    for line in filter(None, told.split("\0")):
        state, path = line[:2], PurePosixPath(line[3:])
        if state != "??" or any(path.is_relative_to(one) or one.is_relative_to(path) for one in code):
            yield line


def _hides(git: Git, top: Path, own: dict[str, str]) -> bool:
    """Whether git may not have looked at a file that is there."""
    told = git("ls-files", "-v", "-s", "-z", more=own)
    if told.returncode != 0:
        return True
    for line in filter(None, told.stdout.split("\0")):
        about, _, path = line.partition("\t")
        mark, mode = about.split(" ")[:2]
        file = top / path
        if mark.islower() or (mark == _HIDDEN and file.exists()) or (mode == _SUBMODULE and file.is_dir() and any(file.iterdir())):
            return True
    return False


def repository_url(top: Path, *, run: Run = run) -> str | None:
    """Where the repository comes from (its remote `origin`, or the only one): an address without credentials, or None."""
    try:
        told = quiet_git(top, run)("config", "--null", "--get-regexp", r"^remote\..*\.url$")
    except ShipsafeError:
        return None
    found = dict(one.split("\n", 1) for one in told.stdout.split("\0") if "\n" in one)
    chosen = found.get("remote.origin.url") or (next(iter(found.values())) if len(found) == 1 else None)
    return without_credentials(chosen) if told.returncode == 0 and chosen else None


def without_credentials(address: str) -> str | None:
    """An address of a repository with nothing in it but scheme, host, port and path.

    None for a path of this machine, and for what is no address.
    """
    if len(address) > _LONGEST or not address.isprintable() or " " in address:
        return None
    if "://" not in address and (found := _SCP.fullmatch(address)):
        address = f"ssh://{found['host']}/{found['path']}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not host:
        return None
    place = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path}"
