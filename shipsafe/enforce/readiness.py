"""Whether a function may get from Warn to Enforce: it has only warned for long enough, nothing was counted, and no layer stands in the way.

Nobody says since when a configuration is attached, so a tag of the function does:

    shipsafe:warned    2026-11-21T17:00:00Z, written when `enforce` attached the configuration that warns
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shipsafe.adapters.aws.metrics import KEPT
from shipsafe.enforce.layers import LayerTrust
from shipsafe.model.deployment import span_text

WARNED = "shipsafe:warned"
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_SKEW = timedelta(minutes=15)  # that the clock of whoever wrote it may be ahead of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether Enforce would block nothing that was deployed of late. `holding`: what speaks against it, as sentences; `since`: of Warn."""

    since: datetime | None = None
    holding: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing holds it back."""
        return not self.holding


def readiness(
    layers: tuple[LayerTrust, ...], *, since: datetime | None, errors: int | None, quiet: timedelta, now: datetime
) -> Readiness:  # fmt: skip
    """Judge one function that does not enforce yet.

    Args:
        layers: of its `$LATEST`.
        since: when it came under a configuration that warns, with the publishers that are wanted; None where it is under none.
        errors: how many SignatureValidationErrors CloudWatch counted in the quiet time; None where nobody knows.
        quiet: how long there must have been none; zero where the policy waits for nothing.
        now: UTC.
    """
    holding = [f"{one.sentence} {one.remedy}".strip() for one in layers if not one.allowed]
    if quiet and since is None:
        holding.append(f"Lambda has to warn for {span_text(quiet)} first.")
    elif quiet and since is not None:
        if now - since < quiet:
            holding.append(f"Lambda has warned since {since:%Y-%m-%d}; {span_text(quiet)} are over on {since + quiet:%Y-%m-%d %H:%M} UTC.")
        if errors is None:
            holding.append("Nobody knows how many SignatureValidationErrors there were.")
        elif errors:
            many = f"{errors} deployments were" if errors > 1 else "One deployment was"
            holding.append(
                f"{many} let through in the last {span_text(quiet)} that Enforce would have blocked (SignatureValidationErrors)."
            )
    return Readiness(since=since, holding=tuple(holding))


def warned_since(tags: Mapping[str, str], now: datetime) -> datetime | None:
    """What the tag of a function says; None where it says nothing, or what shipsafe never wrote."""
    try:
        told = datetime.strptime(tags.get(WARNED, ""), _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
    return told if warned(told).items() <= tags.items() and told <= now + _SKEW else None


def warned(now: datetime) -> dict[str, str]:
    """The tag that says so."""
    return {WARNED: f"{now.astimezone(UTC):{_FORM}}"}


def looked_from(quiet: timedelta, now: datetime) -> datetime:
    """From when on CloudWatch is asked: it forgets after 455 days."""
    return now - min(quiet, KEPT - timedelta(days=1))
