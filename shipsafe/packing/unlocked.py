"""What a project asks for, and has no lock of: without one nothing of it ships, as with `sam build`, and somebody may not know that."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from shipsafe.adapters import toml
from shipsafe.adapters.files import MEBIBYTE, read_bounded, relative
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.model.tree import Problem, ProblemKind
from shipsafe.packing.local_project import as_table

_FILES = ("pyproject.toml", "Pipfile")
_LIMIT = MEBIBYTE
_SHOWN = 3


def asked_in_vain(folder: Path, *, root: Path) -> Problem | None:
    """The nearest project file, from a folder up to the root, that asks for dependencies; for code that no lock stands above.

    A file that cannot be read asks for nothing: it says nothing of what ships.
    """
    for level in [folder, *folder.parents] if folder.is_relative_to(root) else [folder]:
        for name in _FILES:
            asked = _asked(level / name, relative(level / name, root))
            if asked:
                return _problem(relative(level / name, root), asked)
        if level == root:
            break
    return None


def _asked(path: Path, shown: str) -> list[str]:
    """Names or requirements, without Python itself and what only development wants."""
    try:
        document = _parsed(read_bounded(path, limit=_LIMIT, shown=shown).decode()) if path.is_file() else {}
    except (ConfigError, ValueError, RecursionError):  # UnicodeDecodeError and TOMLDecodeError are ValueErrors
        return []
    if path.name == "Pipfile":
        return list(as_table(document.get("packages")))
    project, poetry = as_table(document.get("project")), as_table(as_table(document.get("tool")).get("poetry"))
    lines = project.get("dependencies")
    old = [name for name in as_table(poetry.get("dependencies")) if name.lower() != "python"]
    return [*(str(line) for line in (lines if isinstance(lines, list) else [])), *old]


@lru_cache(maxsize=4)
def _parsed(text: str) -> Mapping[str, Any]:
    """Many functions share one."""
    return toml.loads(text)


def _problem(shown: str, asked: list[str]) -> Problem:
    more = f" and {len(asked) - _SHOWN} more" if len(asked) > _SHOWN else ""
    names = ", ".join(f"{name[:80]!a}" for name in asked[:_SHOWN])
    message = f"{shown} asks for {names}{more}, and no lock says which: nothing of that ships."
    return Problem(kind=ProblemKind.UNLOCKED, key=shown, message=message, location=Location(path=shown))
