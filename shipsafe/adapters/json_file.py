"""A JSON file that somebody else wrote: bounded, and its faults are ours."""

import json
import re
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import read_bounded
from shipsafe.errors import ConfigError

# Half of a pair is no character: nothing that holds one can be written anywhere.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(path: Path, *, limit: int, shown: str) -> Any:
    """The value in the file, in UTF-8, UTF-16 (which PowerShell's `>` writes) or UTF-32.

    Args:
        path: the file.
        limit: bytes; a larger file is refused before it is read.
        shown: the name to use in messages.

    Raises:
        ConfigError: it is missing, not a regular file, too large, nested too deep, or not JSON.
    """
    return json_of(read_bounded(path, limit=limit, shown=shown), shown=shown)


def json_of(data: bytes, *, shown: str) -> Any:
    """The value that JSON says, as `read_json`.

    Raises:
        ConfigError: it is nested too deep, or not JSON.
    """
    try:
        value = json.loads(data)
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        what = f"Not JSON: {error.msg}."
        raise ConfigError(what, remedy="Write it again with its own tool.", path=shown, line=error.lineno, column=error.colno) from error
    except UnicodeError as error:
        raise ConfigError("Not JSON: it is not text.", remedy="Write it again with its own tool.", path=shown) from error
    except ValueError as error:  # a number of more digits than Python turns into one
        raise ConfigError(f"Not JSON: {error}.", remedy="Write it again with its own tool.", path=shown) from error
    except RecursionError as error:
        raise ConfigError("Nested too deep.", remedy="Write it again with its own tool.", path=shown) from error
    return value


def holds_more(data: bytes, most: int) -> bool:
    """Whether JSON may hold more than so many values; found before it is parsed, because an empty list takes forty times its bytes then.

    Commas and brackets in texts count, too: the bound has to be a generous one.
    """
    return len(data) > most and sum(map(data.count, (b",", b"[", b"{"))) > most


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand there once, as `object_pairs_hook` of `json`: of two, readers choose differently.

    Raises:
        ValueError: a key stands twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a key stands twice in one object"
        raise ValueError(message)
    return found
