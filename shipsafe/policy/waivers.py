"""Waivers, as the policy has them: each names one rule or advisory, one subject, a reason, an owner and an end."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from shipsafe.model.location import Location
from shipsafe.model.policy import Waiver
from shipsafe.policy.document import Document, as_date


def read_waivers(
    chain: list[Document], *, unwaivable: tuple[str, ...], longest: timedelta | None, today: date, origins: Mapping[str, str]
) -> tuple[Waiver, ...]:
    """Every waiver of a chain of documents. `origins` says where what forbids one stands.

    Raises:
        ConfigError: one is malformed, lasts too long, or speaks of what cannot be waived; with file and line.
    """
    forbidden = {name.casefold() for name in unwaivable}
    return tuple(
        _waiver(document, number, entry, forbidden, longest, today, origins)
        for document in chain
        for number, entry in enumerate(document.values.get("waivers", ()))
    )


def _waiver(
    document: Document,
    number: int,
    entry: Mapping[str, Any],
    forbidden: set[str],
    longest: timedelta | None,
    today: date,
    origins: Mapping[str, str],
) -> Waiver:
    at = f"waivers.{number}"
    targets = [entry[key] for key in ("rule", "advisory") if entry.get(key)]
    if len(targets) != 1:
        raise document.error(at, "A waiver names exactly one rule or one advisory.", "Give it either `rule` or `advisory`.")
    expires, until_fixed = as_date(entry.get("expires")), entry.get("until-fixed", False)
    if expires is None and not until_fixed:
        raise document.error(at, f"The waiver for {targets[0]} has no end.", "Give it `expires = DATE` or `until-fixed = true`.")
    if targets[0].casefold() in forbidden:
        raise document.error(
            at, f"{targets[0]} cannot be waived (`unwaivable`, {origins.get('unwaivable', 'a base')}).", "Fix what it finds."
        )
    if longest is not None and (expires is None or expires > today + longest):
        last = today + longest
        limit = f"`longest-waiver`, {origins.get('longest-waiver', 'a base')}"
        raise document.error(f"{at}.expires", f"The waiver for {targets[0]} lasts longer than {longest.days} days ({limit}).",
                             f"Let it expire on {last} or before.")  # fmt: skip
    justification = entry.get("justification", "")
    if justification and not entry.get("advisory"):
        raise document.error(f"{at}.justification", "Only a waiver of an advisory has a justification.", "Leave it out.")
    name, line = document.place(at)
    return Waiver(
        target=targets[0],
        subject=entry["subject"],
        reason=entry["reason"],
        owner=entry["owner"],
        expires=expires,
        until_fixed=until_fixed,
        location=Location(path=name, line=line),
        justification=justification,
    )


class WaiverState(StrEnum):
    """How far a waiver is. Whether it is still needed only a run of the gates knows, which reports unused ones."""

    LIVE = "live"
    EXPIRING = "expiring"
    EXPIRED = "expired"


def state(waiver: Waiver, today: date, soon: timedelta) -> WaiverState:
    """`soon` is how far ahead an end is said to come; the day that a waiver names is the last on which it holds."""
    if waiver.expires is None or waiver.expires - today > soon:
        return WaiverState.LIVE
    return WaiverState.EXPIRED if waiver.expires < today else WaiverState.EXPIRING
