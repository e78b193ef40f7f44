"""Dependencies, installed by uv from a list that we wrote: exactly what was resolved, each from its own index, hashes required.

What comes from one index is installed with that index alone in sight, so that a name that two of them have cannot change sides
between resolving and installing.
"""

from collections.abc import Iterable
from pathlib import Path

from shipsafe.adapters.process import Run
from shipsafe.model.policy import Policy
from shipsafe.packing.builds import Builds, Built
from shipsafe.packing.indexes import open_indexes
from shipsafe.packing.job import Job, NeedsBuildError, Pinned
from shipsafe.packing.needs import Needs
from shipsafe.packing.resolve import Resolution
from shipsafe.packing.runtimes import Runtime


def install(
    resolution: Resolution, needs: Needs, target: Path, *, who: str, runtime: Runtime, architecture: str, policy: Policy,
    workspace: Path, offline: bool, run: Run, cache: Path | None = None,
) -> tuple[Built, ...]:  # fmt: skip
    """Install exactly what was resolved into `target`, and say what had to be built from source for that.

    Raises:
        IncompleteError: it cannot be installed; with uv's reason, the function, and the file it stands in.
    """
    if not resolution.pinned:
        return ()
    job = Job(needs=needs, who=who, runtime=runtime, architecture=architecture, policy=policy, workspace=workspace,
              indexes=open_indexes(policy, offline=offline), offline=offline, run=run, cache=cache)  # fmt: skip
    builds = Builds(job)
    for name in resolution.build:
        builds.add(resolution.pinned[name])
    waiting = [one for one in resolution.pinned.values() if one.name not in builds.made]
    # One group after the other: they share a target.
    for number, index in enumerate(sorted({one.index or "" for one in waiting})):
        group = {one.name: one for one in waiting if (one.index or "") == index}
        while group:
            try:
                _install(job, group.values(), job.indexes.only(index or None), target, f"install-{number}")
                break
            except NeedsBuildError as error:
                builds.add_allowed(error, group.pop(error.name))
    if builds.made:
        _install_built(job, builds.made.values(), target)
    return tuple(builds.made.values())


def _install(job: Job, pinned: Iterable[Pinned], flags: list[str], target: Path, step: str) -> None:
    lines = (f"{one.name}=={one.version}{''.join(f' --hash={digest}' for digest in one.hashes)}\n" for one in pinned)
    _uv(job, step, "".join(lines), flags, target)


def _install_built(job: Job, built: Iterable[Built], target: Path) -> None:
    """What was made here is named by its file, with the hash that it had when it was made."""
    lines = (f"{one.name} @ {one.wheel.as_uri()} --hash=sha256:{one.sha256}\n" for one in built)
    _uv(job, "install-built", "".join(lines), ["--no-index"], target)


def _uv(job: Job, step: str, lines: str, flags: list[str], target: Path) -> None:
    # Hard links into uv's cache are safe: files that we change are replaced, and none is ever written into.
    arguments: list[str | Path] = ["pip", "install", "--target", target, "--no-deps", "--require-hashes", "--link-mode", "hardlink"]
    job.uv(step, {"pinned.txt": lines}, [*arguments, "-r", "pinned.txt", *flags])
