"""uv, which resolves and installs: given a list that we wrote, in a folder that is ours, with nothing of the audited project.

uv is safe only when it never sees a file or setting of the project: `-e` lines, `--no-binary` lines and `[pip] no-binary` in a
`uv.toml` override the flags and run `setup.py`. So: `--no-config`, a clean environment, an empty working folder, an explicit
interpreter, no downloads of Python, and indexes passed by us.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from uv import find_uv_bin

from shipsafe.adapters.process import Finished, Run, run
from shipsafe.errors import IncompleteError

PYPI = "https://pypi.org/simple"
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
# The folder where the user's uv keeps its downloads, the one setting of theirs that cannot change what is installed.
_KEPT = ("UV_CACHE_DIR",)


def uv(arguments: Sequence[str | Path], *, cwd: Path, offline: bool, run: Run = run) -> Finished:
    """Run uv with these arguments, and with the settings that keep the audited project out of it.

    Raises:
        IncompleteError: uv cannot be found or started.
    """
    try:
        program = find_uv_bin()
    except FileNotFoundError as error:
        raise IncompleteError("uv is not installed beside shipsafe.", remedy="Install shipsafe again.") from error
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    flags = ["--no-config", "--no-python-downloads", "--color", "never", *(["--offline"] if offline else [])]
    return run([program, *arguments, *flags], cwd=cwd, env=environment)


def platform_flags(*, python: str, platform: str, index: str | None, extra: Sequence[str], sdist: Sequence[str]) -> list[str]:
    """Flags for resolving and installing for a runtime: wheels only, but for the distributions named in `sdist`."""
    flags = ["--python", sys.executable, "--python-version", python, "--python-platform", platform]
    flags += ["--default-index", index or PYPI]
    for url in extra:
        flags += ["--index", url]
    flags += ["--only-binary", ":all:"]
    for name in sdist:
        flags += ["--no-binary", name]
    return flags


def reason(finished: Finished) -> str:
    """Why uv failed, in one line without credentials."""
    lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
    text = " ".join(line for line in lines if not line.startswith(("hint:", "warning:", "Using ", "Resolved")))
    text = re.sub(r"^error: |[×╰─▶│├]+|\bcause: ", "", text)  # noqa: RUF001 - uv's own drawing characters
    return _CREDENTIALS.sub("***@", " ".join(text.split()))[:1500] or f"uv ended with code {finished.returncode}"
