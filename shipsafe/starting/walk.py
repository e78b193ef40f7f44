"""The folders of a repository that people edit, the nearest first, with the files in each."""

import os
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

# What tools make and download, and what never ships.
_SKIPPED = frozenset(("__pycache__", "build", "cdk.out", "dist", "docs", "env", "node_modules", "site-packages", "test", "tests", "venv"))
_DEEPEST = 5
_MOST = 20_000  # entries looked at


def folders(root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Each folder with the names of its files, sorted.

    Hidden folders, virtual environments and what tools make are left out, links are not followed, and it ends after 20,000 entries or six
    levels: what it is for is a proposal that a person reads.
    """
    waiting, seen = deque([(root, 0)]), 0
    while waiting:
        folder, depth = waiting.popleft()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(islice(listing, _MOST), key=lambda entry: entry.name)
        except OSError:  # a folder that may not be read
            continue
        seen += len(entries)
        if seen > _MOST:
            return
        files = tuple(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
        if "pyvenv.cfg" in files:
            continue
        yield folder, files
        inner = (entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        if depth < _DEEPEST:
            waiting.extend((folder / name, depth + 1) for name in inner if name not in _SKIPPED and not name.startswith("."))
