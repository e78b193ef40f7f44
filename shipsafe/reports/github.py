"""Annotations for GitHub Actions: workflow commands that stand beside the line of code, and the summary of the step.

GitHub shows ten annotations of a level and step and drops the rest without a word, so the worst come first and a plain line
says how many more there are. Text from outside is escaped as the runner expects it (`@actions/core`, command.ts) and cleaned
before, so that it cannot give the runner a command.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from shipsafe.adapters.files import disk_errors
from shipsafe.model.location import Location
from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.reports import tally
from shipsafe.reports.escape import clean, short
from shipsafe.reports.markdown import markdown

_KEPT = 10
_SENTENCE = 1000
_TITLE = 200
SUMMARY_LIMIT = 900 * 1024  # bytes; over 1 MiB GitHub drops the whole summary, and the step passes all the same


def write(record: RunRecord) -> str:
    """Errors for what is unanswered or blocks, warnings for what is allowed, notices about waivers and VEX; the verdict last.

    What is unanswered comes first: without it nobody knows whether the list of findings is all of it.
    """
    verdict = record.verdict
    allowed = [finding for finding in verdict.allowed if not finding.suppressed]
    lines = [
        *_kept(
            "error",
            [
                *_unanswered(record, "error", tally.unanswered(record)),
                *_findings(record, "error", tally.grouped(tally.unsettled(record))),
                *_findings(record, "error", tally.grouped(verdict.blocking)),
            ],
        ),
        *_kept(
            "warning",
            [
                *_findings(record, "warning", tally.grouped(allowed)),
                *_unanswered(record, "warning", tally.unanswered_observed(record)),
            ],
        ),
        *_kept(
            "notice",
            [
                _command("notice", f"waiver for {note.waiver.target}", note.message, record, note.waiver.location)
                for note in verdict.waiver_notes
            ]
            + [_command("notice", f"VEX: {note.news}", note.message, record, Location(path=note.source)) for note in verdict.vex_notes]
            + [_command("notice", "lapsed in the baseline", tally.lapsed_text(one), record, one.entry.location) for one in verdict.lapsed],
        ),
        tally.verdict_line(record),
    ]
    return "\n".join(lines) + "\n"


def write_step_summary(record: RunRecord, path: Path) -> None:
    """Append the run in Markdown to the file that GITHUB_STEP_SUMMARY names, so that the file stays under 900 KiB.

    Raises:
        IncompleteError: the file cannot be written.
    """
    with disk_errors(path), path.open("ab") as file:
        file.write(markdown(record, limit_bytes=max(0, SUMMARY_LIMIT - file.tell())).encode())


def annotation(level: str, title: str, message: str) -> str:
    """A line that GitHub shows beside a run and at no line of code; `level` is error, warning or notice."""
    return f"::{level} title={_property(short(title, _TITLE))}::{_data(short(message, _SENTENCE))}"


def _kept(level: str, commands: Sequence[str]) -> Iterator[str]:
    yield from commands[:_KEPT]
    left_out = len(commands) - _KEPT
    if left_out > 0:
        yield f"... and {tally.count(left_out, f'more {level}')}; the step summary and the other reports have all."


def _unanswered(record: RunRecord, level: str, silences: Sequence[tally.Silence]) -> list[str]:
    return [
        _command(level, f"{', '.join(silence.gates)}: unanswered", f"{', '.join(silence.subjects)}: {silence.reason}", record)
        for silence in silences
    ]


def _findings(record: RunRecord, level: str, groups: Sequence[tally.Group]) -> list[str]:
    commands = []
    for group in groups:
        finding = group.finding
        title = f"{finding.severity}: {finding.rule}{f' {finding.advisory}' if finding.advisory else ''}"
        message = f"{finding.message} In {', '.join(group.subjects)}. Fix: {finding.remedy}"
        commands.append(_command(level, title, message, record, finding.location))
    return commands


def _command(level: str, title: str, message: str, record: RunRecord, place: Location | None = None) -> str:
    properties: dict[str, str | int] = {}
    if place:
        # Relative to the repository's root, and absolute paths as they are: GitHub shows those in the log only.
        properties["file"] = clean(record.in_repository(place.path))
        if place.line:
            properties["line"] = place.line
            properties |= {"col": place.column} if place.column else {}
    properties["title"] = short(title, _TITLE)
    described = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{level} {described}::{_data(short(message, _SENTENCE))}"


def _data(text: str) -> str:
    """As `escapeData` of @actions/core, command.ts."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As `escapeProperty` of @actions/core, command.ts."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


REPORT = Report(id="github", summary="Annotations for GitHub Actions; the step summary is written, too.", write=write)
