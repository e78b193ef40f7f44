"""Whether a JSON value has the shape of a TypedDict, so that a damaged or older snapshot is refused and never half believed."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict


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
