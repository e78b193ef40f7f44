"""Times as records have them: ISO 8601 in UTC, with a Z."""

from datetime import UTC, datetime


def as_text(moment: datetime) -> str:
    """A time of any zone.

    >>> as_text(datetime(2026, 11, 21, 17, 30, tzinfo=UTC))
    '2026-11-21T17:30:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """A time that says its zone, in UTC.

    Raises:
        ValueError: it is none, or does not say its zone.
        OverflowError: it is out of all time in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)
