"""pylock.toml (PEP 751), read for one runtime by the `packaging` library."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import Package, Pylock, PylockUnsupportedVersionError, PylockValidationError
from packaging.version import InvalidVersion

from shipsafe.errors import IncompleteError
from shipsafe.model.policy import LockChoice
from shipsafe.packing import graph
from shipsafe.packing.choice import check_known, refuse_choice
from shipsafe.packing.lock_file import LockFile, open_lock
from shipsafe.packing.needs import Needs

_ALGORITHMS = ("sha256", "sha384", "sha512")


def read_pylock(path: Path, *, root: Path, boundary: Path, environment: Mapping[str, str], choice: LockChoice | None = None) -> Needs:
    """What a pylock asks for: its default groups, and the groups and extras that the policy chooses.

    Raises:
        ConfigError: the policy chooses a group or extra that there is not, or a member.
        IncompleteError: it is not a valid pylock, is for another Python or platform, or names something that is refused.
    """
    choice = choice or LockChoice()
    lock = open_lock(path, root, "[[packages]]")
    try:
        content = Pylock.from_dict(lock.document)
        _check_choice(content, lock, choice)
        defaults = () if choice.only_groups else (content.default_groups or ())
        marked: dict[str, str | AbstractSet[str]] = {
            **environment,
            "extras": frozenset(choice.extras),
            "dependency_groups": frozenset((*defaults, *choice.groups)),
        }
        # Only which packages apply is asked; which wheel of a package fits is uv's to say, by hash.
        packages = [package for package in content.packages if _holds(package.marker, marked)]
        supported = not content.environments or any(_holds(one, marked) for one in content.environments)
    except (PylockValidationError, PylockUnsupportedVersionError, UndefinedComparison, UndefinedEnvironmentName,
            InvalidVersion) as error:  # fmt: skip
        raise IncompleteError(f"Not a valid pylock.toml: {error}.", remedy="Lock again (PEP 751).", path=lock.shown) from error
    if content.requires_python is not None:
        lock.check_python(str(content.requires_python), environment["python_version"])
    if not supported:
        raise IncompleteError("The lock is for other platforms than the function's.",
                              remedy="Lock for Linux and the runtime's Python.", path=lock.shown)  # fmt: skip
    chosen: dict[str, graph.Package] = {}
    for package in packages:
        if package.name in chosen:
            raise graph.twice(chosen[package.name], lock.place(package.name, str(package.version)))
        chosen[package.name] = _package(package, lock)
    return graph.as_needs(chosen.values(), shown=lock.shown, home=path.parent, root=root, boundary=boundary, environment=environment,
                          direct=None)  # fmt: skip


def _check_choice(content: Pylock, lock: LockFile, choice: LockChoice) -> None:
    if choice.member is not None:
        refuse_choice(lock.shown, choice, "members")
    check_known(lock.shown, "group", choice.groups, [*(content.dependency_groups or ()), *(content.default_groups or ())])
    check_known(lock.shown, "extra", choice.extras, content.extras or ())


def _holds(marker: Marker | None, marked: Mapping[str, str | AbstractSet[str]]) -> bool:
    return marker is None or marker.evaluate(marked, context="lock_file")


def _package(package: Package, lock: LockFile) -> graph.Package:
    """A package with the hashes of its wheels and of its source distribution."""
    files = (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
    elsewhere = f"git {package.vcs.url or package.vcs.path}" if package.vcs else ""
    if package.archive:
        elsewhere = f"archive {package.archive.url or package.archive.path}"
    folder = package.directory.path if package.directory else None
    if package.directory and package.directory.subdirectory:
        folder = f"{folder}/{package.directory.subdirectory}"
    return graph.Package(
        name=package.name,
        version=str(package.version or ""),
        place=lock.place(package.name, str(package.version)),
        hashes=tuple(f"{name}:{file.hashes[name]}" for file in files for name in _ALGORITHMS if name in file.hashes),
        index=package.index,
        folder=folder,
        elsewhere=elsewhere,
    )
