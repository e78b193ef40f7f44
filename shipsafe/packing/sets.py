"""Equal dependencies are resolved and installed once: for as many functions as want them, and for the next run not at all.

A dependency set is what was installed for one resolution, runtime and architecture: its files with their digests, and what their
metadata says. What is known of a set from an earlier run is enough to look up every answer about it; its files are installed when
somebody has to read them, and are then compared with what was known.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from shipsafe.adapters.cache import Cache, canonical
from shipsafe.adapters.once import Once
from shipsafe.adapters.process import Run
from shipsafe.adapters.timeline import Timeline
from shipsafe.adapters.uv import is_cache_believed
from shipsafe.errors import IntegrityError
from shipsafe.model.policy import Policy
from shipsafe.packing.copies import Copies
from shipsafe.packing.distributions import Facts, read_facts
from shipsafe.packing.install import install
from shipsafe.packing.installed import Installed, clean, owners
from shipsafe.packing.job import Pinned
from shipsafe.packing.needs import Needs
from shipsafe.packing.resolve import Resolution, resolve
from shipsafe.packing.runtimes import Runtime, platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the files of a set lie on the disk, in their order, and the folders that they stand in: the same for all who want it."""

    sources: tuple[Path, ...]
    folders: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class DependencySet:
    """What is installed for a resolution.

    Attributes:
        key: equal keys, equal sets.
        folder: where the files lie once `materialise` has been called.
        files: sorted by path.
        owner: path -> normalised name of the distribution whose RECORD names it.
        facts: what each `.dist-info` says.
        pinned: what was asked to be installed.
        built: what was built here from source, a sentence for each.
    """

    key: str = ""
    folder: Path = Path()
    files: tuple[Installed, ...] = ()
    owner: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[Facts, ...] = ()
    pinned: Mapping[str, Pinned] = field(default_factory=dict)
    built: tuple[str, ...] = ()
    materialise: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)

    @cached_property
    def layout(self) -> Layout:
        """Made once."""
        folders: set[str] = set()
        for file in self.files:
            folder = file.path.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        return Layout(sources=tuple(self.folder / file.path for file in self.files), folders=frozenset(folders))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """Who wants dependencies, and for what."""

    needs: Needs
    who: str
    runtime: Runtime
    architecture: str
    policy: Policy
    workspace: Path
    offline: bool
    run: Run
    subject: str = ""

    @property
    def locked(self) -> bool:
        """Whether all of it resolves to the same for ever."""
        return all(one.locked for one in self.needs.wanted)

    @property
    def target(self) -> dict[str, object]:
        """Everything but the distributions that decides what is installed."""
        return {
            "python": self.runtime.python,
            "platform": platform(self.runtime, self.architecture),
            "uv": _uv(),
            "indexes": [self.policy.index, self.policy.extra_indexes, self.policy.effective.get("indexes")],
            "allow-sdist": self.policy.gate("dependencies").settings.get("allow-sdist"),
        }

    def question(self) -> dict[str, object]:
        """Everything that decides the resolution."""
        return {
            **self.target,
            "wanted": [one.line() for one in self.needs.wanted],
            "constraints": [one.line() for one in self.needs.constraints],
            "complete": self.needs.complete,
        }

    def circumstances(self) -> dict[str, Any]:
        """As `resolve` and `install` take them."""
        names = ("who", "runtime", "architecture", "policy", "workspace", "offline", "run")
        return {name: getattr(self, name) for name in names}


@cache
def _uv() -> str:
    return version("uv")


def _nothing(_step: str) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Sets:
    """The dependency sets of a run.

    Attributes:
        folder: a private folder for their files.
        begun: called before something has to be resolved, and before something has to be installed, with which of the two; once each.
        copies: the files of the project that were copied in the run.
    """

    folder: Path
    cache: Cache
    timeline: Timeline = field(default_factory=Timeline)
    begun: Callable[[str], None] = _nothing
    copies: Copies = field(default_factory=Copies)
    _begun: Once[str, None] = field(default_factory=Once)
    _resolved: Once[str, Resolution] = field(default_factory=Once)
    _known: Once[str, DependencySet] = field(default_factory=Once)
    _installed: Once[str, DependencySet] = field(default_factory=Once)

    def get(self, wanting: Wanting) -> DependencySet:
        """What somebody wants.

        Raises:
            ConfigError: nobody can tell whether uv's cache is to be believed.
            IncompleteError: it cannot be resolved or installed.
            IntegrityError: the index gives other files for the same hashes than it did before.
        """
        if not wanting.needs.wanted:
            return DependencySet()
        question = wanting.question()
        key = self.cache.key("resolution", question)
        resolution = self._resolved.get(key, lambda: self._resolve(wanting, question))
        return self._describe(resolution, wanting)

    def known(self, wanting: Wanting) -> DependencySet | None:
        """What somebody wants, where an earlier run has resolved and installed it; nothing is asked of anybody."""
        if not wanting.needs.wanted:
            return DependencySet()
        kept = self.cache.recall("resolution", wanting.question()) if wanting.locked else None
        if kept is None:
            return None
        resolution = _read_resolution(kept)
        question = {**wanting.target, **_written(resolution)}
        known = self.cache.recall("set", question)
        return None if known is None else self._recalled(known, self.cache.key("set", question), resolution, wanting)

    def _resolve(self, wanting: Wanting, question: object) -> Resolution:
        """What is locked resolves to the same for ever; all else is asked again in every run."""
        locked = wanting.locked
        with self.timeline.leg("resolve", wanting.subject) as leg:
            if locked and (kept := self.cache.recall("resolution", question)):
                leg.cached = True
                return _read_resolution(kept)
            self._begun.get("resolve", lambda: self.begun("resolve"))
            resolution = resolve(wanting.needs, cache=self._uv_cache(), **wanting.circumstances())
        if locked:
            self.cache.keep("resolution", question, _written(resolution))
        return resolution

    def _describe(self, resolution: Resolution, wanting: Wanting) -> DependencySet:
        question = {**wanting.target, **_written(resolution)}
        key = self.cache.key("set", question)
        # What is built here from source may differ each time, so nothing is known of it in advance.
        lasting = not resolution.build and all(one.hashes for one in resolution.pinned.values())

        def make() -> DependencySet:
            if lasting and (kept := self.cache.recall("set", question)):
                return self._recalled(kept, key, resolution, wanting)
            found = self._installed.get(key, lambda: self._install(key, resolution, wanting))
            if not lasting or found.built:
                return replace(found, key=hashlib.sha256(canonical([found.files, found.pinned, found.built])).hexdigest())
            self.cache.keep("set", question, _written_set(found))
            return found

        return self._known.get(key, make)

    def _recalled(self, kept: Any, key: str, resolution: Resolution, wanting: Wanting) -> DependencySet:
        files = tuple(Installed(*row) for row in kept["files"])

        def materialise() -> None:
            found = self._installed.get(key, lambda: self._install(key, resolution, wanting, compared=True))
            if found.files != files:
                # What is known stays known: else whoever has changed uv's cache would only have to wait for a second run.
                raise IntegrityError(
                    f"The dependencies of {wanting.who} are not the files that an earlier run installed for the same hashes.",
                    remedy="Find out what changed: uv's cache (`uv cache clean`), or the index. `shipsafe cache clear` forgets that run.",
                    path=wanting.needs.files[0],
                )

        return DependencySet(
            key=key, folder=self._folder(key), files=files, owner=kept["owner"], pinned=resolution.pinned, materialise=materialise,
            facts=tuple(Facts(**{**one, "requires": tuple(one["requires"]), "files": tuple(one["files"])}) for one in kept["facts"]),
        )  # fmt: skip

    def _install(self, key: str, resolution: Resolution, wanting: Wanting, *, compared: bool = False) -> DependencySet:
        with self.timeline.leg("install", wanting.subject):
            self._begun.get("install", lambda: self.begun("install"))
            return self._install_anew(key, resolution, wanting, None if compared else self._uv_cache())

    def _install_anew(self, key: str, resolution: Resolution, wanting: Wanting, cache: Path | None) -> DependencySet:
        target = self._folder(key)
        target.mkdir(parents=True)
        built = install(resolution, wanting.needs, target, cache=cache, **wanting.circumstances())
        files = clean(target)
        sources = {one.path: target / one.path for one in files}
        folders = sorted({path.rpartition("/")[0] for path in sources if path.rpartition("/")[0].endswith(".dist-info")})
        facts = tuple(read_facts(path, sources) for path in folders)
        pinned = {**resolution.pinned, **{one.name: one.pinned for one in built}}
        notes = tuple(one.note for one in built)
        return DependencySet(key=key, folder=target, files=files, owner=owners(target), facts=facts, pinned=pinned, built=notes)

    def _uv_cache(self) -> Path | None:
        """A cache for uv that is empty when the run begins, where the user's may be somebody else's."""
        return None if is_cache_believed() else self.folder / "uv"

    def _folder(self, key: str) -> Path:
        return self.folder / key[:32]


def _written(resolution: Resolution) -> dict[str, Any]:
    return {"pinned": [asdict(resolution.pinned[name]) for name in sorted(resolution.pinned)], "build": list(resolution.build)}


def _read_resolution(kept: Any) -> Resolution:
    pinned = (Pinned(**{**one, "hashes": tuple(one["hashes"])}) for one in kept["pinned"])
    return Resolution(pinned={one.name: one for one in pinned}, build=tuple(kept["build"]))


def _written_set(found: DependencySet) -> dict[str, Any]:
    return {"files": [list(one) for one in found.files], "owner": dict(found.owner), "facts": [asdict(one) for one in found.facts]}
