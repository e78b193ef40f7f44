"""Which files of a folder ship: everything but what no function needs at run time, and what `.shipsafeignore` names.

Left out by default: version control, caches of Python and of tools, virtual environments, what other build tools and shipsafe
itself leave behind. `.shipsafeignore` has the syntax of `.gitignore`, stands in the code folder or above it up to the project root,
and its `!name` brings back what is left out by default (but for version control and compiled Python).

Kept on purpose: `.env`, keys and credentials. Some tools ship them, so the gate `package` must see them; hiding them here would
only move the leak to the next tool. `requirements.txt` and tests are kept, too, as with `sam build`.

What another tool staged (`select_all`) ships as it lies: no ignore file and no default leaves anything out of it, but for what never
ships.

Links are followed inside the project and never out of it. Devices, sockets and pipes are never opened.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.files import MEBIBYTE, read_bounded, relative
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Problem, ProblemKind, has_control

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".shipsafeignore"
_PATTERNS, _STARS, _ALL_STARS = 1_000, 3, 8
_NEVER = frozenset({".git", ".hg", ".svn", "__pycache__", ".DS_Store", "Thumbs.db", IGNORE_FILE})
_FOLDERS = frozenset({
    ".venv", "venv", ".tox", ".nox", ".aws-sam", "cdk.out", ".serverless", ".terraform", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    ".hypothesis", ".idea", ".vscode", ".shipsafe",
})  # fmt: skip
_FILES = frozenset({".gitignore", ".gitattributes"})
_COMPILED = (".pyc", ".pyo")
_OUTPUT = ("shipsafe.json", ".shipsafe")  # in a folder that `shipsafe build` wrote, or is about to write
_DEPTH = 64
_COUNT = 50_000  # files and folders


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A file that ships: its path below the folder (POSIX), the file that holds its bytes, and its mode in the zip."""

    path: str
    file: Path
    mode: int


@dataclass(slots=True)
class Selection:
    """What a folder gives, and what was seen on the way."""

    files: list[Selected] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    seen: int = 0


def select(folder: Path, *, root: Path, python: bool) -> Selection:
    """Walk a folder.

    Args:
        folder: where the code lies; absolute, without links.
        root: the project root, likewise. Links may lead anywhere below it or below the folder.
        python: whether it is a Python function's: `node_modules`, and `dist` at the project root, are then left out.

    Raises:
        IncompleteError: too many files, too deep, or a folder that cannot be read.
    """
    walk = _Walk(root=root, inside=(root, folder), rules=_rules(folder, root), python=python, selection=Selection())
    for path, file in walk.files(folder, "", (folder,)):
        walk.selection.files.append(Selected(path=path, file=file, mode=mode_of(file)))
    return walk.selection


def select_all(folder: Path, *, root: Path) -> Selection:
    """Everything of a folder that another tool staged; `left_out` names what never ships.

    Raises:
        IncompleteError: as `select`.
    """
    walk = _Walk(root=root, inside=(root, folder), rules=[], python=False, everything=True, selection=Selection())
    for path, file in walk.files(folder, "", (folder,)):
        walk.selection.files.append(Selected(path=path, file=file, mode=mode_of(file)))
    return walk.selection


def never_ships(path: str) -> bool:
    """Whether a file of that path ships from nowhere: version control, compiled Python, what desktops leave behind."""
    return path.endswith(_COMPILED) or not _NEVER.isdisjoint(path.split("/"))


def mode_of(file: Path) -> int:
    """0755 where the owner may run it, else 0644: nothing else of a mode survives, so that umask and machine do not matter."""
    return PROGRAM_MODE if file.stat().st_mode & stat.S_IXUSR else FILE_MODE


def nameable(path: str) -> bool:
    """Whether a name can stand in a zip: it is text, without control characters."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return not has_control(path)


def _rules(folder: Path, root: Path) -> list[tuple[str, "GitIgnoreSpec"]]:
    """The ignore files that hold for a folder, nearest first, each with the path from its folder to the code."""
    rules = []
    levels = [level for level in (folder, *folder.parents) if level.is_relative_to(root)] or [folder]
    for level in levels:
        file = level / IGNORE_FILE
        if file.is_file():
            inner = folder.relative_to(level).as_posix()
            rules.append(("" if inner == "." else f"{inner}/", _spec(file, relative(file, root))))
    return rules


def _spec(file: Path, shown: str) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - 12 ms that projects without such a file need not pay

    try:
        lines = read_bounded(file, limit=MEBIBYTE, shown=shown).decode().splitlines()
        _check_patterns(lines, shown)
        return GitIgnoreSpec.from_lines(lines)
    except ConfigError as error:
        raise IncompleteError(error.what, remedy=error.remedy, path=shown) from error
    except ValueError as error:  # not UTF-8, or a pattern that git would not read
        raise IncompleteError(f"Cannot be read: {error}.", remedy="See the syntax of .gitignore.", path=shown) from error


def _check_patterns(lines: Sequence[str], shown: str) -> None:
    """Refuse patterns that would take for ever: pathspec tries every way to share a name out to the stars of a pattern."""
    if sum(1 for line in lines if line.strip() and not line.startswith("#")) > _PATTERNS:
        raise IncompleteError(f"More than {_PATTERNS} patterns.", remedy="Name folders instead of files.", path=shown)
    for number, line in enumerate(lines, 1):
        parts = [] if line.startswith("#") else line.split("/")
        if "/".join(parts).count("*") > _ALL_STARS or any(part.count("*") > _STARS for part in parts):
            raise IncompleteError(f"More than {_STARS} stars between two slashes, or {_ALL_STARS} in one pattern.",
                                  remedy="Write it with fewer.", path=shown, line=number)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """One walk through a folder."""

    root: Path
    inside: tuple[Path, ...]
    rules: list[tuple[str, "GitIgnoreSpec"]]
    python: bool
    selection: Selection
    everything: bool = False

    def files(self, folder: Path, prefix: str, ancestors: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
        """Path in the zip and file of everything that ships, in an order that no file system decides."""
        shown = relative(folder, self.root)
        if len(ancestors) > _DEPTH:
            raise IncompleteError(f"Folders are nested more than {_DEPTH} deep.", remedy="Flatten them.", path=shown)
        try:
            files = sorted(folder.iterdir(), key=os.fsencode)
        except OSError as error:
            raise IncompleteError(f"Cannot be read: {error.strerror}.", remedy="Check its rights.", path=shown) from error
        for file in files:
            self.selection.seen += 1
            if self.selection.seen > _COUNT:
                raise IncompleteError(f"There are more than {_COUNT} files.", remedy=f"Leave some out with {IGNORE_FILE}.", path=shown)
            path, mode = f"{prefix}{file.name}", _mode(file)
            if self._is_ignored(path, file, folder=stat.S_ISDIR(mode)):
                self.selection.left_out.append(path)
                continue
            if (problem := self._problem(path, file, mode)) is not None:
                self.selection.problems.append(problem)
            elif stat.S_ISREG(mode):
                yield path, file
            elif (real := Path(os.path.realpath(file))) not in ancestors:
                yield from self.files(file, f"{path}/", (*ancestors, real))

    def _is_ignored(self, path: str, file: Path, *, folder: bool) -> bool:
        if file.name in _NEVER or (file.name.endswith(_COMPILED) and not folder):
            return True
        if self.everything or not nameable(path):
            return False  # no rule can speak of a name that cannot be written; it is a problem
        for inner, spec in self.rules:
            decided = spec.check_file(f"{inner}{path}{'/' if folder else ''}").include
            if decided is not None:
                return decided
        return self._is_left_out(file) if folder else file.name in _FILES

    def _is_left_out(self, folder: Path) -> bool:
        name = folder.name
        if self.python and (name == "node_modules" or (name == "dist" and folder.parent == self.root)):
            return True
        return name in _FOLDERS or (folder / "pyvenv.cfg").is_file() or any((folder / name).exists() for name in _OUTPUT)

    def _problem(self, path: str, file: Path, mode: int) -> Problem | None:
        """Why a file cannot ship, or None."""
        kind, key, message = ProblemKind.UNREADABLE, path, ""
        if not nameable(path):
            key = ascii(path)[1:-1]
            message = f"The name {key} cannot stand in a zip."
        elif file.is_symlink() and not self._stays_inside(file):
            kind, message = ProblemKind.ESCAPING_LINK, f"{path} is a link that leads out of the project."
        elif mode == 0:
            message = f"{path} cannot be read: it is a broken link, or its folder may not be searched."
        elif not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            message = f"{path} is a device, a socket or a pipe."
        elif stat.S_ISREG(mode) and not os.access(file, os.R_OK):
            message = f"{path} may not be read."
        if not message:
            return None
        shown = relative(file, self.root)
        place = Location(path=shown if nameable(shown) else ascii(shown)[1:-1])
        return Problem(kind=kind, key=key, message=message, location=place)

    def _stays_inside(self, link: Path) -> bool:
        """Whether a link leads to something of the project; its repository's own files are none of it."""
        real = Path(os.path.realpath(link))
        return any(real.is_relative_to(one) for one in self.inside) and ".git" not in real.parts


def _mode(file: Path) -> int:
    """The mode of what a name leads to, 0 where it leads to nothing that can be seen."""
    try:
        return file.stat().st_mode
    except OSError:
        return 0
