"""Markdown for a pull request's comment and for the summary of a workflow's step.

Text from outside is escaped so that it renders as itself: no tables that break, no HTML, no pictures that call home, no
`@mention` that wakes a person up. Where there is a limit of size, tables are cut between rows and say how much is missing.
Findings are named from the root of the repository, where that is known: a pull request shows files so, and may change several projects.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shipsafe.model.finding import Finding
from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.reports import tally
from shipsafe.reports.cells import Cells
from shipsafe.reports.escape import for_markdown
from shipsafe.reports.layout import size

_MORE = 80  # bytes that a line about what is missing may take


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A heading, what stands before the rows, and the rows: the part that may be cut."""

    head: str
    rows: tuple[str, ...]
    what: str


def markdown(record: RunRecord, *, limit_bytes: int | None = None) -> str:
    """The run in Markdown, in at most `limit_bytes` of UTF-8 where given (never less than the verdict takes)."""
    text = _verdict(record)
    parts = [part for part in _parts(record) if part.rows]
    for number, part in enumerate(parts):
        # What comes after must at least be able to say that it is missing.
        budget = None if limit_bytes is None else limit_bytes - len(text.encode()) - _MORE * (len(parts) - number)
        text += _fitted(part, budget)
    return text


def _fitted(part: _Part, budget: int | None) -> str:
    whole = f"\n{part.head}{''.join(part.rows)}"
    if budget is None or len(whole.encode()) <= budget:
        return whole
    shown, used = 0, len(part.head.encode()) + 1
    for row in part.rows:
        used += len(row.encode())
        if used > budget:
            break
        shown += 1
    kept = f"\n{part.head}{''.join(part.rows[:shown])}" if shown else ""
    more = f"\n… {len(part.rows) - shown} more {part.what}\n"
    return f"{kept}{more}" if budget + _MORE >= len(more.encode()) else ""


def _verdict(record: RunRecord) -> str:
    decision = record.verdict.decision
    place = record.in_repository(record.template or ".") if record.template or record.prefix else ""
    template = f" ({for_markdown(place)})" if place else ""
    return (
        f"## shipsafe {for_markdown(record.command)}: {for_markdown(record.project)}{template}\n\n"
        f"**{decision}** {for_markdown(tally.verdict_sentence(record))} Exit {int(record.verdict.exit_code)}.\n"
    )


def _parts(record: RunRecord) -> Iterable[_Part]:
    verdict = record.verdict
    yield _outcomes(record)
    yield _findings(record, "Findings", verdict.blocking)
    yield _findings(record, "Could not be looked at", tally.unsettled(record))
    yield _findings(record, "Observed: these do not block yet", tally.observed(record))
    yield _list("Unanswered", (for_markdown(str(silence), 1000) for silence in tally.unanswered(record)))
    yield _list(
        "Waived",
        (
            f"{_what(record, item.finding)}: {for_markdown(item.waiver.reason)} ({for_markdown(item.waiver.owner)}"
            f"{f', until {item.waiver.expires.isoformat()}' if item.waiver.expires else ''})"
            for item in tally.waived_worst_first(record)
        ),
    )
    yield _list(
        "Suppressed in the code",
        (f"{_what(record, finding)}: {for_markdown(finding.suppressed)}" for finding in tally.worst_first(tally.suppressed(record))),
    )
    yield _list("Waivers", (f"{note.news}: {for_markdown(note.message)}" for note in verdict.waiver_notes))
    yield _list("VEX", (f"{note.news}: {for_markdown(f'{note.source}: {note.message}')}" for note in verdict.vex_notes))
    yield _findings(record, "Known: the baseline has these, and they do not block", tally.known(record))
    yield _list("Lapsed: in the baseline, and blocking again", (for_markdown(tally.lapsed_text(one), 1000) for one in verdict.lapsed))
    yield _list("Gone from the baseline", (for_markdown(tally.entry_text(entry), 1000) for entry in verdict.vanished))
    yield _findings(record, "Allowed: below what the policy blocks", tally.below(record))
    quiet = tally.unanswered_observed(record)
    yield _list("Unanswered, in gates that observe", (for_markdown(str(silence), 1000) for silence in quiet))
    yield _list("Not asked", (for_markdown(str(silence), 1000) for silence in tally.not_asked(record)))
    yield _artifacts(record)
    remarks = [for_markdown(hint) for hint in record.hints]
    if record.advisories:
        remarks.append(f"advisories: {for_markdown(record.advisories.label)}")
    remarks += [
        for_markdown(f"vex: {one.path} ({one.format}, {tally.count(one.statements, 'statement')}, sha256 {one.sha256})")
        for one in record.vex
    ]
    if record.overrides:
        remarks.append(for_markdown(f"policy: {tally.policy_text(record)}"))
    if record.baseline:
        remarks.append(for_markdown(tally.baseline_text(record)))
    if evidence := tally.evidence_text(record):
        remarks.append(for_markdown(evidence))
    yield _list("Remarks", remarks)


def _outcomes(record: RunRecord) -> _Part:
    cells, gates = Cells(record), tally.gates(record)
    rows = (
        _row([for_markdown(subject), *(for_markdown(cells.words(gate, subject)) for gate in gates)]) for subject in tally.subjects(record)
    )
    return _table("", ["subject", *(for_markdown(gate) for gate in gates)], rows, "subjects")


def _findings(record: RunRecord, title: str, findings: Iterable[Finding]) -> _Part:
    found = tuple(findings)
    rows = (
        _row(
            [
                str(group.finding.severity),
                _rule(group.finding),
                for_markdown(_where(record, group.finding)),
                f"{for_markdown(group.finding.message)}<br>Fix: {for_markdown(group.finding.remedy)}",
                ", ".join(for_markdown(subject) for subject in group.subjects),
            ]
        )
        for group in tally.grouped(found)
    )
    return _table(f"### {title} ({len(found)})\n\n", ["severity", "rule", "where", "what", "in"], rows, "findings")


def _artifacts(record: RunRecord) -> _Part:
    rows = (
        _row(
            [
                for_markdown(artifact.name),
                for_markdown(artifact.path),
                size(artifact.size),
                for_markdown(artifact.sha256),
                for_markdown(artifact.code_sha256),
                for_markdown(artifact.sbom),
            ]
        )
        for artifact in record.artifacts
    )
    head = ["name", "file", "size", "sha256", "CodeSha256", "SBOM"]
    return _table(f"### Artifacts ({len(record.artifacts)})\n\n", head, rows, "artifacts")


def _rule(finding: Finding) -> str:
    ids = [finding.rule, *([finding.advisory] if finding.advisory else []), *finding.aliases]
    return "<br>".join(for_markdown(name) for name in ids)


def _what(record: RunRecord, finding: Finding) -> str:
    advisory = f" {finding.advisory}" if finding.advisory else ""
    return for_markdown(f"{finding.severity} {finding.rule}{advisory} for {finding.subject} {_where(record, finding)}".rstrip(" "))


def _where(record: RunRecord, finding: Finding) -> str:
    place = finding.location
    return str(replace(place, path=record.in_repository(place.path))) if place else ""


def _table(title: str, head: list[str], rows: Iterable[str], what: str) -> _Part:
    return _Part(head=title + _row(head) + _row(["---"] * len(head)), rows=tuple(rows), what=what)


def _list(title: str, items: Iterable[str]) -> _Part:
    rows = tuple(f"- {item}\n" for item in items)
    return _Part(head=f"### {title} ({len(rows)})\n\n", rows=rows, what="lines")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


REPORT = Report(id="markdown", summary="Markdown for pull requests and step summaries.", write=markdown)
