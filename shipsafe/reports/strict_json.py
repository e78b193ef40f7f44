r"""JSON as our reports write and read it: ASCII out; bounded, plain and without surprises in.

What is written has every character beyond ASCII escaped, so neither a terminal nor a log can be told anything by it, and `##[`
as `##\u005b`, because a workflow runner obeys that anywhere in a line of a log.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import ConfigError
from shipsafe.evidence.outcomes import plain
from shipsafe.reports.escape import short

LIMIT = 100 * MEBIBYTE
DEPTH = 100  # of lists and objects in each other; a report needs six, and evidence few more
REMEDY = "Name a file that `--report json=FILE` wrote."


def dump(value: object) -> str:
    """The value as indented JSON in ASCII, ending in a line break. Mappings may be of any kind, and tuples are lists."""
    return json.dumps(plain(value), indent=2, allow_nan=False).replace("##[", r"##\u005b") + "\n"


def parse(text: str, *, path: str | None = None) -> Any:
    """The value that the text holds.

    Raises:
        ConfigError: longer than `LIMIT`, not JSON (with line and column), nested too deep, a key twice in one object, or a
            number that JSON cannot mean.
    """
    if len(text) > LIMIT:
        raise ConfigError(f"Larger than {LIMIT // MEBIBYTE} MiB.", remedy=REMEDY, path=path)

    def refuse(what: str) -> NoReturn:
        raise ConfigError(what, remedy=REMEDY, path=path)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
            refuse(f"Key `{short(twice, 60)}` stands twice in one object.")
        return found

    def finite(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else refuse(f"{digits[:30]} is not a number that can be used.")

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_float=finite, parse_constant=finite)
    except json.JSONDecodeError as error:
        raise ConfigError(f"Not JSON: {error.msg}.", remedy=REMEDY, path=path, line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise ConfigError("Nested too deep.", remedy=REMEDY, path=path) from error
    except ValueError as error:  # an integer with more digits than Python wants to read
        raise ConfigError("It holds a number that is too long.", remedy=REMEDY, path=path) from error
    return value if _shallow(value) else refuse("Nested too deep.")


def _shallow(value: object) -> bool:
    level = [value]
    for _ in range(DEPTH):
        level = [item for outer in level if isinstance(outer, dict | list) for item in _items(outer)]
    return not level


def _items(outer: dict[str, object] | list[object]) -> Iterable[object]:
    return outer.values() if isinstance(outer, dict) else outer
