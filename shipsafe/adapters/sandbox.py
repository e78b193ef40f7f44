"""Code of others that has to run: without our environment, without a network where the machine can shut it off, for a limited time.

What it is: no variable of ours but PATH, a HOME and a folder for temporary files of its own, and on Linux a network, a list of
processes and a user of its own (`unshare`). What it is not: a virtual machine. The code runs as the user who started shipsafe and
can read and write what that user can.
"""

import os
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

from shipsafe.adapters.process import Finished, Run, run
from shipsafe.errors import IncompleteError

_ALONE = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
_UNPLUGGED = ("unshare", "--map-root-user", "--net", "--")
_PROBE = 10.0  # seconds


class Isolation(StrEnum):
    """How far the code was shut in, as a sentence says it."""

    ALONE = "without a network, and with no other process in sight"
    UNPLUGGED = "without a network"
    OPEN = "with a network, which this machine cannot shut off"


_PREFIX = {Isolation.ALONE: _ALONE, Isolation.UNPLUGGED: _UNPLUGGED, Isolation.OPEN: ()}


@cache
def isolation() -> Isolation:
    """What this machine can do: containers and other systems often cannot make namespaces."""
    for level in (Isolation.ALONE, Isolation.UNPLUGGED):
        try:
            if run([*_PREFIX[level], "true"], cwd=Path("/"), timeout=_PROBE).returncode == 0:
                return level
        except IncompleteError:
            continue
    return Isolation.OPEN


def run_isolated(argv: Sequence[str | Path], *, cwd: Path, home: Path, timeout: float, run: Run) -> Finished:
    """Run a program in `cwd` with PATH, and `home` for its HOME and temporary files.

    Raises:
        IncompleteError: it could not be started, or ran for longer than `timeout` seconds.
    """
    variables = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
    clean = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
    return run([*_PREFIX[isolation()], *clean, *argv], cwd=cwd, timeout=timeout)
