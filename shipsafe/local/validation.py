"""Parameters held against botocore's service model, and refused in the words that AWS uses for its generic checks.

    1 validation error detected: Value 'my-profile' at 'profileName' failed to satisfy constraint: Member must satisfy regular
    expression pattern: ^[a-zA-Z0-9_]{2,}

A pattern holds for the whole value, also where it has no `$` (AWS matches in Java). botocore itself checks only types and least lengths,
so a client does send what is refused here.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.routes import service_model

__all__ = ["service_model", "validate"]

_DEEPEST = 32  # levels of nested members; Lambda's and Signer's have fewer than ten
_MOST = 100  # violations of one call that are told


def validate(call: Call, *, code: str = "ValidationException") -> None:
    """Check required members, types, lengths, ranges, patterns and enumerations of a call's parameters.

    Raises:
        ApiError: `code` with status 400; all violations in one message, as AWS counts them.
    """
    shape = service_model(call.service).operation_model(call.operation).input_shape
    if shape is None:
        return
    wrong = list(islice(_violations(shape, call.parameters, "", _DEEPEST), _MOST))
    if wrong:
        count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected"
        raise ApiError(code, f"{count}: {'; '.join(wrong)}")


def _violations(shape: Any, value: Any, path: str, depth: int) -> Iterator[str]:
    if depth == 0:
        yield _failed(value, path, "Member is nested too deeply")
        return
    expected = _TYPES.get(shape.type_name)
    if expected is not None and (not isinstance(value, expected) or (isinstance(value, bool) and shape.type_name != "boolean")):
        yield _failed(value, path, f"Member must be of type {shape.type_name}")
        return
    match shape.type_name:
        case "structure":
            yield from _members(shape, value, path, depth)
        case "list":
            yield from _size(shape, value, path)
            for at, item in enumerate(value, 1):
                yield from _violations(shape.member, item, f"{path}.{at}.member", depth - 1)
        case "map":
            yield from _size(shape, value, path)
            for key, item in value.items():
                yield from _violations(shape.key, key, path, depth - 1)
                yield from _violations(shape.value, item, f"{path}.{key}.member", depth - 1)
        case _:
            yield from _scalar(shape, value, path)


def _members(shape: Any, value: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
    for name, member in shape.members.items():
        below = f"{path}.{_spelt(name)}" if path else _spelt(name)
        if value.get(name) is not None:
            yield from _violations(member, value[name], below, depth - 1)
        elif name in shape.required_members:
            yield f"Value null at '{below}' failed to satisfy constraint: Member must not be null"


def _scalar(shape: Any, value: Any, path: str) -> Iterator[str]:
    constraints = shape.metadata
    if shape.type_name in ("string", "blob"):
        yield from _size(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        if value < constraints.get("min", value):
            yield _failed(value, path, f"Member must have value greater than or equal to {constraints['min']}")
        if value > constraints.get("max", value):
            yield _failed(value, path, f"Member must have value less than or equal to {constraints['max']}")
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield _failed(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        pattern = constraints.get("pattern")
        if pattern and not _pattern(pattern).fullmatch(value):
            yield _failed(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _size(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least:
        yield _failed(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _failed(value, path, f"Member must have length less than or equal to {most}")


def _failed(value: Any, path: str, constraint: str) -> str:
    shown = str(value)[:200] if isinstance(value, str | int | float) else type(value).__name__  # structures may be deep, blobs large
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _spelt(name: str) -> str:
    """AWS's messages begin a member with a small letter, Lambda's too."""
    return name[:1].lower() + name[1:]


@cache
def _pattern(text: str) -> re.Pattern[str]:
    # Java's classes of letters, digits and spaces, which Lambda's tags use, are not Python's; all other patterns mean ASCII
    named = text.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\d").replace(r"\p{Z}", r"\s")
    return re.compile(named, re.ASCII if named == text else 0)


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": Mapping,
    "map": Mapping,
    "list": (list, tuple),
    "string": str,
    "blob": (bytes, bytearray),
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "timestamp": datetime,
}
