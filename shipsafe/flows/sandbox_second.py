"""A second release of the same project in a sandbox, one that goes wrong: a copy with a line more, and callers that it fails.

Nothing of the project itself is touched. Only one function is another, so that only that one goes live anew, and goes back.
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shipsafe.errors import ConfigError
from shipsafe.flows.sandbox import STEPS, Sandbox
from shipsafe.flows.sandbox_functions import send_calls
from shipsafe.flows.ship_request import ShipRequest
from shipsafe.flows.targets import place_of, policy_of
from shipsafe.model.policy import Policy
from shipsafe.model.project import CodeKind, Function
from shipsafe.model.ship import Shipped
from shipsafe.packing.release import read_release
from shipsafe.readers import read_project

_LINE = "\n# The second release, in a sandbox: this line is all that is new.\n"
_LEFT_OUT = (".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".aws-sam", ".serverless", ".tox", ".nox", "dist", ".shipsafe")


def changed_copy(path: Path, policy: Policy, overrides: Mapping[str, str], folder: Path) -> tuple[Path, str]:
    """Copy a project (its folder, or its template) below `folder`, one function changed; gives its path there, and that one's name.

    Raises:
        ConfigError: it has no Python function whose source is a file of the project.
        ShipsafeError: as `read_project`.
    """
    root = (path if path.is_dir() else path.parent).resolve()
    found = read_project(path, policy=policy, overrides=overrides)
    sources = [(file, one) for one in found.functions if (file := _source(found.root, one)) is not None and file.is_relative_to(root)]
    if not sources:
        what = "No function of the project is Python that lies in it, so that there is nothing to change for a second release."
        raise ConfigError(what, remedy="Leave out --seed-alarm.", path=str(path))
    file, one = min(sources, key=lambda found: (sum(1 for _ in found[0].parent.iterdir()), found[1].name))
    copy = folder / "second" / root.name
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    with (copy / file.relative_to(root)).open("a", encoding="utf-8") as source:
        source.write(_LINE)
    return copy if path.is_dir() else copy / path.name, one.name


def _source(root: Path, one: Function) -> Path | None:
    """The file of its handler; None where that is not source of the project."""
    if one.code.kind is not CodeKind.FOLDER or one.code.prebuilt or not one.code.path or not one.handler:
        return None
    file = root / one.code.path / f"{one.handler.rpartition('.')[0].replace('.', '/')}.py"
    return file.resolve() if file.is_file() and not file.is_symlink() else None


def second_release(box: Sandbox, first: Shipped) -> ShipRequest:
    """What is asked for then: the changed copy, step by step. From now on every call fails that another version answers than runs now.

    Raises:
        ConfigError: there is no function that could be changed.
        ShipsafeError: as `read_project`, or the release of the first line cannot be read.
    """
    asked = box.request.build
    policy = asked.policy or read_release(box.request.out).policy
    path, _ = changed_copy(asked.path, policy_of(asked.path, policy, asked.today), asked.overrides, box.folder)
    aws = box.request.connect(place_of(box.target))
    for one in first.functions:
        send_calls(box.endpoint, aws, one.function, one.alias, well=one.version)
    box.steps = STEPS
    return replace(box.request, build=replace(asked, path=path, policy=policy))
