"""poetry.lock, of Poetry 1.x and 2.x.

A lock of Poetry 2 (`lock-version` 2.1) says of each package in which groups it is and where it applies, and is taken at its word. An
older one only says who needs whom: then what the project itself asks for is read from the pyproject.toml beside it, and everything
that follows from it ships. `main` always ships, unless the policy says `only-groups`; every other group, and each extra, ships where
the policy names it.

Source: https://python-poetry.org/docs/, and poetry-core's reading of `[tool.poetry]`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from shipsafe.adapters.uv import PYPI, short, without_credentials
from shipsafe.errors import IncompleteError
from shipsafe.model.policy import LockChoice
from shipsafe.packing.choice import check_known, refuse_choice
from shipsafe.packing.graph import Edge, Graph, Package, as_needs, holds, reach, twice
from shipsafe.packing.lock_file import LockFile, open_lock
from shipsafe.packing.needs import Needs
from shipsafe.packing.poetry_versions import admits

_MAIN = "main"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_HEADER = "[[package]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the project itself asks for: group -> edges, and extra -> names of optional packages of `main`."""

    groups: dict[str, list[Edge]] = field(default_factory=dict)
    optional: list[Edge] = field(default_factory=list)
    extras: dict[str, AbstractSet[str]] = field(default_factory=dict)

    def edges(self, chosen: Iterable[str], extras: Iterable[str]) -> list[Edge]:
        """Of those groups, with those extras."""
        names = {name for extra in extras for name in self.extras.get(extra, ())}
        asked = [edge for group in chosen for edge in self.groups.get(group, ())]
        return [*asked, *(edge for edge in self.optional if edge.name in names)]


def read_poetry_lock(path: Path, *, root: Path, boundary: Path, environment: Mapping[str, str], choice: LockChoice) -> Needs:
    """What ships of a poetry.lock.

    Raises:
        ConfigError: the policy chooses a group or extra that there is not, or a member, which Poetry does not have.
        IncompleteError: the lock cannot be used, or takes something from elsewhere than an index or a folder of the repository.
    """
    lock, graph = poetry_graph(path, root=root, python=environment["python_version"])
    if choice.member is not None:
        refuse_choice(lock.shown, choice, "members")
    asked = _asked(lock, path.parent / "pyproject.toml", root, environment)
    tables = list(_packages(lock, environment))
    grouped = [table.get("groups") for table, _ in tables]
    known = {*(asked.groups if asked else ()), _MAIN, *(one for groups in grouped for one in _texts(groups))}
    check_known(lock.shown, "group", choice.groups, known)
    check_known(lock.shown, "extra", choice.extras, _table(lock.document.get("extras")))
    groups = [*(() if choice.only_groups else (_MAIN,)), *choice.groups]
    if all(isinstance(one, list) for one in grouped):
        chosen = _as_marked(tables, groups, choice.extras, environment)
    elif asked is None:
        raise IncompleteError("A lock of Poetry 1 says what ships only together with its pyproject.toml, which is not beside it.",
                              remedy="Put it there, or lock with Poetry 2.", path=lock.shown)  # fmt: skip
    else:
        chosen = reach(asked.edges(groups, choice.extras), graph, environment, place=lock.place(""))
    direct: dict[str, AbstractSet[str]] | None = None if asked is None else {}
    for edge in asked.edges(groups, choice.extras) if asked is not None else ():
        if direct is not None and edge.name in chosen and holds(edge.marker, environment, frozenset(choice.extras), lock.place("")):
            direct[edge.name] = direct.get(edge.name, frozenset()) | edge.extras
    return as_needs(chosen.values(), shown=lock.shown, home=path.parent, root=root, boundary=boundary, environment=environment,
                    direct=direct)  # fmt: skip


def poetry_graph(path: Path, *, root: Path, python: str) -> tuple[LockFile, Graph]:
    """The whole lock, for a list that chooses from it.

    Raises:
        IncompleteError: it cannot be read, or is for another Python.
    """
    lock = open_lock(path, root, _HEADER)
    if not isinstance(lock.document.get("package", []), list):
        raise _broken(lock, "`package` is not a list of tables")
    version = str(_table(lock.document.get("metadata")).get("lock-version", ""))
    if version.partition(".")[0] not in ("1", "2"):
        raise _broken(lock, f"its lock-version is {version[:20]!r}, and 1 and 2 are known")
    wanted = str(_table(lock.document.get("metadata")).get("python-versions", "*"))
    if not _fits_python(wanted, python, lock):
        raise IncompleteError(f"The lock is for Python {wanted[:80]}, and the runtime has {python}.",
                              remedy="Lock for the runtime's Python, or change the runtime.", path=lock.shown)  # fmt: skip
    graph: dict[str, list[Package]] = {}
    for _, package in _packages(lock, {"python_version": python}):
        graph.setdefault(package.name, []).append(package)
    return lock, graph


def _as_marked(
    tables: Iterable[tuple[Mapping[str, Any], Package]], groups: Iterable[str], extras: Iterable[str], environment: Mapping[str, str]
) -> dict[str, Package]:  # fmt: skip
    """The packages of a lock of Poetry 2 that are in the groups and apply to the runtime."""
    chosen: dict[str, Package] = {}
    for table, package in tables:
        said = table.get("markers")
        markers = [said.get(group) if isinstance(said, dict) else said for group in set(groups) & set(_texts(table.get("groups")))]
        applies = any(holds(None if one is None else str(one), environment, frozenset(extras), package.place) for one in markers)
        if applies and chosen.setdefault(package.name, package) is not package:
            raise twice(package)
    for package in chosen.values():
        for edge in package.asks(frozenset(), environment):
            if edge.name not in chosen:
                raise IncompleteError(f"{package.name} needs {edge.name}, which the lock has not for these groups.", remedy="Lock again.",
                                      path=package.place.path, line=package.place.line)  # fmt: skip
    return chosen


def _packages(lock: LockFile, environment: Mapping[str, str]) -> Iterable[tuple[Mapping[str, Any], Package]]:
    files = _table(_table(lock.document.get("metadata")).get("files"))
    for table in lock.document.get("package", []):
        if not isinstance(table, dict) or not isinstance(table.get("name"), str) or not _NAME.fullmatch(table["name"]):
            raise _broken(lock, f"the package {str(_table(table).get('name'))[:80]!r} has no name")
        name, version, source = canonicalize_name(table["name"]), str(table.get("version", "")), _table(table.get("source"))
        kind, where = str(source.get("type", "legacy")), str(source.get("url", ""))
        place = lock.place(name, version)
        listed = table.get("files") if "files" in table else files.get(table["name"])  # below [metadata] until Poetry 1.2
        edges, optional = _needs(table, lock, environment)
        yield (
            table,
            Package(
                name=name,
                version=version,
                place=place,
                hashes=tuple(_hashes(listed, version)),
                index=(where or PYPI) if kind == "legacy" else None,
                folder=where if kind == "directory" else None,
                elsewhere="" if kind in ("legacy", "directory") else f"{kind} {where}",
                edges=tuple(edges),
                extras={str(extra): _for_extra(lines, optional) for extra, lines in _table(table.get("extras")).items()},
                markers=(table["markers"],) if isinstance(table.get("markers"), str) and "extra" not in table["markers"] else (),
            ),
        )


def _needs(table: Mapping[str, Any], lock: LockFile, environment: Mapping[str, str]) -> tuple[list[Edge], list[Edge]]:
    """What a package needs always, and what only an extra of it asks for."""
    edges: list[Edge] = []
    optional: list[Edge] = []
    for name, said in _table(table.get("dependencies")).items():
        for one in said if isinstance(said, list) else [said]:
            if (edge := _edge(name, one, lock, environment)) is not None:
                (optional if _table(one).get("optional") else edges).append(edge)
    return edges, optional


def _for_extra(lines: object, optional: Iterable[Edge]) -> tuple[Edge, ...]:
    """What an extra asks for: it names packages (`extra-part (>=1)`), and the dependencies say which of them."""
    names = {canonicalize_name(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in _texts(lines)}
    return tuple(edge for edge in optional if edge.name in names)


def _edge(name: str, said: object, lock: LockFile, environment: Mapping[str, str]) -> Edge | None:
    """One dependency as Poetry writes it; None where it is for another Python or platform."""
    table = _table(said)
    python, system = table.get("python"), table.get("platform")
    if python is not None and not _fits_python(str(python), environment["python_version"], lock):
        return None
    if system is not None and system not in ("linux", environment.get("sys_platform", "linux")):
        return None
    constraint = said if isinstance(said, str) else str(table.get("version", "*"))
    return Edge(
        name=canonicalize_name(str(name)),
        extras=frozenset(_texts(table.get("extras"))),
        marker=str(table["markers"]) if "markers" in table else None,
        fits=_fits(constraint, lock),
    )


def _fits(constraint: str, lock: LockFile) -> Callable[[Package], bool]:
    def fits(package: Package) -> bool:
        try:
            return package.folder is not None or bool(package.elsewhere) or admits(constraint, package.version)
        except ValueError as error:
            raise _broken(lock, f"{constraint[:60]!r} is no constraint") from error

    return fits


def _fits_python(constraint: str, python: str, lock: LockFile) -> bool:
    try:
        return admits(constraint, f"{python}.0") or admits(constraint, f"{python}.999")
    except ValueError as error:
        raise _broken(lock, f"{constraint[:60]!r} is no constraint on Python") from error


def _hashes(listed: object, version: str) -> Iterable[str]:
    """Digests of the files of that version: an old lock lists the files of all versions together."""
    for one in listed if isinstance(listed, list) else ():
        file, digest = str(_table(one).get("file", "")), str(_table(one).get("hash", ""))
        if _is_of_version(file, version):
            yield digest


def _is_of_version(file: str, version: str) -> bool:
    """Whether a file is of that version, or its name does not tell."""
    try:
        told = parse_wheel_filename(file)[1] if file.endswith(".whl") else parse_sdist_filename(file)[1]
        return told == Version(version)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return True


def _asked(lock: LockFile, path: Path, root: Path, environment: Mapping[str, str]) -> _Asked | None:
    """What the pyproject.toml beside the lock asks for; None where there is none."""
    if not path.is_file():
        return None
    document = open_lock(path, root, "").document
    poetry, project = _table(_table(document.get("tool")).get("poetry")), _table(document.get("project"))
    asked = _Asked(extras=_extras(lock))
    main = asked.groups.setdefault(_MAIN, [])
    modern = [_from_line(line, lock) for line in _texts(project.get("dependencies"))]
    named = {edge.name for edge in modern}
    for lines in _table(project.get("optional-dependencies")).values():
        asked.optional.extend(_from_line(line, lock) for line in _texts(lines))
    main.extend(modern)
    always, optional = _needs({"dependencies": _without_python(poetry.get("dependencies"))}, lock, environment)
    main.extend(edge for edge in always if edge.name not in named)
    asked.optional.extend(optional)
    if "dev-dependencies" in poetry:
        asked.groups["dev"] = _needs({"dependencies": poetry["dev-dependencies"]}, lock, environment)[0]
    for group, table in _table(poetry.get("group")).items():
        asked.groups.setdefault(str(group), []).extend(_needs(_table(table), lock, environment)[0])
    for group, lines in _table(document.get("dependency-groups")).items():
        asked.groups.setdefault(str(group), []).extend(_from_line(line, lock) for line in _texts(lines))
    return asked


def _extras(lock: LockFile) -> dict[str, AbstractSet[str]]:
    said = _table(lock.document.get("extras"))
    return {str(extra): {canonicalize_name(one) for one in _texts(names)} for extra, names in said.items()}


def _without_python(said: object) -> dict[str, Any]:
    return {name: one for name, one in _table(said).items() if name.lower() != "python"}


def _from_line(line: str, lock: LockFile) -> Edge:
    try:
        read = Requirement(line)
    except (InvalidRequirement, RecursionError) as error:
        raise _broken(lock, f"pyproject.toml asks for {short(line)!r}, which is no requirement") from error
    specifier = read.specifier

    def fits(package: Package) -> bool:
        return package.folder is not None or bool(package.elsewhere) or specifier.contains(package.version, prereleases=True)

    marker = str(read.marker) if read.marker else None
    return Edge(name=canonicalize_name(read.name), extras=frozenset(read.extras), marker=marker, fits=fits)


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _broken(lock: LockFile, why: str) -> IncompleteError:
    return IncompleteError(f"Not a usable poetry.lock: {without_credentials(why)}.", remedy="Run `poetry lock` again.", path=lock.shown)
