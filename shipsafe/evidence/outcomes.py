"""What gates answered, as JSON values, and back: the one shape of reports and of evidence.

    {"gate": "lint", "subject": "function:Pay", "state": "answered", "reason": "", "notes": [], "evidence": {}, "findings": [...]}

A finding stands there with what became of it (`decision`): `blocking`, `allowed`, `waived` by a waiver or a VEX statement, `baselined` by
an entry of a baseline, or `unanswered` where it says that something could not be looked at. What can be computed (`identity`, `waived`)
is written for whoever reads it, and not read back.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import Waiver
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Waived
from shipsafe.model.vex import Product, Statement, Status

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_HALF = re.compile("[\ud800-\udfff]")  # half of a character: Python can hold it, many readers of JSON refuse it
Noun = TypeVar("Noun", bound="DataclassInstance")


def plain(value: object) -> Any:
    """A value that JSON can hold: mappings of any kind as `dict`, tuples as lists, dates as texts, and no half characters."""
    if isinstance(value, str):
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def outcome_document(outcome: Outcome, findings: Iterable[object]) -> dict[str, object]:
    """An outcome; `findings` are what stands for its findings, in their order."""
    return {
        "gate": outcome.gate,
        "subject": outcome.subject,
        "state": outcome.state,
        "reason": outcome.reason,
        "notes": outcome.notes,
        "evidence": dict(sorted(outcome.evidence.items())),
        "findings": list(findings),
    }


def read_outcome(raw: Mapping[str, Any], findings: Iterable[Finding]) -> Outcome:
    """The outcome with these findings.

    Raises:
        ValueError: its state is none, or it has no reason and needs one.
    """
    return made(Outcome, raw, state=State(raw["state"]), notes=tuple(raw["notes"]), findings=tuple(findings))


def made(noun: type[Noun], raw: Mapping[str, Any], **known: object) -> Noun:
    """A noun from a JSON value: `known` where a value of JSON is not that of the noun, and what a later version added left out."""
    names = {one.name for one in fields(noun)}
    return noun(**{**{name: value for name, value in raw.items() if name in names}, **known})


def finding_document(
    finding: Finding, decision: str, *, waived: Waived | None = None, entry: BaselineEntry | None = None
) -> dict[str, object]:  # fmt: skip
    """A finding and what became of it: allowed by a waiver or a VEX statement, or known to a baseline."""
    return {
        **asdict(finding),
        "identity": finding.identity,
        "decision": decision,
        "waived": waived is not None,
        "waiver": waiver_document(waived.waiver) if waived else None,
        "statement": _statement_document(waived.statement) if waived and waived.statement else None,
        "baseline": entry_document(entry) if entry else None,
    }


def read_finding(raw: Mapping[str, Any]) -> Finding:
    """The finding, without what became of it.

    Raises:
        ValueError: a severity or an effect is none.
    """
    lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
    place = read_location(raw["location"])
    return made(Finding, raw, **lists, severity=Severity(raw["severity"]), effect=Effect(raw["effect"]), location=place)


def read_waived(raw: Mapping[str, Any], finding: Finding) -> Waived | None:
    """By what a finding was allowed, where it was.

    Raises:
        ValueError: a date that is none.
    """
    return (
        Waived(finding=finding, waiver=read_waiver(raw["waiver"]), statement=_read_statement(raw["statement"])) if raw["waived"] else None
    )


def read_location(raw: Mapping[str, Any] | None) -> Location | None:
    """A place, or None."""
    return made(Location, raw) if raw else None


def waiver_document(waiver: Waiver) -> dict[str, object]:
    """A waiver as a JSON value."""
    return {**asdict(waiver), "expires": waiver.expires.isoformat() if waiver.expires else None}


def read_waiver(raw: Mapping[str, Any]) -> Waiver:
    """The waiver that a JSON value tells of.

    Raises:
        ValueError: a date that is none.
    """
    expires = date.fromisoformat(raw["expires"]) if raw["expires"] else None
    return made(Waiver, raw, expires=expires, location=read_location(raw["location"]))


def _statement_document(statement: Statement) -> dict[str, object]:
    return {**asdict(statement), "time": statement.time.isoformat() if statement.time else None}


def _read_statement(raw: Mapping[str, Any] | None) -> Statement | None:
    if raw is None:
        return None
    time = datetime.fromisoformat(raw["time"]) if raw["time"] else None
    products = tuple(made(Product, item) for item in raw["products"])
    return made(Statement, raw, status=Status(raw["status"]), time=time, products=products, aliases=tuple(raw["aliases"]))


def entry_document(entry: BaselineEntry) -> dict[str, object]:
    """An entry of a baseline as a JSON value."""
    ends = entry.expires.isoformat() if entry.expires else None
    return {**asdict(entry), "recorded": entry.recorded.isoformat(), "expires": ends}


def read_entry(raw: Mapping[str, Any]) -> BaselineEntry:
    """The entry that a JSON value tells of.

    Raises:
        ValueError: a date that is none.
    """
    return made(
        BaselineEntry,
        raw,
        severity=Severity(raw["severity"]),
        recorded=date.fromisoformat(raw["recorded"]),
        expires=date.fromisoformat(raw["expires"]) if raw["expires"] else None,
        aliases=tuple(raw["aliases"]),
        location=read_location(raw["location"]),
    )
