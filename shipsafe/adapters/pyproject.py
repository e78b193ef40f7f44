"""The nearest `pyproject.toml`: read with a bound, as data, and never the project's code."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from shipsafe.adapters import toml
from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError

NAME = "pyproject.toml"
_LIMIT = MEBIBYTE


def pyprojects(start: Path, root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every `pyproject.toml` from the folder `start` up to the project's root, nearest first, with its content.

    A `start` outside the root has only its own.

    Raises:
        ConfigError: one of them is not TOML, or larger than 1 MiB.
    """
    inside = start.is_relative_to(root)
    for folder in (start, *start.parents):
        path = folder / NAME
        if path.is_file():
            shown = path.relative_to(root).as_posix() if inside else str(path)
            try:
                yield path, _parse(read_bounded(path, limit=_LIMIT, shown=shown))
            except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
                raise ConfigError(f"Not valid TOML: {error}.", remedy="Correct the file.", path=shown) from error
        if folder == root or not inside:
            return


@lru_cache(maxsize=64)
def _parse(content: bytes) -> dict[str, Any]:
    """Parsed once although every function of a project has the same file above it; nobody changes what is given out."""
    return toml.loads(content.decode())
