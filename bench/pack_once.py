"""Pack a folder with shipsafe's packing, and nothing else: `python bench/pack_once.py FOLDER LIST ARCHIVE`.

LIST holds path, SHA-256 and size of each file, as a build knows them from staging; packing reads every file and checks it against them.
Starting Python and writing the archive count; reading a policy, auditing and judging are not done.
"""

import hashlib
import json
import sys
from pathlib import Path

from shipsafe.model.tree import FILE_MODE, Entry, Origin, StagedTree
from shipsafe.packing.archive import pack


def listed(folder: Path) -> str:
    """LIST of a folder."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.append([path.relative_to(folder).as_posix(), digest, path.stat().st_size])
    return json.dumps(found)


def main(folder: Path, listing: Path, archive: Path) -> None:
    """Pack every file of the list, in the form of a staged tree."""
    entries = [
        Entry(path=path, source=folder / path, sha256=digest, size=size, mode=FILE_MODE, origin=Origin.DEPENDENCY)
        for path, digest, size in json.loads(listing.read_text(encoding="utf-8"))
    ]
    pack(StagedTree(subject="function:packed", root=folder, entries=tuple(entries)), archive)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
