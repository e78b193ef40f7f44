"""The straight line of `sign`: release, policy, what the gates say of it now, plan, signatures, manifest, what deploys it.

Nothing that a release says of its own verdict is believed: every gate that can be asked of the zips is asked again, under the policy that
is given here, before anything is uploaded. One lock holds the output folder all the while, so that what was asked is what is signed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.evidence.store import Store, open_store
from shipsafe.flows.agreed import agrees_with_policy, told_in
from shipsafe.flows.approvals import approvals_outcome
from shipsafe.flows.bare import bare_release
from shipsafe.flows.bare_said import Bare
from shipsafe.flows.break_glass import going_on, not_let_through, under_override
from shipsafe.flows.reask import Asked, reask
from shipsafe.flows.rewrite import Rewritten, read_words, rewrite
from shipsafe.flows.sign_evidence import keep, stated_by_signer
from shipsafe.flows.sign_policy import load_policy, policy_file, remarks_on
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.targets import place_of, targets_of
from shipsafe.flows.vouching import refuse_unattested
from shipsafe.flows.zips import Terms
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.record import RunRecord
from shipsafe.model.signing import SignedArtifact, SignTarget
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import check_unchanged, repair
from shipsafe.packing.release import Release, read_release, record_signatures
from shipsafe.reports.live import Progress
from shipsafe.signing.journal import Journal
from shipsafe.signing.plan import SigningPlan, plan
from shipsafe.signing.rewrite.deployable import Deployable
from shipsafe.signing.roots import trust
from shipsafe.signing.run import Failure, carry_out
from shipsafe.signing.ticket import Unsigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A release whose gates were asked again, and where it is to be signed; the output folder is held.

    `release` is None where zips did not pass and so became none. `home`: the policy's folder.
    """

    request: SignRequest
    output: Output
    release: Release | None
    policy: Policy
    home: Path
    targets: tuple[SignTarget, ...]
    asked: Asked
    remarks: tuple[str, ...] = ()

    @property
    def record(self) -> RunRecord:
        """What reports tell."""
        return self.asked.record


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is left to do on AWS, and where evidence will be kept; None where the policy names no place."""

    made: SigningPlan
    store: Store | None

    @property
    def changes(self) -> bool:
        """Whether anything will be uploaded, signed or kept; else it is only read back."""
        return self.made.changes or self.store is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What came of it: the release with its signatures, those of this run, what could not be signed, and what else was written.

    `kept`: where evidence is kept, or "". `unproven`: why what was signed has no evidence, or none that is kept; None where it has.
    """

    release: Release
    signed: tuple[SignedArtifact, ...]
    failed: tuple[Failure, ...] = ()
    written: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()
    kept: str = ""
    unproven: ShipsafeError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest failure: 5 before 4."""
        errors = (*(failure.error for failure in self.failed), *([self.unproven] if self.unproven else []))
        return max((error.exit_code for error in errors), default=ExitCode.PASS)


@contextmanager
def asking(request: SignRequest, progress: Progress, timeline: Timeline) -> Iterator[Asking]:
    """Hold the output folder, and ask all gates again about the release in it.

    Raises:
        ConfigError: there is no such folder, or the policy cannot be used, or names no such target.
        NothingError: there is no release in it.
        IntegrityError: the manifest, a zip or an SBOM is not what it should be.
        IncompleteError: the folder cannot be written.
    """
    read_words(request.rewrite)  # what cannot be meant is said before the gates are asked
    if request.bare is None:
        read_release(request.out, digest=request.manifest_digest)  # before a lock is put into a folder that holds no release
    with output_lock(request.out, on_wait=lambda: progress.say(f"Another shipsafe works in {request.out}; waiting for it to end.")):
        output = Output(request.out)
        if request.bare is None:
            check_unchanged(output)
        repair(output)
        with progress:
            case = _released(request, output, progress, timeline) if request.bare is None else _of_zips(request, output, progress, timeline)
        yield case


def _released(request: SignRequest, output: Output, progress: Progress, timeline: Timeline) -> Asking:
    """Ask about the release that lies in the folder."""
    release = read_release(request.out, digest=request.manifest_digest)
    path = policy_file(request, release)
    home = path.resolve().parent
    policy = load_policy(request, home, path)
    targets = targets_of(policy, request.targets)
    override = going_on(release, policy, request.break_glass, _now())
    if override is not None:
        targets = tuple(under_override(one, policy) for one in targets)
    agrees_with_policy(release, policy)
    asked = reask(release, policy, today=request.today, offline=request.offline, jobs=request.jobs, progress=progress,
                  timeline=timeline, vex=request.vex, override=override, also=_approvals(request, policy, path))  # fmt: skip
    remarks = (
        *remarks_on(request, release, policy, asked),
        *asked.remarks,
        *not_let_through(asked.record.verdict, override, request.break_glass, policy),
    )
    return Asking(request=request, output=output, release=release, policy=policy, home=home, targets=targets, asked=asked, remarks=remarks)


def _of_zips(request: SignRequest, output: Output, progress: Progress, timeline: Timeline) -> Asking:
    """Ask about zips by their path, and make the release that they are."""
    here = Path.cwd()
    if request.break_glass is not None:
        raise ConfigError("An override is made where a release is built, and zips by their path are in none.",
                          remedy="Build one: shipsafe build --prebuilt NAME=ZIP --break-glass REASON.")  # fmt: skip
    policy = load_policy(request, here, request.policy)
    file = here / policy.path if policy.path else None
    terms = Terms(policy=policy, today=request.today, home=file.parent if file else here, offline=request.offline, jobs=request.jobs,
                  progress=progress, timeline=timeline, vex=request.vex, also=_approvals(request, policy, file))  # fmt: skip
    targets = targets_of(policy, request.targets)
    bare = request.bare or Bare(zips=())
    refuse_unattested(bare.zips, policy)
    release, asked = bare_release(replace(bare, policy_file=file), output, terms, request.signers)
    return Asking(request=request, output=output, release=release, policy=policy, home=terms.home, targets=targets, asked=asked)


def _approvals(request: SignRequest, policy: Policy, file: Path | None) -> tuple[Outcome, ...]:
    """Who approved what the policy waives, where it asks."""
    found = approvals_outcome(policy, file, request.approvals, here=request.on_github, today=request.today)
    return (found,) if found else ()


def planned(case: Asking, connect: Callable[[Place], Aws] = open_aws) -> Planned:
    """What is left to do on AWS. Changes nothing there.

    Raises:
        ConfigError: what deploys the release could not be written with what will be signed, or `evidence` names no place.
        ShipsafeError: as `shipsafe.signing.plan.plan`.
    """
    artifacts = case.release.artifacts if case.release else ()
    work = [Unsigned(name=one.name, path=one.path, sha256=one.sha256, size=one.size) for one in artifacts]
    journal = Journal.open(case.output.store)
    made = plan(work, case.targets, connect=lambda target: connect(place_of(target)), journal=journal, now=_now)
    places = [(stand.target, stand.aws) for stand in made.stands]
    # A rehearsal: nothing is signed for a template that cannot take it.
    _written_into(case, [Deployable.awaited(one.name, one.subject, target, region=aws.region, account=aws.account)
                         for one in artifacts for target, aws in places])  # fmt: skip
    place = case.policy.evidence
    store = open_store(place, home=case.home, connect=connect, accounts=case.policy.accounts) if place else None
    return Planned(made=made, store=store)


def signed(case: Asking, release: Release, plan: Planned, say: Callable[[str], None]) -> Signed:
    """Carry the plan out, and write what succeeded into the manifest, with the evidence of it, also where something else failed.

    What deploys the release is written when all of it was signed, and is proven.

    Raises:
        ConfigError: something cannot be rewritten faithfully; the manifest is written all the same.
        IntegrityError: the manifest was changed meanwhile.
        IncompleteError: something cannot be written.
    """
    done = carry_out(
        plan.made,
        trust=partial(trust, policy_roots=case.policy.sign.roots, local_root=case.request.local_root),
        progress=say,
        now=_now,
        clock=time.monotonic,
        sleep=time.sleep,
        deadline=case.request.timeout,
    )
    kept, unproven = "", None
    if done.signed:
        try:
            evidence = stated_by_signer(case.output, release, done.signed, case.asked, case.policy, case.request)
        except ShipsafeError as error:  # what was signed is written down all the same: the next run states it
            evidence, unproven = {}, _not_proven(error, "no evidence of it could be written")
        release = record_signatures(case.output, release, done.signed, _told(case), evidence)
    if done.signed and plan.store and not unproven:
        try:
            keep(release, plan.store)
            kept = plan.store.shown
        except ShipsafeError as error:
            unproven = _not_proven(error, f"evidence could not be kept in {plan.store.shown}")
    rewritten = Rewritten() if done.failed or unproven else _rewritten(case, release, done.signed)
    rewritten.write()
    return Signed(release=release, signed=tuple(done.signed), failed=tuple(done.failed), written=rewritten.paths,
                  remarks=rewritten.remarks, kept=kept, unproven=unproven)  # fmt: skip


def _not_proven(error: ShipsafeError, what: str) -> ShipsafeError:
    kind = IntegrityError if isinstance(error, IntegrityError) else IncompleteError
    again = "Then run this again: nothing is signed twice, and what is missing is added."
    return kind(f"Signed, but {what}: {error}", remedy=again)


def _rewritten(case: Asking, release: Release, done: Sequence[SignedArtifact]) -> Rewritten:
    """What deploys the release, with what was signed."""
    subjects = {one.name: one.subject for one in release.artifacts}
    targets = {target.name: target for target in case.targets}
    return _written_into(case, [Deployable.of(one, subjects[one.artifact], targets[one.target]) for one in done])


def _written_into(case: Asking, deployables: Sequence[Deployable]) -> Rewritten:
    request = case.request
    told = told_in(case.release.artifacts if case.release else ())
    return rewrite(request.rewrite, deployables, policy=case.policy, overrides=request.overrides, tfvars=request.tfvars,
                   samconfig=request.samconfig, told=told)  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


def _told(case: Asking) -> dict[str, Any]:
    """What the manifest says of the asking: `signing` of its schema."""
    record, asked = case.record, case.asked
    gates: dict[str, dict[str, str]] = {}
    for outcome in record.outcomes:
        gates.setdefault(outcome.subject, {})[outcome.gate] = str(outcome.state)
    return {
        "date": case.request.today.isoformat(),
        "policy": case.policy.digest,
        "decision": str(record.verdict.decision),
        "builder": asked.builder,
        "claims": [
            {"subject": claim.subject, "name": claim.name, "value": claim.value, "vouched_by": claim.vouched_by} for claim in asked.claims
        ],
        "gates": gates,
    }
