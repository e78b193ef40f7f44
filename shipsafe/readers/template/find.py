"""Finding templates: the one at the root of a folder, and others below it that a person may have meant."""

import os
from collections import deque
from itertools import islice
from pathlib import Path

from shipsafe.errors import ConfigError

NAMES = ("template.yaml", "template.yml", "template.json")
_SHOWN = 10
_DEEPEST = 6
_MOST = 20_000  # entries looked at
# What other tools make, and what they download: never input.
_SKIPPED = frozenset((".aws-sam", ".git", "__pycache__", "cdk.out", "dist", "env", "node_modules", "site-packages", "venv"))


def root_template(folder: Path) -> Path | None:
    """The template at the root of a folder, or None.

    Raises:
        ConfigError: there are several.
    """
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ConfigError(f"{len(found)} templates lie side by side: {names}.", remedy="Name one of them, or remove the others.")
    return found[0] if found else None


def templates_below(folder: Path) -> tuple[str, ...]:
    """Templates in folders below, POSIX and relative; sorted, the nearest first, at most ten.

    Tools' output, virtual environments and hidden folders are left out, links are not followed, and the search ends after
    20,000 entries or six levels.
    """
    found: list[str] = []
    waiting = deque([(folder, 0)])
    seen = 0
    while waiting and len(found) < _SHOWN:
        current, depth = waiting.popleft()
        try:
            with os.scandir(current) as listing:
                entries = sorted(islice(listing, _MOST), key=lambda entry: entry.name)
        except OSError:  # a folder that may not be read: this is a hint, not an answer
            continue
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        seen += len(entries)
        if seen > _MOST:
            break
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST and entry.name not in _SKIPPED and not entry.name.startswith("."):
                    waiting.append((Path(entry.path), depth + 1))
            elif depth and entry.name in NAMES:
                found.append(Path(entry.path).relative_to(folder).as_posix())
    return tuple(found[:_SHOWN])
