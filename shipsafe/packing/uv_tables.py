"""The tables of uv.lock as our nouns: packages with what they ask for. What uv makes of them says `uv_lock.py`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from shipsafe.adapters.uv import without_credentials
from shipsafe.errors import IncompleteError
from shipsafe.packing.graph import Edge, Package
from shipsafe.packing.lock_file import LockFile, open_lock

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_FOLDERS = ("editable", "directory", "virtual")


def open_uv_lock(path: Path, root: Path) -> LockFile:
    """The lock, as far as its shape is one.

    Raises:
        IncompleteError: it cannot be read, or is none.
    """
    lock = open_lock(path, root, "[[package]]")
    tables = lock.document.get("package", [])
    requires = lock.document.get("requires-python", "")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables) or not isinstance(requires, str):
        raise broken(lock, "`package` is not a list of tables")
    return lock


def package_of(table: Mapping[str, Any], lock: LockFile) -> Package:
    """A package of the lock.

    Raises:
        IncompleteError: it has no name or no source.
    """
    name, source = table.get("name"), table.get("source")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(source, dict) or not source:
        raise broken(lock, f"the package {str(name)[:80]!r} has no name or no source")
    kind = next((one for one in ("registry", *_FOLDERS) if one in source), next(iter(source)))
    name, version, where = canonicalize_name(name), str(table.get("version", "")), str(source[kind])
    files = [one for one in (*listed(table.get("wheels")), table.get("sdist")) if isinstance(one, dict)]
    return Package(
        name=name,
        version=version,
        place=lock.place(name, version),
        hashes=tuple(str(one["hash"]) for one in files if "hash" in one),
        index=where if kind == "registry" else None,
        folder=where if kind in _FOLDERS else None,
        elsewhere="" if kind == "registry" or kind in _FOLDERS else f"{kind} {where}",
        edges=edges_of(table.get("dependencies")),
        extras={str(extra): edges_of(items) for extra, items in table_of(table.get("optional-dependencies")).items()},
        virtual=kind == "virtual",
        markers=tuple(one for one in listed(table.get("resolution-markers")) if isinstance(one, str)),
    )


def edges_of(items: object) -> tuple[Edge, ...]:
    """What a list of dependencies asks for; what is no table in it is passed over."""
    return tuple(
        Edge(
            name=canonicalize_name(str(one.get("name", ""))),
            extras=frozenset(extra for extra in listed(one.get("extra")) if isinstance(extra, str)),
            marker=str(one["marker"]) if "marker" in one else None,
            fits=_Fits(one.get("version"), table_of(one.get("source")).get("registry")),
        )
        for one in listed(items)
        if isinstance(one, dict)
    )


@dataclass(frozen=True, slots=True)
class _Fits:
    """Which of several packages of one name is meant: None where there is only one."""

    version: object
    registry: object

    def __call__(self, package: Package) -> bool:
        return self.version in (None, package.version) and self.registry in (None, package.index)


def listed(value: object) -> list[Any]:
    """The list, empty for anything else."""
    return value if isinstance(value, list) else []


def table_of(value: object) -> dict[str, Any]:
    """The table, empty for anything else."""
    return value if isinstance(value, dict) else {}


def broken(lock: LockFile, why: str) -> IncompleteError:
    """Why a lock cannot be used, as an error to be raised."""
    return IncompleteError(f"Not a usable uv.lock: {without_credentials(why)}.", remedy="Run `uv lock` again.", path=lock.shown)
