"""Pages of a list: at most 25 items, and a token that says after which one the next page begins."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from shipsafe.local.call import ApiError

_MOST = 25  # items of a page; Signer's model allows no larger `maxResults`


def page(member: str, items: Iterable[tuple[str, Mapping[str, Any] | None]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """One page as `{member: [...], "nextToken": ...}`; the token is absent where nothing follows.

    Args:
        member: the name of the list in the answer.
        items: a key for each item and how it is shown, or None where a filter leaves it out: a token stays good when its item changes.
        parameters: `maxResults` and `nextToken` of the call.

    Raises:
        ApiError: ValidationException, for a token that no such list has given.
    """
    left = iter(items)
    token = parameters.get("nextToken")
    if token is not None and all(_token(key) != token for key, _ in left):  # what follows is what is left
        raise ApiError("ValidationException", "Invalid nextToken")
    most = parameters.get("maxResults") or _MOST
    found = [(key, shown) for key, shown in left if shown is not None]
    answer: dict[str, Any] = {member: [dict(shown) for _, shown in found[:most]]}
    if len(found) > most:
        answer["nextToken"] = _token(found[most - 1][0])
    return answer


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()
