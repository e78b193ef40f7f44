"""uv.lock, through `uv export` of a copy that stands beside a pyproject.toml of ours.

uv.lock is uv's own format, so uv says which versions ship of it; but beside the project's pyproject.toml it would also read `[tool.uv]`,
where indexes and build settings stand. The copy stands alone, and with `--frozen` uv asks nothing of its pyproject.toml but names.
Hashes and the folders of local packages are read from the lock itself, along its own graph, which has to give the same.
"""

import json
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from shipsafe.adapters.once import Once
from shipsafe.adapters.process import Run
from shipsafe.adapters.uv import reason, short, uv
from shipsafe.errors import IncompleteError
from shipsafe.model.policy import LockChoice
from shipsafe.packing.choice import check_known
from shipsafe.packing.graph import Edge, Graph, Package, as_needs, holds, refused, twice
from shipsafe.packing.lock_file import LockFile
from shipsafe.packing.needs import Needs
from shipsafe.packing.uv_tables import broken, edges_of, listed, open_uv_lock, package_of, table_of

_FOLDER = re.compile(r"[A-Za-z0-9._ @+/-]+")
_EXPORT = (
    "--frozen",
    "--no-default-groups",
    "--no-emit-local",
    "--no-hashes",
    "--no-header",
    "--no-annotate",
    "--output-file",
    "export.txt",
)
# Functions that share a lock and choose the same of it ask once; the key is all that is asked.
_EXPORTED: Once[tuple[str, str, LockChoice], list[Requirement]] = Once()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """A project that the lock is for: where it lies, relative to the lock, and its table."""

    package: Package
    where: str
    table: Mapping[str, Any]

    def groups(self) -> dict[str, tuple[Edge, ...]]:
        """Its dependency groups; those that are empty stand in its metadata alone."""
        metadata = table_of(table_of(self.table.get("metadata")).get("requires-dev"))
        found = {str(name): edges_of(items) for name, items in table_of(self.table.get("dev-dependencies")).items()}
        return {**dict.fromkeys(metadata, ()), **found}

    def active(self, choice: LockChoice) -> frozenset[str]:
        """What markers of a lock with conflicts call the project, its extras and its groups: `extra == 'extra-6-orders-cpu'`."""
        name = self.package.name
        kinds = (("extra", choice.extras), ("group", choice.groups))
        return frozenset({f"project-{len(name)}-{name}", *(f"{kind}-{len(name)}-{name}-{one}" for kind, all_ in kinds for one in all_)})

    def extras(self) -> list[str]:
        """Names of its extras, those without anything in them too."""
        provided = table_of(self.table.get("metadata")).get("provides-extras")
        return sorted({*self.package.extras, *(one for one in listed(provided) if isinstance(one, str))})


def read_uv_lock(
    path: Path, *, folder: Path, root: Path, boundary: Path, environment: Mapping[str, str], choice: LockChoice, workspace: Path, run: Run
) -> Needs:  # fmt: skip
    """What a project, or the member of a uv workspace whose folder holds the code, asks for.

    Raises:
        ConfigError: the policy chooses a group, extra or member that there is not.
        IncompleteError: the lock cannot be read, or takes something from elsewhere than an index or a folder of the repository.
    """
    lock = open_uv_lock(path, root)
    lock.check_python(str(lock.document.get("requires-python", "")), environment["python_version"])
    packages = [package_of(table, lock) for table in lock.document.get("package", [])]
    members = _members(packages, lock)
    owner = _owner(members, lock, folder, choice)
    groups = owner.groups()
    check_known(lock.shown, "group", choice.groups, groups)
    check_known(lock.shown, "extra", choice.extras, owner.extras())
    edges = [*(() if choice.only_groups else owner.package.edges), *(edge for name in choice.groups for edge in groups[name])]
    edges += [edge for extra in choice.extras for edge in owner.package.extras.get(extra, ())]
    active = owner.active(choice)
    edges = [edge for edge in edges if holds(edge.marker, environment, active, owner.package.place)]
    reached = _reach(edges, packages, environment, active)
    exported = _EXPORTED.get((lock.text, owner.package.name, choice), lambda: _export(owner, members, lock, choice, workspace, run))
    chosen = _chosen(reached, exported, environment, lock)
    chosen.pop(owner.package.name, None)  # an extra of its own can name it: `all = ["orders[pdf]"]`
    if choice.member is not None and not folder.is_relative_to(lock.path.parent / owner.where):
        chosen[owner.package.name] = owner.package  # the code uses it, and does not lie in it
    direct: dict[str, AbstractSet[str]] = {}
    # Where the member ships as a package, it is what the code uses, and its needs are its own.
    for edge in [Edge(name=owner.package.name)] if owner.package.name in chosen else edges:
        if edge.name in chosen:
            direct[edge.name] = direct.get(edge.name, frozenset()) | edge.extras
    return as_needs(chosen.values(), shown=lock.shown, home=lock.path.parent, root=root, boundary=boundary, environment=environment,
                    direct=direct, active=active)  # fmt: skip


def uv_graph(path: Path, *, root: Path, python: str) -> tuple[LockFile, Graph]:
    """The whole lock, for a list that chooses from it.

    Raises:
        IncompleteError: it cannot be read, is for another Python, or has conflicts, of which only a whole project can choose a side.
    """
    lock = open_uv_lock(path, root)
    lock.check_python(str(lock.document.get("requires-python", "")), python)
    if lock.document.get("conflicts"):
        raise IncompleteError("The lock has extras or groups that conflict, and a list cannot choose between them.",
                              remedy="Choose groups in shipsafe.toml instead of a list beside the code.", path=lock.shown)  # fmt: skip
    graph: dict[str, list[Package]] = {}
    for table in lock.document.get("package", []):
        package = package_of(table, lock)
        graph.setdefault(package.name, []).append(package)
    return lock, graph


def _members(packages: Iterable[Package], lock: LockFile) -> dict[str, _Member]:
    """The projects that the lock is for, by their folder, relative to the lock."""
    names = listed(table_of(lock.document.get("manifest")).get("members"))
    tables = {str(canonicalize_name(str(table.get("name")))): table for table in lock.document.get("package", []) if "source" in table}
    found = {}
    for one in packages:
        where = one.folder
        if where is not None and (where == "." or one.name in names):
            if not _FOLDER.fullmatch(where) or where.startswith("/") or ".." in PurePosixPath(where).parts:
                raise broken(lock, f"{one.name} lies in {short(where)!r}")
            found[where] = _Member(package=one, where=where, table=tables[one.name])
    return found


def _owner(members: Mapping[str, _Member], lock: LockFile, folder: Path, choice: LockChoice) -> _Member:
    """The member that the policy chooses, else the one whose folder holds the code; the nearest where several do."""
    if choice.member is not None:
        by_name = {one.package.name: one for one in members.values()}
        check_known(lock.shown, "member", [canonicalize_name(choice.member)], by_name)
        return by_name[canonicalize_name(choice.member)]
    home = lock.path.parent
    for candidate in (folder, *folder.parents):
        if candidate.is_relative_to(home) and (one := members.get(candidate.relative_to(home).as_posix())):
            return one
    if "." in members:
        return members["."]
    raise IncompleteError(
        "The lock is for a workspace, and the code lies in none of its members.",
        remedy='Name the member in shipsafe.toml (`[[select]]` with `function = "..."` and `member = "..."`), or put the code into one.',
        path=lock.shown,
    )


def _reach(
    edges: Iterable[Edge], packages: Iterable[Package], environment: Mapping[str, str], active: AbstractSet[str]
) -> dict[tuple[str, str], Package]:  # fmt: skip
    """Everything that follows from those edges, by name and version.

    Raises:
        IncompleteError: something comes from elsewhere than an index or a folder.
    """
    graph: dict[str, list[Package]] = {}
    for one in packages:
        graph.setdefault(one.name, []).append(one)
    reached: dict[tuple[str, str], Package] = {}
    queue, seen = list(edges), set[tuple[str, str, frozenset[str]]]()
    for edge in queue:  # grows while it is walked
        for one in graph.get(edge.name, ()):
            if edge.fits(one) and (one.name, one.version, edge.extras) not in seen:
                if one.elsewhere:
                    raise refused(one)
                reached[one.name, one.version] = one
                seen.add((one.name, one.version, edge.extras))
                queue.extend(one.asks(edge.extras, environment, active))
    return reached


def _chosen(
    reached: Mapping[tuple[str, str], Package], exported: Iterable[Requirement], environment: Mapping[str, str], lock: LockFile
) -> dict[str, Package]:  # fmt: skip
    """What uv exports for the runtime, and the folders that follow from the lock.

    Raises:
        IncompleteError: uv reads the lock otherwise than we do.
    """
    chosen: dict[str, Package] = {}
    for one in exported:
        name, version = canonicalize_name(one.name), next((part.version for part in one.specifier), "")
        if not holds(str(one.marker) if one.marker else None, environment, frozenset(), lock.place(name)):
            continue
        if name in chosen:
            raise twice(chosen[name])
        if (name, version) not in reached:
            raise broken(lock, f"uv exports {name} {version}, which nothing in it asks for")
        chosen[name] = reached[name, version]
    # Of what conflicts, markers alone do not tell which side is meant: there what uv exports is all that is known.
    left = sorted(one.name for one in reached.values() if one.folder is None and one.name not in chosen)
    if left and not lock.document.get("conflicts"):
        raise broken(lock, f"uv leaves out {', '.join(left)}")
    return chosen | {one.name: one for one in reached.values() if one.folder is not None}


def _export(
    owner: _Member, members: Mapping[str, _Member], lock: LockFile, choice: LockChoice, workspace: Path, run: Run
) -> list[Requirement]:  # fmt: skip
    """What uv exports for the owner: versions with markers, for every platform.

    Raises:
        IncompleteError: uv cannot read the lock.
    """
    home = workspace / "export"
    home.mkdir()
    (home / "uv.lock").write_text(lock.text, encoding="utf-8")
    requires = str(lock.document.get("requires-python", ""))
    for where, one in {".": None, **members}.items():
        place = home / where
        place.mkdir(parents=True, exist_ok=True)
        (place / "pyproject.toml").write_text(_pyproject(one, requires, members if where == "." else {}), encoding="utf-8")
    only = "--only-group" if choice.only_groups else "--group"
    chosen = [f"{only}={name}" for name in choice.groups] + [f"--extra={name}" for name in choice.extras]
    done = uv(["export", *_EXPORT, *chosen, "--package", owner.package.name], cwd=home, offline=True, run=run)
    if done.returncode:
        raise IncompleteError(f"The lock cannot be read: {reason(done).rstrip('.')}.", remedy="Run `uv lock` again.", path=lock.shown)
    try:
        return [Requirement(line) for line in (home / "export.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
    except InvalidRequirement as error:
        raise broken(lock, f"what uv exports is no list: {error}") from error


def _pyproject(member: _Member | None, requires: str, members: Mapping[str, _Member]) -> str:
    """As little as uv needs; `[tool.uv.workspace]` also ends uv's search for a workspace in the folders above."""
    project = f'[project]\nname = "{member.package.name}"\nversion = "0"\nrequires-python = {json.dumps(requires)}\n' if member else ""
    inner = sorted(where for where in members if where != ".")
    return f"{project}[tool.uv.workspace]\nmembers = {json.dumps(inner)}\n" if member is None or member.where == "." else project
