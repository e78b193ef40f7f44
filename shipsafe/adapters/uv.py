"""uv, which resolves and installs: given a list that we wrote, in a folder that is ours, with nothing of the audited project.

uv is safe only when it never sees a file or setting of the project: `-e` lines, `--no-binary` lines and `[pip] no-binary` in a
`uv.toml` override the flags and run `setup.py`. So: `--no-config`, a clean environment, an empty working folder, an explicit
interpreter, no downloads of Python, and indexes passed by us.
"""

import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

from uv import find_uv_bin

from shipsafe.adapters.process import Finished, Run
from shipsafe.errors import IncompleteError

# find_uv_bin() asks sysconfig, whose first answer is not safe to ask for from several threads (CPython 3.11).
sysconfig.get_config_vars()

PYPI = "https://pypi.org/simple"
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_LONGEST = 1500  # characters of a reason that are handed on
# The folder where the user's uv keeps its downloads, the one setting of theirs that cannot change what is installed.
_KEPT = ("UV_CACHE_DIR",)
_SETTINGS = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
_FLAGS = ("--no-config", "--no-python-downloads", "--quiet", "--color", "never")
_NEEDS_BUILD = re.compile(r"Wheels are required for `([^`]+)` because building from source is disabled")


def uv(arguments: Sequence[str | Path], *, cwd: Path, offline: bool, run: Run) -> Finished:
    """Run uv with these arguments, and with the settings that keep the audited project out of it.

    Raises:
        IncompleteError: uv cannot be found or started.
    """
    try:
        program = find_uv_bin()
    except FileNotFoundError as error:
        raise IncompleteError("uv is not installed beside shipsafe.", remedy="Install shipsafe again.") from error
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    flags = [*_FLAGS, "--python", sys.executable, *(["--offline"] if offline else [])]
    return run([program, *arguments, *flags], cwd=cwd, env=kept | _SETTINGS)


def target_flags(*, python: str, platform: str, index: str | None, extra: Sequence[str], build: Iterable[str]) -> list[str]:
    """Flags for resolving and installing for a runtime: wheels only, but for the distributions named in `build`.

    uv takes `--no-binary NAME` beside `--only-binary :all:` as leave to build that one; it then builds it in any case.
    """
    flags = ["--python-version", python, "--python-platform", platform, "--default-index", index or PYPI]
    for url in extra:
        flags += ["--index", url]
    flags += ["--only-binary", ":all:"]
    for name in build:
        flags += ["--no-binary", name]
    return flags


def without_credentials(text: str) -> str:
    """A text with every `user:password@` of a URL taken out."""
    return _CREDENTIALS.sub("", text)


def reason(finished: Finished) -> str:
    """Why uv failed, in one line without credentials and without what every such message says."""
    told = finished.stderr.partition("\nhint:")[0]
    lines = [line.strip() for line in told.splitlines() if line.strip() and not line.startswith("warning:")]
    text = " ".join(line.removeprefix("error:").removeprefix("cause:").strip() for line in lines)
    text = text.removeprefix("No solution found when resolving dependencies ")
    text = text.removesuffix(", we can conclude that your requirements are unsatisfiable.")
    return without_credentials(text)[:_LONGEST] or f"uv ended with code {finished.returncode}"


def needs_build(finished: Finished) -> tuple[str, ...]:
    """Names of the distributions that uv would have had to build from source, as far as it says so."""
    return tuple(_NEEDS_BUILD.findall(finished.stderr))
