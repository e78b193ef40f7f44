"""What statements say, read for people who audit: the few facts of each kind, as far as they are there and of the right shape.

Nothing here decides: a fact that is missing, or of another shape, is "" or None, because a vouched statement may be of a newer shipsafe
or of another tool. Whether a statement is believed was asked before (`trust.py`).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from shipsafe.evidence.loose import table, tables, text
from shipsafe.model.attestation import Predicate, Statement
from shipsafe.model.audit import Built, Decided, Deployed, WaivedFinding

_LONGEST = 2000  # characters of a fact
_MOST = 10_000  # waived findings of a statement


def built(statement: Statement) -> Built:
    """Of a provenance: SLSA v1, `buildDefinition` and `runDetails`."""
    definition, details = table(statement.predicate, "buildDefinition"), table(statement.predicate, "runDetails")
    source = next(_sources(definition), {})
    dirty = table(source, "annotations").get("dirty")
    return Built(
        name=_text(table(table(definition, "externalParameters"), "artifact"), "name"),
        source=_text(source, "uri"),
        commit=_text(table(source, "digest"), "gitCommit"),
        dirty=dirty if isinstance(dirty, bool) else None,
        builder=_text(table(details, "builder"), "id"),
    )


def _sources(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The dependency that is the source: the one that says whether it was changed."""
    for one in tables(definition, "resolvedDependencies"):
        if "dirty" in table(one, "annotations") or "gitCommit" in table(one, "digest"):
            yield one


def decided(statement: Statement) -> Decided:
    """Of what gates said."""
    predicate = statement.predicate
    return Decided(
        asked_by=_text(predicate, "askedBy"),
        decision=_text(predicate, "decision"),
        policy_digest=_text(table(predicate, "policy"), "digest"),
        waived=tuple(_waived(predicate))[:_MOST],
    )


def _waived(predicate: Mapping[str, Any]) -> Iterator[WaivedFinding]:
    for outcome in tables(predicate, "outcomes"):
        for finding in tables(outcome, "findings"):
            if waiver := table(finding, "waiver"):
                yield WaivedFinding(
                    rule=" ".join(filter(None, (_text(finding, "rule"), _text(finding, "advisory")))),
                    subject=_text(finding, "subject") or _text(outcome, "subject"),
                    owner=_text(waiver, "owner"),
                    reason=_text(waiver, "reason"),
                    expires=_text(waiver, "expires"),
                    until_fixed=waiver.get("until_fixed") is True,
                )


def deployed(statement: Statement) -> Deployed:
    """Of a deployment record."""
    predicate = statement.predicate
    names = ("function", "version", "alias", "account", "region", "ending", "stage")
    said = {name: _text(predicate, name) for name in names}
    return Deployed(**said, at=_text(predicate, "deployedAt"), override=_text(table(predicate, "override"), "reason"))


def signed_on(statement: Statement) -> date | None:
    """The day (UTC) on which a signing record says that it was signed; None where it does not say it."""
    return _day(statement, "signedAt")


def stated_on(statement: Statement) -> date | None:
    """The day (UTC) that an override or a deployment record says it is of, for they have no signature of AWS that would; None of others."""
    times = {Predicate.OVERRIDE.value: "at", Predicate.DEPLOYMENT.value: "deployedAt"}
    return _day(statement, times[statement.kind]) if statement.kind in times else None


def _day(statement: Statement, name: str) -> date | None:
    try:
        time = datetime.fromisoformat(_text(statement.predicate, name))
        return time.astimezone(UTC).date() if time.tzinfo else None
    except (OverflowError, ValueError):  # at either end of the calendar there is no such time in UTC
        return None


def _text(value: Mapping[str, Any], key: str) -> str:
    return text(value, key)[:_LONGEST]
