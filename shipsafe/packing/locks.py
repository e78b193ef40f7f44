"""Which file says what a function needs: `requirements.txt`, `uv.lock` or `pylock.toml`.

The lock beside the code wins, else the nearest one upward to the project root. Whatever the file, the result is a list that we
wrote, for the one runtime that the function has; uv sees that list and never the project.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from shipsafe.adapters.files import relative
from shipsafe.adapters.process import Run
from shipsafe.errors import ConfigError
from shipsafe.packing.needs import Needs
from shipsafe.packing.pylock import read_pylock
from shipsafe.packing.requirements import read_requirements
from shipsafe.packing.uv_lock import read_uv_lock

KINDS = ("requirements.txt", "uv.lock", "pylock.toml")


def find_lock(folder: Path, *, root: Path, chosen: str | None) -> Path | None:
    """The lock or requirements file for code in `folder`, or None.

    Raises:
        ConfigError: two kinds at one level and the policy does not choose, or it chooses a kind that there is not.
    """
    if chosen is not None and chosen not in KINDS:
        raise ConfigError(f"`lock` is {chosen!r}, which is no kind of lock.", remedy=f"Use one of {', '.join(KINDS)}.")
    levels = [folder, *folder.parents] if folder.is_relative_to(root) else [folder]
    for level in levels:
        here = [name for name in KINDS if (level / name).is_file()]
        if chosen in here:
            return level / chosen
        if len(here) > 1:
            raise ConfigError(
                f"{' and '.join(here)} stand beside each other, and only one of them can say what ships.",
                remedy=f'Choose with `lock = "{here[-1]}"` at the top of shipsafe.toml, or remove one.',
                path=relative(level, root),
            )
        if here:
            return level / here[0]
        if level == root:
            break
    return None


def read_needs(path: Path, *, folder: Path, root: Path, boundary: Path, environment: Mapping[str, str], workspace: Path, run: Run) -> Needs:
    """The list that a lock or requirements file makes for a runtime.

    Args:
        path: the file.
        folder: where the code lies, which says whose dependencies are meant in a lock of a uv workspace.
        root: the project root, for the names in messages.
        boundary: nothing outside this folder is read.
        environment: PEP 508 marker variables of the runtime.
        workspace: a private folder.
        run: starts uv.

    Raises:
        IncompleteError: it cannot be read, or asks for something that is refused; with file and line.
    """
    if path.name == "uv.lock":
        return read_uv_lock(path, folder=folder, root=root, environment=environment, workspace=workspace, run=run)
    if path.suffix == ".toml":
        return read_pylock(path, root=root, environment=environment)
    found = read_requirements(path, root=root, boundary=boundary, environment=environment)
    direct: dict[str, AbstractSet[str]] = {}
    for one in found.wanted:
        direct[one.name] = direct.get(one.name, frozenset()) | one.requirement.extras
    return Needs(wanted=tuple(found.wanted), constraints=tuple(found.constraints), files=tuple(found.files), direct=direct)
