"""The legs of `ship` that are about what runs: what is enforced, deploying, and looking again from outside.

Each is the flow of its own command, asked about the functions of this release at the places that were chosen.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from shipsafe.deploy.wanted import Wanted, wanted
from shipsafe.enforce.look import What
from shipsafe.errors import ExitCode, gravest
from shipsafe.flows.deploy import Deployed, Deploying, DeployPlan, deployed, deploying, planned
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.flows.enforce import EnforceRequest, survey
from shipsafe.flows.ship_legs import Run
from shipsafe.flows.sign_policy import load_policy, policy_file
from shipsafe.flows.targets import targets_of
from shipsafe.model.chain import Chain, Verification
from shipsafe.model.deployment import WHOLE, Deployment, Ending
from shipsafe.model.policy import Policy
from shipsafe.model.ship import Leg, LegReport, ShippedFunction, Went
from shipsafe.model.verdict import Decision
from shipsafe.packing.release import Release
from shipsafe.reports.ship.view import Moving
from shipsafe.reports.tally import count
from shipsafe.verify import open_request, verify_functions

_SHARE = re.compile(r"(\d{1,3}) % of the calls")
_RUNS = (Ending.DEPLOYED, Ending.UNCHANGED)
_WORDS = {
    ExitCode.PASS: Decision.PASS,
    ExitCode.FINDINGS: Decision.FAIL,
    ExitCode.INCOMPLETE: Decision.INCOMPLETE,
    ExitCode.INTEGRITY: Decision.BROKEN,
}


def enforce_leg(run: Run) -> LegReport:
    """Whether unsigned code is refused beside what was just signed. Changes nothing.

    What a deployment of signed code puts right (unsigned code, layers) is left to the next leg, which looks at it again.

    Raises:
        ShipsafeError: as `flows.enforce.survey`.
    """
    release = run.held()
    _, policy = policy_under(run, release)
    names = tuple(dict.fromkeys(one.name for one in _wanted(run, release, policy)))
    found = survey(
        EnforceRequest(policy=policy, names=names, targets=run.request.targets), run.request.connect, now=_now(), say=run.view.say
    )
    left_out = {What.ABSENT} if run.request.create else set[What]()
    standings = [one.case.standing for _, one in found.functions]
    wrongs = [(one.name, wrong) for one in standings for wrong in one.of_configuration if wrong.what not in left_out]
    if wrongs or found.unlooked:
        code = gravest([*(wrong.code for _, wrong in wrongs), *(ExitCode.INCOMPLETE for _ in found.unlooked)])
        said = [f"{name}: {wrong.sentence} {wrong.remedy}".rstrip() for name, wrong in wrongs] + [str(one) for one in found.unlooked]
        notes = (*said[1:], "`shipsafe enforce` says what to change, and does it.")
        return LegReport(leg=Leg.ENFORCE, went=Went.STOPPED, sentence=said[0], code=code, notes=notes)
    strict = sum(one.enforces for one in standings)
    soft = f", {len(standings) - strict} warned of, as the policy wants" if strict < len(standings) else ""
    sentence = f"{count(strict, 'function')} {'takes' if strict == 1 else 'take'} only what the policy's profiles signed{soft}."
    return LegReport(leg=Leg.ENFORCE, went=Went.PASSED, sentence=sentence)


def deploy_leg(run: Run) -> LegReport:
    """Preconditions, plan, changes, and a record of them.

    Raises:
        ShipsafeError: as `flows.deploy`.
    """
    release, asked = run.held(), run.request
    path, _ = policy_under(run, release)
    request = DeployRequest(
        out=asked.out, policy=path, targets=asked.targets, stage=asked.stage or "", create=asked.create, atomic=asked.atomic,
        jobs=asked.build.jobs, offline=asked.build.offline, local_root=asked.local_root, signers=asked.signers,
    )  # fmt: skip
    with deploying(request, run.view.say, connect=asked.connect) as held:
        case = _amended(run, held)
        plan = planned(case)
        if plan.exit_code is not ExitCode.PASS:
            run.verification = plan.verification
            return _refused(Leg.DEPLOY, plan.verification, "Nothing was changed.")
        if plan.changes and not run.agree.deploy(case, plan):
            code = ExitCode.PASS if asked.dry_run else ExitCode.INTERRUPTED
            return LegReport(leg=Leg.DEPLOY, went=Went.DECLINED, sentence="Nothing was deployed.", code=code)
        watched = _Watched(run, plan)
        done = deployed(case, plan, watched.say)
        watched.end(done.deployments)
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
        return LegReport(leg=Leg.VERIFY, went=Went.DONE_BEFORE, sentence="Nothing was deployed by this line that could be looked at.")
    with open_request(
        policy=path, verified=[run.request.out], release=run.request.out, live=True, local_root=run.request.local_root,
        online=not run.request.build.offline, say=run.view.say,
    ) as request:  # fmt: skip
        names = {_arn(one): one for one in there}
        found = verify_functions(
            [f"{arn}:{one.alias or '$LATEST'}" for arn, one in names.items()], replace(request, policy=policy), run.request.connect,
            artifacts={one.function: f"function:{one.artifact}" for one in there},
        )  # fmt: skip
    run.verification = found
    if found.exit_code is not ExitCode.PASS:
        return _refused(Leg.VERIFY, found, "")
    links = sum(len(chain.links) for chain in found.chains)
    sentence = (
        f"{count(len(found.chains), 'chain')} {'holds' if len(found.chains) == 1 else 'hold'}, from the source to what runs: {links} links."
    )
    return LegReport(leg=Leg.VERIFY, went=Went.PASSED, sentence=sentence)


class _Watched:
    """What the deployment says, line by line, told as what becomes of each function: every line begins with the name of one."""

    def __init__(self, run: Run, plan: DeployPlan) -> None:
        self._view = run.view
        self._rows = {
            one.name: Moving(function=one.name, alias=one.wanted.alias, before=one.before, version=one.version, state="waits")
            for place in plan.places
            for one in place.functions
        }
        for row in self._rows.values():
            self._view.move(row)

    def say(self, line: str) -> None:
        """Told by `deployed`."""
        head, colon, rest = line.partition(": ")
        name = head.partition(":")[0]
        row = self._rows.get(name)
        if row is None or not colon:
            self._view.say(line)
            return
        share = _SHARE.match(rest)
        if share:
            version = rest.rpartition(" ")[2]
            row = replace(row, percent=int(share[1]), version=version, state="watched" if int(share[1]) < WHOLE else "all calls")
        else:
            row = replace(row, state=rest, bad=row.bad or rest.startswith("going back"))
        self._rows[name] = row
        self._view.move(row)

    def end(self, deployments: Iterable[Deployment]) -> None:
        """How each ended."""
        for one in deployments:
            row, good = self._rows[one.function], one.ending in _RUNS
            percent = {Ending.DEPLOYED: WHOLE, Ending.ROLLED_BACK: 0}.get(one.ending, row.percent) if one.alias else None
            self._view.move(replace(row, version=one.version, percent=percent, state=str(one.ending), bad=not good, done=True))


def policy_under(run: Run, release: Release) -> tuple[Path, Policy]:
    """The policy of whoever ships, as `sign` would take it."""
    request = run.sign_request()
    path = policy_file(request, release)
    return path, load_policy(request, path.resolve().parent, path)


def _wanted(run: Run, release: Release, policy: Policy) -> Iterator[Wanted]:
    """The functions of the release at every place that was chosen."""
    for target in targets_of(policy, run.request.targets):
        yield from (one for one in wanted(release, policy.deploy, target.name) if not one.is_layer)


def _amended(run: Run, case: Deploying) -> Deploying:
    policy = run.request.amend(case.policy)
    return replace(case, verify=replace(case.verify, policy=policy), targets=targets_of(policy, run.request.targets))


def _shipped(one: Deployment, done: Deployed) -> ShippedFunction:
    chain = next((chain for chain in done.verification.chains if one.function in chain.subject), None)
    return ShippedFunction(
        artifact=one.artifact, function=one.function, account=one.account, region=one.region, alias=one.alias, version=one.version,
        before=one.before, sha256=one.sha256, signer=one.profile_version, ending=one.ending, reason=one.reason,
        verdict=_verdict(one, chain), shifts=one.shifts,
    )  # fmt: skip


def _verdict(one: Deployment, chain: Chain | None) -> str:
    if one.overridden:
        return Decision.OVERRIDDEN
    return _WORDS.get(chain.exit_code, Decision.INCOMPLETE) if chain is not None else ""


def _deployed(run: Run, done: Deployed, *, changes: bool) -> LegReport:
    notes = tuple(note for one in done.deployments for note in one.notes) + done.remarks
    code = done.exit_code
    if code is ExitCode.PASS:
        live = sum(one.ending in _RUNS for one in done.deployments)
        sentence = f"{count(live, 'function')} {'is' if live == 1 else 'are'} live." if changes else "Everything runs as it should already."
        return LegReport(leg=Leg.DEPLOY, went=Went.PASSED if changes else Went.DONE_BEFORE, sentence=sentence, notes=notes)
    if done.verification.chains and done.verification.exit_code is not ExitCode.PASS:
        run.verification = done.verification
    wrong = [f"{one.function}: {one.reason}" for one in done.deployments if one.ending not in _RUNS]
    wrong += [str(done.unrecorded)] if done.unrecorded else []
    return LegReport(leg=Leg.DEPLOY, went=Went.STOPPED, sentence=wrong[0] if wrong else "What runs does not verify.", code=code,
                     notes=(*wrong[1:], *notes))  # fmt: skip


def _refused(leg: Leg, found: Verification, so: str) -> LegReport:
    broken = found.first_broken
    sentence = f"{broken[0].subject}: {broken[1].sentence} {broken[1].remedy}".rstrip() if broken else "Nothing could be verified."
    return LegReport(leg=leg, went=Went.STOPPED, sentence=f"{sentence} {so}".rstrip(), code=found.exit_code)


def _arn(one: ShippedFunction) -> str:
    partition = one.signer.split(":")[1] if one.signer.startswith("arn:") else "aws"
    return f"arn:{partition}:lambda:{one.region}:{one.account}:function:{one.function}"


def _now() -> datetime:
    return datetime.now(UTC)
