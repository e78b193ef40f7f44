"""Dependencies, resolved and installed by uv from a list that we wrote.

First the list is resolved for the runtime, which says of every distribution its version, its hashes and its index; then exactly
that is installed, with hashes required. A lock is complete and is installed as it is; only where packages can come from several
indexes is uv asked which one has it. What a lock claims of indexes is never taken for where a package came from.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from shipsafe.adapters.process import Finished, Run
from shipsafe.adapters.uv import PYPI, needs_build, reason, target_flags, uv, without_credentials
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.packing.needs import Needs, Wanted
from shipsafe.packing.runtimes import Runtime, platform

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)")
_HASH = re.compile(r"--hash=(sha(?:256|384|512):[0-9a-f]+)")
_FROM = re.compile(r"^\s+# from (\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One distribution that is installed: version, admitted hashes, and the index it comes from (None: not known)."""

    name: str
    version: str
    hashes: tuple[str, ...]
    index: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One installation: what, for whom, with what."""

    needs: Needs
    who: str
    runtime: Runtime
    architecture: str
    policy: Policy
    workspace: Path
    offline: bool
    run: Run

    def uv(self, step: str, files: Mapping[str, str], arguments: Sequence[str | Path], build: Sequence[str]) -> tuple[Path, Finished]:
        """Run uv in an empty folder of ours that holds the files."""
        folder = self.workspace / step
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        flags = target_flags(
            python=self.runtime.python or "", platform=platform(self.runtime, self.architecture), index=self.policy.index,
            extra=self.policy.extra_indexes, build=build)  # fmt: skip
        return folder, uv([*arguments, *flags], cwd=folder, offline=self.offline, run=self.run)


class _NeedsBuildError(IncompleteError):
    """A distribution has no wheel for the runtime. `name` is normalised."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What will be installed, by normalised name, and which of it uv has to build from source because the policy lets it."""

    pinned: Mapping[str, Pinned] = field(default_factory=dict)
    build: tuple[str, ...] = ()


def resolve(
    needs: Needs, *, who: str, runtime: Runtime, architecture: str, policy: Policy, workspace: Path, offline: bool, run: Run
) -> Resolution:  # fmt: skip
    """Say of every distribution its version, its hashes and its index. A lock that tells all that is taken at its word.

    Raises:
        IncompleteError: it cannot be resolved; with uv's reason, the function, and the file it stands in.
    """
    if not needs.wanted:
        return Resolution()
    job = _Job(needs=needs, who=who, runtime=runtime, architecture=architecture, policy=policy, workspace=workspace,
               offline=offline, run=run)  # fmt: skip
    if _tells_all(job):
        return Resolution(pinned=_from_lock(job))
    pinned, build = _with_builds(job, lambda build: _resolve(job, build))
    return Resolution(pinned=pinned, build=build)


def install(
    resolution: Resolution, needs: Needs, target: Path, *, who: str, runtime: Runtime, architecture: str, policy: Policy,
    workspace: Path, offline: bool, run: Run,
) -> None:  # fmt: skip
    """Install exactly what was resolved into `target`, with hashes required.

    Raises:
        IncompleteError: it cannot be installed; with uv's reason, the function, and the file it stands in.
    """
    if not resolution.pinned:
        return
    job = _Job(needs=needs, who=who, runtime=runtime, architecture=architecture, policy=policy, workspace=workspace,
               offline=offline, run=run)  # fmt: skip
    _with_builds(job, lambda more: _install(job, resolution.pinned, target, (*resolution.build, *more)))


def _tells_all(job: _Job) -> bool:
    """Whether the list says everything: a lock, and a single index that all of it must come from."""
    return job.needs.complete and not job.policy.extra_indexes


def _with_builds(
    job: _Job, attempt: Callable[[tuple[str, ...]], dict[str, Pinned]]
) -> tuple[dict[str, Pinned], tuple[str, ...]]:  # fmt: skip
    """Try with wheels alone, and build from source only what has none and what the policy lets be built."""
    names = job.policy.gate("dependencies").settings.get("allow-sdist", ())
    allowed = {canonicalize_name(str(name)) for name in names} if isinstance(names, list | tuple) else set()
    build: tuple[str, ...] = ()
    while True:
        try:
            return attempt(build), build
        except _NeedsBuildError as error:
            if error.name not in allowed or error.name in build:
                raise
            build = (*build, error.name)


def _from_lock(job: _Job) -> dict[str, Pinned]:
    index = without_credentials(job.policy.index or PYPI)
    return {
        one.name: Pinned(name=one.name, version=one.version, hashes=one.hashes, index=index)
        for one in job.needs.wanted
        if one.version is not None
    }


def _resolve(job: _Job, build: tuple[str, ...]) -> dict[str, Pinned]:
    """Ask uv for versions, hashes and indexes; one hash anywhere in our list asks for all of them, as with pip."""
    wanted = "".join(f"{one.line()}\n" for one in job.needs.wanted)
    constraints = "".join(f"{one.requirement.name}{one.requirement.specifier}\n" for one in job.needs.constraints)
    arguments = ["pip", "compile", "--generate-hashes", "--emit-index-annotation", "--no-header", "--no-annotate"]
    arguments += ["--no-deps"] if job.needs.complete else []
    arguments += ["--constraint", "constraints.txt", "--output-file", "resolved.txt", "wanted.txt"]
    folder, done = job.uv("resolve", {"wanted.txt": wanted, "constraints.txt": constraints}, arguments, build)
    if done.returncode:
        raise _failure(job, done)
    resolved = _read_resolved((folder / "resolved.txt").read_text(encoding="utf-8"))
    admitted = job.needs.admitted()
    if not any(admitted.values()):
        return resolved
    for name in resolved:
        if not admitted.get(name):
            place = _asked(job.needs, name) or Location(path=job.needs.files[0])
            raise IncompleteError(
                f"{name}, which {job.who} needs, has no hash, while other requirements have: with hashes, every distribution must "
                "stand in the list with its own.",
                remedy="Make the list again: `uv pip compile --generate-hashes`.", path=place.path, line=place.line)  # fmt: skip
    return {
        name: Pinned(name=name, version=one.version, hashes=tuple(sorted(admitted[name])), index=one.index)
        for name, one in resolved.items()
    }


def _read_resolved(text: str) -> dict[str, Pinned]:
    """Uv's own list: pins, hashes, and `# from INDEX` below each."""
    found: dict[str, Pinned] = {}
    name = version = ""
    hashes: list[str] = []
    for line in text.splitlines():
        if pin := _PIN.match(line):
            name, version, hashes = canonicalize_name(pin[1]), pin[2], []
        hashes += _HASH.findall(line)
        if source := _FROM.match(line):
            found[name] = Pinned(name=name, version=version, hashes=tuple(hashes), index=without_credentials(source[1]))
    return found


def _install(job: _Job, pinned: Mapping[str, Pinned], target: Path, build: tuple[str, ...]) -> dict[str, Pinned]:
    lines = (f"{one.name}=={one.version}{''.join(f' --hash={digest}' for digest in one.hashes)}\n" for one in pinned.values())
    # Hard links into uv's cache are safe: files that we change are replaced, and none is ever written into.
    arguments: list[str | Path] = ["pip", "install", "--target", target, "--no-deps", "--require-hashes", "--link-mode", "hardlink"]
    _, done = job.uv("install", {"pinned.txt": "".join(lines)}, [*arguments, "-r", "pinned.txt"], build)
    if done.returncode:
        raise _failure(job, done)
    return dict(pinned)


def _asked(needs: Needs, name: str) -> Location | None:
    return next((one.location for one in needs.wanted if one.name == name), None)


def _failure(job: _Job, done: Finished) -> IncompleteError:
    """The error for what uv could not do, at the line that names the distribution it complains about, where there is one."""
    why = reason(done)
    unbuilt = needs_build(done)
    if unbuilt:
        return _no_wheel(job, canonicalize_name(unbuilt[0]), why)
    blamed = next((one for one in job.needs.wanted if _names(why, one)), None)
    place = blamed.location if blamed else Location(path=job.needs.files[0])
    remedy = "Correct the requirement, and run again."
    if job.offline:
        remedy = "Run once without --offline to fill uv's cache."
    elif "Failed to fetch" in why or "Request failed" in why:
        remedy = "Check the network and the index, and run again."
    elif blamed and "Hash mismatch" in why:
        remedy = "What the index has is not what was locked: find out why before you lock again."
    elif blamed and (claimed := job.needs.claimed.get(blamed.name)):
        remedy = f"The lock took it from {without_credentials(claimed)}: name every index under [indexes] in shipsafe.toml."
    return IncompleteError(
        f"The dependencies of {job.who} cannot be installed: {why.rstrip('.')}.", remedy=remedy, path=place.path, line=place.line
    )


def _names(why: str, wanted: Wanted) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(wanted.name)}(?![\w-])", why, re.IGNORECASE) is not None


def _no_wheel(job: _Job, name: str, why: str) -> _NeedsBuildError:
    """Only a source distribution fits: building it would run its code here."""
    found = re.search(rf"(?<![\w.-]){re.escape(name)}==([^\s,]+) has no usable wheels", why)
    place = _asked(job.needs, name) or next((one.location for one in job.needs.wanted if _names(why, one)), None)
    place = place or Location(path=job.needs.files[0])
    error = _NeedsBuildError(
        f"{name}{f' {found[1]}' if found else ''}, which {job.who} needs, has no wheel for {job.runtime.name} on {job.architecture}, "
        "only a source distribution, which would run code at build time.",
        remedy=f'Choose a version with wheels, or allow it with `allow-sdist = ["{name}"]` under [gates.dependencies].',
        path=place.path, line=place.line)  # fmt: skip
    error.name = name
    return error
