"""What we want to know of a repository: when its commit was made, and where in it the project lies.

Asked of plumbing (`cat-file`) with no configuration that could start a program (signature checks, lazy fetching), because
the repository may be anybody's.
"""

import os
import re
from pathlib import Path

from shipsafe.adapters.process import Run, run
from shipsafe.errors import ConfigError, ShipsafeError

_COMMITTER = re.compile(r"^committer .* (\d+) [+-]\d{4}$", re.MULTILINE)
# A git before 2.45 does not know GIT_NO_LAZY_FETCH; where no protocol is allowed, it cannot fetch either.
QUIET = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none",
         "GIT_TERMINAL_PROMPT": "0"}  # fmt: skip
_PATIENCE = 300.0  # seconds: a machine that stands still for a while must not leave a time or a commit out of what is stated


def source_date_epoch(root: Path, *, run: Run = run) -> int | None:
    """Seconds since 1970 for times in documents: SOURCE_DATE_EPOCH, else the commit time of HEAD, else None.

    Raises:
        ConfigError: SOURCE_DATE_EPOCH is set and is not a number of seconds.
    """
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if stated is not None:
        if not re.fullmatch(r"\d{1,12}", stated):
            raise ConfigError(f"SOURCE_DATE_EPOCH is {stated[:40]!r}, not a number of seconds.", remedy="Unset it, or set it to a number.")
        return int(stated)
    try:
        answer = run(["git", "cat-file", "commit", "HEAD"], cwd=root, env=QUIET, timeout=_PATIENCE)
    except ShipsafeError:
        return None  # no git on this machine: times are left out, and sbom/ntia says so
    found = _COMMITTER.search(answer.stdout.partition("\n\n")[0]) if answer.returncode == 0 else None
    return int(found[1]) if found else None


def head_commit(root: Path, *, run: Run = run) -> str | None:
    """Hex id of the commit that is checked out, or None: no git, no repository, no commit."""
    try:
        answer = run(["git", "rev-parse", "--verify", "--quiet", "HEAD^{commit}"], cwd=root, env=QUIET, timeout=_PATIENCE)
    except ShipsafeError:
        return None
    commit = answer.stdout.strip()
    return commit if answer.returncode == 0 and re.fullmatch(r"[0-9a-f]{40,64}", commit) else None


def user_email(root: Path, *, run: Run = run) -> str:
    """Who commits here, as git is configured; "" where nobody is."""
    try:
        answer = run(["git", "config", "--get", "user.email"], cwd=root, env={"GIT_TERMINAL_PROMPT": "0"}, timeout=_PATIENCE)
    except ShipsafeError:
        return ""  # no git on this machine
    return answer.stdout.strip() if answer.returncode == 0 else ""


def repository_prefix(root: Path) -> str:
    """Where the project lies in its repository (`services/orders`); "" at its top, or without a repository."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    inner = root.relative_to(top).as_posix()
    return "" if inner == "." else inner
