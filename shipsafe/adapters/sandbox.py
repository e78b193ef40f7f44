"""Code of others that has to run: without our environment, without a network where the machine can shut it off, for a limited time.

What it is: no variable of ours but PATH, and a HOME and a folder for temporary files of its own. On Linux also namespaces of its own
(`unshare`), as far as the machine can make them: no network, no other process in sight, and no file to write to but its own (`shut_in`).
What it is not: a virtual machine. The code runs as the user who started shipsafe, on the same kernel, and can read what that user can,
but for what lies hidden in the home folder.
"""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from shipsafe.adapters.process import Finished, Run, run
from shipsafe.errors import IncompleteError

_NAMESPACES = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
_UNPLUGGED = ("unshare", "--map-root-user", "--net", "--")
_CHILD = Path(__file__).with_name("shut_in.py")
_PROBE = 120.0  # seconds: a machine that is busy must not be taken for one that cannot shut code in


class Isolation(StrEnum):
    """How far the code was shut in, as a sentence says it."""

    SHUT_IN = "without a network, with no other process in sight, and with no file to write to but its own"
    ALONE = "without a network, and with no other process in sight"
    UNPLUGGED = "without a network"
    OPEN = "with a network, which this machine cannot shut off"


def _prefix(level: Isolation, folder: Path, program: str | Path) -> list[str | Path]:
    match level:
        case Isolation.SHUT_IN:
            needed = {sys.prefix, sys.base_prefix, str(_CHILD), str(program)}
            return [*_NAMESPACES, "--mount", "--", sys.executable, "-I", "-S", _CHILD, folder, Path.home(), *sorted(needed), "--"]
        case Isolation.ALONE:
            return [*_NAMESPACES, "--"]
        case Isolation.UNPLUGGED:
            return list(_UNPLUGGED)
        case Isolation.OPEN:
            return []


@cache
def isolation() -> Isolation:
    """What this machine can do: containers and other systems often cannot make namespaces."""
    with TemporaryDirectory(prefix="shipsafe-") as name:
        folder = Path(name).resolve()
        for level in (Isolation.SHUT_IN, Isolation.ALONE, Isolation.UNPLUGGED):
            try:
                if run([*_prefix(level, folder, "true"), "true"], cwd=folder, timeout=_PROBE).returncode == 0:
                    return level
            except IncompleteError:
                continue
    return Isolation.OPEN


def run_isolated(argv: Sequence[str | Path], *, folder: Path, home: Path, timeout: float, run: Run) -> Finished:
    """Run a program in `folder`, the one that it may write to, with PATH, and `home` for its HOME and temporary files.

    Raises:
        IncompleteError: it could not be started, or ran for longer than `timeout` seconds.
    """
    variables = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
    clean = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
    return run([*_prefix(isolation(), folder, argv[0]), *clean, *argv], cwd=folder, timeout=timeout)
