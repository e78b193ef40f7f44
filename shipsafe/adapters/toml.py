"""TOML of others: `tomllib`, which takes minutes for one key of 100,000 parts (`a.a.a...`), is not given such keys."""

import re
import tomllib
from typing import Any

_PARTS = 64  # of one key; nobody's has ten
# Possessive: what a part or the blanks behind it have taken is not tried again.
_LONG_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_PARTS}}}""", re.ASCII)


def loads(text: str) -> dict[str, Any]:
    """As `tomllib.loads`.

    Raises:
        tomllib.TOMLDecodeError: it is no TOML, or has a key of more than 64 parts (or a text that looks like one).
        RecursionError: arrays or tables are nested too deep.
    """
    if found := _LONG_KEY.search(text):
        message = f"A key of more than {_PARTS} parts (at line {text.count(chr(10), 0, found.start()) + 1})"
        raise tomllib.TOMLDecodeError(message)
    return tomllib.loads(text)
