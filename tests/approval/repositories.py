"""Repositories whose policy allows more with each commit."""

import os
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from shipsafe.adapters.http import fetch
from shipsafe.flows.approvals import Traced, traced
from shipsafe.policy import load
from shipsafe.policy.chain import find_policy
from tests.packing.staging import write

TODAY = date(2026, 11, 21)
_WHO = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file"}
ASKS = '[approvals]\nwaivers = "required"\n'


def git(folder: Path, *words: str) -> str:
    """What git says, with no settings of the machine."""
    environment = {**os.environ, **_QUIET, **_WHO}
    return subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def repository(root: Path, files: dict[str, str]) -> Path:
    """A repository with a branch `main` of one commit."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    commit(root, files)
    return root


def commit(root: Path, files: Mapping[str, str | None], message: str = "more") -> str:
    """The id of a new commit that changes these files; None takes one away."""
    for name, text in files.items():
        if text is None:
            (root / name).unlink()
    write(root, {name: text for name, text in files.items() if text is not None})
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


def waiver(rule: str = "layers/unpinned", subject: str = "function:Pay", *, expires: str = "2099-12-31", more: str = "") -> str:
    """One waiver, as a table."""
    return (
        f'[[waivers]]\nrule = "{rule}"\nsubject = "{subject}"\nreason = "because"\nowner = "ann@acme.example"\nexpires = {expires}\n{more}'
    )


def brought(root: Path, since: str | None = None) -> Traced:
    """Who brought what the policy of a project allows."""
    found = find_policy(root)
    assert found is not None
    policy = load(root, offline=True, cache=root / "none", fetch=fetch, today=TODAY)
    return traced(policy, found, since=since, today=TODAY)
