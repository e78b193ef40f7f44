"""Lists of which an answer holds a part. A token is how many items came before."""

from collections.abc import Mapping, Sequence
from typing import Any

from shipsafe.local.stacks.world import invalid

_SIZE = 100


def page(items: Sequence[Any], given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The part of a list that `NextToken` asks for, under its member's name.

    Raises:
        ApiError: ValidationError: nobody gave that token out.
    """
    token = str(given.get("NextToken") or "0")
    if not token.isascii() or not token.isdigit() or int(token) > len(items):
        raise invalid("NextToken is invalid.")
    first = int(token)
    told: dict[str, Any] = {name: list(items[first : first + _SIZE])}
    if first + _SIZE < len(items):
        told["NextToken"] = str(first + _SIZE)
    return told
