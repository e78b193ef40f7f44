"""The legs of `ship` that are about what runs: what is enforced, deploying, and looking again from outside.

Each is the flow of its own command, asked about the functions of this release at the places that were chosen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.deploy.wanted import Wanted, wanted
from shipsafe.enforce.look import What
from shipsafe.errors import ExitCode, gravest
from shipsafe.flows.break_glass import going_on
from shipsafe.flows.deploy import Deployed, deployed, deploying, planned
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.flows.enforce import EnforceRequest, survey
from shipsafe.flows.ship_legs import Run, not_agreed, policy_under, targets_named
from shipsafe.flows.ship_told import Told
from shipsafe.flows.stages import stage_of, target_at
from shipsafe.flows.targets import place_of, targets_of
from shipsafe.model.chain import Hold, Verification
from shipsafe.model.deployment import Deployment, Ending
from shipsafe.model.policy import Policy
from shipsafe.model.ship import Leg, LegReport, ShippedFunction, Went
from shipsafe.model.signing import SignTarget
from shipsafe.model.verdict import Decision
from shipsafe.packing.release import Release
from shipsafe.reports.tally import count
from shipsafe.verify import VerifyRequest, open_request, verify_functions

_RUNS = (Ending.DEPLOYED, Ending.UNCHANGED)


def enforce_leg(run: Run) -> LegReport:
    """Whether unsigned code is refused beside what was just signed. Changes nothing.

    What a deployment of signed code puts right (unsigned code, layers) is left to the next leg, which looks at it again.

    Raises:
        ShipsafeError: as `flows.enforce.survey`.
    """
    release = run.held()
    _, policy = policy_under(run, release)
    names = tuple(dict.fromkeys(one.name for one in _wanted(run, release, policy)))
    stages = tuple(one for one in policy.deploy.stages if one.name == run.request.stage)  # others may be where nobody gets now
    meant = replace(policy, deploy=replace(policy.deploy, stages=stages))
    request = EnforceRequest(policy=meant, names=names, targets=targets_named(run, policy))
    found = survey(request, run.request.connect, now=_now(), say=run.view.say)
    here = {(aws.account, aws.region) for aws in map(run.request.connect, map(place_of, _places(run, policy)))}
    standings = [one.case.standing for place, one in found.functions if (place.wanted.account, place.wanted.region) in here]
    wrongs = [(one.name, wrong) for one in standings for wrong in one.of_configuration]
    absent = [name for name, wrong in wrongs if wrong.what is What.ABSENT]
    standings = [one for one in standings if one.name not in absent]
    mine = [(name, wrong) for name, wrong in wrongs if wrong.what is not What.ABSENT]
    wrongs = mine if run.request.create else wrongs
    if wrongs or found.unlooked:
        code = gravest([*(wrong.code for _, wrong in wrongs), *(ExitCode.INCOMPLETE for _ in found.unlooked)])
        said = [f"{name}: {wrong.sentence} {wrong.remedy}".rstrip() for name, wrong in wrongs] + [str(one) for one in found.unlooked]
        said += ["`shipsafe enforce` says what to change, and does it."] if mine else []
        said += ["--create makes functions that are not there."] if len(wrongs) > len(mine) else []
        return LegReport(leg=Leg.ENFORCE, went=Went.STOPPED, sentence=said[0], code=code, notes=tuple(said[1:]))
    strict, made = sum(one.enforces for one in standings), len(absent)
    parts = [f"{count(strict, 'function')} {'takes' if strict == 1 else 'take'} only what our profiles sign"]
    parts += [f"{len(standings) - strict} warned, as the policy has it"] if strict < len(standings) else []
    parts += [f"{count(made, 'function')} to be made, with a configuration"] if made else []
    return LegReport(leg=Leg.ENFORCE, went=Went.PASSED, sentence=f"{', '.join(parts[0 if strict or not parts[1:] else 1 :])}.")


def deploy_leg(run: Run) -> LegReport:
    """Preconditions, plan, changes, and a record of them.

    Raises:
        ShipsafeError: as `flows.deploy`.
    """
    release, asked = run.held(), run.request
    path, _ = policy_under(run, release)
    request = DeployRequest(
        out=asked.out, policy=path, targets=asked.targets, stage=asked.stage or "", create=asked.create, role=asked.role,
        atomic=asked.atomic, jobs=asked.build.jobs, offline=asked.build.offline, local_root=asked.local_root, signers=asked.signers,
        break_glass=asked.build.break_glass, skip_stages=asked.skip_stages, amend=asked.amend,
    )  # fmt: skip
    with deploying(request, run.view.say, connect=asked.connect) as case:
        run.overridden = case.verify.override.reason if case.verify.override else ""
        plan = planned(case)
        if plan.exit_code is not ExitCode.PASS:
            run.verification = plan.verification
            return _refused(Leg.DEPLOY, plan.verification, "Nothing was changed.")
        if plan.changes and not run.agree.deploy(case, plan):
            return not_agreed(run, Leg.DEPLOY, "Nothing was deployed.")
        told = Told(run.view, [one for place in plan.places for one in place.functions])
        done = deployed(case, plan, told.say)
        told.end(done.deployments)
    run.functions = tuple(_shipped(one, done) for one in done.deployments)
    return _deployed(run, done, changes=plan.changes)


def verify_leg(run: Run) -> LegReport:
    """Look again at what callers reach now, from outside, under the policy.

    Raises:
        ShipsafeError: as `verify_functions`.
    """
    release = run.held()
    path, policy = policy_under(run, release)
    there = [one for one in run.functions if one.ending in _RUNS]
    if not there:
        return LegReport(leg=Leg.VERIFY, went=Went.DONE_BEFORE, sentence="This line has deployed nothing that could be looked at.")
    with open_request(
        policy=path, verified=[run.request.out], release=run.request.out, live=True, local_root=run.request.local_root,
        online=not run.request.build.offline, say=run.view.say,
    ) as opened:  # fmt: skip
        override = going_on(release, policy, run.request.build.break_glass, opened.now)
        request = replace(opened, policy=policy, override=override)
        found = _looked(there, request, [run.request.connect(place_of(one)) for one in _places(run, policy)])
    run.verification = found
    if found.exit_code is not ExitCode.PASS:
        return _refused(Leg.VERIFY, found, "")
    links = sum(link.hold is Hold.HELD for chain in found.chains for link in chain.links)  # what was not asked holds nothing
    how = "under the override" if override else "from source to what runs"
    sentence = f"{count(links, 'link')} of {count(len(found.chains), 'chain')} hold, {how}."
    return LegReport(leg=Leg.VERIFY, went=Went.PASSED, sentence=sentence)


def _looked(there: Sequence[ShippedFunction], request: VerifyRequest, places: Iterable[Aws]) -> Verification:
    """What runs, at each place as whoever deployed it there."""
    found: list[Verification] = []
    for aws in places:
        mine = [one for one in there if (one.account, one.region) == (aws.account, aws.region)]
        if mine:
            artifacts = {one.function: f"function:{one.artifact}" for one in mine}
            names = [f"{one.function}:{one.alias or '$LATEST'}" for one in mine]
            found.append(verify_functions(names, request, partial(_there, aws), region=aws.region, artifacts=artifacts))
    return replace(found[0], chains=tuple(chain for one in found for chain in one.chains))


def _there(aws: Aws, _place: Place) -> Aws:
    """Wherever somebody wants to go."""
    return aws


def _places(run: Run, policy: Policy) -> tuple[SignTarget, ...]:
    """Where to."""
    if run.request.stage is not None:
        return (target_at(policy, stage_of(policy, run.request.stage)),)
    return targets_of(policy, run.request.targets)


def _wanted(run: Run, release: Release, policy: Policy) -> Iterator[Wanted]:
    """The functions of the release at every place that was chosen."""
    for target in _places(run, policy):
        yield from (one for one in wanted(release, policy.deploy, target.name) if not one.is_layer)


def _shipped(one: Deployment, done: Deployed) -> ShippedFunction:
    verdict = done.verdicts.get(f"{one.account}/{one.region}/{one.function}", "")
    return ShippedFunction(
        artifact=one.artifact, function=one.function, account=one.account, region=one.region, alias=one.alias, version=one.version,
        before=one.before, sha256=one.sha256, signer=one.profile_version, ending=one.ending, reason=one.reason,
        verdict=Decision.OVERRIDDEN if one.overridden else verdict, shifts=one.shifts,
    )  # fmt: skip


def _deployed(run: Run, done: Deployed, *, changes: bool) -> LegReport:
    notes = tuple(dict.fromkeys((*(f"{one.function}: {note}" for one in done.deployments for note in one.notes), *done.remarks)))
    code = done.exit_code
    if code is ExitCode.PASS:
        live = sum(one.ending in _RUNS for one in done.deployments)
        sentence = f"{count(live, 'function')} {'is' if live == 1 else 'are'} live." if changes else "Everything runs as it should already."
        return LegReport(leg=Leg.DEPLOY, went=Went.PASSED if changes else Went.DONE_BEFORE, sentence=sentence, notes=notes)
    if done.verification.chains and done.verification.exit_code is not ExitCode.PASS:
        run.verification = done.verification
    wrong = [f"{one.function}: {one.reason}" for one in done.deployments if one.reason]
    wrong += [str(done.unrecorded)] if done.unrecorded else []
    more = f" And {len(wrong) - 1} more." if len(wrong) > 1 else ""
    sentence = f"{wrong[0]}{more}" if wrong else "What runs does not verify."
    notes = (*([str(done.unrecorded)] if done.unrecorded else []), *notes)
    return LegReport(leg=Leg.DEPLOY, went=Went.STOPPED, sentence=sentence, code=code, notes=notes)


def _refused(leg: Leg, found: Verification, so: str) -> LegReport:
    broken = found.first_broken
    sentence = f"{broken[0].subject}: {broken[1].sentence} {broken[1].remedy}".rstrip() if broken else "Nothing could be verified."
    return LegReport(leg=leg, went=Went.STOPPED, sentence=f"{sentence} {so}".rstrip(), code=found.exit_code)


def _now() -> datetime:
    return datetime.now(UTC)
