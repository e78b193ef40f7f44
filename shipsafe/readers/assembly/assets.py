"""`*.assets.json`: what CDK uploads before a stack is deployed, and from where."""

import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import ConfigError

_LIMIT = 32 * MEBIBYTE
_MOST = 50_000  # files of an application
_LONGEST = 4096


def read_assets(root: Path, lists: Iterable[str]) -> dict[str, str]:
    """Key of the object in the bucket -> path of the file or folder, relative to the root; for all lists together.

    A source that is a command (`executable`) has no path, and is left out: nobody runs it here.

    Raises:
        ConfigError: a list is not JSON, or there are too many files.
    """
    found: dict[str, str] = {}
    for name in lists:
        document = read_json(root / name, limit=_LIMIT, shown=name)
        files = document.get("files") if isinstance(document, dict) else None
        for entry in files.values() if isinstance(files, dict) else ():
            path = _path(entry, posixpath.dirname(name))
            if path is None:
                continue
            found |= dict.fromkeys(_keys(entry), path)
            if len(found) > _MOST:
                raise ConfigError(f"More than {_MOST} files are uploaded.", remedy="Split the application.", path=name)
    return found


def _path(entry: Any, folder: str) -> str | None:
    source = entry.get("source") if isinstance(entry, dict) else None
    path = source.get("path") if isinstance(source, dict) else None
    if not isinstance(path, str) or not path or len(path) > _LONGEST:
        return None
    return path if path.startswith("/") else posixpath.normpath(posixpath.join(folder, path))


def _keys(entry: Any) -> list[str]:
    destinations = entry.get("destinations")
    targets = destinations.values() if isinstance(destinations, dict) else ()
    keys = [target.get("objectKey") for target in targets if isinstance(target, dict)]
    return [key for key in keys if isinstance(key, str) and key]
