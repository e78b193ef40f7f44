"""What several functions share: checks, dates and the receipt."""

from datetime import UTC, datetime, timedelta

from jinja2 import Environment

_RECEIPT = Environment(autoescape=True).from_string("<p>Order {{ id }} for {{ customer }}: {{ total }} EUR</p>")


def validate(order: dict) -> list[str]:
    """What is wrong with an order, as sentences; empty when nothing is."""
    return [f"{name} is missing" for name in ("customer", "total") if not order.get(name)]


def yesterday() -> datetime:
    """Midnight of yesterday, UTC."""
    now = datetime.now(UTC)
    return datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=1)


def render_receipt(order: dict) -> str:
    """The receipt as HTML, escaped."""
    return _RECEIPT.render(**order)
