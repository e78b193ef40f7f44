"""A way of writing a finished run."""

from collections.abc import Callable
from dataclasses import dataclass

from shipsafe.model.record import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One format. `write` is pure: the same record gives the same text, whatever the terminal or the clock."""

    id: str
    summary: str
    write: Callable[[RunRecord], str]
