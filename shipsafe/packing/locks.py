"""Which file says what a function needs, and what of it ships.

The lock beside the code wins, else the nearest one upward to the project root. Whatever the file, the result is a list that we
wrote, for the one runtime that the function has; uv sees that list and never the project.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from shipsafe.adapters.files import relative
from shipsafe.adapters.process import Run
from shipsafe.errors import ConfigError
from shipsafe.model.policy import LockChoice
from shipsafe.packing.choice import refuse_choice
from shipsafe.packing.needs import Needs, Wanted
from shipsafe.packing.requirements import Requirements, read_requirements
from shipsafe.packing.shared_lock import choose, constrain, constrained, with_local

KINDS = ("requirements.txt", "uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock")
_DEFAULT = LockChoice()


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


def read_needs(
    path: Path, *, folder: Path, root: Path, boundary: Path, environment: Mapping[str, str], workspace: Path, run: Run,
    choice: LockChoice = _DEFAULT, shared: Path | None = None, constraints: Sequence[Path] = (),
) -> Needs:  # fmt: skip
    """The list that a lock or requirements file makes for a runtime.

    Args:
        path: the file.
        folder: where the code lies, which says whose dependencies are meant in a lock of a uv workspace.
        root: the project root, for the names in messages.
        boundary: nothing outside this folder is read.
        environment: PEP 508 marker variables of the runtime.
        workspace: a private folder.
        run: starts uv.
        choice: what the policy takes of a lock.
        shared: a lock that a requirements file chooses from.
        constraints: files of constraints; they hold for a lock, too.

    Raises:
        ConfigError: the policy chooses what the lock does not have.
        IncompleteError: it cannot be read, or asks for something that is refused; with file and line.
    """
    shown = relative(path, root)
    if choice.only_groups and not choice.groups:
        raise ConfigError("`only-groups` is set, and no group is named.", remedy='Name one with `groups = ["..."]`.', path=shown)
    if path.name in ("uv.lock", "poetry.lock", "Pipfile.lock") or path.suffix == ".toml":
        needs = _read_lock(path, folder=folder, root=root, boundary=boundary, environment=environment, choice=choice,
                           workspace=workspace, run=run)  # fmt: skip
        return constrained(needs, _constraints(constraints, root, boundary, environment))
    refuse_choice(shown, choice, "groups or extras")
    found = read_requirements(path, root=root, boundary=boundary, environment=environment, constraints=constraints)
    if shared is None or shared == path:
        return with_local(found, _direct(found), root=root, boundary=boundary, environment=environment)
    return _choose(found, shared, folder=folder, root=root, boundary=boundary, environment=environment, workspace=workspace, run=run)


def _read_lock(
    path: Path, *, folder: Path, root: Path, boundary: Path, environment: Mapping[str, str], choice: LockChoice, workspace: Path, run: Run
) -> Needs:  # fmt: skip
    if path.name == "uv.lock":
        from shipsafe.packing.uv_lock import read_uv_lock  # noqa: PLC0415 - of five kinds a project has one

        return read_uv_lock(path, folder=folder, root=root, boundary=boundary, environment=environment, choice=choice,
                            workspace=workspace, run=run)  # fmt: skip
    if path.name == "poetry.lock":
        from shipsafe.packing.poetry_lock import read_poetry_lock  # noqa: PLC0415 - likewise

        return read_poetry_lock(path, root=root, boundary=boundary, environment=environment, choice=choice)
    if path.name == "Pipfile.lock":
        from shipsafe.packing.pipfile_lock import read_pipfile_lock  # noqa: PLC0415 - likewise

        return read_pipfile_lock(path, root=root, boundary=boundary, environment=environment, choice=choice)
    from shipsafe.packing.pylock import read_pylock  # noqa: PLC0415 - likewise

    return read_pylock(path, root=root, boundary=boundary, environment=environment, choice=choice)


def _choose(
    found: Requirements, shared: Path, *, folder: Path, root: Path, boundary: Path, environment: Mapping[str, str], workspace: Path,
    run: Run,
) -> Needs:  # fmt: skip
    """What a requirements file takes of the lock that it shares with others."""
    shown = relative(shared, root)
    if not shared.is_file() or not shared.resolve().is_relative_to(boundary):
        raise ConfigError(f"The shared lock is not there: {shown}.", remedy="Correct `shared-lock` in shipsafe.toml.", path=shown)
    direct = _direct(found)
    if shared.name in ("uv.lock", "poetry.lock"):
        from shipsafe.packing.poetry_lock import poetry_graph  # noqa: PLC0415 - likewise
        from shipsafe.packing.uv_lock import uv_graph  # noqa: PLC0415 - likewise

        read = uv_graph if shared.name == "uv.lock" else poetry_graph
        lock, graph = read(shared, root=root, python=environment["python_version"])
        return choose(found, lock, graph, direct, root=root, boundary=boundary, environment=environment)
    if shared.suffix == ".txt":
        other = read_requirements(shared, root=root, boundary=boundary, environment=environment)
        whole = with_local(other, {}, root=root, boundary=boundary, environment=environment)
    else:
        whole = _read_lock(shared, folder=folder, root=root, boundary=boundary, environment=environment, choice=_DEFAULT,
                           workspace=workspace, run=run)  # fmt: skip
    return constrain(found, whole, direct, shown)


def _constraints(files: Sequence[Path], root: Path, boundary: Path, environment: Mapping[str, str]) -> list[Wanted]:
    """What files of constraints say; a constraint is a requirement that asks for nothing."""
    read = [read_requirements(one, root=root, boundary=boundary, environment=environment) for one in files]
    return [one for found in read for one in (*found.wanted, *found.constraints)]


def _direct(found: Requirements) -> dict[str, AbstractSet[str]]:
    direct: dict[str, AbstractSet[str]] = {}
    for one in found.wanted:
        direct[one.name] = direct.get(one.name, frozenset()) | one.requirement.extras
    return direct
