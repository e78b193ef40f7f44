"""What the gates said of one artifact, as a statement: enough to judge again under another policy and on another day.

    statement = gates_statement(record, zip_, subject="function:Pay", asked_by=Role.BUILDER, policy=policy)
    said = read_gates(statement, shown="dist/Pay.intoto.jsonl")
    verdict = judge(policy, said.outcomes, today)

A builder states what it was answered, and a signer what it asked again itself: `askedBy` tells which. The shape is published in
docs/predicates/gates-v1.json.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from shipsafe.errors import IntegrityError
from shipsafe.evidence.outcomes import finding_document, made, outcome_document, plain, read_entry, read_finding, read_outcome, read_waived
from shipsafe.evidence.predicates import check
from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.attestation import Predicate, Resource, Role, Statement
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import GatePolicy, Policy
from shipsafe.model.project import PROJECT
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Baselined, Decision, Verdict, Waived
from shipsafe.model.vex import VexDocument

_REMEDY = "Find out who wrote it, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesSaid:
    """What a statement says that gates answered.

    Attributes:
        asked_by: `builder` or `signer`.
        subject: `function:ID` or `layer:ID`.
        decision: of the run that asked.
        policy: the policy's file as that run knew it, or None; `policy_digest` `sha256:...`; `overrides` what the command line set over it.
        advisories: which were asked, or None.
        outcomes: of every gate about the subject, and those about the project as a whole.
        waived, baselined: what was allowed, and by what.
        tools: name -> version.
        override: hex SHA-256 of the statement that lets it through where the decision is OVERRIDDEN, else "".
        vex: the VEX documents that were read; `baseline` path and hex SHA-256 (or None) of the file of known findings, or None.
    """

    asked_by: str
    subject: str
    decision: Decision
    policy: str | None
    policy_digest: str
    overrides: tuple[str, ...] = ()
    advisories: AdvisoryInfo | None = None
    outcomes: tuple[Outcome, ...] = ()
    waived: tuple[Waived, ...] = ()
    baselined: tuple[Baselined, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    override: str = ""
    vex: tuple[VexDocument, ...] = ()
    baseline: tuple[str, str | None] | None = None


def gates_statement(record: RunRecord, artifact: Resource, *, subject: str, asked_by: Role, policy: Policy) -> Statement:
    """State what a run answered about one artifact.

    Args:
        record: the finished run.
        artifact: the unsigned zip.
        subject: whose it is: `function:ID` or `layer:ID`.
        asked_by: the builder or the signer.
        policy: that it was judged under.
    """
    info, known = record.advisories, record.baseline
    outcomes = [one for one in record.outcomes if one.subject in (subject, PROJECT)]
    told = _findings(outcomes, record.verdict)
    predicate = {
        "askedBy": asked_by,
        "subject": subject,
        "decision": record.verdict.decision,
        "policy": {"path": record.policy, "digest": record.policy_digest, "overrides": record.overrides},
        "advisories": asdict(info) if info else None,
        "tools": record.tools,
        "vex": [asdict(document) for document in record.vex],
        "baseline": {"path": known.path, "sha256": known.sha256 or None} if known else None,
        "settings": {gate: _settings(policy.gate(gate), mode) for gate, mode in record.modes.items()},
        "outcomes": [outcome_document(one, [told[finding] for finding in one.findings]) for one in outcomes],
        **({"override": record.verdict.override.statement} if record.verdict.override else {}),
    }
    return Statement(subjects=(artifact,), kind=Predicate.GATES, predicate=plain(predicate))


def _settings(gate: GatePolicy, mode: str) -> dict[str, object]:
    """What decided whether a gate's findings block, in the spelling of the policy, and the gate's own settings."""
    unscored = "block" if gate.unscored_blocks else "allow"
    return {"mode": mode, "fail-on": str(gate.fail_on), "unscored": unscored, "own": gate.settings}


def _findings(outcomes: Iterable[Outcome], verdict: Verdict) -> dict[Finding, dict[str, object]]:
    """The findings of some outcomes, each with what became of it. A verdict may be about thousands of others."""
    own = [finding for outcome in outcomes for finding in outcome.findings]
    subjects = {finding.subject for finding in own}
    told: dict[Finding, dict[str, object]] = {}
    for one in verdict.waived:
        if one.finding.subject in subjects:
            told.setdefault(one.finding, finding_document(one.finding, "waived", waived=one))
    for known in verdict.baselined:
        if known.finding.subject in subjects:
            told.setdefault(known.finding, finding_document(known.finding, "baselined", entry=known.entry))
    for name, found in (("blocking", verdict.blocking), ("allowed", verdict.allowed)):
        for finding in found:
            if finding.subject in subjects:
                told.setdefault(finding, finding_document(finding, name))
    for finding in own:
        told.setdefault(finding, finding_document(finding, "unanswered" if finding.effect is Effect.INCOMPLETE else "unjudged"))
    return told


def read_gates(statement: Statement, *, shown: str) -> GatesSaid:
    """What a statement says that gates answered. It is a claim of whoever signed it.

    Raises:
        IntegrityError: it is not of the published shape.
    """
    said = statement.predicate
    check(statement.kind, said, shown=shown)
    try:
        findings = [(one, read_finding(one)) for outcome in said["outcomes"] for one in outcome["findings"]]
        return GatesSaid(
            asked_by=said["askedBy"],
            subject=said["subject"],
            decision=Decision(said["decision"]),
            policy=said["policy"]["path"],
            policy_digest=said["policy"]["digest"],
            overrides=tuple(said["policy"]["overrides"]),
            advisories=made(AdvisoryInfo, said["advisories"]) if said["advisories"] else None,
            outcomes=tuple(read_outcome(one, map(read_finding, one["findings"])) for one in said["outcomes"]),
            waived=tuple(waived for raw, finding in findings if (waived := read_waived(raw, finding))),
            baselined=tuple(Baselined(finding=finding, entry=read_entry(raw["baseline"])) for raw, finding in findings if raw["baseline"]),
            tools=said["tools"],
            override=said.get("override", ""),
            vex=tuple(made(VexDocument, one) for one in said["vex"]),
            baseline=(said["baseline"]["path"], said["baseline"]["sha256"]) if said["baseline"] else None,
        )
    except (KeyError, TypeError, ValueError) as error:  # a 31st of February; a key that no version of ours wrote
        raise IntegrityError(f"What it says of the gates cannot be read: {str(error)[:200]}.", remedy=_REMEDY, path=shown) from error
