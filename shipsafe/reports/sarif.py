"""SARIF 2.1.0 as GitHub's code scanning wants it.

One run per gate, each with its own `automationDetails.id`, because GitHub takes what a run does not mention for fixed: a run of
`lint` must not close the alerts of `dependencies`, nor one project those of its neighbour in the same repository. GitHub reads
the severity from the rule and not from the result, so every advisory is a rule of its own. Fingerprints come from a finding's
identity, which has no line in it: an alert stays the same alert when the file above it grows. A run that left out what has not changed
since a revision says nothing of it, so it has an id of its own and closes no alert of a whole run.

Limits: docs.github.com, "SARIF support for code scanning" (25,000 results a run of which 5,000 are shown, 20 tags, 10 MB
gzipped). What is left out is said in a notification; the worst stay.
"""

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from shipsafe.model.baseline import Baseline
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.location import Location
from shipsafe.model.outcome import State
from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.model.severity import Severity
from shipsafe.reports import tally
from shipsafe.reports.escape import clean, for_markdown, short
from shipsafe.reports.rule_page import rule_text, rules_markdown
from shipsafe.reports.sarif_parts import inside, log, notification, one_line, uri
from shipsafe.reports.strict_json import dump

_KEPT = 5_000  # results of one run
_BYTES = 9_500_000  # gzipped; GitHub refuses 10 MB
_HELP = 20_000
_NAME = 255
_TAGS = 20
_USUAL = ("template.yaml", "template.yml", "template.json")  # of a folder, which has one of these
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.UNSCORED: "warning",
}
# GitHub: over 9.0 critical, from 7.0 high, from 4.0 medium, else low. Who has no score gets the middle of the level; nobody
# rated `unscored`, so it gets none, and GitHub shows the level of the result instead.
_SCORES = {Severity.CRITICAL: 9.5, Severity.HIGH: 8.0, Severity.MEDIUM: 5.5, Severity.LOW: 2.0}
_BANDS = {Severity.CRITICAL: (9.0, 10.0), Severity.HIGH: (7.0, 8.9), Severity.MEDIUM: (4.0, 6.9), Severity.LOW: (0.1, 3.9)}
_PRECISION = {"high": "high", "medium": "medium", "low": "low"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A finding as a result: with what became of it, and since when the baseline knows it."""

    finding: Finding
    decision: str
    suppressions: tuple[Mapping[str, object], ...] = ()
    since: str = ""


def write(record: RunRecord) -> str:
    """The run as SARIF. Where the whole is too big to be taken, each run keeps half as many results until it is not."""
    kept = _KEPT
    while True:
        text = dump(log([_run(record, gate, kept) for gate in _gates(record)]))
        if kept == 1 or len(text) < _BYTES or len(gzip.compress(text.encode(), 6)) < _BYTES:
            return text
        kept //= 2


def _gates(record: RunRecord) -> list[str]:
    """Every gate that was to be asked: a clean one, too, so that what was fixed is closed."""
    found = [tally.gate_of(shown.finding) for shown in _all_shown(record)]
    return list(dict.fromkeys([*tally.gates(record), *found]))


def _run(record: RunRecord, gate: str, kept: int) -> dict[str, object]:
    shown = sorted(
        (item for item in _all_shown(record) if tally.gate_of(item.finding) == gate),
        key=lambda item: (tally.order(item.finding)[0], bool(item.suppressions), tally.order(item.finding)),
    )
    results, left_out = shown[:kept], len(shown) - kept
    old = _old(record)
    by_rule: dict[str, list[Finding]] = {}
    for item in results:
        by_rule.setdefault(_rule_id(item.finding), []).append(item.finding)
    known = {rule.id: rule for rule in record.rules}
    numbers = {rule_id: number for number, rule_id in enumerate(by_rule)}
    driver: dict[str, object] = {
        "name": "shipsafe",
        "rules": [_rule(rule_id, found, known.get(found[0].rule)) for rule_id, found in by_rule.items()],
    }
    if version := clean(record.tools.get("shipsafe", "")):
        driver["version"] = version
    part = "changed/" if any(outcome.gate == gate for outcome in tally.unchanged(record)) else ""
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"shipsafe/{quote(gate, safe='')}/{_project(record)}/{part}"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(record, gate, left_out)],
        "results": [_result(record, item, numbers[_rule_id(item.finding)], old) for item in results],
    }


def _project(record: RunRecord) -> str:
    """It and no other of its repository: two may lie in folders of one name, or be two templates of one folder."""
    where = clean(record.prefix or record.project)
    if record.template and record.template not in _USUAL:
        where = f"{where}/{clean(record.template)}"
    return quote(where, safe="") or "project"


def _all_shown(record: RunRecord) -> Iterable[_Shown]:
    for finding in record.verdict.blocking:
        yield _Shown(finding=finding, decision="blocking")
    for finding in record.verdict.allowed:
        in_source = ({"kind": "inSource", "justification": one_line(finding.suppressed)},) if finding.suppressed else ()
        yield _Shown(finding=finding, decision="allowed", suppressions=in_source)
    for known in record.verdict.baselined:
        yield _Shown(finding=known.finding, decision="baselined", since=known.entry.recorded.isoformat())
    for finding in tally.unsettled(record):
        yield _Shown(finding=finding, decision="unanswered")
    for item in record.verdict.waived:
        until = f" until {item.waiver.expires.isoformat()}" if item.waiver.expires else ""
        reason = one_line(f"{item.waiver.reason} ({item.waiver.owner}{until})")
        yield _Shown(finding=item.finding, decision="waived", suppressions=({"kind": "external", "justification": reason},))


def _rule_id(finding: Finding) -> str:
    return one_line(f"{finding.rule}/{finding.advisory}" if finding.advisory else finding.rule, _NAME)


def _rule(rule_id: str, found: list[Finding], known: Rule | None) -> dict[str, object]:
    """The rule as GitHub shows it beside an alert; an advisory has its own sentence and the page of the rule it breaks."""
    first = tally.worst_first(found)[0]
    rule = known or Rule(id=first.rule, severity=first.severity, summary="Not described here.", remedy="", why="")
    summary = f"{first.advisory}: {first.message}" if first.advisory else rule.summary
    properties: dict[str, object] = {"precision": _PRECISION.get(first.confidence or "", "high"), "tags": _tags(first)}
    if score := max((_score(finding) for finding in found), default=0.0):
        properties["security-severity"] = f"{score:.1f}"
    about = _advisory(first)
    entry: dict[str, object] = {
        "id": rule_id,
        "name": rule_id,
        "shortDescription": {"text": one_line(summary)},
        "fullDescription": {"text": one_line(f"{summary} {rule.why}")},
        "help": {
            "text": _block(f"{clean(about)}\n\n{rule_text(rule)}"),
            "markdown": _block(f"{for_markdown(about)}\n\n{rules_markdown(rule)}"),
        },
        "defaultConfiguration": {"level": _LEVELS[first.severity]},
        "properties": properties,
    }
    links = [link for link in (*first.references, *rule.references) if link.startswith("https://") and link.isascii()]
    if links:
        entry["helpUri"] = quote(clean(links[0]), safe=":/?#[]@!$&'()*+,;=%~")
    return entry


def _advisory(finding: Finding) -> str:
    if not finding.advisory:
        return ""
    aliases = f" ({', '.join(finding.aliases)})" if finding.aliases else ""
    fixed = f" Fixed in {', '.join(finding.fixed_versions)}." if finding.fixed_versions else ""
    return f"Advisory {finding.advisory}{aliases}.{fixed}"


def _tags(finding: Finding) -> list[str]:
    found = ["security", tally.gate_of(finding), finding.advisory or "", *finding.aliases]
    return list(dict.fromkeys(tag for tag in (short(text, 100) for text in found) if tag))[:_TAGS]


def _score(finding: Finding) -> float:
    """The CVSS score, unless shipsafe judged otherwise than it says (malicious packages are critical); 0 for none."""
    low, high = _BANDS.get(finding.severity, (11.0, 11.0))
    if finding.score is not None and low <= finding.score <= high:
        return finding.score
    return _SCORES.get(finding.severity, 0.0)


def _old(record: RunRecord) -> Baseline | None:
    """What the baseline has of what was found. Where there is one, every result has a `baselineState` (SARIF 2.1.0, 3.27.24)."""
    if record.baseline is None:
        return None
    verdict = record.verdict
    return Baseline(path="", entries=(*(item.entry for item in verdict.baselined), *(item.entry for item in verdict.lapsed)))


def _result(record: RunRecord, item: _Shown, rule_index: int, old: Baseline | None) -> dict[str, object]:
    finding = item.finding
    facts: dict[str, object] = {
        "subject": clean(finding.subject),
        "severity": finding.severity,
        "decision": item.decision,
        "package": short(finding.package or "", _NAME),
        "version": short(finding.version or "", _NAME),
        "confidence": short(finding.confidence or "", _NAME),
        "since": item.since,
    }
    result: dict[str, object] = {
        "ruleId": _rule_id(finding),
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": one_line(f"{finding.message} In {finding.subject}. {finding.remedy}")},
        "locations": [_location(record, finding.location)],
        "partialFingerprints": {"primaryLocationLineHash": finding.identity},
        "properties": {key: value for key, value in facts.items() if value},
    }
    if old is not None:
        result["baselineState"] = "unchanged" if old.about(finding) else "new"
    if item.suppressions:
        result["suppressions"] = list(item.suppressions)
    return result


def _location(record: RunRecord, place: Location | None) -> dict[str, object]:
    """Where GitHub shows it. What has no file in the project stands at the template, else at the policy."""
    if place is None or not place.path or not inside(record.in_repository(place.path)):
        known = [path for path in (record.template, record.policy) if path and inside(path)]
        place = Location(path=known[0] if known else "shipsafe.toml")
    region: dict[str, Any] = {"startLine": place.line or 1}
    if place.line and place.column:
        region["startColumn"] = place.column
    address = uri(PurePosixPath(record.in_repository(place.path)))
    return {"physicalLocation": {"artifactLocation": {"uri": address}, "region": region}}


def _invocation(record: RunRecord, gate: str, left_out: int) -> dict[str, object]:
    missing = [item for item in record.verdict.unanswered if item.gate == gate]
    told = {item.subject for item in missing}
    missing_subjects = [(item.subject, item.reason) for item in missing] + [
        (outcome.subject, outcome.reason)
        for outcome in record.outcomes
        if outcome.gate == gate and outcome.state is State.UNANSWERED and outcome.subject not in told
    ]
    notifications = [notification("unanswered", "error", f"{subject}: {reason}") for subject, reason in missing_subjects]
    notifications += [
        notification("not-asked", "note", f"{outcome.subject}: {outcome.reason}")
        for outcome in record.verdict.not_asked
        if outcome.gate == gate
    ]
    if left_out > 0:
        said = f"{tally.count(left_out, 'result')} left out, the least severe ones; the JSON report has all."
        notifications.append(notification("left-out", "warning", said))
    notifications += [
        notification("gone", "note", f"Gone from the baseline: {tally.entry_text(entry)}")
        for entry in record.verdict.vanished
        if entry.gate == gate
    ]
    notifications += [notification("lapsed", "warning", tally.lapsed_text(one)) for one in record.verdict.lapsed if one.entry.gate == gate]
    invocation: dict[str, object] = {"executionSuccessful": not missing_subjects, "exitCode": int(record.verdict.exit_code)}
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    return invocation


def _block(text: str) -> str:
    cleaned = clean(text, lines=True)
    return cleaned if len(cleaned) <= _HELP else f"{cleaned[:_HELP]}..."


REPORT = Report(id="sarif", summary="SARIF 2.1.0 for code scanning.", write=write)
