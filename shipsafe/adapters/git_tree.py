"""Another revision of a repository, written into a folder of ours. The user's checkout, index, configuration and branches stay as they are.

`read-tree` fills an index of ours and `checkout-index` writes it out, with the line ends that a checkout would have. Nothing that a
repository's configuration names is started: no hook, no monitor, no filter, no transport, because the repository may be anybody's. So
files that another program keeps (Git LFS) stay the pointers that they are, what a partial clone has left out is not fetched, and a
submodule is an empty folder.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.git import QUIET
from shipsafe.adapters.process import Finished, Run, run
from shipsafe.errors import ConfigError, IncompleteError

_SHALLOW = "Fetch it; in a shallow clone all commits up to it are needed (`fetch-depth: 0`)."
_PARTIAL = "Fetch them; a partial clone (`filter`) has only some, and nothing is fetched here."
_TIMEOUT = 300.0
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
# Names of configuration: what runs a program on a file that is written or compared, and what line ends it gets.
_LOOKED_AT = r"^(filter\..*\.(smudge|clean|process|required)|core\.(autocrlf|eol))$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A commit: what the user called it, its id, and the folder that holds its files (absolute, without links)."""

    name: str
    commit: str
    folder: Path

    def __str__(self) -> str:
        return shown_revision(self.name, self.commit)


def shown_revision(name: str, commit: str) -> str:
    """A commit as people see it: `origin/main (0790ea514349)`."""
    return f"{name[:80]} ({commit[:12]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """git at the top of a repository, with settings that go over those of the repository; no call takes longer than `timeout` seconds."""

    top: Path
    run: Run
    settings: tuple[tuple[str, str], ...]
    timeout: float = _TIMEOUT

    def __call__(
        self, *arguments: str, index: Path | None = None, env: Mapping[str, str] = QUIET, more: Mapping[str, str] | None = None
    ) -> Finished:
        """Run it with `env`, and `more` beside it; `index` takes the place of the repository's."""
        # As variables: a name may hold any character, also the `=` that would end it in `-c NAME=VALUE`.
        over = {"GIT_CONFIG_COUNT": str(len(self.settings))}
        for number, (name, value) in enumerate(self.settings):
            over |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        own = {"GIT_INDEX_FILE": str(index)} if index else {}
        whole = {**env, **over, **own, **(more or {})}
        return self.run(["git", *arguments], cwd=self.top, env=whole, timeout=self.timeout)


def repository_of(path: Path) -> Path:
    """The top of the repository that a path lies in.

    Raises:
        ConfigError: it lies in none.
    """
    real = path.resolve()
    top = next((folder for folder in (real, *real.parents) if (folder / ".git").exists()), None)
    if top is None:
        raise ConfigError("This is no git repository, so there is no other revision to look at.", remedy="Run it in one.", path=str(path))
    return top


def commit_of(top: Path, name: str, *, merge_base: bool, run: Run = run) -> str:
    """The id of a commit.

    Args:
        top: of the repository.
        name: as git understands it (`origin/main`, a tag, an id).
        merge_base: take the commit where HEAD went its own way, not what has been added to `name` since.
        run: starts git.

    Raises:
        ConfigError: there is no such commit, or no common one.
        IncompleteError: git is missing.
    """
    if not name.strip() or name.startswith("-") or not name.isprintable():
        raise ConfigError(f"{name[:80]!r} is no revision.", remedy="Name a branch, a tag or a commit.")
    if which("git") is None:
        raise IncompleteError("There is no git on this machine, so no other revision can be had.", remedy="Install git.")
    git = quiet_git(top, run)
    commit = _one(git, f"There is no revision {name[:80]!r} here.", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if merge_base:
        commit = _one(git, f"HEAD and {name[:80]!r} have no commit in common here.", "merge-base", "HEAD", commit)
    return commit


def check_out(top: Path, name: str, folder: Path, *, merge_base: bool, run: Run = run) -> Revision:
    """Write a revision into `folder`, a private one that must not exist; else as `commit_of`.

    Raises:
        ConfigError: there is no such commit, or no common one.
        IncompleteError: git is missing, or cannot write the files.
    """
    commit = commit_of(top, name, merge_base=merge_base, run=run)
    git = quiet_git(top, run)
    with disk_errors(folder):
        folder.mkdir(parents=True)
        folder = folder.resolve()
    index = folder.with_name(f"{folder.name}.index")
    for arguments in (("read-tree", commit), ("checkout-index", "--all", "--quiet", f"--prefix={folder}{os.sep}")):
        done = git(*arguments, index=index)
        if done.returncode != 0:
            raise IncompleteError(f"The files of {name[:80]} ({commit[:12]}) cannot be had: {_reason(done)}.", remedy=_PARTIAL)
    with disk_errors(folder):
        (folder / ".git").mkdir()  # so that whoever looks for the top of a repository finds this one; no tree of git's can hold it
    return Revision(name=name, commit=commit, folder=folder)


def quiet_git(top: Path, run: Run) -> Git:
    """git, with everything turned off that would start a program or write beside the index that it is given."""
    settings = {
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "core.splitIndex": "false",  # writes the part that is shared into .git
        "core.sparseCheckout": "false",
        # Somebody asked us to look into this repository, and nothing that it names is started: who owns it does not matter (a
        # container of CI works on a checkout of another user's).
        "safe.directory": str(top),
    }
    # With the user's own settings, because they decide what line ends the checkout has.
    look = Git(top=top, run=run, settings=tuple(settings.items()))
    told = look("config", "--null", "--get-regexp", _LOOKED_AT, env={"GIT_TERMINAL_PROMPT": "0"})
    settings |= dict(_over(told.stdout)) if told.returncode == 0 else {}
    return Git(top=top, run=run, settings=tuple(settings.items()))


def _over(told: str) -> Iterator[tuple[str, str]]:
    """Line ends as they are; every filter turned off, and none of them required."""
    for one in told.split("\0"):
        name, _, value = one.partition("\n")
        if name.startswith("core."):
            yield name, value if "\n" in one else "true"  # a name alone is a yes
        elif name:
            yield name, "false" if name.endswith(".required") else ""


def _one(git: Git, what: str, *arguments: str) -> str:
    """The id of a commit that git answers with."""
    done = git(*arguments)
    found = done.stdout.split()
    if done.returncode != 0 or not found or not _COMMIT.fullmatch(found[0]):
        said = f" {_reason(done)}." if done.stderr.strip() else ""
        raise ConfigError(f"{what}{said}", remedy=_SHALLOW)
    return found[0]


def _reason(done: Finished) -> str:
    lines = done.stderr.strip().splitlines()
    return lines[-1][:300].rstrip(".") if lines else "git does not say why"
