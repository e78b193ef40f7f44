"""Values of JSON whose shape nobody has looked at: what is missing, or of another kind, is empty, and never an error."""

from collections.abc import Mapping
from typing import Any


def table(value: object, key: str) -> Mapping[str, Any]:
    """The object that stands under a key, {} where none does."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def tables(value: object, key: str) -> list[Mapping[str, Any]]:
    """The objects of the list that stands under a key; what else is in it is left out."""
    found = value.get(key) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(value: object, key: str) -> str:
    """The text that stands under a key, "" where none does."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
