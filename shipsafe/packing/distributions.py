"""The Python distributions of a tree, as their metadata says: name, version, files, what needs what, and where each came from."""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from email.parser import BytesHeaderParser
from functools import lru_cache
from pathlib import Path

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.tree import Distribution, Entry, Source
from shipsafe.packing.installed import read_record
from shipsafe.packing.job import Pinned
from shipsafe.packing.needs import Needs

_METADATA = 4 * MEBIBYTE
_FOLDER = re.compile(r"^(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info$")
_END = ".dist-info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one `.dist-info` says.

    Attributes:
        path: its folder in the tree; `base` the folder that it speaks of, with its slash, "" for the root.
        name: normalised; `version` None where there is none.
        requires: its lines `Requires-Dist`.
        files: paths in the tree that its RECORD names.
    """

    path: str
    base: str
    name: str
    version: str | None
    requires: tuple[str, ...]
    files: tuple[str, ...]

    def below(self, prefix: str) -> "Facts":
        """The same, in a tree that has it below a prefix (`python/`)."""
        files = tuple(prefix + file for file in self.files)
        return replace(self, path=prefix + self.path, base=prefix + self.base, files=files) if prefix else self


def describe(
    shipped: Mapping[str, Entry], *, prefix: str, known: Iterable[Facts], pinned: Mapping[str, Pinned], needs: Needs,
    environment: Mapping[str, str],
) -> tuple[Distribution, ...]:  # fmt: skip
    """Every distribution of a tree, sorted by name.

    Args:
        shipped: the files that ship, by path.
        known: what the metadata of installed dependencies says.
        prefix: where its dependencies lie in it (`python/` for a layer), "" for its root.
        pinned: what was installed; every other distribution is bundled.
        needs: what was asked for.
        environment: PEP 508 marker variables of the runtime.
    """
    folders = {path.rpartition("/")[0] for path in shipped if path.rpartition("/")[0].endswith(_END)}
    told = {one.path: one for one in known}
    sources = {path: entry.source for path, entry in shipped.items()}
    found = [told.get(path) or read_facts(path, sources) for path in sorted(folders)]
    edges = _edges(found, _extras(needs), environment)
    via = _via(edges, _roots(needs, pinned, edges))
    asked = {one.name: one.location for one in needs.wanted}
    carried = _carried(found, prefix, pinned)
    local = {prefix + one.dist_info: one for one in needs.local}
    distributions = []
    for one in found:
        installed = pinned.get(one.name) if one.base == prefix else None
        pin = installed or carried.get(one.path)
        way = via.get(one.name, ())
        staged = local.get(one.path)
        distributions.append(
            Distribution(
                name=one.name,
                version=one.version,
                source=Source.INDEX if pin else Source.LOCAL if staged else Source.BUNDLED,
                dist_info=one.path,
                index=pin.index if pin else None,
                location=_location(one, way, asked, needs) if pin else staged.location if staged else _in_code(one, shipped),
                requires=tuple(sorted(edges[one.name])),
                via=way,
                hashes=installed.hashes if installed else (),
                paths=tuple(path for path in one.files if path in shipped),
            )
        )
    return tuple(sorted(distributions, key=lambda one: (one.name, one.dist_info or "")))


def _carried(found: Iterable[Facts], prefix: str, pinned: Mapping[str, Pinned]) -> dict[str, Pinned]:
    """`.dist-info` path -> the installed distribution that carries it inside itself, as setuptools carries what it has taken over.

    Its code ships and is looked up; it came from where the one around it came from.
    """
    return {
        path.rpartition("/")[0]: pinned[one.name]
        for one in found
        if one.base == prefix and one.name in pinned
        for path in one.files
        if path.endswith(f"{_END}/METADATA") and path.count("/") > prefix.count("/") + 1
    }


def _location(one: Facts, way: tuple[str, ...], asked: Mapping[str, Location], needs: Needs) -> Location:
    """Where it was asked for, else where the nearest one was that brought it, else the file."""
    nearest = next((asked[name] for name in reversed(way) if name in asked), None)
    return asked.get(one.name) or nearest or Location(path=needs.files[0])


def _in_code(one: Facts, shipped: Mapping[str, Entry]) -> Location | None:
    """The file of the project that says that it is there."""
    metadata = shipped.get(f"{one.path}/METADATA")
    return metadata.location if metadata else None


def read_facts(path: str, sources: Mapping[str, Path]) -> Facts:
    """What the `.dist-info` of that path says; the folder's name stands in for metadata that cannot be read.

    Args:
        path: the folder in the tree.
        sources: path in the tree -> file on the disk.
    """
    folder = path.rpartition("/")[2]
    try:
        with sources[f"{path}/METADATA"].open("rb") as file:
            headers = BytesHeaderParser().parsebytes(file.read(_METADATA))
    except (KeyError, OSError):
        headers = BytesHeaderParser().parsebytes(b"")
    matched = _FOLDER.match(folder)
    name = str(headers.get("Name") or (matched["name"] if matched else folder.removesuffix(_END))).strip()
    version = str(headers.get("Version") or (matched["version"] if matched else "")).strip()
    base = path[: -len(folder)]
    return Facts(
        path=path,
        base=base,
        name=canonicalize_name(name),
        version=version or None,
        requires=tuple(str(line) for line in headers.get_all("Requires-Dist") or []),
        files=tuple(_files(sources.get(f"{path}/RECORD"), base)),
    )


def _files(record: Path | None, base: str) -> list[str]:
    """Paths in the tree, as the RECORD says."""
    if record is None:
        return []  # a distribution that somebody copied into the code without its RECORD: its files belong to nobody
    try:
        return sorted(base + row[0] for row in read_record(record))
    except IncompleteError:
        return []


def _extras(needs: Needs) -> dict[str, set[str]]:
    """Name -> extras that were asked for."""
    extras = {name: set(asked) for name, asked in (needs.direct or {}).items()}
    for one in needs.wanted:
        extras.setdefault(one.name, set()).update(one.requirement.extras)
    return extras


def _edges(found: Iterable[Facts], extras: dict[str, set[str]], environment: Mapping[str, str]) -> dict[str, set[str]]:
    """Name -> names in the tree that it needs, with the extras that somebody asked for."""
    requires: dict[str, list[Requirement]] = {}
    for one in found:
        requires.setdefault(one.name, []).extend(_requirements(one.requires))
    edges: dict[str, set[str]] = {name: set() for name in requires}
    queue = list(requires)
    for name in queue:  # grows where an extra is asked for that was not known before
        for requirement in requires[name]:
            target = canonicalize_name(requirement.name)
            if target not in requires or not _applies(requirement, extras.get(name, set()), environment):
                continue
            edges[name].add(target)
            if new := requirement.extras - extras.setdefault(target, set()):
                extras[target] |= new
                queue.append(target)
    return edges


def _requirements(lines: Iterable[str]) -> Iterable[Requirement]:
    return (requirement for line in lines if (requirement := _requirement(line)))


@lru_cache(maxsize=8192)
def _requirement(line: str) -> Requirement | None:
    """One line; None for what metadata of old distributions has, on which what is installed does not depend."""
    try:
        return Requirement(line)
    except (InvalidRequirement, RecursionError):
        return None


def _applies(requirement: Requirement, extras: AbstractSet[str], environment: Mapping[str, str]) -> bool:
    if requirement.marker is None:
        return True
    try:
        return any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in ("", *sorted(extras)))
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        return False


def _roots(needs: Needs, pinned: Mapping[str, Pinned], edges: Mapping[str, AbstractSet[str]]) -> list[str]:
    """What the project asks for itself: what its file says, and what nobody else in the tree needs.

    A requirements file that names every distribution was compiled: then being named in it says nothing.
    """
    compiled = not needs.complete and needs.direct is not None and pinned.keys() <= needs.direct.keys()
    direct = set(needs.direct or ()) if not compiled else set()
    needed = {need for name, needs_ in edges.items() for need in needs_ if need != name}
    return sorted(name for name in edges if name in direct or name not in needed)


def _via(edges: Mapping[str, AbstractSet[str]], roots: list[str]) -> dict[str, tuple[str, ...]]:
    """The shortest way from a direct dependency to each distribution."""
    via: dict[str, tuple[str, ...]] = dict.fromkeys(roots, ())
    queue = list(roots)
    for name in queue:  # breadth first, so that the first way found is a shortest one
        for need in sorted(edges[name]):
            if need not in via:
                via[need] = (*via[name], name)
                queue.append(need)
    return via
