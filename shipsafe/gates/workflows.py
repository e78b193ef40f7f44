"""What builds, signs and deploys cannot be turned by a stranger: zizmor over the project's workflows, and what concerns shipping.

Who can change what a workflow does has what it may do: the role that signs, the bucket, the account. The gate is asked once, about the
project, where it has `.github/workflows`; one that lies deeper in its repository is asked about the repository's where the policy requires
the gate. It needs zizmor:

    pip install 'shipsafe[workflows]'

Without it the gate is not asked, and says so; where the policy requires it, it is unanswered. zizmor runs offline, on copies, and reads no
configuration of the project's. Comments (`# zizmor: ignore[...]`) are honoured and shown as suppressed; with

    [gates.workflows]
    suppressions = "ignore"

(the `strict` preset says so) a waiver is the only way. Rules of zizmor's keep its names: `workflows/template-injection`.
Source: https://docs.zizmor.sh/audits/.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.gates.shipping import aws_keys, pins, rights, targets
from shipsafe.gates.shipping.files import FOLDER, File, found, has_workflows, home_of
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import ProjectGate, ProjectInquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.project import PROJECT
from shipsafe.model.severity import Severity

if TYPE_CHECKING:
    from shipsafe.adapters.zizmor import Remark

_ID = "workflows"
_DATA = Path(__file__).parent / "data" / "zizmor-audits.json"
_SEVERITIES = {"high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW, "informational": Severity.LOW}
_INSTALL = "zizmor is not installed beside shipsafe. Install it: `pip install 'shipsafe[workflows]'`."
_SENTENCE = 300

UNNAMED = Rule(
    id=f"{_ID}/other",
    severity=Severity.MEDIUM,
    summary="zizmor found something that this shipsafe does not know by its name.",
    remedy="Read what zizmor says of it, and correct the workflow; a newer shipsafe knows its name.",
    why="zizmor learns new audits between two releases of shipsafe. What they find is shown and counts, under this one name.",
    references=("https://docs.zizmor.sh/audits/",),
)


def _zizmor_rules() -> dict[str, Rule]:
    """The audits of zizmor as rules, by their names."""
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    return {
        entry["id"]: Rule(
            id=f"{_ID}/{entry['id']}",
            severity=Severity(entry["severity"]),
            summary=entry["summary"],
            remedy=entry["remedy"],
            why=entry["why"],
            bad=entry["bad"],
            good=entry["good"],
            references=(f"https://docs.zizmor.sh/audits/#{entry['id']}",),
        )
        for entry in data["audits"]
    }


_AUDITS = _zizmor_rules()
BY_ZIZMOR = tuple(_AUDITS.values())


def _run(inquiry: ProjectInquiry) -> Outcome:
    """Ask zizmor, and look for what concerns shipping."""
    from shipsafe.adapters.zizmor import audit, installed  # noqa: PLC0415 - answers of an earlier run need none of it

    honour = _honours(inquiry)
    home = home_of(inquiry.project, required=_is_required(inquiry))
    if home is None:
        return Outcome.not_asked(_ID, PROJECT, f"There is no workflow in {FOLDER} of this project.")
    zizmor = installed()
    if zizmor is None:
        if _is_required(inquiry):
            return Outcome.unanswered(_ID, PROJECT, f"The policy requires it, and {_INSTALL}")
        return Outcome.not_asked(_ID, PROJECT, _INSTALL)
    files = found(home, inquiry.project)
    ours = [finding for file in files for finding in _ours(file)]
    with disk_errors(inquiry.workspace):
        for file in files:
            copy = inquiry.workspace / file.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(file.text, encoding="utf-8", newline="")
    shown_as = {file.path: file.shown for file in files}
    heeds_comments = honour and any("zizmor" in file.text for file in files)
    told = audit(zizmor, inquiry.workspace, heeds_comments=heeds_comments)
    remarks = [replace(one, path=shown_as.get(one.path, one.path)) for one in told]
    once = {one.identity: one for one in reversed(ours)}  # the first of those that are one: an action may be used ten times in a job
    findings = (*reversed(once.values()), *_findings(_unsaid(remarks, ours)))
    evidence = {
        "zizmor": zizmor.version,
        "workflows": sum(1 for file in files if file.is_workflow),
        "actions": sum(1 for file in files if not file.is_workflow),
        "suppressed": sum(1 for finding in findings if finding.suppressed),
        "suppressions": "honour" if honour else "ignore",
    }
    return Outcome.answered(_ID, PROJECT, findings, evidence=evidence)


def _inputs(inquiry: ProjectInquiry) -> object:
    """What the files hold and who reads them; without a reader nothing is kept.

    Raises:
        ShipsafeError: see `found`.
    """
    from shipsafe.adapters.zizmor import installed  # noqa: PLC0415 - as above

    zizmor, home = installed(), home_of(inquiry.project, required=_is_required(inquiry))
    if zizmor is None or home is None:
        return None
    files = [(file.shown, hashlib.sha256(file.text.encode()).hexdigest()) for file in found(home, inquiry.project)]
    return {"zizmor": zizmor.version, "files": files}


def _is_required(inquiry: ProjectInquiry) -> bool:
    return _ID in inquiry.policy.required


def _honours(inquiry: ProjectInquiry) -> bool:
    """Whether comments lower findings.

    Raises:
        ConfigError: the setting is neither of the two words.
    """
    value = inquiry.settings(_ID).settings.get("suppressions", "honour")
    if value not in ("honour", "ignore"):
        raise ConfigError(f"`gates.{_ID}.suppressions` is {value!r}.", remedy='Write "honour" or "ignore".', path=inquiry.policy.path)
    return value == "honour"


def _ours(file: File) -> Iterator[Finding]:
    yield from targets.checked_out(file)
    yield from rights.together(file)
    yield from pins.unpinned(file)
    yield from aws_keys.long_lived(file)
    yield from rights.missing(file)


def _unsaid(remarks: Iterable["Remark"], ours: Iterable[Finding]) -> Iterator["Remark"]:
    """What zizmor says and we have not said: an action without a commit, a job without `permissions`.

    A comment that ignores such a remark does not ignore our finding: whoever means it writes a waiver.
    """
    places = {(one.rule, one.location.path, one.location.line) for one in ours if one.location}
    silent = {path for rule, path, _ in places if rule == rights.MISSING.id}
    for one in remarks:
        by_default = one.audit == "excessive-permissions" and one.about.startswith("default permissions")
        pinned_by_us = one.audit == "unpinned-uses" and (pins.UNPINNED.id, one.path, one.line) in places
        if not pinned_by_us and not (by_default and one.path in silent):
            yield one


def _findings(remarks: Iterable["Remark"]) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for one in remarks:
        rule = _AUDITS.get(one.audit, UNNAMED)
        # A digest, because the text may hold a password; without spaces, so that indenting it changes nothing.
        text = hashlib.sha256("".join(one.text.split()).encode()).hexdigest()[:16]
        key = f"{one.path}:{one.audit}:{text}"
        seen[key] += 1
        said = f"{one.summary}: {one.about}" if one.about else one.summary
        named = f"{one.audit}: {said}" if rule is UNNAMED else said
        yield Finding(
            rule=rule.id,
            subject=PROJECT,
            message=_sentence(named),
            remedy=rule.remedy,
            severity=_SEVERITIES.get(one.severity, Severity.UNSCORED),
            location=Location(path=one.path, line=one.line, column=one.column),
            key=f"{key}:{seen[key]}",
            confidence=one.confidence if one.confidence in ("high", "medium", "low") else None,
            suppressed=f"# zizmor: ignore[{one.audit}] at {one.path}:{one.line}" if one.ignored else "",
            references=rule.references,
        )


def _sentence(text: str) -> str:
    """A remark of zizmor's as a sentence, on one line."""
    one_line = shown(" ".join(text.split()), _SENTENCE).rstrip(".")
    return f"{one_line[:1].upper()}{one_line[1:]}."


GATE = ProjectGate(
    id=_ID,
    title="Can nobody turn the project's own workflows against what it ships?",
    rules=(targets.CHECKOUT, rights.TOGETHER, pins.UNPINNED, aws_keys.LONG_LIVED, rights.MISSING, *BY_ZIZMOR, UNNAMED),
    arises=has_workflows,
    run=_run,
    inputs=_inputs,
    settings=("suppressions",),
)
