"""Values of IAM's policies: one stands alone, several in a list; both are read, and the shorter is written.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from collections.abc import Iterable
from typing import Any


def as_list(value: Any) -> list[Any]:
    """Each of the values that an element has."""
    return value if isinstance(value, list) else [value]


def as_written(values: Iterable[Any]) -> Any:
    """The values of an element, each once: alone where it is one, else a list."""
    several = list(dict.fromkeys(values))
    return several[0] if len(several) == 1 else several
