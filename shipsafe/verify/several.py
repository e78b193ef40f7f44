"""Several answers about one thing, as one link: the gravest is said, the others are told with it."""

from collections.abc import Iterable
from dataclasses import replace

from shipsafe.model.chain import Hold, Link

_GRAVITY = (Hold.BROKEN, Hold.UNANSWERED, Hold.DISALLOWED, Hold.HELD, Hold.NOT_ASKED)


def worst(links: Iterable[Link], otherwise: Link) -> Link:
    """The first of the gravest links, with the sentences of the others that do not hold, and all notes; `otherwise` where there is none."""
    found = sorted(links, key=lambda link: _GRAVITY.index(link.hold))
    if not found:
        return otherwise
    more = [link.sentence for link in found[1:] if link.hold not in (Hold.HELD, Hold.NOT_ASKED)]
    return replace(found[0], notes=(*more, *(note for link in found for note in link.notes)))
