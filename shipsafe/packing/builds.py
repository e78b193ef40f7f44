"""Wheels that are built here, from the source distributions that the policy lets be built, each in isolation.

The source is fetched by us and compared with its hashes. What its build needs is installed first, as wheels alone, into a cache that
only this build sees. Then its build code runs: without credentials, without our environment, and without a network where the machine
can shut it off. The wheel is installed like any other.
"""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from shipsafe.adapters.files import MEBIBYTE, sha256_file
from shipsafe.adapters.index_page import IndexFile, fetch_file, read_page
from shipsafe.adapters.sandbox import isolation, run_isolated
from shipsafe.adapters.uv import build_command, reason, uv
from shipsafe.errors import IncompleteError
from shipsafe.packing.indexes import Index
from shipsafe.packing.job import Job, NeedsBuildError, Pinned
from shipsafe.packing.sdists import SdistError, check_digest, requirements, version_of

_LARGEST = 256 * MEBIBYTE
_PATIENCE = 900.0  # seconds for one build
_OTHER = "Choose a version with wheels."


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A wheel that was made here.

    `pinned` is the source distribution that it was made from: its version, its hash, its index. `sha256` is the wheel's, in hex.
    `note` says to people what was done.
    """

    name: str
    wheel: Path
    sha256: str
    pinned: Pinned
    note: str


@dataclass(slots=True)
class Builds:
    """What was built for one job."""

    job: Job
    made: dict[str, Built] = field(default_factory=dict)

    def flags(self) -> list[str]:
        """For uv to find the wheels beside those of the indexes."""
        return ["--find-links", str(self._wheels)] if self.made else []

    def add_allowed(self, error: NeedsBuildError, pinned: Pinned | None = None) -> None:
        """Build what has no wheel, as it is pinned or else as it is asked for.

        Raises:
            NeedsBuildError: the given one, when the policy does not let it be built.
            IncompleteError: it cannot be built, or what was built does not fit.
        """
        allowed = self.job.policy.gate("dependencies").settings.get("allow-sdist", ())
        names = {canonicalize_name(str(name)) for name in allowed} if isinstance(allowed, list | tuple) else set()
        if error.name not in names:
            raise error
        if error.name in self.made:
            raise self._error(error.name, f"the wheel that was made here does not fit {self.job.runtime.name}", _OTHER) from error
        if pinned is not None:
            self.add(pinned)
            return
        asked = [*self.job.needs.wanted, *self.job.needs.constraints]
        specifier = SpecifierSet(",".join(str(one.requirement.specifier) for one in asked if one.name == error.name))
        self._build(error.name, specifier, self.job.needs.admitted().get(error.name, frozenset()))

    def add(self, pinned: Pinned) -> None:
        """Build exactly that.

        Raises:
            IncompleteError: it cannot be built.
        """
        self._build(pinned.name, SpecifierSet(f"=={pinned.version}"), frozenset(pinned.hashes))

    @property
    def _wheels(self) -> Path:
        return self.job.workspace / "built"

    def _build(self, name: str, specifier: SpecifierSet, admitted: frozenset[str]) -> None:
        if self.job.offline:
            raise self._error(name, "its source cannot be fetched offline", "Run without --offline.")
        index, file, version = self._choose(name, specifier, admitted)
        content = fetch_file(file, index.url, auth=index.auth, limit=_LARGEST)
        check_digest(content, admitted or file.hashes, file.name)
        folder = self.job.workspace / f"build-{name}"
        home, out = folder / "home", folder / "out"
        for one in (folder, home, out, self._wheels):
            one.mkdir(exist_ok=True)
        sdist = folder / file.name
        sdist.write_bytes(content)
        flags = ["--cache-dir", str(folder / "cache"), *self.job.indexes.flags()]
        self._install_requirements(name, sdist, folder, flags)
        done = run_isolated(
            build_command(sdist, out, flags), folder=folder, home=home, timeout=_PATIENCE, run=self.job.run,
        )  # fmt: skip
        if done.returncode:
            why = reason(done).replace(f"{folder}/", "")  # what the build itself wrote is not shown: it could write anything
            raise self._error(name, f"its build failed: {why}", _OTHER)
        wheel = self._take(name, version, out)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.made[name] = Built(
            name=name, wheel=wheel, sha256=sha256_file(wheel), note=f"{name} {version} was built here from source, {isolation()}.",
            pinned=Pinned(name=name, version=str(version), hashes=(digest,), index=index.url),
        )  # fmt: skip

    def _choose(self, name: str, specifier: SpecifierSet, admitted: frozenset[str]) -> tuple[Index, IndexFile, Version]:
        """The newest source distribution that fits, from the first index that has the name."""
        last: IncompleteError | None = None
        for index in self.job.indexes.for_name(name, self.job.policy):
            try:
                files = read_page(index.url, name, auth=index.auth)
            except IncompleteError as error:
                last = error
                continue
            versions = {file.name: version for file in files if (version := version_of(file.name, name)) is not None}
            fitting = [(versions[file.name], file) for file in files if file.name in versions and (not admitted or file.hashes & admitted)]
            best = max(specifier.filter(one for one, _ in fitting), default=None)
            if best is None:
                raise self._error(name, "there is no source distribution of it that fits", "Correct the requirement, and run again.")
            return index, next(file for one, file in fitting if one == best), best
        raise self._error(name, last.what if last else "no index has it", "Check the index.") from last

    def _install_requirements(self, name: str, sdist: Path, folder: Path, flags: Iterable[str]) -> None:
        """Put what the build needs into its cache, with a network and without any of its code running."""
        try:
            requires = requirements(sdist)
        except SdistError as error:
            raise self._error(name, str(error), _OTHER) from error
        if not requires:
            return
        listed, there = folder / "requires.txt", folder / "requires"
        listed.write_text("".join(f"{one}\n" for one in requires), encoding="utf-8")
        arguments: list[str | Path] = ["pip", "install", "--target", there, "--only-binary", ":all:", "-r", listed, *flags]
        done = uv(arguments, cwd=folder, offline=False, run=self.job.run, env=self.job.indexes.environment())
        if done.returncode:
            why = self.job.indexes.scrub(reason(done)).rstrip(".")
            raise self._error(name, f"what its build needs cannot be installed: {why}", _OTHER)
        for path in there.glob("*.dist-info"):
            if self.job.policy.claimant(canonicalize_name(path.name.partition("-")[0])):
                what = f"its build needs {path.name.partition('-')[0]}, which comes from an index of its own"
                raise self._error(name, what, "Publish it as a wheel.")

    def _take(self, name: str, version: Version, out: Path) -> Path:
        """The one wheel that was made, put where uv finds it. Its builder chose the name, so that it is looked at closely."""
        files = [path for path in out.iterdir() if path.suffix == ".whl" and path.is_file() and not path.is_symlink()]
        try:
            made = [parse_wheel_filename(path.name)[:2] for path in files]
        except InvalidWheelFilename as error:
            raise self._error(name, f"its build made {files[0].name!a}", _OTHER) from error
        if made != [(name, version)]:
            raise self._error(name, f"its build did not make one wheel of {name} {version}", _OTHER)
        if files[0].stat().st_size > _LARGEST:
            raise self._error(name, "the wheel that was made here is too large", _OTHER)
        return Path(shutil.copyfile(files[0], self._wheels / files[0].name))

    def _error(self, name: str, why: str, remedy: str) -> IncompleteError:
        place = self.job.place(name)
        what = f"{name}, which {self.job.who} needs, cannot be built from source: {self.job.indexes.scrub(why).rstrip('.')}."
        return IncompleteError(what, remedy=remedy, path=place.path, line=place.line)
