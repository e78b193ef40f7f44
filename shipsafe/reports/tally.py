"""What every report counts, in which order it shows it, and how the verdict reads as one sentence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shipsafe.errors import ExitCode
from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import Mode
from shipsafe.model.record import RunRecord
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Lapsed, Waived
from shipsafe.reports.escape import short


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The same finding at several subjects (a lock that three functions share): shown once, counted each."""

    finding: Finding
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Questions without an answer that share the reason."""

    gates: tuple[str, ...]
    subjects: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"{', '.join(self.gates)} for {', '.join(self.subjects)}: {self.reason}"


def subjects(record: RunRecord) -> tuple[str, ...]:
    """Every subject of the run, in its order."""
    found = [outcome.subject for outcome in record.outcomes]
    found += [missing.subject for missing in record.verdict.unanswered]
    return tuple(dict.fromkeys(found))


def gates(record: RunRecord) -> tuple[str, ...]:
    """Every gate of the run, in its order; a required gate without any outcome too."""
    found = [outcome.gate for outcome in record.outcomes]
    found += [missing.gate for missing in record.verdict.unanswered]
    return tuple(dict.fromkeys(found))


def gate_of(finding: Finding) -> str:
    """The gate that made a finding, from its rule."""
    return finding.rule.partition("/")[0]


def order(finding: Finding) -> tuple[int, str, str, str, int, str, str]:
    """The sort key of findings: the worst first, then by name and place, so that equal runs read equal."""
    place = finding.location
    return (
        finding.severity.rank,
        finding.rule,
        finding.advisory or "",
        place.path if place else "",
        (place.line or 0) if place else 0,
        finding.subject,
        finding.identity,
    )


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of reports."""
    return sorted(findings, key=order)


def waived_worst_first(record: RunRecord) -> list[Waived]:
    """Waived findings in the order of reports."""
    return sorted(record.verdict.waived, key=lambda waived: order(waived.finding))


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Findings in the order of reports; those that differ only in their subject are one group."""
    groups: dict[Finding, list[str]] = {}
    for finding in worst_first(findings):
        groups.setdefault(replace(finding, subject=""), []).append(finding.subject)
    return [Group(finding=finding, subjects=tuple(dict.fromkeys(names))) for finding, names in groups.items()]


def unsettled(record: RunRecord) -> list[Finding]:
    """Findings that say that something could not be looked at: for the verdict they are unanswered, and neither block nor pass."""
    verdict = record.verdict
    judged = {*verdict.blocking, *verdict.allowed, *(waived.finding for waived in verdict.waived), *known(record)}
    missing = {(item.gate, item.subject, item.reason) for item in verdict.unanswered}
    found = (finding for outcome in record.outcomes for finding in outcome.findings if finding not in judged)
    return [finding for finding in dict.fromkeys(found) if _as_missing(finding) in missing]


def known(record: RunRecord) -> list[Finding]:
    """Findings that would block, and that the baseline knows."""
    return [item.finding for item in record.verdict.baselined]


def policy_text(record: RunRecord) -> str:
    """Which policy the run was judged by: `shipsafe.toml, with --fail-on critical`."""
    given = f", with {' '.join(record.overrides)}" if record.overrides else ""
    return f"{record.policy or 'the preset alone'}{given}"


def entry_text(entry: BaselineEntry) -> str:
    """An entry of the baseline as one line."""
    advisory = f" {entry.advisory}" if entry.advisory else ""
    return f"{entry.severity} {entry.rule}{advisory} for {entry.subject}: {entry.message} (since {entry.recorded}, {entry.owner})"


def lapsed_text(lapsed: Lapsed) -> str:
    """An entry that does not hold, and why, as one line."""
    entry = lapsed.entry
    advisory = f" {entry.advisory}" if entry.advisory else ""
    return f"{entry.rule}{advisory} for {entry.subject} ({entry.owner}): {lapsed.reason}"


def baseline_text(record: RunRecord) -> str:
    """Which baseline the run was judged with, and what became of its entries; "" without one."""
    if record.baseline is None:
        return ""
    verdict = record.verdict
    parts = [f"{len(verdict.baselined)} known", f"{len(verdict.vanished)} gone", f"{len(verdict.lapsed)} lapsed"]
    gone = "; write it again to drop what is gone" if verdict.vanished and record.baseline.sha256 else ""
    unseen = ", of what was asked" if unchanged(record) else ""
    return f"baseline: {short(record.baseline.path, 200)}, {entries(record.baseline.entries)}: {', '.join(parts)}{unseen}{gone}"


def evidence_text(record: RunRecord) -> str:
    """Who signed what is stated about the artifacts; "" where nothing is, and for `sign`: its plan says it."""
    if record.command == "sign" or not any(artifact.evidence for artifact in record.artifacts):
        return ""
    return f"evidence: signed by {', '.join(short(one, 200) for one in record.attested_by)}" if record.attested_by else "evidence: unsigned"


def entries(number: int) -> str:
    """`1 entry`, `2 entries`."""
    return "1 entry" if number == 1 else f"{number} entries"


def _as_missing(finding: Finding) -> tuple[str, str, str]:
    """What the judge says of it (gate, subject, reason), when it counts as unanswered."""
    return gate_of(finding), finding.subject, finding.message


def unanswered(record: RunRecord) -> list[Silence]:
    """What else keeps the verdict from being complete."""
    told = {_as_missing(finding) for finding in unsettled(record)}
    missing = [(item.gate, item.subject, item.reason) for item in record.verdict.unanswered]
    return _silences(item for item in missing if item not in told)


def unanswered_observed(record: RunRecord) -> list[Silence]:
    """What gates that observe could not look at: it is shown, and the verdict does not rest on it."""
    missing = {(item.gate, item.subject) for item in record.verdict.unanswered}
    silent = (outcome for outcome in record.outcomes if outcome.state is State.UNANSWERED)
    return _silences((item.gate, item.subject, item.reason) for item in silent if (item.gate, item.subject) not in missing)


def _silences(items: Iterable[tuple[str, str, str]]) -> list[Silence]:
    """One entry per reason and set of gates: a lock that cannot be read, or a container image, is one reason for many questions."""
    asked: dict[tuple[str, str], list[str]] = {}
    for gate, subject, reason in items:
        asked.setdefault((reason, subject), []).append(gate)
    reasons: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, subject), found in asked.items():
        reasons.setdefault((reason, tuple(found)), []).append(subject)
    return [Silence(gates=found, subjects=tuple(names), reason=reason) for (reason, found), names in reasons.items()]


def not_asked(record: RunRecord) -> list[Silence]:
    """Questions that do not apply."""
    return _silences((outcome.gate, outcome.subject, outcome.reason) for outcome in record.verdict.not_asked)


def unchanged(record: RunRecord) -> list[Outcome]:
    """Questions that were not asked because nothing that decides them has changed since a revision. What they would say, nobody knows."""
    return [outcome for outcome in record.outcomes if outcome.unchanged_since]


def suppressed(record: RunRecord) -> list[Finding]:
    """Findings that a remark in the code suppresses (and the policy lets it)."""
    return [finding for finding in record.verdict.allowed if finding.suppressed]


def observed(record: RunRecord) -> list[Finding]:
    """Findings of gates that observe: they do not block today, and are what such a gate is there to show."""
    return [finding for finding in record.verdict.allowed if not finding.suppressed and _observes(record, gate_of(finding))]


def below(record: RunRecord) -> list[Finding]:
    """Findings that enforcing gates allow: below the threshold, or without a known fix where the policy asks for one."""
    return [finding for finding in record.verdict.allowed if not finding.suppressed and not _observes(record, gate_of(finding))]


def _observes(record: RunRecord, gate: str) -> bool:
    return record.modes.get(gate) == Mode.OBSERVE


def severity_counts(findings: Iterable[Finding]) -> str:
    """`3 critical, 6 high`; "" for none."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(f"{counts[level]} {level}" for level in Severity if counts[level])


def count(number: int, noun: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def verdict_sentence(record: RunRecord) -> str:
    """The verdict as a sentence, such as `13 findings block (3 critical, 10 high) in 4 of 5 subjects.` for FAIL."""
    verdict = record.verdict
    parts = []
    if verdict.decision is Decision.BROKEN:
        parts.append("a digest or a signature is not what it should be")
    if verdict.unanswered:
        verb = "question is" if len(verdict.unanswered) == 1 else "questions are"
        parts.append(f"{len(verdict.unanswered)} {verb} unanswered")
    if verdict.blocking:
        hit = len({finding.subject for finding in verdict.blocking})
        known = len({*subjects(record), *(finding.subject for finding in verdict.blocking)})
        verb = "finding blocks" if len(verdict.blocking) == 1 else "findings block"
        levels = severity_counts(verdict.blocking)
        parts.append(f"{len(verdict.blocking)} {verb} ({levels}) in {hit} of {count(known, 'subject')}")
    if verdict.decision is Decision.NOTHING:
        parts.append("nothing was answered")
    if not parts:
        answered = [outcome for outcome in record.outcomes if outcome.state is State.ANSWERED]
        asked = len({outcome.gate for outcome in answered})
        parts.append(f"{count(len({outcome.subject for outcome in answered}), 'subject')}, {count(asked, 'gate')}")
        if aside := [f"{len(findings)} {word}" for word, findings in _not_blocking(record) if findings]:
            parts.append(", ".join(aside))
    elif verdict.baselined:
        parts.append(f"the baseline knows {len(verdict.baselined)} more")
    if since := unchanged(record):
        left_out = f"{count(len(since), 'question')} about {count(len({outcome.subject for outcome in since}), 'subject')}"
        parts.append(f"{left_out} not asked, unchanged since {short(since[0].unchanged_since, 200)}")
    override = f" {verdict.override.sentence}" if verdict.override else ""
    return f"{'; '.join(parts)}.{override}"


def _not_blocking(record: RunRecord) -> tuple[tuple[str, list[Finding]], ...]:
    return (
        ("known", known(record)),
        ("observed", observed(record)),
        ("allowed", below(record)),
        ("waived", [waived.finding for waived in record.verdict.waived]),
        ("suppressed", suppressed(record)),
    )


def verdict_line(record: RunRecord) -> str:
    """The one line that a run ends with: `FAIL  1 finding blocks (1 high) in 1 of 2 subjects. exit 1`.

    A `sign` that passes goes on after it, and says itself how it ends.
    """
    verdict = record.verdict
    line = f"{verdict.decision}  {verdict_sentence(record)}"
    return line if record.command == "sign" and verdict.exit_code is ExitCode.PASS else f"{line} exit {int(verdict.exit_code)}"
