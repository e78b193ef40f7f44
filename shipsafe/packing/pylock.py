"""pylock.toml (PEP 751), read for one runtime by the `packaging` library."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import Package, Pylock, PylockUnsupportedVersionError, PylockValidationError
from packaging.requirements import Requirement
from packaging.version import InvalidVersion

from shipsafe.errors import IncompleteError
from shipsafe.packing.lock_file import LockFile, open_lock
from shipsafe.packing.needs import Needs, Wanted

_ALGORITHMS = ("sha256", "sha384", "sha512")


def read_pylock(path: Path, *, root: Path, environment: Mapping[str, str]) -> Needs:
    """What a pylock asks for; extras none, dependency groups as it declares them by default.

    Raises:
        IncompleteError: it is not a valid pylock, is for another Python or platform, or names something that is refused.
    """
    lock = open_lock(path, root, "[[packages]]")
    try:
        content = Pylock.from_dict(lock.document)
        marked: dict[str, str | AbstractSet[str]] = {
            **environment,
            "extras": frozenset[str](),
            "dependency_groups": frozenset(content.default_groups or ()),
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
    wanted: dict[str, Wanted] = {}
    for package in packages:
        if package.name in wanted:
            place = lock.place(package.name, str(package.version))
            raise IncompleteError(f"{package.name} stands in the lock twice for the function's platform.", remedy="Lock again.",
                                  path=place.path, line=place.line)  # fmt: skip
        wanted[package.name] = _locked(package, lock)
    claimed = {str(package.name): package.index for package in packages if package.index}
    return Needs(wanted=tuple(wanted.values()), files=(lock.shown,), complete=True, claimed=claimed)


def _holds(marker: Marker | None, marked: Mapping[str, str | AbstractSet[str]]) -> bool:
    return marker is None or marker.evaluate(marked, context="lock_file")


def _locked(package: Package, lock: LockFile) -> Wanted:
    """A package as a pinned requirement with the hashes of its wheels and of its source distribution."""
    place = lock.place(package.name, str(package.version))
    if package.vcs or package.directory or package.archive or package.version is None:
        raise IncompleteError(f"{package.name} does not come from an index: installing it could run its build code.",
                              remedy="Publish it to an index and lock again.", path=place.path, line=place.line)  # fmt: skip
    files = (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
    hashes = {f"{name}:{file.hashes[name]}" for file in files for name in _ALGORITHMS if name in file.hashes}
    if not hashes:
        raise IncompleteError(
            f"{package.name} has no hash in the lock that uv could verify.", remedy="Lock again.", path=place.path, line=place.line
        )
    return Wanted(requirement=Requirement(f"{package.name}=={package.version}"), location=place, hashes=tuple(sorted(hashes)))
