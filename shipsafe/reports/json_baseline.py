"""Entries of a baseline in the JSON report, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.location import Location
from shipsafe.model.severity import Severity


def entry_document(entry: BaselineEntry) -> dict[str, object]:
    """An entry as a JSON value."""
    ends = entry.expires.isoformat() if entry.expires else None
    return {**asdict(entry), "recorded": entry.recorded.isoformat(), "expires": ends}


def read_entry(raw: Mapping[str, Any]) -> BaselineEntry:
    """The entry that a JSON value of the schema's shape tells of.

    Raises:
        ValueError: a date that is none.
    """
    known = {
        "severity": Severity(raw["severity"]),
        "recorded": date.fromisoformat(raw["recorded"]),
        "expires": date.fromisoformat(raw["expires"]) if raw["expires"] else None,
        "aliases": tuple(raw["aliases"]),
        "location": Location(**raw["location"]) if raw["location"] else None,
    }
    return BaselineEntry(**{**raw, **known})
