"""JUnit XML, which every CI system shows: a suite for each function and layer, a test case for each gate.

A gate fails where findings block, is an error where it could not look, and is skipped where it is not asked or where it observes and
could not look. What was waived, known or allowed stands in the output of its case. What the cases do not tell of the verdict (nothing
was answered, a digest is wrong) is a case of its own, so that the report is never greener than the run.

Without times, because equal runs give equal reports. Attributes and order are those of Jenkins' schema (jenkinsci/xunit-plugin,
junit-10.xsd), the strictest that is in use: at most one failure or error a case, and no `file` or `line`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipsafe.model.finding import Finding
from shipsafe.model.outcome import State
from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.model.verdict import Decision
from shipsafe.reports import tally
from shipsafe.reports.cells import Cells, Place, by_place
from shipsafe.reports.escape import short

_SENTENCE = 1000
# Beyond what `clean` takes out: characters that XML 1.0 forbids (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A test case: `kind` is `failure`, `error`, `skipped`, or "" for one that passed; `lines` are what it says, `beside` its output."""

    name: str
    kind: str = ""
    message: str = ""
    lines: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def write(record: RunRecord) -> str:
    """The run as JUnit XML, ending in a line break."""
    suites = list(_suites(record))
    if not any(case.kind in ("failure", "error") for _, cases in suites for case in cases):
        suites += [("verdict", [case]) for case in _verdict(record)]
    every = [case for _, cases in suites for case in cases]
    name = f"shipsafe {record.command} {record.project}"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {_attributes(name, every)}>"]
    for suite, cases in suites:
        skipped = sum(1 for case in cases if case.kind == "skipped")
        lines.append(f'  <testsuite {_attributes(suite, cases)} skipped="{skipped}">')
        for case in cases:
            lines += _written(case, f"{record.project}.{suite}")
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _suites(record: RunRecord) -> Iterator[tuple[str, list[_Case]]]:
    """Each subject, with a case for each gate that there is something to say about."""
    cells, blocking = Cells(record), by_place(record.verdict.blocking)
    beside, missing, reasons = _beside(record), _missing(record), _reasons(record)
    gates = dict.fromkeys([*tally.gates(record), *(gate for gate, _ in blocking)])
    for subject in dict.fromkeys([*tally.subjects(record), *(subject for _, subject in blocking)]):
        cases = []
        for gate in gates:
            place = (gate, subject)
            found, aside = blocking.get(place, []), tuple(beside.get(place, ()))
            failing, state = tuple(map(_line, found)), cells.state(gate, subject)
            if place in missing:
                cases.append(_Case(name=gate, kind="error", message=missing[place][0], lines=(*missing[place], *failing), beside=aside))
            elif found:
                message = f"blocks: {tally.severity_counts(found)}"
                cases.append(_Case(name=gate, kind="failure", message=message, lines=failing, beside=aside))
            elif state is State.ANSWERED:
                cases.append(_Case(name=gate, beside=aside))
            elif state is not None:
                cases.append(_Case(name=gate, kind="skipped", message="; ".join(reasons[place]), beside=aside))
        yield subject, cases


def _beside(record: RunRecord) -> dict[Place, list[str]]:
    """What does not block."""
    verdict, lines = record.verdict, dict[Place, list[str]]()
    aside = {"known": tally.known(record), "waived": [item.finding for item in verdict.waived], "allowed": verdict.allowed}
    for word, findings in aside.items():
        for place, found in by_place(findings).items():
            lines.setdefault(place, []).extend(f"{word}: {_line(finding)}" for finding in found)
    return lines


def _missing(record: RunRecord) -> dict[Place, list[str]]:
    """Why the verdict is incomplete."""
    reasons: dict[Place, list[str]] = {}
    for item in record.verdict.unanswered:
        reasons.setdefault((item.gate, item.subject), []).append(item.reason)
    return reasons


def _reasons(record: RunRecord) -> dict[Place, list[str]]:
    """Why a gate has no answer that the verdict rests on."""
    reasons: dict[Place, list[str]] = {}
    for outcome in record.outcomes:
        said = outcome.reason if outcome.state is State.NOT_ASKED else f"unanswered, in a gate that observes: {outcome.reason}"
        reasons.setdefault((outcome.gate, outcome.subject), []).append(said)
    return reasons


def _verdict(record: RunRecord) -> Iterator[_Case]:
    """The verdict as a case, where it is no pass."""
    decision = record.verdict.decision
    if not record.verdict.passes:
        kind = "failure" if decision is Decision.FAIL else "error"
        yield _Case(name=decision, kind=kind, message=tally.verdict_sentence(record))


def _line(finding: Finding) -> str:
    advisory = f" {finding.advisory}" if finding.advisory else ""
    place = f" {finding.location}" if finding.location else ""
    return f"{finding.severity} {finding.rule}{advisory}{place}: {finding.message} Fix: {finding.remedy}"


def _attributes(name: str, cases: list[_Case]) -> str:
    counts = {f"{kind}s": sum(1 for case in cases if case.kind == kind) for kind in ("failure", "error")}
    numbers = {"tests": len(cases), **counts}
    return f'name="{_text(name)}" ' + " ".join(f'{key}="{number}"' for key, number in numbers.items())


def _written(case: _Case, classname: str) -> Iterator[str]:
    head = f'    <testcase name="{_text(case.name)}" classname="{_text(classname)}"'
    if not case.kind and not case.beside:
        yield f"{head}/>"
        return
    yield f"{head}>"
    if case.kind == "skipped":
        yield f'      <skipped message="{_text(case.message)}"/>'
    elif case.kind:
        body = "\n".join(_text(line) for line in case.lines)
        yield f'      <{case.kind} message="{_text(case.message)}" type="{case.kind}">{body}</{case.kind}>'
    if case.beside:
        yield "      <system-out>{}</system-out>".format("\n".join(_text(line) for line in case.beside))
    yield "    </testcase>"


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", short(text, _SENTENCE)).translate(_ENTITIES)


REPORT = Report(id="junit", summary="JUnit XML, which CI systems show.", write=write)
