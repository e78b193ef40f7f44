"""What is linted is what ships: bandit over the function's own code in the staged tree.

Dependencies are not linted: the dependencies gate asks about them. `[tool.bandit]` of the nearest pyproject.toml is honoured,
from the code's folder up to the project's root. What it or a `# nosec` turns off is shown as suppressed; with

    [gates.lint]
    suppressions = "ignore"

(the `strict` preset says so) nothing in the code lowers a finding, and a waiver is the only way. A file that cannot be read as
Python is not a pass: the gate has not answered then.

Severity and confidence are bandit's. Bad and good examples stand with each rule, and a test runs bandit over all of them.
Source: https://bandit.readthedocs.io/.
"""

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.bandit_settings import BanditSettings, settings_for
from shipsafe.errors import ConfigError
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.project import Subject
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Entry, Origin

if TYPE_CHECKING:
    from shipsafe.adapters.bandit import BanditReport, Issue, Unread

_ID = "lint"
_DATA = Path(__file__).parent / "data" / "bandit-rules.json"
_SHOWN = 5  # files named in a reason; the rest are counted
_SECRETS = frozenset({"B105", "B106", "B107"})  # their text quotes the password that was found
_SEVERITIES = {"high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW, "undefined": Severity.UNSCORED}


def _rules() -> tuple[Rule, ...]:
    """Bandit's tests as rules, without importing bandit."""
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    return tuple(
        Rule(
            id=f"{_ID}/{entry['id']}",
            severity=_SEVERITIES[entry["severity"]],
            summary=f"{entry['summary']}.",
            remedy=entry["remedy"],
            why=f"{data['why'][str(entry['cwe'])]} Bandit's test is `{entry['name']}`.",
            bad=entry["bad"],
            good=entry["good"],
            references=(entry["url"], _cwe(entry["cwe"])),
        )
        for entry in data["rules"]
    )


def _cwe(number: int) -> str:
    return f"https://cwe.mitre.org/data/definitions/{number}.html"


_RULES = {rule.id: rule for rule in _rules()}


def _run(inquiry: Inquiry) -> Outcome:
    """Lint the function's own Python files."""
    subject = inquiry.subject
    own = [entry for entry in inquiry.staged.entries if entry.origin is Origin.CODE and entry.path.endswith(".py")]
    if not own:
        return Outcome.not_asked(_ID, subject.subject, f"{subject.name} has no Python code of its own, only dependencies or data.")
    honour = _honours(inquiry)
    settings = settings_for(inquiry.project.code_folder(subject), inquiry.project.root)
    entries = _named(own, settings, inquiry)
    from shipsafe.adapters.bandit import lint  # noqa: PLC0415 - answers of an earlier run need none of it

    report = lint(
        {name: entry.source for name, entry in entries.items()},
        settings,
        known=[rule.removeprefix(f"{_ID}/") for rule in _RULES],
        honour=honour,
        workspace=inquiry.workspace,
    )
    findings = tuple(_findings(report, entries, settings, subject.subject, honour=honour))
    notes = [f"bandit's test {test} is not known to this shipsafe and was not run." for test in report.unknown]
    if report.unread or report.crashes:
        reasons = [*(_unread(unread, entries, subject) for unread in report.unread), *report.crashes]
        more = f" And {len(reasons) - _SHOWN} more." if len(reasons) > _SHOWN else ""
        return Outcome.unanswered(_ID, subject.subject, " ".join(reasons[:_SHOWN]) + more, findings, notes=notes)
    evidence = {
        "bandit": report.version,
        "files": len(own),
        "suppressed": sum(1 for finding in findings if finding.suppressed),
        "suppressions": "honour" if honour else "ignore",
        "configuration": settings.shown or None,
    }
    return Outcome.answered(_ID, subject.subject, findings, notes=notes, evidence=evidence)


def _inputs(inquiry: Inquiry) -> object:
    """The project's settings for bandit, and where they stand: bandit sees names relative to that. Its version is always asked for.

    Raises:
        ConfigError: see `settings_for`.
    """
    root = inquiry.project.root
    settings = settings_for(inquiry.project.code_folder(inquiry.subject), root)
    base = settings.base.relative_to(root).as_posix() if settings.base.is_relative_to(root) else str(settings.base)
    return {"base": base, "shown": settings.shown, "table": settings.table}


def _honours(inquiry: Inquiry) -> bool:
    """Whether `# nosec` and `[tool.bandit]` lower findings.

    Raises:
        ConfigError: the setting is neither of the two words.
    """
    value = inquiry.settings(_ID).settings.get("suppressions", "honour")
    if value not in ("honour", "ignore"):
        raise ConfigError(f"`gates.lint.suppressions` is {value!r}.", remedy='Write "honour" or "ignore".', path=inquiry.policy.path)
    return value == "honour"


def _named(own: Iterable[Entry], settings: BanditSettings, inquiry: Inquiry) -> dict[str, Entry]:
    """The files by the name under which bandit sees them: as beside the project's configuration, else as in the zip."""
    named: dict[str, Entry] = {}
    for entry in own:
        name = ""
        if entry.location is not None and entry.location.path.endswith(".py"):
            path = inquiry.project.root / entry.location.path
            if path.is_relative_to(settings.base) and ".." not in path.parts:
                name = path.relative_to(settings.base).as_posix()
        named[name if name and name not in named else f"{inquiry.subject.name}/{entry.path}"] = entry
    return named


def _findings(
    report: "BanditReport", entries: Mapping[str, Entry], settings: BanditSettings, subject: str, *, honour: bool
) -> Iterable[Finding]:
    seen: Counter[str] = Counter()
    for issue in report.issues:
        rule = _RULES[f"{_ID}/{issue.test}"]
        entry = entries[issue.name]
        location, inside = _location(entry, issue.line)
        # A digest, because the line may hold a password; without spaces, so that indenting it changes nothing.
        code = hashlib.sha256("".join(issue.code.split()).encode()).hexdigest()[:16]
        key = f"{entry.path}:{issue.test}:{code}"
        seen[key] += 1
        yield Finding(
            rule=rule.id,
            subject=subject,
            message=_message(issue) + inside,
            remedy=rule.remedy,
            severity=_SEVERITIES[issue.severity],
            location=location,
            key=f"{key}:{seen[key]}",
            confidence=issue.confidence,
            suppressed=_suppressed(issue, location, settings) if honour else "",
            references=(rule.references[0], _cwe(issue.cwe)) if issue.cwe else rule.references[:1],
        )


def _location(entry: Entry, line: int | None) -> tuple[Location, str]:
    """Where to look, and what to add to a message when the file itself does not stand in the project (inline code)."""
    if entry.location is None:
        return Location(path=entry.path, line=line), ""
    if entry.location.path.endswith(".py"):
        return Location(path=entry.location.path, line=line), ""
    return entry.location, f" (Line {line} of the inline code.)" if line else ""


def _message(issue: "Issue") -> str:
    text = " ".join(issue.text.split())
    if issue.test in _SECRETS:
        text = re.sub(r"'.*'", "(not shown)", text)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _suppressed(issue: "Issue", location: Location, settings: BanditSettings) -> str:
    if issue.configured:
        return f"[tool.bandit] {issue.configured} in {settings.shown}"
    return f"# nosec at {location.path}:{issue.nosec}" if issue.nosec else ""


def _unread(unread: "Unread", entries: Mapping[str, Entry], subject: Subject) -> str:
    """Why a file was not linted, as a sentence, with the way out."""
    location, _ = _location(entries[unread.name], unread.line)
    text = f"{location}: cannot be linted: {unread.reason.rstrip('.')}."
    wanted = tuple(int(part) for part in (subject.runtime or "").removeprefix("python").split(".") if part.isdigit())
    ours = sys.version_info[:2]
    if unread.syntax and wanted[:2] > ours:
        runtime = ".".join(map(str, wanted))
        text += (
            f" The function runs on Python {runtime} and shipsafe on {ours[0]}.{ours[1]}, which may not know its syntax;"
            f" run `uvx --python {runtime} shipsafe check`."
        )
    return text


GATE = Gate(
    id=_ID,
    title="Is the function's own code free of known mistakes?",
    rules=tuple(_RULES.values()),
    run=_run,
    python_only=True,
    settings=("suppressions",),
    inputs=_inputs,
)
