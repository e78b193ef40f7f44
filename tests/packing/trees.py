"""Staged trees of a few files, made without staging anything."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from shipsafe.model.location import Location
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Entry, Origin, StagedTree


def entry(root: Path, path: str, content: bytes, *, program: bool = False, origin: Origin = Origin.CODE) -> Entry:
    """A file below `root`, and the entry that describes it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return Entry(
        path=path,
        mode=PROGRAM_MODE if program else FILE_MODE,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        source=file,
        origin=origin,
        location=Location(path=f"src/{path}"),
    )


def tree(
    root: Path, files: Mapping[str, bytes], *, programs: frozenset[str] = frozenset(), subject: str = "function:App",
    origin: Origin = Origin.CODE,
) -> StagedTree:  # fmt: skip
    """A tree with these files, in the order in which they are given."""
    entries = tuple(entry(root, path, content, program=path in programs, origin=origin) for path, content in files.items())
    return StagedTree(subject=subject, root=root, entries=entries)
