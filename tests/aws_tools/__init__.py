"""The AWS CLI and the SAM CLI, unmodified, each in an environment of its own: their pins conflict with ours and with each other.

Locked with `uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 NAME.in -o NAME.txt`.
"""

import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock
from uv import find_uv_bin

_HERE = Path(__file__).parent


def install(name: str, folder: Path, *, locks: Path = _HERE) -> Path:
    """The `bin` folder of an environment with what `locks`/NAME.txt names, made once for all processes of a test run."""
    place = folder / f"tool-{name}"
    with FileLock(folder / f"{name}.lock"):
        if not (place / "done").exists():
            _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(place))  # where another test's attempt ended half way
            _uv("pip", "install", "--quiet", "--python", str(place), "--require-hashes", "--no-deps", "-r", str(locks / f"{name}.txt"))
            (place / "done").touch()
    return place / "bin"


def _uv(*arguments: str) -> None:
    patient = {"UV_NO_PROGRESS": "1", "UV_HTTP_TIMEOUT": "120", "UV_HTTP_RETRIES": "10"}  # a registry may be slow, or busy
    done = subprocess.run([find_uv_bin(), *arguments], check=False, capture_output=True, text=True, env=os.environ | patient)
    assert done.returncode == 0, done.stderr
