"""Files of the project that a run has copied: what many functions share is read once, and linked into the trees of the others.

A link leads to a copy of ours and never to the project, so what is looked at stays what it was when it was read; and all functions of a
run ship one state of a file.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from shipsafe.adapters.files import sha256_file
from shipsafe.adapters.once import Once


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Where a copy lies, its size in bytes, and its SHA-256 in hex."""

    file: Path
    size: int
    sha256: str


@dataclass(slots=True)
class Copies:
    """The copies of a run, by the file that they are of. May be used from several threads."""

    _made: Once[Path, Copy] = field(default_factory=Once)

    def put(self, source: Path, target: Path) -> Copy:
        """Lay the content of a file down at a path where nothing is.

        Raises:
            OSError: it cannot be read or written.
        """
        mine: list[Copy] = []

        def make() -> Copy:
            shutil.copyfile(source, target)
            mine.append(Copy(file=target, size=target.stat().st_size, sha256=sha256_file(target)))
            return mine[0]

        while True:
            made = self._made.get(source, make)
            if mine:
                return made
            try:
                os.link(made.file, target)
            except OSError:  # the copy is gone, has as many links as it can have, or lies where there are none
                self._made.forget(source)
            else:
                return made
