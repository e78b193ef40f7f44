"""Which file says what a function needs, and the list that it makes: `requirements.txt`, `uv.lock`, `pylock.toml`.

The lock beside the code wins, else the nearest one upward to the project root. Whatever the file, the result is a list that we
wrote, for the one runtime that the function has; uv sees that list and never the project.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.pylock import Package, Pylock, PylockSelectError, PylockUnsupportedVersionError, PylockValidationError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.uv import reason, uv
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location
from shipsafe.packing.requirements import Requirements, Wanted, read_requirements
from shipsafe.packing.runtimes import MACHINES

KINDS = ("requirements.txt", "uv.lock", "pylock.toml")
_LIMIT = 64 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a function needs, as a list for uv.

    Attributes:
        wanted, constraints: requirements that apply to the runtime.
        files: the files they were read from, relative to the project root.
        complete: a lock: every distribution stands in it, so nothing is resolved.
        direct: normalised names that the project itself asks for, or None when the file does not tell.
        indexes: name -> URL of the index the lock took it from.
    """

    wanted: tuple[Wanted, ...] = ()
    constraints: tuple[Wanted, ...] = ()
    files: tuple[str, ...] = ()
    complete: bool = False
    direct: frozenset[str] | None = None
    indexes: Mapping[str, str] = field(default_factory=dict)


def environment(python: str, architecture: str) -> dict[str, str]:
    """PEP 508 marker variables of a Lambda runtime."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": MACHINES[architecture],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def find_lock(folder: Path, *, root: Path, chosen: str | None) -> Path | None:
    """The lock or requirements file for code in `folder`, or None.

    Raises:
        ConfigError: two kinds at one level and the policy does not choose.
    """
    levels = [folder, *folder.parents] if folder.is_relative_to(root) else [folder]
    for level in levels:
        here = [name for name in KINDS if (level / name).is_file()]
        if chosen in here:
            return level / chosen
        if len(here) > 1:
            shown = level.relative_to(root).as_posix() if level.is_relative_to(root) else level.as_posix()
            raise ConfigError(
                f"{' and '.join(here)} stand beside each other, and only one of them can say what ships.",
                remedy=f'Choose with `lock = "{here[-1]}"` at the top of shipsafe.toml, or remove one.',
                path=shown,
            )
        if here:
            return level / here[0]
        if level == root:
            break
    return None


def read_needs(path: Path, *, root: Path, python: str, architecture: str, workspace: Path) -> Needs:
    """The list that a lock or requirements file makes for a runtime.

    Raises:
        IncompleteError: it cannot be read, or asks for something that is refused; with file and line.
    """
    target = environment(python, architecture)
    if path.name == "uv.lock":
        return _uv_lock(path, root, target, workspace)
    if path.suffix == ".toml":
        return _pylock(path, root, target)
    found = read_requirements(path, root=root, environment=target)
    return _from_requirements(found)


def _from_requirements(found: Requirements) -> Needs:
    return Needs(wanted=tuple(found.wanted), constraints=tuple(found.constraints), files=tuple(found.files))


def _toml(path: Path, shown: str) -> tuple[dict[str, Any], str]:
    try:
        text = read_bounded(path, limit=_LIMIT, shown=shown).decode()
        return tomllib.loads(text), text
    except ConfigError as error:
        raise IncompleteError(error.what, remedy=error.remedy, path=shown) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise IncompleteError(f"Not valid TOML: {error}.", remedy="Make the lock again.", path=shown) from error


def _lines(text: str, header: str) -> dict[str, int]:
    """Package name -> line of its entry, for `[[package]]` or `[[packages]]` tables."""
    lines: dict[str, int] = {}
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            inside = line.strip() == header
        elif inside and (found := re.match(r'name\s*=\s*"([^"]+)"', line)):
            lines.setdefault(canonicalize_name(found[1]), number)
    return lines


def _uv_lock(path: Path, root: Path, target: dict[str, str], workspace: Path) -> Needs:
    """`uv export` of a copy of the lock that stands beside a pyproject.toml of ours, read as the requirements it is."""
    shown = _shown(path, root)
    document, text = _toml(path, shown)
    lines = _lines(text, "[[package]]")
    packages = document.get("package", [])
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise IncompleteError("Not a uv.lock: `package` is not a list of tables.", remedy="Run `uv lock`.", path=shown)
    own = [package for package in packages if _source(package) in ("editable:.", "virtual:.")]
    if len(own) != 1:
        raise IncompleteError("The lock does not name the project itself.", remedy="Run `uv lock` beside pyproject.toml.", path=shown)
    indexes: dict[str, str] = {}
    for package in packages:
        name, source = canonicalize_name(str(package.get("name", ""))), _source(package)
        if package is own[0]:
            continue
        if not source.startswith("registry:"):
            raise IncompleteError(
                f"{name} comes from {source.replace(':', ' ', 1)!r}, not from an index: installing it could run its build code.",
                remedy="Publish it to an index and lock again.", path=shown, line=lines.get(name))  # fmt: skip
        indexes[name] = source.removeprefix("registry:")
    folder = workspace / "export"
    folder.mkdir()
    (folder / "uv.lock").write_text(text)
    name, python = own[0].get("name", "project"), document.get("requires-python", ">=3.8")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", str(name)) or not re.fullmatch(r"[0-9A-Za-z.,<>=!~* ]+", str(python)):
        raise IncompleteError("The lock's name or requires-python is not valid.", remedy="Run `uv lock` again.", path=shown)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "0"\nrequires-python = "{python}"\n')
    flags = ("--frozen", "--no-emit-local", "--no-default-groups", "--no-header", "--no-annotate", "--no-sources", "--quiet")
    done = uv(["export", *flags, "--output-file", "export.txt"], cwd=folder, offline=True)
    if done.returncode:
        raise IncompleteError(f"The lock cannot be read: {reason(done)}.", remedy="Run `uv lock` again.", path=shown)
    exported = read_requirements(folder / "export.txt", root=folder.resolve(), environment=target)
    wanted = tuple(_at(one, Location(path=shown, line=lines.get(one.name))) for one in exported.wanted)
    direct = frozenset(canonicalize_name(str(needed.get("name", ""))) for needed in own[0].get("dependencies", []))
    return Needs(wanted=wanted, files=(shown,), complete=True, direct=direct, indexes=indexes)


def _source(package: Mapping[str, Any]) -> str:
    """`registry:URL`, `editable:.`, `git:URL` ..., or `nowhere:`."""
    source = package.get("source", {})
    kind = next(iter(source), "nowhere") if isinstance(source, dict) else "nowhere"
    return f"{kind}:{source.get(kind, '')}" if isinstance(source, dict) else "nowhere:"


def _pylock(path: Path, root: Path, target: dict[str, str]) -> Needs:
    """PEP 751, selected for the runtime by the `packaging` library."""
    shown = _shown(path, root)
    document, text = _toml(path, shown)
    lines = _lines(text, "[[packages]]")
    try:
        lock = Pylock.from_dict(document)
        # Only which packages apply is asked; which of a package's wheels fits is uv's to say, by hash.
        packages = [package for package in lock.packages if _applies(package, target)]
    except (PylockValidationError, PylockUnsupportedVersionError, PylockSelectError, ValueError, TypeError) as error:
        raise IncompleteError(f"Not a valid pylock.toml: {error}.", remedy="Lock again (PEP 751).", path=shown) from error
    python = target["python_full_version"]
    if lock.requires_python is not None and not lock.requires_python.contains(python):
        raise IncompleteError(f"The lock is for Python {lock.requires_python}, the runtime has {target['python_version']}.",
                              remedy="Lock for the runtime's Python.", path=shown)  # fmt: skip
    wanted, indexes = [], {}
    for package in packages:
        place = Location(path=shown, line=lines.get(str(package.name)))
        wanted.append(_locked(package, place))
        if package.index:
            indexes[str(package.name)] = package.index
    return Needs(wanted=tuple(wanted), files=(shown,), complete=True, indexes=indexes)


def _applies(package: Package, target: dict[str, str]) -> bool:
    marked: dict[str, str | AbstractSet[str]] = {**target, "extras": frozenset(), "dependency_groups": frozenset()}
    return package.marker is None or package.marker.evaluate(marked, context="lock_file")


def _locked(package: Package, place: Location) -> Wanted:
    """A package of a pylock as a pinned requirement with the hashes of its wheels and of its source distribution."""
    if package.vcs or package.directory or package.archive or package.version is None:
        raise IncompleteError(f"{package.name} does not come from an index: installing it could run its build code.",
                              remedy="Publish it to an index and lock again.", path=place.path, line=place.line)  # fmt: skip
    files: Sequence[Any] = (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
    hashes = {f"sha256:{file.hashes['sha256']}" for file in files if "sha256" in file.hashes}
    if not hashes:
        raise IncompleteError(f"{package.name} has no SHA-256 in the lock.", remedy="Lock again.", path=place.path, line=place.line)
    requirement = Requirement(f"{package.name}=={package.version}")
    return Wanted(requirement=requirement, location=place, hashes=tuple(sorted(hashes)))


def _at(wanted: Wanted, place: Location) -> Wanted:
    return Wanted(requirement=wanted.requirement, location=place, hashes=wanted.hashes)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
