"""The legs of `ship`, each a flow of its own command: what it is given, how it went in one sentence, and what it leaves for the next.

A leg hands on nothing but the release in the output folder. So the next one may run on another machine.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, ExitCode, IntegrityError
from shipsafe.flows.build import build
from shipsafe.flows.ship_request import Agree, ShipRequest
from shipsafe.flows.sign import asking, planned, signed
from shipsafe.flows.sign_policy import load_policy, policy_file
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.stages import stage_of
from shipsafe.flows.targets import policy_of, targets_of
from shipsafe.model.chain import Verification
from shipsafe.model.policy import Policy
from shipsafe.model.record import RunRecord
from shipsafe.model.ship import Leg, LegReport, ShippedFunction, Went
from shipsafe.model.signing import SignTarget
from shipsafe.model.verdict import Decision
from shipsafe.packing.publish import MANIFEST
from shipsafe.packing.release import Release, read_release
from shipsafe.packing.signatures import signatures_of
from shipsafe.reports import tally
from shipsafe.reports.ship.view import View


@dataclass(slots=True)
class Run:
    """A line while it goes on: what was asked, who watches, and what the legs have found so far.

    `policy` is the file that was named or that the project has, None where only the release names one. `release` is `release_id` of what
    the build left, "" before. `building`: a build of this line was begun and has not ended. `finished`: legs of an earlier run of it,
    which had built `before`.
    """

    request: ShipRequest
    view: View
    agree: Agree
    timeline: Timeline
    policy: Path | None = None
    release: str = ""
    building: bool = False
    finished: tuple[Leg, ...] = ()
    before: str = ""
    record: RunRecord | None = None
    verification: Verification | None = None
    functions: tuple[ShippedFunction, ...] = ()
    overridden: str = ""
    remarks: list[str] = field(default_factory=list)

    def sign_request(self) -> SignRequest:
        """As `sign` would be asked."""
        asked, built = self.request, self.request.build
        return SignRequest(
            out=asked.out, today=built.today, policy=self.policy, vex=built.vex, offline=built.offline,
            jobs=built.jobs, timeout=asked.timeout, local_root=asked.local_root, overrides=built.overrides, signers=asked.signers,
            break_glass=built.break_glass, amend=asked.amend, approvals=asked.approvals,
        )  # fmt: skip

    def held(self) -> Release:
        """The release of this line, as it lies in the folder.

        Raises:
            IntegrityError: another took its place since the last leg.
            ShipsafeError: as `read_release`.
        """
        release = read_release(self.request.out)
        if self.release and release_id(release) != self.release:
            raise IntegrityError("Another release was put into the folder meanwhile.", remedy="Let one `shipsafe ship` run at a time.",
                                 path=str(self.request.out))  # fmt: skip
        return release


def policy_under(run: Run, release: Release) -> tuple[Path, Policy]:
    """The policy of whoever ships, as `sign` would take it, and its file.

    Raises:
        ShipsafeError: as `flows.sign_policy`.
    """
    request = run.sign_request()
    path = policy_file(request, release)
    return path, load_policy(request, path.resolve().parent, path)


def release_id(release: Release) -> str:
    """Hex SHA-256 over the digests of all unsigned zips: the same for the same release, whatever was signed of it."""
    text = "".join(f"{one.sha256} {one.subject}\n" for one in sorted(release.artifacts, key=lambda one: one.subject))
    return hashlib.sha256(text.encode()).hexdigest()


def build_leg(run: Run) -> LegReport:
    """Build, or take what lies there where `--resume` finds it whole.

    Raises:
        ConfigError, NothingError: nothing can be built, or signed, or deployed as it was asked for.
        ShipsafeError: as `build`.
    """
    asked = run.request
    if asked.resume and not run.building and (run.request.out / MANIFEST).is_file():
        release = read_release(run.request.out)
        run.release = release_id(release)
        if run.before not in ("", run.release):
            run.finished = ()  # somebody has built another one since
        return LegReport(
            leg=Leg.BUILD, went=Went.DONE_BEFORE, sentence=f"{_listed(release)} {_lie(release)} in {run.request.out}, as built before."
        )
    _check(run)
    with run.view.progress() as progress:
        run.record = build(asked.build, progress, run.timeline)
    verdict = run.record.verdict
    if not verdict.passes:
        return LegReport(leg=Leg.BUILD, went=Went.STOPPED, sentence=tally.verdict_line(run.record), code=verdict.exit_code)
    release = read_release(run.request.out)
    run.release = release_id(release)
    run.overridden = asked.build.break_glass.reason if asked.build.break_glass and verdict.decision is Decision.OVERRIDDEN else ""
    gates = {outcome.gate for outcome in run.record.outcomes}
    sentence = f"{_listed(release)} {'passes' if len(release.artifacts) == 1 else 'pass'} {tally.count(len(gates), 'gate')}."
    if verdict.override:
        sentence = f"{_listed(release)} did not pass the gates. {verdict.override.sentence}"
    return LegReport(leg=Leg.BUILD, went=Went.PASSED, sentence=sentence)


def sign_leg(run: Run) -> LegReport:
    """Ask again, sign, read back.

    Raises:
        ShipsafeError: as `flows.sign`.
    """
    release = run.held()
    path, policy = policy_under(run, release)
    request = replace(run.sign_request(), targets=targets_named(run, policy))
    if run.request.resume and _signed_before(run, release, policy, targets_of(policy, request.targets)):
        if run.policy is None:
            run.remarks.append(f"The policy is {path}, which the release itself names; --policy names a protected one.")
        sentence = f"{_listed(release)} {_lie(release)} signed, as the manifest says."
        return LegReport(leg=Leg.SIGN, went=Went.DONE_BEFORE, sentence=sentence)
    with asking(request, run.view.progress(), Timeline()) as case:
        run.record = case.record
        run.remarks += case.remarks
        if not case.record.verdict.passes or case.release is None:
            return LegReport(leg=Leg.SIGN, went=Went.STOPPED, sentence=tally.verdict_line(case.record), code=case.record.verdict.exit_code)
        plan = planned(case, run.request.connect)
        if plan.changes and not run.agree.sign(case, plan):
            return not_agreed(run, Leg.SIGN, "Nothing was signed.")
        done = signed(case, case.release, plan, run.view.say)
    notes = tuple(note for one in done.signed for note in one.notes)
    if done.exit_code is not ExitCode.PASS:
        failed = [f"{one.artifact} -> {one.target}: {one.error}" for one in done.failed] + ([str(done.unproven)] if done.unproven else [])
        return LegReport(leg=Leg.SIGN, went=Went.STOPPED, sentence=failed[0], code=done.exit_code, notes=(*failed[1:], *notes))
    profiles = {one.profile_version.partition("/signing-profiles/")[2] for one in done.signed}
    kept = f", evidence kept in {done.kept}" if done.kept else ""
    went = Went.PASSED if plan.made.changes else Went.DONE_BEFORE
    return LegReport(leg=Leg.SIGN, went=went, sentence=f"{len(done.signed)} signed by {', '.join(sorted(profiles))}{kept}.", notes=notes)


def _check(run: Run) -> None:
    """What would stop a later leg whatever the build comes to, said before a minute is spent.

    Raises:
        ConfigError: the policy does not say where to, or says several places and none was chosen; or the place is a stack.
        ShipsafeError: as `policy_of`.
    """
    asked = run.request
    policy = asked.amend(policy_of(asked.build.path, asked.build.policy, asked.build.today))
    chosen = targets_of(policy, targets_named(run, policy))
    if asked.stage is not None and (stack := stage_of(policy, asked.stage).stack):
        what = f"Stage {asked.stage} is stack {stack}, which CloudFormation changes, and not a line of ours."
        remedy = f"Run `shipsafe build`, `shipsafe sign`, then `shipsafe deploy --stage {asked.stage}`."
        raise ConfigError(what, remedy=remedy, path=policy.path)
    if len(chosen) > 1 and not asked.targets:
        names = ", ".join(one.name for one in chosen)
        raise ConfigError(
            f"The policy has several places to ship to: {names}.", remedy="Choose with --target or --stage.", path=policy.path
        )


def targets_named(run: Run, policy: Policy) -> tuple[str, ...]:
    """The targets that were chosen, by name or by stage; none where nobody chose.

    Raises:
        ConfigError: there is no such stage, or both were named.
    """
    asked = run.request
    if asked.stage is None:
        return asked.targets
    if asked.targets:
        raise ConfigError("A stage names its target.", remedy="Leave out --stage or --target.")
    return (stage_of(policy, asked.stage).target,)


def not_agreed(run: Run, leg: Leg, sentence: str) -> LegReport:
    """A leg after whose plan nobody went on."""
    if run.request.dry_run:
        return LegReport(leg=leg, went=Went.PLANNED, sentence=sentence)
    return LegReport(leg=leg, went=Went.DECLINED, sentence=sentence, code=ExitCode.INTERRUPTED)


def _signed_before(run: Run, release: Release, policy: Policy, targets: Sequence[SignTarget]) -> bool:
    """Whether the manifest names a signature that lasts of every artifact at every target, and the evidence of it cannot be missing.

    What it says is verified before it is used. Evidence is kept after the manifest is written: a line that finished this leg has done so.
    """
    if Leg.SIGN not in run.finished and policy.evidence is not None:
        return False
    now, found = datetime.now(UTC), signatures_of(release)
    signed = [found[one.name].get(target.name) for one in release.artifacts for target in targets]
    return all(one is not None and one.expires > now for one in signed)


def _listed(release: Release) -> str:
    return tally.count(len(release.artifacts), "zip")


def _lie(release: Release) -> str:
    return "is" if len(release.artifacts) == 1 else "are"
