"""A machine that has nothing of ours: a small environment, an empty home, and our repository as somebody fetches it from its host."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.pipeline.act import PATIENT, SYSTEM_PATH

_KEPT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT")
_PARTS = ("shipsafe", "actions", "configs/ci", "pyproject.toml", "uv.lock", "README.md", "LICENSE")
_WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}


def cached() -> dict[str, str]:
    """The cache of uv that the machine has, so that nothing is fetched twice; what it installs is held to digests all the same."""
    return {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache/uv"), "SHIPSAFE_UV_CACHE": "trusted"}


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a job finds."""
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": SYSTEM_PATH, "HOME": str(home), "TMPDIR": str(home), "CI": "true", **kept, **PATIENT, **cached(), **more}


def copied(repository: Path, target: Path, parts: tuple[str, ...] = _PARTS) -> None:
    """Parts of our repository, as they lie here."""
    for part in parts:
        place = target / part
        place.parent.mkdir(parents=True, exist_ok=True)
        if (repository / part).is_dir():
            shutil.copytree(repository / part, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(repository / part, place)


def committed(folder: Path) -> str:
    """All of a folder as one commit of a repository of git; its id."""
    git = {"PATH": SYSTEM_PATH, "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", **_WHO}
    for words in (["init", "-q", "-b", "main"], ["add", "-A", "--force"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *words], cwd=folder, env=git, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, env=git, check=True, capture_output=True, text=True).stdout.strip()


def bash(script: str, *, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it as a pipeline's runner does."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
