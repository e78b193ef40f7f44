"""Workflows and actions of this repository, as other programs read them, and what each of their jobs may do."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.verifiers import node_with

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
ALL = (*sorted(WORKFLOWS.glob("*.yml")), *sorted((ROOT / "actions").glob("*/action.yml")))
_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json", "parse.mjs", "json.mjs")


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of a boolean, as GitHub has it: `on` is a text."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def complaints(paths: Iterable[Path], folder: Path) -> dict[str, list[str]]:
    """What GitHub's own parser says of each file; `folder` is shared by all processes of a test run."""
    node, place = node_with("workflows", _HERE, _FILES, folder)
    done = subprocess.run([str(node), str(place / "parse.mjs"), *map(str, paths)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def read(path: Path) -> Any:
    """A workflow or an action."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader


def jobs(name: str) -> Mapping[str, Any]:
    """The jobs of a workflow of ours by their ids."""
    found: Mapping[str, Any] = read(WORKFLOWS / name)["jobs"]
    return found


def steps(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every step of a workflow, with the id of its job, or of an action."""
    document = read(path)
    for name, holder in document["jobs"].items() if "jobs" in document else [("", document["runs"])]:
        for step in holder.get("steps", ()):
            yield name, step


def step(name: str, job: str, called: str) -> Mapping[str, Any]:
    """A step of a job, by its name."""
    found: Mapping[str, Any] = next(one for one in jobs(name)[job]["steps"] if one["name"] == called)
    return found


def used(path: Path) -> dict[str, set[str]]:
    """By the id of the job: the actions that it uses, without their commits."""
    found: dict[str, set[str]] = {}
    for name, one in steps(path):
        if "uses" in one:
            found.setdefault(name, set()).add(one["uses"].partition("@")[0])
    return found


def pins(path: Path) -> Iterator[tuple[str, str, str]]:
    """Every action of somebody else's that a file uses: its name, what follows the @, and the comment behind that."""
    for found in re.finditer(r"uses: ([\w.-]+/[\w./-]+)@(\S+)(?: # (.*))?", path.read_text()):
        yield found[1], found[2], found[3] or ""
