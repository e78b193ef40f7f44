"""Whether a JSON value has the shape of a TypedDict, so that a damaged or older snapshot is refused and never half believed."""

import copy
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

from shipsafe.errors import IncompleteError


def taken_up(value: Any, kind: Any, version: int, service: str) -> Any:
    """A copy of a snapshot, for a local service that goes on with it.

    Args:
        value: the snapshot.
        kind: the TypedDict that it has to be, with its `format`.
        version: of the format.
        service: what it is the state of, as a person calls it.

    Raises:
        IncompleteError: it is no such snapshot, or one of another version of shipsafe.
    """
    if not fits(value, kind) or value["format"] != version:
        what = f"The state of the local {service} was written by another version of shipsafe, or is damaged."
        raise IncompleteError(what, remedy="Start with an empty --state.")
    return copy.deepcopy(value)


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a kind: a TypedDict with exactly its keys, `dict[str, X]`, `list[X]`, a union, a Literal or a plain type."""
    if kind is Any:
        return True
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        return isinstance(value, Mapping) and set(value) == set(hints) and all(fits(value[name], hint) for name, hint in hints.items())
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(key, str) and fits(item, arguments[1]) for key, item in value.items())
    if origin is list:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if origin is Literal:
        return value in arguments
    if origin is UnionType:
        return any(fits(value, argument) for argument in arguments)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is kind or (kind is type(None) and value is None)
