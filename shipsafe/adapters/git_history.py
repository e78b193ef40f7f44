"""What files were at earlier commits, and which commit changed them last. Read alone: the checkout and its index stay as they are.

Only the first parents of a branch count: the commits that stood at its tip one after the other, as a review and a release see them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.git_tree import Git, quiet_git
from shipsafe.adapters.process import Finished, Run, run
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError, IncompleteError

_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_LIMIT = 32 * MEBIBYTE  # of one file; a baseline may be as large
_WHOLE = "Fetch the whole history: `fetch-depth: 0`."


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The history of one repository. `shallow`: it was cut off somewhere, and what looks like its beginning may be none."""

    git: Git
    shallow: bool

    def commit(self, name: str) -> str:
        """The id of a commit, by its name.

        Raises:
            ConfigError: there is no such commit here.
        """
        plain = name.strip() and not name.startswith("-") and name.isprintable()
        found = self._line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}") if plain else ""
        if not _COMMIT.fullmatch(found):
            raise ConfigError(f"There is no revision {shown(name)!r} here.", remedy=_WHOLE)
        return found

    def parted(self, one: str, other: str) -> str:
        """The commit where two went their ways.

        Raises:
            ConfigError: they have none in common here.
        """
        found = self._line("merge-base", one, other)
        if not _COMMIT.fullmatch(found):
            raise ConfigError(f"{one[:12]} and {other[:12]} have no commit in common here.", remedy=_WHOLE)
        return found

    def last_to_change(self, paths: Iterable[str], commit: str) -> str:
        """The newest commit up to `commit` that changed one of these files, "" where none did."""
        return self._line("--literal-pathspecs", "rev-list", "-1", "--first-parent", commit, "--", *paths)

    def before(self, commit: str) -> str:
        """Its first parent, "" where it has none."""
        return self._line("rev-parse", "--verify", "--quiet", f"{commit}^1")

    def holds(self, commit: str, earlier: str) -> bool:
        """Whether a commit comes after another, by whichever parent; False where the other is not here, or no commit at all."""
        return bool(_COMMIT.fullmatch(earlier)) and self.git("merge-base", "--is-ancestor", earlier, commit).returncode == 0

    def file(self, commit: str, path: str) -> bytes | None:
        """A file as it was, None where there was none. What is no text gives text that is none.

        Raises:
            IncompleteError: it is too large, or cannot be had.
        """
        if path.startswith(("../", "/")) or path == "..":
            return None
        size = self._line("cat-file", "-s", f"{commit}:{path}")
        if not size.isdigit():
            return None
        if int(size) > _LIMIT:
            raise IncompleteError(f"It is larger than {_LIMIT // MEBIBYTE} MiB at {commit[:12]}.", remedy="Split it.", path=path)
        done = self.git("cat-file", "blob", f"{commit}:{path}")
        return done.stdout.encode() if done.returncode == 0 else None

    def _line(self, *arguments: str) -> str:
        """The one line that git answers with, "" where it has no answer."""
        done: Finished = self.git(*arguments)
        return done.stdout.strip() if done.returncode == 0 else ""


def history_of(top: Path, *, run: Run = run) -> History:
    """The history of the repository at `top`.

    Raises:
        IncompleteError: git is missing.
    """
    git = quiet_git(top, run)
    shallow = git("rev-parse", "--is-shallow-repository").stdout.strip()
    return History(git=git, shallow=shallow != "false")
