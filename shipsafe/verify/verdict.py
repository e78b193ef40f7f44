"""The link `verdict`: what the gates answered about this zip, judged once more, by today's policy and with today's advisories.

Nothing is asked again but what changes by itself: the distributions of the SBOM are looked up anew. A waiver that has ended no longer
allows what it allowed; a gate that the policy requires now and that nobody asked keeps the verdict incomplete.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shipsafe.advisories.findings import MALICIOUS, VULNERABLE, findings_of, may_be_asked
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.evidence.gate_statement import GatesSaid, read_gates
from shipsafe.judge import judge, overridden
from shipsafe.model.advisory import Advisories, Pin
from shipsafe.model.attestation import Vouched
from shipsafe.model.chain import Hold, Link
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.override import Override
from shipsafe.model.tree import Distribution
from shipsafe.model.verdict import Decision, Verdict, WaiverNews
from shipsafe.policy.vex import bound
from shipsafe.verify import links
from shipsafe.verify.overriding import named_override, replaced, signed_for_emergencies
from shipsafe.verify.proof import Proof
from shipsafe.verify.request import VerifyRequest

_GATE = "dependencies"
_PROJECT = "project"  # what gates answer about all functions and layers together
_ASKED_ANEW = (VULNERABLE.id, MALICIOUS.id)
_UNASKED = "It was not asked when this was released."
_MOST = 5  # findings that notes name
_REMEDY = "Fix it and release again; or allow it in your policy, with a reason, an owner and an end."
_CLEAN = "Release it again once its gates pass: a clean release takes its place."
_NOBODY = "Find out who released it, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What gates said of a zip: the statement that counts, whose zip it is, and the distributions in it, None where its SBOM does not hold.

    `content_digest` is that of what lies in the zip: VEX statements may speak of it. `proof` is what is proven about the zip besides.
    """

    gates: Vouched
    subject: str
    content_digest: str
    distributions: tuple[Distribution, ...] | None
    shown: str
    proof: Proof


def verdict_link(said: Said, request: VerifyRequest) -> Link:
    """The link of one zip."""
    try:
        answered = read_gates(said.gates.statement, shown=said.shown)
    except ShipsafeError as error:
        return links.of_error(links.VERDICT, error)
    if answered.subject != said.subject:
        return links.broken(links.VERDICT, "What the gates said is about another function or layer.", expected=said.subject,
                            found=answered.subject, remedy=_NOBODY, path=said.shown)  # fmt: skip
    try:
        override = _override(answered, said, request)
    except ShipsafeError as error:
        return links.of_error(links.VERDICT, error)
    if answered.decision is not Decision.PASS and override is None:
        return links.broken(links.VERDICT, f"The {answered.asked_by}'s gates did not let it pass.", expected=str(Decision.PASS),
                            found=str(answered.decision), remedy=_NOBODY, path=said.shown)  # fmt: skip
    if strangers := [one.subject for one in answered.outcomes if one.subject not in (said.subject, _PROJECT)]:
        return links.broken(links.VERDICT, "A gate's answer is about another function or layer.", expected=said.subject,
                            found=strangers[0], remedy=_NOBODY, path=said.shown)  # fmt: skip
    if not any(one.subject == said.subject for one in answered.outcomes):  # else nobody would miss a gate that the policy requires
        return links.broken(links.VERDICT, "No gate answered anything about it.", remedy=_NOBODY, path=said.shown)
    try:
        outcomes, notes = _anew(answered, said, request)
    except ShipsafeError as error:
        return _judged(answered, answered.outcomes, request, said, override, failure=error)
    return _judged(answered, outcomes, request, said, override, notes=notes)


def _override(answered: GatesSaid, said: Said, request: VerifyRequest) -> Override | None:
    """The override that lets it through; None where it needs none. What a builder built under one stays that, whoever asked again.

    Raises:
        ShipsafeError: it needs one, and none holds.
    """
    named = answered.override if answered.decision is Decision.OVERRIDDEN else ""
    built = said.proof.gates.statement.predicate if said.proof.gates else {}
    if not named and built.get("decision") == Decision.OVERRIDDEN:
        named = str(built.get("override", ""))
    if not named and answered.decision is not Decision.OVERRIDDEN:
        return None
    return named_override(said.proof, named, request.policy, said.shown)


def _anew(said: GatesSaid, about: Said, request: VerifyRequest) -> tuple[Sequence[Outcome], tuple[str, ...]]:
    """The outcomes, with what today's advisories say of the distributions.

    Raises:
        ShipsafeError: nobody could look.
    """
    before = next((one for one in said.outcomes if one.gate == _GATE and one.state is not State.NOT_ASKED), None)
    if before is None:
        return _unasked(said, about, request)
    if about.distributions is None:
        raise IncompleteError("Its dependencies were not looked up again, because its SBOM does not hold.")
    advisories, found = _looked_up(about, about.distributions, request)
    if advisories is None:
        return said.outcomes, ()
    known = {finding.identity for finding in before.findings}
    paths = {(finding.package, finding.version): finding.path for finding in before.findings}
    found = [replace(finding, path=paths.get((finding.package, finding.version), finding.path)) for finding in found]
    kept = [finding for finding in before.findings if finding.rule not in _ASKED_ANEW]
    fresh = {finding.identity: finding for finding in (*kept, *found)}
    after = replace(before, findings=tuple(fresh.values()))
    new = sorted({finding.advisory for finding in found if finding.identity not in known and finding.advisory})
    notes = [f"Looked up again in {advisories.info.label}."]
    notes += [f"Known since it was released: {', '.join(new[:_MOST])}{' and more' if len(new) > _MOST else ''}."] if new else []
    return [after if one is before else one for one in said.outcomes], tuple(notes)


def _unasked(said: GatesSaid, about: Said, request: VerifyRequest) -> tuple[Sequence[Outcome], tuple[str, ...]]:
    """The outcomes where nobody asked about dependencies: "does not apply" is no way round what is known of those in the zip."""
    try:
        _, found = _looked_up(about, about.distributions or (), request)
    except ShipsafeError:  # nobody said that anything was looked up, and nobody says so now
        return said.outcomes, ()
    known = [finding for finding in found if finding.rule in _ASKED_ANEW]
    return (*said.outcomes, *([Outcome.unanswered(_GATE, about.subject, _UNASKED, known)] if known else ())), ()


def _looked_up(
    about: Said, distributions: Sequence[Distribution], request: VerifyRequest
) -> tuple[Advisories | None, list[Finding]]:  # fmt: skip
    """Today's advisories and what they say; None where there is nothing to ask them.

    Raises:
        ShipsafeError: nobody could look.
    """
    asked = [one for one in distributions if not request.policy.is_first_party(one.name) and may_be_asked(one)]
    if not asked:
        return None, []
    advisories = request.advisories
    if advisories is None or isinstance(advisories, ShipsafeError):
        told = advisories or IncompleteError("There is no source of advisories.", remedy="Run `shipsafe advisories pull`.")
        raise IncompleteError(f"Its dependencies could not be looked up again. {told.what}", remedy=told.remedy, path=told.path)
    answers = advisories.ask([Pin(name=one.name, version=one.version or "") for one in asked])
    told_of = zip(asked, answers, strict=True)
    return advisories, [finding for one, answer in told_of for finding in findings_of(one, answer, about.subject)]


def _judged(
    said: GatesSaid, outcomes: Sequence[Outcome], request: VerifyRequest, about: Said, override: Override | None, *,
    failure: ShipsafeError | None = None, notes: tuple[str, ...] = (),
) -> Link:  # fmt: skip
    statements = bound(request.statements, {about.subject: about.content_digest})
    verdict = judge(request.policy, outcomes, request.today, baseline=request.baseline, statements=statements)
    notes = (*notes, *_notes(said, verdict, request))
    if override is not None:
        covered = overridden(verdict, override, request.policy)
        dark = failure is not None and (_GATE, said.subject) not in override.questions
        if covered.override is not None and not dark:
            return _let_through(override, request, notes)
        notes = (override.sentence, *(f"{one} (overridden)" for one in override.over[:_MOST]), *notes)
    else:
        notes = (*notes, *replaced(about.proof, about.shown))
    if verdict.decision is Decision.NOTHING:
        return links.broken(links.VERDICT, "No gate answered anything about it.", remedy=_NOBODY, path=about.shown)
    blocking = [_worded(finding) for finding in verdict.blocking]
    if failure or verdict.unanswered:
        reasons = [failure.what] if failure else []
        reasons += [f"{one.gate}: {one.reason}" for one in verdict.unanswered[: 1 if not failure else 0]]
        remedy = failure.remedy if failure else "Release it again, so that every gate of today's policy is asked."
        rest = [f"{one.gate}: {one.reason}" for one in verdict.unanswered[1:_MOST]] + [f"Not allowed: {one}" for one in blocking[:_MOST]]
        return Link(id=links.VERDICT, hold=Hold.UNANSWERED, sentence=" ".join(reasons), remedy=remedy, notes=(*notes, *rest))
    if blocking:
        more = f" And {len(blocking) - 1} more." if len(blocking) > 1 else ""
        sentence = f"Today's policy does not allow it: {blocking[0]}{more}"
        return Link(id=links.VERDICT, hold=Hold.DISALLOWED, sentence=sentence, notes=(*notes, *blocking[1 : _MOST + 1]),
                    remedy=verdict.blocking[0].remedy or _REMEDY)  # fmt: skip
    if override is None and signed_for_emergencies(about.proof, request.policy, about.shown):
        sentence = "It has passed its gates, and is signed by the profile that the policy keeps for emergencies."
        return Link(id=links.VERDICT, hold=Hold.DISALLOWED, sentence=sentence, notes=notes,
                    remedy="Sign it again without --break-glass, and deploy that.")  # fmt: skip
    gates = sum(1 for one in outcomes if one.state is State.ANSWERED)
    return links.held(links.VERDICT, f"What {gates} gates answered passes today's policy.", notes=notes)


def _let_through(override: Override, request: VerifyRequest, notes: tuple[str, ...]) -> Link:
    """The link of what somebody answers for: never a pass, and let go on where whoever looks goes on with this very override."""
    over = tuple(override.over[:_MOST])
    more = (f"And {len(override.over) - _MOST} more.",) if len(override.over) > _MOST else ()
    sentence = f"{Decision.OVERRIDDEN}, and not passed. {override.sentence}"
    if request.override is not None and request.override.statement == override.statement:
        return Link(id=links.VERDICT, hold=Hold.HELD, sentence=sentence, notes=(*over, *more, *notes), overridden=True)
    return Link(id=links.VERDICT, hold=Hold.DISALLOWED, sentence=sentence, notes=(*over, *more, *notes), remedy=_CLEAN, overridden=True)


def _worded(finding: Finding) -> str:
    """A finding as a sentence: what is wrong, by which name, and what fixes it."""
    fixed = f" Fixed in {', '.join(finding.fixed_versions[:3])}." if finding.fixed_versions else ""
    return f"{finding.rule}: {finding.message}{fixed}"


def _notes(said: GatesSaid, verdict: Verdict, request: VerifyRequest) -> Iterator[str]:
    if said.policy_digest != request.policy.digest:
        yield f"It was released under another policy ({said.policy_digest[:19]}...)."
    if said.overrides:
        yield f"It was released with {' '.join(said.overrides)} over that policy, which is not taken over."
    for note in verdict.waiver_notes:
        if note.waiver.covers(said.subject) and note.news is not WaiverNews.UNUSED:
            yield note.message
    for one in verdict.waived:
        until = f" until {one.waiver.expires}" if one.waiver.expires else ""
        yield f"{one.finding.advisory or one.finding.rule} is allowed by {one.waiver.owner}{until}: {one.waiver.reason}"
