"""JSON for other programs, and back: a report that was written can be read and rendered again in any format.

The shape is published in `data/report.schema.json`. It admits no unknown keys, so that a report and its schema cannot drift
apart; `schema_version` counts up when a key is added. All of the run is in it: `read(write(record))` gives every other report
byte for byte, which is what makes `shipsafe report show` honest.

Findings stand in one list, whatever became of them (`decision`: blocking, allowed, waived, baselined, or unanswered for those that say
that something could not be looked at). Outcomes name theirs by position.
What can be computed is written for the reader's comfort and not read back: `exit_code`, `summary`, `identity`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from shipsafe.errors import ConfigError
from shipsafe.evidence.outcomes import (
    entry_document,
    finding_document,
    outcome_document,
    read_entry,
    read_finding,
    read_outcome,
    read_waived,
    read_waiver,
    waiver_document,
)
from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.artifact import Artifact
from shipsafe.model.baseline import BaselineFile
from shipsafe.model.finding import Effect, Finding, Persona, Rule
from shipsafe.model.outcome import Outcome
from shipsafe.model.override import Override
from shipsafe.model.record import SCHEMA_VERSION, RunRecord
from shipsafe.model.report import Report
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Baselined, Decision, Lapsed, Unanswered, Verdict, WaiverNews, WaiverNote
from shipsafe.model.vex import VexDocument, VexNews, VexNote
from shipsafe.reports import tally
from shipsafe.reports.escape import short
from shipsafe.reports.strict_json import REMEDY, dump, parse

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator


def write(record: RunRecord) -> str:
    """The run as JSON, in the shape of the published schema, ending in a line break."""
    return dump(_document(record))


def read(text: str, *, path: str | None = None) -> RunRecord:
    """The run that a JSON report tells of. `path` is the file's name for messages.

    Raises:
        ConfigError: larger than 100 MiB, not JSON (with line and column), or not in the shape of the published schema.
    """
    raw = parse(text, path=path)
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if isinstance(version, str) and version != SCHEMA_VERSION:
        what = f"Its schema_version is {short(version, 20)}; this shipsafe reads {SCHEMA_VERSION}."
        raise ConfigError(what, remedy="Read it with the shipsafe that wrote it.", path=path)
    for error in _validator().iter_errors(raw):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
        what = f"Not a report of shipsafe: `${short(place, 100)}`: {short(error.message, 200).rstrip('.')}."
        raise ConfigError(what, remedy=REMEDY, path=path)
    try:
        return _record(raw)
    except ValueError as error:  # a 31st of February, a finding that is not in the list
        raise ConfigError(f"Not a report of shipsafe: {short(str(error), 200)}.", remedy=REMEDY, path=path) from error


def schema_text() -> str:
    """The published JSON schema of a report."""
    return files("shipsafe.reports").joinpath("data/report.schema.json").read_text(encoding="utf-8")


@cache
def _validator() -> "Draft202012Validator":
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - only reading needs it

    return Draft202012Validator(parse(schema_text()))


def _document(record: RunRecord) -> dict[str, object]:
    verdict = record.verdict
    places: dict[Finding, int] = {}
    findings: list[dict[str, object]] = []

    def add(found: Iterable[Finding], decision: str) -> None:
        for finding in found:
            places.setdefault(finding, len(findings))
            findings.append(finding_document(finding, decision))

    add(verdict.blocking, "blocking")
    add(verdict.allowed, "allowed")
    for item in verdict.waived:
        places.setdefault(item.finding, len(findings))
        findings.append(finding_document(item.finding, "waived", waived=item))
    for known in verdict.baselined:
        places.setdefault(known.finding, len(findings))
        findings.append(finding_document(known.finding, "baselined", entry=known.entry))
    add(tally.unsettled(record), "unanswered")
    add([finding for outcome in record.outcomes for finding in outcome.findings if finding not in places], "unjudged")
    return {
        "schema_version": SCHEMA_VERSION,
        "command": record.command,
        "project": record.project,
        "prefix": record.prefix,
        "template": record.template,
        "policy": record.policy,
        "policy_digest": record.policy_digest,
        "verdict": {
            "decision": verdict.decision,
            "exit_code": int(verdict.exit_code),
            "summary": tally.verdict_sentence(record),
            "policy_digest": verdict.policy_digest,
            "unanswered": [asdict(missing) for missing in verdict.unanswered],
            "not_asked": [{"gate": outcome.gate, "subject": outcome.subject, "reason": outcome.reason} for outcome in verdict.not_asked],
            "waiver_notes": [
                {"news": note.news, "message": note.message, "waiver": waiver_document(note.waiver)} for note in verdict.waiver_notes
            ],
            "vex_notes": [asdict(note) for note in verdict.vex_notes],
            "vanished": [entry_document(entry) for entry in verdict.vanished],
            "lapsed": [{"entry": entry_document(one.entry), "reason": one.reason} for one in verdict.lapsed],
            "override": _override(verdict.override) if verdict.override else None,
        },
        "outcomes": [outcome_document(one, [places[finding] for finding in one.findings]) for one in record.outcomes],
        "findings": findings,
        "artifacts": [asdict(artifact) for artifact in record.artifacts],
        "advisories": asdict(record.advisories) if record.advisories else None,
        "modes": record.modes,
        "tools": record.tools,
        "rules": [asdict(rule) for rule in record.rules],
        "hints": record.hints,
        "vex": [asdict(document) for document in record.vex],
        "epoch": record.epoch,
        "baseline": asdict(record.baseline) if record.baseline else None,
        "overrides": record.overrides,
        "attested_by": record.attested_by,
    }


def _record(raw: Mapping[str, Any]) -> RunRecord:
    """From here on the schema has been asked: keys are there, and of their types."""
    findings = [read_finding(item) for item in raw["findings"]]
    decided: dict[str, list[Finding]] = {name: [] for name in ("blocking", "allowed", "waived", "baselined", "unanswered", "unjudged")}
    for item, finding in zip(raw["findings"], findings, strict=True):
        decided[item["decision"]].append(finding)
    entries = [read_entry(item["baseline"]) for item in raw["findings"] if item["baseline"]]
    verdict = raw["verdict"]
    return RunRecord(
        command=raw["command"],
        project=raw["project"],
        prefix=raw["prefix"],
        template=raw["template"],
        policy=raw["policy"],
        policy_digest=raw["policy_digest"],
        verdict=Verdict(
            decision=Decision(verdict["decision"]),
            blocking=tuple(decided["blocking"]),
            allowed=tuple(decided["allowed"]),
            waived=tuple(
                one for item, finding in zip(raw["findings"], findings, strict=True) if (one := read_waived(item, finding)) is not None
            ),
            unanswered=tuple(Unanswered(**item) for item in verdict["unanswered"]),
            not_asked=tuple(Outcome.not_asked(**item) for item in verdict["not_asked"]),
            waiver_notes=tuple(
                WaiverNote(news=WaiverNews(item["news"]), message=item["message"], waiver=read_waiver(item["waiver"]))
                for item in verdict["waiver_notes"]
            ),
            vex_notes=tuple(VexNote(**{**item, "news": VexNews(item["news"])}) for item in verdict["vex_notes"]),
            policy_digest=verdict["policy_digest"],
            baselined=tuple(Baselined(finding=finding, entry=entry) for finding, entry in zip(decided["baselined"], entries, strict=True)),
            vanished=tuple(read_entry(item) for item in verdict["vanished"]),
            lapsed=tuple(Lapsed(entry=read_entry(item["entry"]), reason=item["reason"]) for item in verdict["lapsed"]),
            override=_read_override(verdict["override"]) if verdict["override"] else None,
        ),
        outcomes=tuple(read_outcome(item, (_at(findings, place) for place in item["findings"])) for item in raw["outcomes"]),
        artifacts=tuple(Artifact(**item) for item in raw["artifacts"]),
        advisories=AdvisoryInfo(**raw["advisories"]) if raw["advisories"] else None,
        modes=raw["modes"],
        tools=raw["tools"],
        rules=tuple(_read_rule(item) for item in raw["rules"]),
        hints=tuple(raw["hints"]),
        vex=tuple(VexDocument(**item) for item in raw["vex"]),
        epoch=raw["epoch"],
        baseline=BaselineFile(**raw["baseline"]) if raw["baseline"] else None,
        overrides=tuple(raw["overrides"]),
        attested_by=tuple(raw["attested_by"]),
    )


def _override(override: Override) -> dict[str, object]:
    lists = {"subjects": override.subjects, "over": override.over, "vouched_by": override.vouched_by}
    known = {"findings": sorted(override.findings), "questions": sorted(override.questions)}
    return {**override.told, **lists, **known, "policy": override.policy}


def _read_override(raw: Mapping[str, Any]) -> Override:
    """An override, as a report tells it: of people's interest, and no proof of anything.

    Raises:
        ValueError: a time that is none.
    """
    lists = {name: tuple(raw[name]) for name in ("subjects", "over", "vouched_by")}
    times = {name: datetime.fromisoformat(raw[name]) for name in ("at", "until")}
    known = {"findings": frozenset(raw["findings"]), "questions": frozenset((gate, subject) for gate, subject in raw["questions"])}
    return Override(**{**raw, **lists, **times, **known})


def _at(findings: list[Finding], place: float) -> Finding:
    """JSON knows one kind of number, so the schema takes 1.0 for an integer."""
    if not isinstance(place, int) or place >= len(findings):
        message = f"an outcome names finding {place}, and there are {len(findings)}"
        raise ValueError(message)
    return findings[place]


def _read_rule(raw: Mapping[str, Any]) -> Rule:
    known = {
        "severity": Severity(raw["severity"]),
        "persona": Persona(raw["persona"]),
        "effect": Effect(raw["effect"]),
        "references": tuple(raw["references"]),
    }
    return Rule(**{**raw, **known})


REPORT = Report(id="json", summary="JSON for other programs; `shipsafe report show` reads it again.", write=write)
