"""CSV for spreadsheets: one row for each finding whatever became of it, and one for each question without an answer.

    decision   blocking, known, waived, allowed, unanswered (nobody could look), unchanged (not asked, because nothing has changed
               since a revision), unjudged (does not count)
    severity   critical, high, medium, low, unscored; empty where a question has no answer
    gate, rule, advisory, aliases
    subject    function:ID, layer:ID or project
    package, version, fixed_versions
    path, line where to look
    message    what is wrong; for a question without an answer, why
    remedy     what to do
    score      CVSS, 0.0 to 10.0
    since, until, owner, reason
               of the baseline's entry or the waiver; the reason of a suppression in the code
    identity   the same from run to run, also when lines move

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and runs it, so such a cell gets a `'` in front
(https://owasp.org/www-community/attacks/CSV_Injection). Where the separator is `;`, as in many countries, a cell may also begin after
one. Several values in a cell are separated by blanks.
"""

import csv
import io
import re
from collections.abc import Iterator

from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.finding import Finding
from shipsafe.model.policy import Waiver
from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.reports import tally
from shipsafe.reports.escape import short

COLUMNS = (
    *("decision", "severity", "gate", "rule", "advisory", "aliases", "subject", "package", "version", "fixed_versions"),
    *("path", "line", "message", "remedy", "score", "since", "until", "owner", "reason", "identity"),
)
_CELL = 2000  # characters; a spreadsheet takes 32,767
# Also in their full width, which some programs take for the same (U+FF0B, U+FF0D, U+FF1D, U+FF20).
_FORMULA = re.compile(r"(^|;)(?=[\s\"']*[=+\-@\uff0b\uff0d\uff1d\uff20])")


def write(record: RunRecord) -> str:
    """The run as CSV (RFC 4180, with the line breaks of Unix), the header first."""
    out = io.StringIO()
    rows = csv.DictWriter(out, COLUMNS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\n")
    rows.writeheader()
    for row in _rows(record):
        rows.writerow({name: cell(text) for name, text in row.items()})
    return out.getvalue()


def _rows(record: RunRecord) -> Iterator[dict[str, str]]:
    verdict = record.verdict
    for finding in tally.worst_first(verdict.blocking):
        yield _finding(finding, "blocking")
    for known in sorted(verdict.baselined, key=lambda item: tally.order(item.finding)):
        yield _finding(known.finding, "known") | _entry(known.entry)
    for waived in tally.waived_worst_first(record):
        yield _finding(waived.finding, "waived") | _waiver(waived.waiver)
    for finding in tally.worst_first(verdict.allowed):
        yield _finding(finding, "allowed") | {"reason": finding.suppressed}
    unsettled = tally.unsettled(record)
    for finding in tally.worst_first(unsettled):
        yield _finding(finding, "unanswered")
    judged = {
        *verdict.blocking, *tally.known(record), *(item.finding for item in verdict.waived), *verdict.allowed, *unsettled,
    }  # fmt: skip
    for finding in tally.worst_first({finding for outcome in record.outcomes for finding in outcome.findings} - judged):
        yield _finding(finding, "unjudged")
    yield from _without_answer(record)


def _without_answer(record: RunRecord) -> Iterator[dict[str, str]]:
    for silence in (*tally.unanswered(record), *tally.unanswered_observed(record)):
        for gate in silence.gates:
            for subject in silence.subjects:
                yield {"decision": "unanswered", "gate": gate, "subject": subject, "message": silence.reason}
    for outcome in tally.unchanged(record):
        yield {"decision": "unchanged", "gate": outcome.gate, "subject": outcome.subject, "message": outcome.reason}


def _finding(finding: Finding, decision: str) -> dict[str, str]:
    place = finding.location
    return {
        "decision": decision,
        "severity": finding.severity,
        "gate": tally.gate_of(finding),
        "rule": finding.rule,
        "advisory": finding.advisory or "",
        "aliases": " ".join(finding.aliases),
        "subject": finding.subject,
        "package": finding.package or "",
        "version": finding.version or "",
        "fixed_versions": " ".join(finding.fixed_versions),
        "path": place.path if place else "",
        "line": str(place.line) if place and place.line else "",
        "message": finding.message,
        "remedy": finding.remedy,
        "score": "" if finding.score is None else f"{finding.score:g}",
        "identity": finding.identity,
    }


def _entry(entry: BaselineEntry) -> dict[str, str]:
    return {
        "since": entry.recorded.isoformat(),
        "until": entry.expires.isoformat() if entry.expires else "",
        "owner": entry.owner,
        "reason": "in the baseline",
    }


def _waiver(waiver: Waiver) -> dict[str, str]:
    until = waiver.expires.isoformat() if waiver.expires else ""
    return {"until": until or ("fixed" if waiver.until_fixed else ""), "owner": waiver.owner, "reason": waiver.reason}


def cell(text: str) -> str:
    """A text as a spreadsheet may have it: no formula, and not too long."""
    return _FORMULA.sub(r"\1'", short(text, _CELL))


REPORT = Report(id="csv", summary="CSV for spreadsheets, one row a finding.", write=write)
