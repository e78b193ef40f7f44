"""uv.lock, through `uv export` of a copy that stands beside a pyproject.toml of ours.

uv.lock is uv's own format, so uv reads it; but beside the project's pyproject.toml it would also read `[tool.uv]`, where indexes
and build settings stand. The copy stands alone, and with `--frozen` uv asks nothing of its pyproject.toml but names. What the lock
takes from elsewhere than an index is refused here: `--no-emit-local` would leave it out without a word.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from shipsafe.adapters.process import Run
from shipsafe.adapters.uv import reason, uv
from shipsafe.errors import IncompleteError
from shipsafe.packing.lock_file import LockFile, open_lock
from shipsafe.packing.needs import Needs, Wanted
from shipsafe.packing.requirements import read_requirements

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_FOLDER = re.compile(r"[A-Za-z0-9._ @+/-]+")
_EXPORT = ("--frozen", "--no-emit-local", "--no-default-groups", "--no-header", "--no-annotate")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    """One package of the lock. `kind` and `where` are its source: `registry` and a URL, `editable` and a folder."""

    name: str
    version: str
    kind: str
    where: str
    table: Mapping[str, Any]

    @classmethod
    def of(cls, table: Mapping[str, Any], lock: LockFile) -> "_Package":
        name, source = table.get("name"), table.get("source")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(source, dict) or not source:
            raise _broken(lock, f"the package {str(name)[:80]!r} has no name or no source")
        kind = next(iter(source))
        return cls(name=canonicalize_name(name), version=str(table.get("version", "")), kind=kind, where=str(source[kind]), table=table)


def read_uv_lock(
    path: Path, *, folder: Path, root: Path, environment: Mapping[str, str], workspace: Path, run: Run
) -> Needs:  # fmt: skip
    """What a project, or the member of a uv workspace whose folder holds the code, asks for.

    Raises:
        IncompleteError: the lock cannot be read, or takes something from elsewhere than an index.
    """
    lock = open_lock(path, root, "[[package]]")
    tables = lock.document.get("package", [])
    requires = lock.document.get("requires-python", "")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables) or not isinstance(requires, str):
        raise _broken(lock, "`package` is not a list of tables")
    lock.check_python(requires, environment["python_version"])
    packages = [_Package.of(table, lock) for table in tables]
    members = _members(packages, lock)
    owner = _owner(members, lock, folder)
    reached = _reach(owner, packages, environment)
    for one in reached:
        if one.kind != "registry" and one is not owner:
            place = lock.place(one.name, one.version)
            raise IncompleteError(
                f"{one.name} does not come from an index ({one.kind} {one.where[:80]}): installing it could run its build code.",
                remedy="Publish it to an index and lock again, or put its code beside the function.",
                path=place.path, line=place.line)  # fmt: skip
    wanted = _export(owner, members, lock, requires, environment, workspace, run)
    missing = {one.name for one in reached if one is not owner} - {one.name for one in wanted}
    if missing:
        raise _broken(lock, f"uv leaves out {', '.join(sorted(missing))}")
    direct: dict[str, AbstractSet[str]] = {}
    for edge in _edges(owner, frozenset(), environment):
        direct[edge.name] = direct.get(edge.name, frozenset()) | edge.extras
    claimed = {one.name: one.where for one in reached if one.kind == "registry"}
    return Needs(wanted=tuple(wanted), files=(lock.shown,), complete=True, direct=direct, claimed=claimed)


def _members(packages: Iterable[_Package], lock: LockFile) -> dict[str, _Package]:
    """The projects that the lock is for: their folder, relative to the lock, to the package."""
    manifest = lock.document.get("manifest", {})
    names = manifest.get("members", []) if isinstance(manifest, dict) else []
    found = {}
    for one in packages:
        if one.kind in ("editable", "virtual") and (one.where == "." or one.name in names):
            parts = PurePosixPath(one.where).parts
            if not _FOLDER.fullmatch(one.where) or one.where.startswith("/") or ".." in parts:
                raise _broken(lock, f"{one.name} lies in {one.where[:80]!r}")
            found[one.where] = one
    return found


def _owner(members: Mapping[str, _Package], lock: LockFile, folder: Path) -> _Package:
    """The member whose folder holds the code; the nearest where several do."""
    home = lock.path.parent
    for candidate in (folder, *folder.parents):
        if candidate.is_relative_to(home) and (one := members.get(candidate.relative_to(home).as_posix())):
            return one
    if "." in members:
        return members["."]
    raise IncompleteError(
        "The lock is for a workspace, and the code lies in none of its members.",
        remedy="Put the code into a member, or a requirements file beside it.",
        path=lock.shown,
    )


@dataclass(frozen=True, slots=True)
class _Edge:
    name: str
    version: str | None
    extras: frozenset[str]


def _edges(package: _Package, extras: AbstractSet[str], environment: Mapping[str, str]) -> Iterator[_Edge]:
    """What a package asks for, on the runtime's platform."""
    optional = package.table.get("optional-dependencies", {})
    groups = [package.table.get("dependencies"), *((optional.get(extra) for extra in sorted(extras)) if isinstance(optional, dict) else ())]
    for one in (one for group in groups for one in _items(group, dict)):
        if _holds(one.get("marker"), environment):
            yield _Edge(canonicalize_name(str(one.get("name", ""))), one.get("version"), frozenset(_items(one.get("extra"), str)))


_T = TypeVar("_T")


def _items(value: object, kind: type[_T]) -> list[_T]:
    """The items of a list that are what they should be."""
    return [one for one in value if isinstance(one, kind)] if isinstance(value, list) else []


def _holds(marker: object, environment: Mapping[str, str]) -> bool:
    if marker is None:
        return True
    try:
        return Marker(str(marker)).evaluate({**environment, "extra": ""})
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        return True  # looked at rather than passed over; what ships is what uv exports


def _reach(owner: _Package, packages: Iterable[_Package], environment: Mapping[str, str]) -> list[_Package]:
    """Everything that the owner needs, itself first."""
    by_name: dict[str, list[_Package]] = {}
    for one in packages:
        by_name.setdefault(one.name, []).append(one)
    reached: dict[tuple[str, str], _Package] = {(owner.name, owner.version): owner}
    queue: list[tuple[_Package, frozenset[str]]] = [(owner, frozenset())]
    seen = {(owner.name, owner.version, frozenset[str]())}
    for package, extras in queue:  # grows while it is walked
        for edge in _edges(package, extras, environment):
            for target in by_name.get(edge.name, []):
                if edge.version not in (None, target.version):
                    continue
                reached[target.name, target.version] = target
                if (target.name, target.version, edge.extras) not in seen:
                    seen.add((target.name, target.version, edge.extras))
                    queue.append((target, edge.extras))
    return list(reached.values())


def _export(
    owner: _Package, members: Mapping[str, _Package], lock: LockFile, requires: str, environment: Mapping[str, str], workspace: Path,
    run: Run,
) -> list[Wanted]:  # fmt: skip
    """What uv exports for the owner, each at its line of the lock."""
    home = workspace / "export"
    home.mkdir()
    (home / "uv.lock").write_text(lock.text, encoding="utf-8")
    for where, one in {".": None, **members}.items():
        place = home / where
        place.mkdir(parents=True, exist_ok=True)
        (place / "pyproject.toml").write_text(_pyproject(one, requires, members if where == "." else {}), encoding="utf-8")
    flags = [*_EXPORT, "--package", owner.name, "--output-file", "export.txt"]
    done = uv(["export", *flags], cwd=home, offline=True, run=run)
    if done.returncode:
        raise IncompleteError(f"The lock cannot be read: {reason(done)}.", remedy="Run `uv lock` again.", path=lock.shown)
    exported = read_requirements(home / "export.txt", root=home, boundary=home.resolve(), environment=environment)
    return [
        Wanted(requirement=one.requirement, location=lock.place(one.name, one.version or ""), hashes=one.hashes) for one in exported.wanted
    ]


def _pyproject(package: _Package | None, requires: str, members: Mapping[str, _Package]) -> str:
    """As little as uv needs; `[tool.uv.workspace]` also ends uv's search for a workspace in the folders above."""
    project = f'[project]\nname = "{package.name}"\nversion = "0"\nrequires-python = {json.dumps(requires)}\n' if package else ""
    inner = sorted(where for where in members if where != ".")
    return f"{project}[tool.uv.workspace]\nmembers = {json.dumps(inner)}\n" if package is None or package.where == "." else project


def _broken(lock: LockFile, why: str) -> IncompleteError:
    return IncompleteError(f"Not a usable uv.lock: {why}.", remedy="Run `uv lock` again.", path=lock.shown)
