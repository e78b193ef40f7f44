"""Answers in pages: one after the other, until there is none."""

from collections.abc import Callable, Iterator
from typing import Any

from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.errors import IncompleteError

_MOST_PAGES = 400  # of 25 or 50 entries: more than an account may have


def pages(doing: str, call: Callable[..., Any], token: str, following: str, *, most: int = _MOST_PAGES, **words: Any) -> Iterator[Any]:
    """Page after page of a call; `token` is the parameter that takes what an answer has in `following`, `most` how many pages may be.

    Raises:
        IncompleteError: AWS refused or gave no answer, or its pages do not end: one that comes back is no progress.
    """
    seen: set[str] = set()
    while len(seen) < most:
        with aws_errors(doing):
            page = call(**words)
            marker = page.get(following)
            if marker is not None and not isinstance(marker, str):
                raise TypeError(following)
        yield page
        if not marker:
            return
        if marker in seen:
            break
        seen.add(marker)
        words[token] = marker
    raise IncompleteError(f"Could not {doing}: the pages of the answer do not end.", remedy="Run this again.")
