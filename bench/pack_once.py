"""Pack a folder with shipsafe's packing, and nothing else: `python bench/pack_once.py FOLDER ARCHIVE`.

Hashing the files is part of it, as it is of a build; reading a policy, auditing and judging are not.
"""

import hashlib
import sys
from pathlib import Path

from shipsafe.model.tree import FILE_MODE, Entry, Origin, StagedTree
from shipsafe.packing.archive import pack


def main(folder: Path, archive: Path) -> None:
    """Pack every file below the folder, in the form of a staged tree."""
    entries = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entries.append(Entry(path=path.relative_to(folder).as_posix(), source=path, sha256=digest, size=path.stat().st_size,
                             mode=FILE_MODE, origin=Origin.DEPENDENCY))  # fmt: skip
    pack(StagedTree(subject="function:packed", root=folder, entries=tuple(entries)), archive)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
