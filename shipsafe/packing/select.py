"""Which files of a folder ship: everything but what no function needs at run time, and what `.shipsafeignore` names.

Left out by default: version control, caches of Python and of tools, virtual environments, what other build tools leave behind.
Kept on purpose: `.env`, keys and credentials. Other tools ship them, so the gate `package` must see them; hiding them here would
only move the leak to the next tool.

Links are followed inside the project and never out of it. Devices, sockets and pipes are never opened.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Problem, ProblemKind, has_control

IGNORE_FILE = ".shipsafeignore"
_FOLDERS = frozenset({
    ".git", ".hg", ".svn", "__pycache__", ".venv", "venv", ".tox", ".nox", ".aws-sam", "cdk.out", ".serverless", ".mypy_cache",
    ".ruff_cache", ".pytest_cache", ".hypothesis", ".idea", ".vscode", ".terraform",
})  # fmt: skip
_FILES = frozenset({".DS_Store", "Thumbs.db", ".gitignore", ".gitattributes", IGNORE_FILE})
_SUFFIXES = (".pyc", ".pyo")
_DEPTH = 64
_COUNT = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A file that ships: its path below the folder (POSIX), the file that holds its bytes, and its mode in the zip."""

    path: str
    file: Path
    mode: int


@dataclass(slots=True)
class Selection:
    """What a folder gives, and what was seen on the way."""

    files: list[Selected]
    problems: list[Problem]


def select(folder: Path, *, root: Path, boundary: Path) -> Selection:
    """Walk a folder.

    Args:
        folder: where the code lies.
        root: the project root, for the names in messages.
        boundary: no link may lead out of this folder (the repository).

    Raises:
        IncompleteError: too many files, too deep, or a folder that cannot be read.
    """
    selection = Selection([], [])
    ignored = _ignore_rules(folder, root)
    for path, file in _walk(folder, "", root, boundary, ignored, selection, ancestors=(folder.resolve(),)):
        if len(selection.files) >= _COUNT:
            raise IncompleteError(
                f"There are more than {_COUNT} files.", remedy="Leave some out with .shipsafeignore.", path=_shown(folder, root)
            )
        selection.files.append(Selected(path=path, file=file, mode=mode_of(file)))
    return selection


def mode_of(file: Path) -> int:
    """0755 where the owner may run it, else 0644: nothing else of a mode survives, so that umask and machine do not matter."""
    return PROGRAM_MODE if file.stat().st_mode & stat.S_IXUSR else FILE_MODE


def _ignore_rules(folder: Path, root: Path) -> GitIgnoreSpec:
    file = folder / IGNORE_FILE
    if not file.is_file():
        return GitIgnoreSpec.from_lines([])
    try:
        return GitIgnoreSpec.from_lines(read_bounded(file, limit=MEBIBYTE, shown=_shown(file, root)).decode().splitlines())
    except ConfigError as error:
        raise IncompleteError(error.what, remedy=error.remedy, path=error.path) from error
    except ValueError as error:
        raise IncompleteError(f"Cannot be read: {error}.", remedy="See the syntax of .gitignore.", path=_shown(file, root)) from error


def _walk(
    folder: Path,
    prefix: str,
    root: Path,
    boundary: Path,
    ignored: GitIgnoreSpec,
    selection: Selection,
    *,
    ancestors: tuple[Path, ...],
) -> Iterator[tuple[str, Path]]:
    if len(ancestors) > _DEPTH:
        raise IncompleteError(f"Folders are nested more than {_DEPTH} deep.", remedy="Flatten them.", path=_shown(folder, root))
    try:
        children = sorted(os.scandir(folder), key=lambda child: os.fsencode(child.name))
    except OSError as error:
        raise IncompleteError(f"Cannot be read: {error.strerror}.", remedy="Check its rights.", path=_shown(folder, root)) from error
    for child in children:
        path, file = f"{prefix}{child.name}", Path(child.path)
        problem = _problem(path, file, root, boundary)
        if problem is not None:
            selection.problems.append(problem)
        elif file.is_dir():
            if _is_ignored_folder(child.name, file) or ignored.match_file(f"{path}/") or file.resolve() in ancestors:
                continue
            yield from _walk(file, f"{path}/", root, boundary, ignored, selection, ancestors=(*ancestors, file.resolve()))
        elif child.name not in _FILES and not child.name.endswith(_SUFFIXES) and not ignored.match_file(path):
            yield path, file


def _is_ignored_folder(name: str, folder: Path) -> bool:
    return name in _FOLDERS or (folder / "pyvenv.cfg").is_file()


def _problem(path: str, file: Path, root: Path, boundary: Path) -> Problem | None:
    """Why a file cannot ship, or None."""
    place = Location(path=_shown(file, root))
    if has_control(path) or _is_no_text(path):
        shown = ascii(path)
        return Problem(kind=ProblemKind.UNREADABLE, key=shown, message=f"The name {shown} cannot stand in a zip.", location=place)
    if file.is_symlink() and not file.resolve().is_relative_to(boundary):
        message = f"{path} is a link that leads out of the project."
        return Problem(kind=ProblemKind.ESCAPING_LINK, key=path, message=message, location=place)
    try:
        kind = file.stat().st_mode
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        return Problem(kind=ProblemKind.UNREADABLE, key=path, message=message, location=place)
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        message = f"{path} is a device, a socket or a pipe."
        return Problem(kind=ProblemKind.UNREADABLE, key=path, message=message, location=place)
    if stat.S_ISREG(kind) and not os.access(file, os.R_OK):
        message = f"{path} may not be read."
        return Problem(kind=ProblemKind.UNREADABLE, key=path, message=message, location=place)
    return None


def _is_no_text(name: str) -> bool:
    """Whether a name has bytes that are not UTF-8, which Python shows as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
