"""Small repositories of others, and what `shipsafe init` says of them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipsafe.cli.app import run

SHA = "0123456789012345678901234567890123456789"
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/orders/, Handler: app.handler, Runtime: python3.13}
"""
APP = "def handler(event, context):\n    return 1\n"
SAM = {"template.yaml": TEMPLATE, "src/orders/app.py": APP, "src/orders/requirements.txt": ""}
_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": "/nonexistent"}


def git(folder: Path, *words: str) -> str:
    """Run git, with nobody's settings."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env={"PATH": os.environ["PATH"], **_GIT}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def repository(
    folder: Path, files: Mapping[str, str], *, remote: str | None = "git@github.com:acme/orders.git", branch: str = "main"
) -> Path:
    """A repository with one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", branch)
    if remote:
        git(folder, "remote", "add", "origin", remote)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def init(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run it without questions; what it printed."""
    assert run(["init", str(folder), "--yes", *words]) == 0
    return capsys.readouterr().out


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file outside of `.git`, with its bytes."""
    paths = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
