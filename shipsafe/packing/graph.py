"""A lock as a graph: what each package needs, and the way from what is asked for to everything that ships.

`uv.lock` and `poetry.lock` are read into it. What a package says of where it comes from decides only whether it can be taken at all:
from an index, from a folder of the repository, or not.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from shipsafe.adapters.uv import without_credentials
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.packing.local_packages import read_local
from shipsafe.packing.needs import Local, Needs, Wanted

_NOTHING: AbstractSet[str] = frozenset()
_HASH = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """That something needs a package: its normalised name, the extras that are meant, the marker, and which of that name fit."""

    name: str
    extras: frozenset[str] = frozenset()
    marker: str | None = None
    fits: Callable[["Package"], bool] = field(default=lambda _: True, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package of a lock.

    Attributes:
        name: normalised; `version` "" where the lock has none (a folder whose version is made at build time).
        hashes: as uv takes them (`sha256:...`), of everything that the lock lists of it.
        index: what the lock says of where it comes from, or None.
        folder: where its source lies, for a local package: relative to the lock.
        elsewhere: what it comes from that is refused (`git https://...`), or "".
        edges: what it needs; `extras` what it needs for each extra besides.
        virtual: it has no code of its own, only needs.
        markers: where the lock has several packages of the name: this one is meant where one of the markers holds.
    """

    name: str
    version: str
    place: Location
    hashes: tuple[str, ...] = ()
    index: str | None = None
    folder: str | None = None
    elsewhere: str = ""
    edges: tuple[Edge, ...] = ()
    extras: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    virtual: bool = False
    markers: tuple[str, ...] = ()

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Whether it is the one that is meant on the runtime's platform."""
        return not self.markers or any(holds(marker, environment, frozenset(), self.place) for marker in self.markers)

    def asks(self, extras: AbstractSet[str], environment: Mapping[str, str], active: AbstractSet[str] = _NOTHING) -> Iterator[Edge]:
        """What it needs on the runtime's platform, with those extras; `active` are further names that markers call extras."""
        for edge in (*self.edges, *(edge for extra in sorted(extras) for edge in self.extras.get(extra, ()))):
            if holds(edge.marker, environment, extras | active, self.place):
                yield edge


Graph = Mapping[str, Sequence[Package]]


def holds(marker: str | None, environment: Mapping[str, str], extras: AbstractSet[str], place: Location) -> bool:
    """Whether a marker holds for the runtime, with any of the extras or with none.

    Raises:
        IncompleteError: it cannot be read.
    """
    if marker is None:
        return True
    try:
        read = Marker(marker)
        return any(read.evaluate({**environment, "extra": extra}) for extra in ("", *sorted(extras)))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, RecursionError) as error:
        raise IncompleteError(f"The marker {marker[:80]!r} cannot be read.", remedy="Lock again.",
                              path=place.path, line=place.line) from error  # fmt: skip


def reach(roots: Iterable[Edge], graph: Graph, environment: Mapping[str, str], *, place: Location) -> dict[str, Package]:
    """Everything that the roots need, by name. `place` is the lock.

    Raises:
        IncompleteError: the lock lacks a package, or has two versions of one for the same platform.
    """
    reached: dict[str, Package] = {}
    queue = [root for root in roots if holds(root.marker, environment, frozenset(), place)]
    seen: set[tuple[str, frozenset[str]]] = set()
    for edge in queue:  # grows while it is walked
        fitting = [one for one in graph.get(edge.name, ()) if edge.fits(one) and one.applies(environment)]
        there = reached.get(edge.name)
        found = there if there in fitting else next(iter(fitting), None)
        if found is None:
            raise IncompleteError(f"The lock has no {edge.name} that fits, and something in it needs one.",
                                  remedy="Lock again.", path=place.path, line=place.line)  # fmt: skip
        if there is not None and there is not found:
            raise twice(found)
        reached[edge.name] = found
        if (edge.name, edge.extras) not in seen:
            seen.add((edge.name, edge.extras))
            queue.extend(found.asks(edge.extras, environment))
    return reached


def twice(package: Package, place: Location | None = None) -> IncompleteError:
    """The error for two versions of one package; `place` is that of the second."""
    place = place or package.place
    return IncompleteError(f"{package.name} stands in the lock twice for the function's platform.", remedy="Lock again.",
                           path=place.path, line=place.line)  # fmt: skip


def refused(package: Package) -> IncompleteError:
    """The error for what comes neither from an index nor from a folder of the repository."""
    return IncompleteError(
        f"{package.name} does not come from an index ({without_credentials(package.elsewhere)[:100]}): nobody vouches for it, and "
        "installing it could run its build code.",
        remedy="Put a wheel of it on an index, or into a folder that `[indexes] find-links` names, and lock again.",
        path=package.place.path, line=package.place.line)  # fmt: skip


def as_needs(
    packages: Iterable[Package], *, shown: str, home: Path, root: Path, boundary: Path, environment: Mapping[str, str],
    direct: Mapping[str, AbstractSet[str]] | None, active: AbstractSet[str] = _NOTHING,
) -> Needs:  # fmt: skip
    """What ships, as a list for uv and as folders.

    Args:
        packages: one of each name.
        shown: the lock, for people.
        home: the folder that the lock lies in.
        root: the project root, for messages.
        boundary: the repository; no source outside it is taken.
        environment: marker variables of the runtime.
        direct: what the project itself asks for, with extras, if that is known.
        active: as `Package.asks` takes it.

    Raises:
        IncompleteError: a package comes from elsewhere than an index or a folder of the repository, or cannot be told from its source.
    """
    wanted, local, claimed = [], [], {}
    for one in packages:
        if one.elsewhere:
            raise refused(one)
        if one.folder is not None:
            if not one.virtual:
                local.append(_local(one, home, root, boundary, environment, active))
            continue
        wanted.append(pinned(one.name, one.version, one.hashes, one.place))
        if one.index:
            claimed[one.name] = without_credentials(one.index)
    return Needs(wanted=tuple(sorted(wanted, key=lambda one: one.name)), local=tuple(sorted(local, key=lambda one: one.name)),
                 files=(shown, *dict.fromkeys(path for one in local for path in one.files)), complete=True, direct=direct,
                 claimed=claimed)  # fmt: skip


def _local(
    one: Package, home: Path, root: Path, boundary: Path, environment: Mapping[str, str], active: AbstractSet[str]
) -> Local:  # fmt: skip
    """Its source; what it needs is what the lock says."""
    asked = one.asks(frozenset(), environment, active)
    texts = [f"{edge.name}[{','.join(sorted(edge.extras))}]" if edge.extras else edge.name for edge in asked]
    try:
        requires = tuple(sorted({str(Requirement(text)) for text in texts}))
    except InvalidRequirement as error:
        raise IncompleteError(f"What {one.name} needs cannot be read: {error}.", remedy="Lock again.", path=one.place.path,
                              line=one.place.line) from error  # fmt: skip
    return read_local(home / (one.folder or ""), name=one.name, version=one.version or None, requires=requires, place=one.place, root=root,
                      boundary=boundary, python=environment["python_version"])  # fmt: skip


def pinned(name: str, version: str, hashes: Iterable[str], place: Location) -> Wanted:
    """One version with its hashes, which are written into a list for uv: nothing but a name, a version and digests gets there.

    Raises:
        IncompleteError: it is not a name, a version and at least one digest.
    """
    try:
        requirement = Requirement(f"{name}=={Version(version)}")
    except (InvalidRequirement, InvalidVersion, ValueError) as error:
        raise IncompleteError(f"{name[:80]!r} {version[:40]!r} is no name and version.", remedy="Lock again.",
                              path=place.path, line=place.line) from error  # fmt: skip
    digests = tuple(sorted({digest.lower() for digest in hashes if _HASH.fullmatch(digest.lower())}))
    if not digests:
        raise IncompleteError(f"{name} has no hash in the lock that uv could verify.", remedy="Lock again.",
                              path=place.path, line=place.line)  # fmt: skip
    return Wanted(requirement=requirement, location=place, hashes=digests)
