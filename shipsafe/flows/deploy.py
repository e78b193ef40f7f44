"""The straight line of `deploy`: release and policy, what there is, what has to hold, plan, changes, another look, record.

    with deploying(request, say) as case:
        plan = planned(case)
        done = deployed(case, plan, say)

Everything is looked at for every function before anything is changed, and nothing is changed where one of them is refused. One lock holds
the output folder all the while, so that what was verified is what is deployed.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event

from shipsafe.deploy.apply import Course, Done, Run, taken_back
from shipsafe.deploy.plan import FunctionPlan, layers_of
from shipsafe.deploy.work import Work
from shipsafe.errors import ExitCode, IncompleteError, ShipsafeError, gravest
from shipsafe.evidence.override_record import check_time
from shipsafe.flows.deploy_case import Deploying, Say, deploying
from shipsafe.flows.deploy_plan import DeployPlan, LayerPlan, PlacePlan, planned, pseudo_parameters
from shipsafe.flows.deploy_record import keep_record
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.flows.interrupts import interrupts
from shipsafe.model.chain import Verification
from shipsafe.model.deployment import Deployment, Ending
from shipsafe.packing.release import Release
from shipsafe.signing.layer_versions import published

__all__ = ["DeployPlan", "Deployed", "Deploying", "deployed", "deploying", "planned"]

_WELL = (Ending.DEPLOYED, Ending.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What came of it.

    Attributes:
        release: with the records of it.
        deployments: one for each function.
        verification: of what runs now; `verdicts`: what it says of each function, a word by `account/region/function`.
        unrecorded: why what was done could not be written down, or None.
        remarks: what else a report should say.
    """

    release: Release
    deployments: tuple[Deployment, ...]
    verification: Verification
    verdicts: Mapping[str, str] = field(default_factory=dict)
    unrecorded: ShipsafeError | None = None
    remarks: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest: 5 before 6 before 4 before 1."""
        codes = [one.exit_code for one in self.deployments]
        codes += [self.verification.exit_code] if self.verification.chains else []
        return gravest([*codes, *([self.unrecorded.exit_code] if self.unrecorded else [])])


def deployed(case: Deploying, plan: DeployPlan, say: Say) -> Deployed:
    """Carry the plan out, and write down what came of it. Nothing that goes wrong at AWS is raised: the deployments say it.

    Raises:
        IntegrityError, IncompleteError: the plan may not be carried out.
    """
    if plan.exit_code is not ExitCode.PASS:
        raise plan.verification.as_error("Nothing could be verified, so that nothing may be deployed.")
    if case.verify.override is not None:
        check_time(case.verify.override, case.now())  # somebody may have thought about the plan for a day
    with interrupts() as interrupted:
        done = _everywhere(case, plan, say, interrupted)
    chains = tuple({chain.subject: chain for one in done if one.verified for chain in one.verified.chains}.values())
    release, unrecorded = _recorded(case, plan, done)
    return Deployed(
        release=release,
        deployments=tuple(replace(one.deployment, overridden=case.verify.override is not None) for one in done),
        verification=replace(case.verified, chains=chains),
        verdicts={_place_of(one.deployment): one.verified.verdict for one in done if one.verified},
        unrecorded=unrecorded,
        remarks=(*plan.remarks, *([case.verify.override.sentence] if case.verify.override else [])),
    )


def _place_of(one: Deployment) -> str:
    return f"{one.account}/{one.region}/{one.function}"


def _everywhere(case: Deploying, plan: DeployPlan, say: Say, interrupted: Callable[[], str]) -> list[Done]:
    """Every function at every place; under `--atomic` all or none."""
    failed, atomic = Event(), case.request.atomic
    done: list[Done] = []
    works: list[Work] = []
    for place in plan.places:
        work = case.work(place.looks, say=say, until=case.now() + case.deadline, interrupted=interrupted)
        here = list(_at(case, plan, place, work, failed if atomic else Event()))
        done += here
        works += [work] * len(here)
    if not (atomic and failed.is_set()):
        return done
    names = ", ".join(one.deployment.function for one in done if one.deployment.ending not in _WELL)
    why = f"All or none were to go live (--atomic), and {names} did not."
    late = [replace(work, until=case.now() + case.deadline) for work in works]
    return [taken_back(one, work, why) for one, work in zip(done, late, strict=True)]


def _at(case: Deploying, plan: DeployPlan, place: PlacePlan, work: Work, failed: Event) -> Iterator[Done]:
    """All functions of one place, several at once, after their layers. Once `failed` is set nothing more is begun."""
    layers: dict[str, str] = {}
    stopped: ShipsafeError | None = None
    try:
        layers = {one.name: one.arn or _published(case, place, one, work) for one in place.layers}
    except ShipsafeError as error:
        stopped = error
        failed.set()

    def one(function: FunctionPlan) -> Done:
        now = case.now()
        until = now + case.deadline
        course = Course(
            plan=function, work=replace(work, until=until), layers=layers_of(function.wanted, layers, pseudo_parameters(place.aws)),
            run=Run(id=plan.run, began=now, deadline=until, command=command_of(case.request, place.target.name)),
            verify=partial(case.look_again, place.site),
        )  # fmt: skip
        if stopped is not None:
            return Done(deployment=course.not_begun(stopped))
        if failed.is_set():
            return Done(deployment=course.not_begun(IncompleteError("Another one has failed, and all or none were to go live (--atomic).")))
        done = course.carry_out()
        if done.deployment.ending not in _WELL:
            failed.set()
        return done

    with ThreadPoolExecutor(max_workers=max(1, min(case.request.jobs, len(place.functions))), thread_name_prefix="deploy") as pool:
        yield from pool.map(one, place.functions)


def _published(case: Deploying, place: PlacePlan, one: LayerPlan, work: Work) -> str:
    told = one.wanted.artifact.told
    work.hands.say(f"{one.wanted.name}: publishing the layer")
    return published(place.aws, one.wanted.signed, name=one.wanted.name, sleep=case.sleep, runtimes=told.runtimes,
                     architectures=told.architectures).arn  # fmt: skip


def _recorded(case: Deploying, plan: DeployPlan, done: Sequence[Done]) -> tuple[Release, ShipsafeError | None]:
    told = [(one.deployment, next(iter(one.verified.chains), None) if one.verified else None) for one in done]
    try:
        return keep_record(case.output, case.release, told, case.records(plan.run)), None
    except ShipsafeError as error:
        return case.release, error


def command_of(asked: DeployRequest, target: str) -> str:
    """What goes on with it, on any machine that has the release and the policy: the same functions, on the same terms."""
    words = ["shipsafe", "deploy", str(asked.out), *(["--stage", asked.stage] if asked.stage else ["--target", target])]
    words += ["--unsafe-skip-stages"] if asked.skip_stages else []
    words += [word for name in asked.functions for word in ("--function", name)]
    words += ["--policy", str(asked.policy)] if asked.policy else []
    words += ["--create"] if asked.create else []
    words += ["--role", asked.role] if asked.role else []
    words += ["--atomic"] if asked.atomic else []
    if asked.break_glass:
        words += ["--break-glass", asked.break_glass.reason]
        words += ["--second", asked.break_glass.second] if asked.break_glass.second else []
    return shlex.join(words)
