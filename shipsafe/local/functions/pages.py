"""Lists in pages: `MaxItems` and a `Marker` that says after which name to go on."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from shipsafe.local.functions.refusals import invalid

Item = TypeVar("Item")

LARGEST = 50  # items, whatever MaxItems says: "each response contains up to 50 items" (API reference of ListFunctions and others)


def page(items: Iterable[tuple[str, Item]], parameters: Mapping[str, Any], member: str) -> dict[str, Any]:
    """One page of items under `member`, in the order of their names, with `NextMarker` where there are more.

    Raises:
        ApiError: InvalidParameterValueException for a marker that no answer gave.
    """
    after = _read(parameters["Marker"]) if parameters.get("Marker") else None
    ordered = sorted(items, key=lambda item: item[0])
    rest = [item for item in ordered if after is None or item[0] > after]
    size = min(parameters.get("MaxItems") or LARGEST, LARGEST)
    answer: dict[str, Any] = {member: [value for _, value in rest[:size]]}
    if len(rest) > size:
        answer["NextMarker"] = base64.urlsafe_b64encode(f"after:{rest[size - 1][0]}".encode()).decode()
    return answer


def _read(marker: str) -> str:
    try:
        text = base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text.startswith("after:"):
        raise invalid("Invalid Marker.")
    return text.removeprefix("after:")
