"""The staged tree while it grows: files come in, and what they do to each other is noted."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE, relative, sha256_file
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.tree import Entry, Origin, Problem, ProblemKind
from shipsafe.packing.copies import Copies
from shipsafe.packing.needs import Needs
from shipsafe.packing.select import Selected, mode_of
from shipsafe.packing.sets import DependencySet

_LARGEST = 1024 * MEBIBYTE  # of all code together: four times what Lambda takes


@dataclass(slots=True)
class Draft:
    """What is in the tree so far. The code is copied below `root`, so that what is looked at stays what it was when it was read."""

    root: Path
    copies: Copies = field(default_factory=Copies)
    made: set[Path] = field(default_factory=set)
    entries: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    copied: int = 0
    hidden: dict[str, list[str]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def lay(self, prefix: str, dependencies: DependencySet, locations: Mapping[str, Location], otherwise: Location) -> None:
        """Take up the files of installed dependencies, where they lie; `locations` says by distribution who asked for them."""
        layout = dependencies.layout
        for (path, mode, size, sha256), source in zip(dependencies.files, layout.sources, strict=True):
            place = locations.get(dependencies.owner.get(path, ""), otherwise)
            self.entries[prefix + path] = Entry(path=prefix + path, mode=mode, size=size, sha256=sha256, source=source,
                                                origin=Origin.DEPENDENCY, location=place)  # fmt: skip
        self.folders.update(prefix + folder for folder in layout.folders)
        self.folders.update(_parents(prefix))

    def note(self, path: str, file: Path, origin: Origin, location: Location, *, mode: int | None = None) -> None:
        """Take up a file that lies in the tree."""
        self.entries[path] = Entry(
            path=path, mode=mode_of(file) if mode is None else mode, size=file.stat().st_size, sha256=sha256_file(file), source=file,
            origin=origin, location=location)  # fmt: skip

    def copy(self, prefix: str, selected: Selected, project: Path) -> None:
        """Copy a file of the project into the tree, over a dependency's file of the same path.

        Raises:
            IncompleteError: the code is larger than 1 GiB, or has a file where a dependency has a folder, or the reverse.
        """
        path = prefix + selected.path
        place = Location(path=relative(selected.file, project))
        self.copied += selected.file.stat().st_size
        if self.copied > _LARGEST:
            raise IncompleteError(
                f"The code is larger than {_LARGEST // MEBIBYTE} MiB, four times what Lambda takes.",
                remedy="Leave files out with .shipsafeignore.",
                path=place.path,
            )
        if path in self.folders or any(parent in self.entries for parent in _parents(path)):
            message = f"{path} is a file in the code and a folder in a dependency, or the reverse."
            raise IncompleteError(message, remedy="Rename it.", path=place.path)
        target = self.root / path
        if target.parent not in self.made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.made.add(target.parent)
        target.unlink(missing_ok=True)  # a file that was laid there before: never write into it
        copy = self.copies.put(selected.file, target)
        there = self.entries.get(path)
        self.entries[path] = Entry(path=path, mode=selected.mode, size=copy.size, sha256=copy.sha256, source=target, origin=Origin.CODE,
                                   location=place)  # fmt: skip
        if there is not None and there.sha256 != self.entries[path].sha256:
            top, slash, _ = selected.path.partition("/")
            self.hidden.setdefault(prefix + top + slash, []).append(path)

    def note_unlocked(self, needs: Needs) -> None:
        """Say that the next build can ship something else."""
        loose = [wanted for wanted in needs.wanted if not wanted.locked]
        if not loose:
            return
        first = loose[0]
        why = "no exact version" if first.version is None else "no hash"
        more = f", and {len(loose) - 1} more are not" if len(loose) > 1 else ""
        message = f"{first.name} is not locked ({why}){more}: the next build can ship other code."
        self.problems.append(Problem(kind=ProblemKind.UNLOCKED, key=needs.files[0], message=message, location=first.location))

    def note_collisions(self) -> None:
        """Say which files hide others: one problem for each top-level name."""
        for top, paths in self.hidden.items():
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            message = f"{paths[0]}{more} stand both in the code and in a dependency; the code's are shipped."
            self.problems.append(_collision(top, message, self.entries[paths[0]].location))
        self._note_case_clashes()

    def _note_case_clashes(self) -> None:
        """Two paths that differ only in case, or in how an accent is written, are one file where other systems unpack the zip."""
        seen: dict[str, str] = {}
        for path in sorted(self.entries):
            other = seen.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
            if other != path:
                message = f"{path} and {other} differ only in case, or in how an accent is written."
                self.problems.append(_collision(path, message, self.entries[path].location))


def _parents(path: str) -> Iterator[str]:
    """The folders that a path stands in, innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


def _collision(key: str, message: str, location: Location | None) -> Problem:
    return Problem(kind=ProblemKind.NAME_COLLISION, key=key, message=message, location=location)
