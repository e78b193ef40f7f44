"""The Python distributions of a tree, as their metadata says: name, version, files, what needs what, and where each came from."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.model.location import Location
from shipsafe.model.tree import Distribution, Source
from shipsafe.packing.install import Pinned

_METADATA = 4 * MEBIBYTE
_FOLDER = re.compile(r"^(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info$")


def describe(
    root: Path,
    prefix: str,
    pinned: Mapping[str, Pinned],
    python: str | None,
    locations: Mapping[str, Location],
    direct: frozenset[str],
    *,
    shipped: frozenset[str] | None = None,
) -> tuple[Distribution, ...]:
    """Every distribution below `root`, sorted by name.

    Args:
        root: the tree.
        prefix: where its dependencies lie in it (`python/` for a layer), "" for its root.
        pinned: what was installed; every other distribution is bundled.
        python: the runtime's Python, for the markers of requirements.
        locations: name -> where it was asked for.
        direct: names that the project asks for itself; empty when the lock does not tell.
        shipped: paths that ship; others are left out of `paths`.
    """
    found = []
    owned: set[str] = set()  # by a distribution around it: setuptools carries the metadata of what it has taken over
    folders = sorted((path for path in root.rglob("*.dist-info") if path.is_dir()), key=lambda path: (len(path.parts), path))
    for folder in folders:
        inner = folder.relative_to(root).as_posix()
        base = inner[: -len(folder.name)]
        if base != prefix and f"{inner}/METADATA" in owned:
            continue
        files = _files(folder, base)
        owned.update(files)
        name, version, needs = _metadata(folder, python)
        pin = pinned.get(name) if base == prefix else None
        found.append(
            Distribution(
                name=name,
                version=version,
                source=Source.INDEX if pin else Source.BUNDLED,
                dist_info=inner,
                index=pin.index if pin else None,
                location=locations.get(name),
                requires=needs,
                hashes=pin.hashes if pin else (),
                paths=tuple(path for path in files if shipped is None or path in shipped),
            )
        )
    return _with_paths(found, direct)


def _metadata(folder: Path, python: str | None) -> tuple[str, str | None, tuple[str, ...]]:
    """Normalised name, version and the names it requires; the folder's name stands in for metadata that cannot be read."""
    try:
        with (folder / "METADATA").open("rb") as file:
            headers = BytesHeaderParser().parsebytes(file.read(_METADATA))
    except OSError:
        headers = BytesHeaderParser().parsebytes(b"")
    matched = _FOLDER.match(folder.name)
    name = str(headers.get("Name") or (matched["name"] if matched else folder.name.removesuffix(".dist-info")))
    version = headers.get("Version") or (matched["version"] if matched else None)
    needs = {canonicalize_name(one.name) for one in _required(headers.get_all("Requires-Dist") or [], python)}
    return canonicalize_name(name), str(version).strip() if version else None, tuple(sorted(needs))


def _required(lines: Iterable[object], python: str | None) -> Iterable[Requirement]:
    target = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}
    if python:
        target |= {"python_version": python, "python_full_version": f"{python}.0"}
    for line in lines:
        try:
            requirement = Requirement(str(line))
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate(target):
            yield requirement


def _files(folder: Path, base: str) -> list[str]:
    """Paths in the tree, as the RECORD says."""
    try:
        text = (folder / "RECORD").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return sorted(base + row[0] for row in csv.reader(io.StringIO(text)) if row and not row[0].startswith(("/", "..")))


def _with_paths(found: list[Distribution], direct: frozenset[str]) -> tuple[Distribution, ...]:
    """Keep only requirements that are in the tree, and add the shortest way from a direct dependency to each."""
    names = {one.name for one in found}
    requires = {one.name: tuple(need for need in one.requires if need in names) for one in found}
    needed = {need for needs in requires.values() for need in needs}
    roots = sorted(direct & names) if direct else sorted(names - needed)
    via: dict[str, tuple[str, ...]] = dict.fromkeys(roots, ())
    queue = list(roots)
    for name in queue:  # grows while it is walked: breadth first, so that the first way found is a shortest one
        for need in requires.get(name, ()):
            if need not in via:
                via[need] = (*via[name], name)
                queue.append(need)
    places = {one.name: one.location for one in found}

    def place(one: Distribution) -> Location | None:
        """Where it was asked for; a transitive one, where the direct dependency was that brought it."""
        way = via.get(one.name, ())
        return one.location or (places.get(way[0]) if way else None)

    described = (replace(one, requires=requires[one.name], via=via.get(one.name, ()), location=place(one)) for one in found)
    return tuple(sorted(described, key=lambda one: (one.name, one.dist_info or "")))
