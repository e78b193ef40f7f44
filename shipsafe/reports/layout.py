"""What a person reads at the end of a run, as blocks: the same content whether it is printed plain or in colour.

Top to bottom as somebody reads it: the table of outcomes, then findings with the worst first, then what was waived, suppressed
and allowed, then what could not be answered, then the artifacts, and one line of verdict last, where the eye is.
"""

import json
from collections.abc import Iterable, Iterator

from shipsafe.model.artifact import Artifact
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import State
from shipsafe.model.record import RunRecord
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Waived
from shipsafe.model.vex import VexNote
from shipsafe.reports import tally
from shipsafe.reports.blocks import Grid, Line, Section, Span, Tone
from shipsafe.reports.cells import Cells
from shipsafe.reports.escape import short

_SENTENCE = 1000  # characters of one text from outside: an advisory's summary may be a book
_NAME = 200
_MOST_ARTIFACTS = 20  # with all their digests; of more, one line each
_MOST_GONE = 5  # entries that are listed without --verbose
_SEVERITY = {
    Severity.CRITICAL: Tone.WORST,
    Severity.HIGH: Tone.BAD,
    Severity.MEDIUM: Tone.WARN,
    Severity.LOW: Tone.PLAIN,
    Severity.UNSCORED: Tone.WARN,
}
_DECISION = {
    Decision.PASS: Tone.GOOD,
    Decision.FAIL: Tone.WORST,
    Decision.NOTHING: Tone.WARN,
    Decision.INCOMPLETE: Tone.WARN,
    Decision.BROKEN: Tone.WORST,
    Decision.OVERRIDDEN: Tone.WARN,
}


def sections(record: RunRecord, *, quiet: bool = False, verbose: bool = False) -> Iterator[Section]:
    """The run, in the order of reading. `quiet` keeps what blocks and the verdict; `verbose` leaves nothing out."""
    if not quiet:
        yield _title(record)
        if record.outcomes or record.verdict.unanswered:
            yield Section((_outcomes(record),))
    yield from _findings("Findings", record.verdict.blocking, verbose=verbose)
    yield from _findings("Could not be looked at", tally.unsettled(record), verbose=verbose)
    if not quiet:
        yield from _findings("Observed: these do not block yet", tally.observed(record), verbose=verbose)
        yield from _known(record, verbose=verbose)
        yield from _allowed(record, verbose=verbose)
        yield from _set_aside(record)
    yield from _silences("Unanswered", tally.unanswered(record), Tone.WARN)
    if not quiet:
        yield from _silences("Unanswered, in gates that observe", tally.unanswered_observed(record), Tone.WARN)
        yield from _silences("Not asked", tally.not_asked(record), Tone.DIM)
        if verbose:
            yield from _details(record)
        yield from _artifacts(record, verbose=verbose)
        yield from _remarks(record, verbose=verbose)
    yield _verdict(record)


def _title(record: RunRecord) -> Section:
    template = f" ({_name(record.template)})" if record.template else ""
    policy = short(tally.policy_text(record), _SENTENCE)
    return Section(
        (
            Line((Span(f"shipsafe {_name(record.command)}: {_name(record.project)}{template}", Tone.STRONG),)),
            Line((Span(f"policy: {policy}", Tone.DIM),)),
        )
    )


def _outcomes(record: RunRecord) -> Grid:
    cells, gates = Cells(record), tally.gates(record)
    head = (Span("subject", Tone.DIM), *(Span(_name(gate), Tone.DIM) for gate in gates))
    rows = [
        (Span(_name(subject)), *(Span(cells.words(gate, subject), _cell_tone(cells, gate, subject)) for gate in gates))
        for subject in tally.subjects(record)
    ]
    return Grid((head, *rows))


def _cell_tone(cells: Cells, gate: str, subject: str) -> Tone:
    if cells.blocked(gate, subject):
        return Tone.BAD
    if cells.known(gate, subject):
        return Tone.WARN
    tones = {State.ANSWERED: Tone.GOOD, State.UNANSWERED: Tone.WARN, State.NOT_ASKED: Tone.DIM, None: Tone.DIM}
    return tones[cells.state(gate, subject)]


def _findings(title: str, findings: Iterable[Finding], *, verbose: bool) -> Iterator[Section]:
    found = tuple(findings)
    if not found:
        return
    yield _heading(f"{title} ({len(found)})")
    for group in tally.grouped(found):
        yield Section(tuple(_entry(group, verbose=verbose)))


def _entry(group: tally.Group, *, verbose: bool) -> Iterator[Line]:
    finding = group.finding
    head = [Span(finding.severity.upper(), _SEVERITY[finding.severity]), Span(_name(finding.rule), Tone.STRONG)]
    if finding.advisory:
        head.append(Span(_name(finding.advisory), Tone.STRONG))
    if finding.location:
        head.append(Span(_name(str(finding.location))))
    yield Line(tuple(head))
    yield Line((Span(short(finding.message, _SENTENCE)),), 2)
    yield Line((Span("fix: ", Tone.GOOD), Span(short(finding.remedy, _SENTENCE))), 2)
    yield Line((Span(f"in: {', '.join(_name(subject) for subject in group.subjects)}", Tone.DIM),), 2)
    if finding.aliases:
        yield _fact("also known as", ", ".join(finding.aliases))
    if len(finding.path) > 1:
        yield _fact("brought in by", " > ".join(finding.path))
    if finding.suppressed:
        yield _fact("counts in spite of", finding.suppressed)
    if verbose:
        yield from _more(finding)


def _more(finding: Finding) -> Iterator[Line]:
    if finding.score is not None:
        yield _fact("CVSS", f"{finding.score:g}")
    if finding.confidence:
        yield _fact("confidence", finding.confidence)
    if finding.fixed_versions:
        yield _fact("fixed in", ", ".join(finding.fixed_versions))
    for reference in finding.references:
        yield _fact("see", reference)


def _allowed(record: RunRecord, *, verbose: bool) -> Iterator[Section]:
    """What the threshold lets through: counted, and in full only for who asks."""
    allowed = tally.below(record)
    if allowed and verbose:
        yield from _findings("Allowed: below what the policy blocks", allowed, verbose=True)
    elif allowed:
        said = f"Allowed ({len(allowed)}): {tally.severity_counts(allowed)}, below what the policy blocks; --verbose shows them."
        yield Section((Line((Span(said, Tone.DIM),)),))


def _known(record: RunRecord, *, verbose: bool) -> Iterator[Section]:
    """What the baseline knows: counted, and in full only for who asks; and what of it is gone or holds no more."""
    verdict = record.verdict
    known = tally.known(record)
    if known and verbose:
        yield from _findings("Known: the baseline has these, and they do not block", known, verbose=True)
    elif known:
        said = f"Known ({len(known)}): {tally.severity_counts(known)}, in the baseline; --verbose shows them."
        yield Section((Line((Span(said, Tone.WARN),)),))
    if verdict.lapsed:
        lines = (Line((Span(short(tally.lapsed_text(one), _SENTENCE), Tone.WARN),), 2) for one in verdict.lapsed)
        yield Section((_head_line(f"Lapsed: in the baseline, and blocking again ({len(verdict.lapsed)})"), *lines))
    if verdict.vanished:
        shown = verdict.vanished if verbose else verdict.vanished[:_MOST_GONE]
        lines = (Line((Span(short(tally.entry_text(entry), _SENTENCE), Tone.GOOD),), 2) for entry in shown)
        left = len(verdict.vanished) - len(shown)
        more = (Line((Span(f"and {left} more; --verbose shows them.", Tone.DIM),), 2),) if left else ()
        yield Section((_head_line(f"Gone from the baseline ({len(verdict.vanished)})"), *lines, *more))


def _set_aside(record: RunRecord) -> Iterator[Section]:
    waived, suppressed = tally.waived_worst_first(record), tally.worst_first(tally.suppressed(record))
    if waived:
        yield Section((_head_line(f"Waived ({len(waived)})"), *(_waived(item) for item in waived)))
    if suppressed:
        lines = (_aside(finding, finding.suppressed) for finding in suppressed)
        yield Section((_head_line(f"Suppressed in the code ({len(suppressed)})"), *lines))
    if record.verdict.waiver_notes:
        notes = (Line((Span(f"{note.news}: ", Tone.WARN), Span(short(note.message, _SENTENCE))), 2) for note in record.verdict.waiver_notes)
        yield Section((_head_line("Waivers"), *notes))
    if record.verdict.vex_notes:
        said = (_vex_note(note) for note in record.verdict.vex_notes)
        yield Section((_head_line("VEX"), *said))


def _waived(item: Waived) -> Line:
    waiver = item.waiver
    until = f" until {waiver.expires.isoformat()}" if waiver.expires else ""
    until += " until fixed" if waiver.until_fixed else ""
    return _aside(item.finding, f"{waiver.reason} ({waiver.owner}{until})")


def _vex_note(note: VexNote) -> Line:
    return Line((Span(f"{note.news}: ", Tone.WARN), Span(f"{_name(note.source)}: {short(note.message, _SENTENCE)}")), 2)


def _aside(finding: Finding, why: str) -> Line:
    place = f" {finding.location}" if finding.location else ""
    advisory = f" {finding.advisory}" if finding.advisory else ""
    what = _name(f"{finding.severity} {finding.rule}{advisory} for {finding.subject}{place}: ")
    return Line((Span(f"{what} "), Span(short(why, _SENTENCE), Tone.DIM)), 2)


def _silences(title: str, silences: list[tally.Silence], tone: Tone) -> Iterator[Section]:
    if silences:
        number = sum(len(silence.gates) * len(silence.subjects) for silence in silences)
        lines = (Line((Span(short(str(silence), _SENTENCE), tone),), 2) for silence in silences)
        yield Section((_head_line(f"{title} ({number})"), *lines))


def _details(record: RunRecord) -> Iterator[Section]:
    lines = []
    for outcome in record.outcomes:
        place = f"{_name(outcome.gate)} {_name(outcome.subject)}"
        lines += [Line((Span(f"{place}: {short(note, _SENTENCE)}"),), 2) for note in outcome.notes]
        lines += [
            Line((Span(f"{place}: {short(f'{key} = {json.dumps(value)}', _SENTENCE)}", Tone.DIM),), 2)
            for key, value in sorted(outcome.evidence.items())
        ]
    if lines:
        yield Section((_head_line("Notes and evidence"), *lines))


def _artifacts(record: RunRecord, *, verbose: bool) -> Iterator[Section]:
    if record.artifacts:
        whole = verbose or len(record.artifacts) <= _MOST_ARTIFACTS
        lines = [line for artifact in record.artifacts for line in (_artifact(artifact) if whole else [_in_short(artifact)])]
        yield Section((_head_line(f"Artifacts ({len(record.artifacts)})"), *lines))


def _artifact(artifact: Artifact) -> Iterator[Line]:
    yield Line((Span(f"{_name(artifact.name)}  ", Tone.STRONG), Span(f"{_name(artifact.path)}, {size(artifact.size)}")), 2)
    yield Line((Span(f"sha256 {_name(artifact.sha256)}", Tone.DIM),), 4)
    yield Line((Span(f"CodeSha256 {_name(artifact.code_sha256)}", Tone.DIM),), 4)
    yield Line((Span(f"SBOM {_name(artifact.sbom)}", Tone.DIM),), 4)


def _in_short(artifact: Artifact) -> Line:
    """What a deployment compares; the rest stands in the manifest."""
    head = Span(f"{_name(artifact.path)}, {size(artifact.size)}, ")
    return Line((head, Span(f"CodeSha256 {_name(artifact.code_sha256)}", Tone.DIM)), 2)


def _remarks(record: RunRecord, *, verbose: bool) -> Iterator[Section]:
    lines = [Line((Span(f"hint: {short(hint, _SENTENCE)}"),)) for hint in record.hints]
    for document in record.vex:
        digest = f", sha256 {document.sha256}" if verbose else ""
        read = f"{document.format}, {tally.count(document.statements, 'statement')}{digest}"
        lines.append(Line((Span(f"vex: {_name(document.path)} ({_name(read)})"),)))
    known = record.advisories
    if known:
        lines.append(Line((Span(f"advisories: {_name(known.label)}"),)))
    if known and verbose:
        facts = {"source": known.source, "date": known.date, "records": known.records, "digest": known.digest}
        lines += [_fact(key, str(value)) for key, value in facts.items() if value is not None]
    if record.baseline:
        lines.append(Line((Span(tally.baseline_text(record)),)))
    if evidence := tally.evidence_text(record):
        lines.append(Line((Span(evidence),)))
    if verbose:
        if record.policy_digest:
            lines.append(_fact("policy digest", record.policy_digest))
        lines += [_fact(name, version) for name, version in sorted(record.tools.items())]
    if lines:
        yield Section(tuple(lines))


def _verdict(record: RunRecord) -> Section:
    decision, rest = tally.verdict_line(record).split("  ", 1)
    return Section((Line((Span(f"{decision}  ", _DECISION[record.verdict.decision]), Span(rest, Tone.STRONG))),))


def _heading(text: str) -> Section:
    return Section((_head_line(text),))


def _head_line(text: str) -> Line:
    return Line((Span(text, Tone.STRONG),))


def _fact(name: str, value: str) -> Line:
    return Line((Span(f"{_name(name)}: {short(value, _SENTENCE)}", Tone.DIM),), 2)


def _name(text: str) -> str:
    return short(text, _NAME)


def size(number: int) -> str:
    """`512 bytes`, `1.4 MB`: for people; a program reads the JSON report."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return tally.count(number, "byte")
