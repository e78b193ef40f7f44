"""A step through a YAML or JSON text, the same for both."""

from typing import NamedTuple


class Event(NamedTuple):
    """One step through a document. `kind`: `{ } [ ]`, `s` for a scalar, `*` for an alias, `d` for the start of a document.

    `line` and `column` count from 1; `plain` says that a scalar has no quotes. `start` and `end` are positions in the text, in characters;
    the end of a list or mapping that has no brackets is where the next step begins, which may be lines later. `flow` says that a list or
    mapping has brackets.
    """

    kind: str
    line: int
    column: int
    text: str = ""
    plain: bool = False
    tag: str | None = None
    anchor: str | None = None
    start: int = 0
    end: int = 0
    flow: bool = False
