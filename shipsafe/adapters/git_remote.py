"""The last release of a public repository, asked of it with `git ls-remote`: no clone, no credentials, no program of a configuration.

    last_release("https://github.com/OWNER/shipsafe", run=run)    # ("0123...", "v0.1.0")

A tag can be moved, so what is used is the commit that it leads to now.
"""

import re
import tempfile
from pathlib import Path

from shipsafe.adapters.git import QUIET
from shipsafe.adapters.process import Run, run
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError, ShipsafeError

_LINE = re.compile(r"(?P<commit>[0-9a-f]{40})\trefs/tags/(?P<tag>v(?P<number>\d{1,6}\.\d{1,6}\.\d{1,6}))(?P<peeled>\^\{\})?", re.ASCII)
_PATIENCE = 60.0  # seconds
_LONGEST = 4 * 1024 * 1024  # characters of an answer


def last_release(address: str, *, remedy: str, run: Run = run) -> tuple[str, str]:
    """Commit, in full, and tag of the highest version `vX.Y.Z`; versions before a release (`v1.0.0-rc1`) are none.

    Args:
        address: https.
        remedy: what to do where nobody can be asked.
        run: starts git.

    Raises:
        ConfigError: it cannot be asked, or has no release.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:  # of no repository, so that no configuration of one counts
            told = run(
                ["git", "ls-remote", "--tags", "--", address, "refs/tags/v*"],
                cwd=Path(folder),
                env={**QUIET, "GIT_ALLOW_PROTOCOL": "https", "GIT_CEILING_DIRECTORIES": str(Path(folder).parent), "GIT_ASKPASS": "true"},
                timeout=_PATIENCE,
            )
    except ShipsafeError as error:
        raise ConfigError(f"The last release of {address} is not known: {error.what}", remedy=remedy) from error
    if told.returncode != 0:
        reason = shown(told.stderr.strip().rpartition("\n")[2], 200).rstrip(".")
        raise ConfigError(f"The last release of {address} is not known: {reason or 'git gave no reason'}.", remedy=remedy)
    commits: dict[tuple[int, ...], tuple[str, str]] = {}
    for line in told.stdout[:_LONGEST].split("\n"):
        found = _LINE.fullmatch(line)
        version = tuple(map(int, found["number"].split("."))) if found else ()
        if found and (found["peeled"] or version not in commits):  # of an annotated tag, what it leads to
            commits[version] = found["commit"], found["tag"]
    if not commits:
        raise ConfigError(f"{address} has no release.", remedy=remedy)
    return commits[max(commits)]
