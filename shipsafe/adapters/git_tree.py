"""Another revision of a repository, written into a folder of ours. The user's checkout, index and branches are not touched.

`read-tree` fills an index of ours and `checkout-index` writes it out, with the line ends that a checkout would have. No hook runs, and
of the configuration only the repository's own is read: files that another program keeps (Git LFS) stay the pointers that they are.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from shipsafe.adapters.git import QUIET
from shipsafe.adapters.process import Finished, Run, run
from shipsafe.errors import ConfigError, IncompleteError

_SHALLOW = "Fetch it; in a shallow clone all commits up to it are needed (`fetch-depth: 0`)."
_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A commit: what the user called it, its id, and the folder that holds its files."""

    name: str
    commit: str
    folder: Path


def repository_of(path: Path) -> Path:
    """The top of the repository that a path lies in.

    Raises:
        ConfigError: it lies in none.
    """
    path = path.resolve()
    top = next((folder for folder in (path, *path.parents) if (folder / ".git").exists()), None)
    if top is None:
        raise ConfigError("This is no git repository, so there is no other revision to look at.", remedy="Run it in one.", path=str(path))
    return top


def check_out(top: Path, name: str, folder: Path, *, merge_base: bool, run: Run = run) -> Revision:
    """Write a revision into `folder`, which must not exist.

    Args:
        top: of the repository.
        name: as git understands it (`origin/main`, a tag, an id).
        folder: a private folder to be.
        merge_base: take the commit where HEAD went its own way, not what has been added to `name` since.
        run: starts git.

    Raises:
        ConfigError: there is no such commit, or no common one.
        IncompleteError: git is missing, or cannot write the files.
    """
    if name.startswith("-"):
        raise ConfigError(f"{name[:80]!r} is no revision.", remedy="Name a branch, a tag or a commit.")
    commit = _one(run, top, f"There is no revision {name[:80]!r} here.", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if merge_base:
        commit = _one(run, top, f"HEAD and {name[:80]!r} have no commit in common here.", "merge-base", "HEAD", commit)
    index = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index"))}
    folder.mkdir(parents=True)
    for arguments in (["read-tree", commit], ["checkout-index", "--all", "--quiet", f"--prefix={folder}{os.sep}"]):
        done = _git(run, top, arguments, index)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise IncompleteError(f"The files of {name[:80]} ({commit[:12]}) cannot be had: {reason[:300]}", remedy=_SHALLOW)
    return Revision(name=name, commit=commit, folder=folder)


def _one(run: Run, top: Path, what: str, *arguments: str) -> str:
    """The id that git answers with."""
    done = _git(run, top, arguments, {})
    found = done.stdout.split()
    if done.returncode != 0 or not found:
        reason = (done.stderr.strip().splitlines() or [""])[-1]
        raise ConfigError(f"{what} {reason[:300]}".strip(), remedy=_SHALLOW)
    return found[0]


def _git(run: Run, top: Path, arguments: list[str] | tuple[str, ...], env: dict[str, str]) -> Finished:
    flags = ["-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false"]
    return run(["git", *flags, *arguments], cwd=top, env=QUIET | env, timeout=_TIMEOUT)
