"""The straight line of `deploy`: release and policy, what there is, what has to hold, plan, changes, another look, record.

    with deploying(request, say) as case:
        plan = planned(case)
        done = deployed(case, plan, say)

Everything is looked at for every function before anything is changed, and nothing is changed where one of them is refused. One lock holds
the output folder all the while, so that what was verified is what is deployed.
"""

import secrets
import shlex
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shipsafe.adapters.aws.looks import Looks, open_looks
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.deploy.apply import Course, Done, Run
from shipsafe.deploy.look import look
from shipsafe.deploy.plan import FunctionPlan, layers_of, plan_of
from shipsafe.deploy.shifting import Hands
from shipsafe.deploy.smoke import payload_of
from shipsafe.deploy.wanted import Wanted, wanted
from shipsafe.deploy.work import Work
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError, ShipsafeError, gravest
from shipsafe.evidence.store import Store
from shipsafe.flows.deploy_checks import checked, failed
from shipsafe.flows.deploy_record import RecordRequest, keep_record
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.flows.interrupts import interrupts
from shipsafe.flows.speakers import check_speakers
from shipsafe.flows.targets import place_of, targets_of
from shipsafe.model.attestation import Role
from shipsafe.model.chain import Chain, Verification
from shipsafe.model.deployment import Deployment
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import check_unchanged, repair
from shipsafe.packing.release import Release, read_release
from shipsafe.signing.layer_versions import found_layer, published
from shipsafe.verify.live import verify_functions
from shipsafe.verify.opened import open_request
from shipsafe.verify.release import verify_release
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.shelf import open_shelf
from shipsafe.verify.signed_code import Site
from shipsafe.verify.trusted import Trusted

Say = Callable[[str], None]
Connect = Callable[[Place], Aws]
_LOOKING = timedelta(minutes=2)  # how long a change of somebody else is waited for before anything is planned
_IMAGE = "Image"
_VERDICTS = {ExitCode.PASS: "PASS", ExitCode.FINDINGS: "FAIL", ExitCode.INCOMPLETE: "INCOMPLETE", ExitCode.INTEGRITY: "BROKEN"}


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploying:
    """A release that is to go live; its folder is held, and its zips and evidence were verified under the deployer's policy."""

    request: DeployRequest
    output: Output
    release: Release
    verify: VerifyRequest
    targets: tuple[SignTarget, ...]
    verified: Verification
    connect: Connect
    now: Callable[[], datetime]
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    @property
    def policy(self) -> Policy:
        """The deployer's."""
        return self.verify.policy

    @property
    def store(self) -> Store | None:
        """Where evidence is kept, None where the policy names no place."""
        return self.verify.store if isinstance(self.verify.store, Store) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """A layer of the project: `arn` of the version that holds it, "" where one is to be published."""

    wanted: Wanted
    arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePlan:
    """All that is left to do at one target."""

    target: SignTarget
    looks: Looks
    layers: tuple[LayerPlan, ...]
    functions: tuple[FunctionPlan, ...]

    @property
    def aws(self) -> Aws:
        """The account and Region."""
        return self.looks.aws


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployPlan:
    """What is left to do everywhere, and whether it may be done: `verification` holds a chain for each zip and each function."""

    places: tuple[PlacePlan, ...]
    verification: Verification
    run: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed."""
        return any(not one.empty for place in self.places for one in place.functions)

    @property
    def exit_code(self) -> ExitCode:
        """0 where it may be done, else that of the gravest thing that does not hold."""
        return self.verification.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What came of it.

    Attributes:
        release: with the records of it.
        deployments: one for each function.
        verification: of what runs now; `verdicts`: what it says of each function, a word by `account/region/function`.
        unrecorded: why what was done could not be written down, or None.
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


@contextmanager
def deploying(
    request: DeployRequest, say: Say, *, connect: Connect = open_aws, now: Callable[[], datetime] = utc_now,
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
) -> Generator[Deploying]:  # fmt: skip
    """Hold the folder of the release, and verify its zips and evidence offline.

    Args:
        request: what is asked for.
        say: takes remarks for people.
        connect: opens AWS at a place.
        now: UTC.
        clock: seconds that only go forward.
        sleep: takes seconds.

    Raises:
        ConfigError: there is no such folder, the policy cannot be used, or does not say where to; a key is nobody's.
        NothingError: there is no release in it.
        IntegrityError: the manifest is not what it should be.
        IncompleteError: the folder cannot be written.
    """
    read_release(request.out)  # before a lock is put into a folder that holds no release
    with output_lock(request.out, on_wait=lambda: say(f"Another shipsafe works in {request.out}; waiting for it to end.")):
        output = Output(request.out)
        check_unchanged(output)
        repair(output)
        with open_request(policy=request.policy, verified=[request.out], release=request.out, evidence=request.evidence, live=True,
                          local_root=request.local_root, online=not request.offline, now=now, say=say) as verify:  # fmt: skip
            check_speakers(request.signers, verify.policy, Role.DEPLOYER, verify.today)
            yield Deploying(
                request=request, output=output, release=read_release(request.out), verify=verify,
                targets=_targets(verify.policy, request), verified=verify_release(request.out, verify),
                connect=connect, now=now, clock=clock, sleep=sleep,
            )  # fmt: skip


def _targets(policy: Policy, request: DeployRequest) -> tuple[SignTarget, ...]:
    """Where to: never everywhere because nobody said where.

    Raises:
        ConfigError: the policy names no such place, or several and none was chosen.
    """
    found = targets_of(policy, request.targets)
    if len(found) > 1 and not request.targets:
        names = ", ".join(one.name for one in found)
        raise ConfigError(
            f"The policy has several places to deploy to: {names}.", remedy="Choose with --target or --stage.", path=policy.path
        )
    return found


def planned(case: Deploying) -> DeployPlan:
    """Look at everything, and say what is left to do. Changes nothing.

    Raises:
        ConfigError: nobody says what a function is called, or there is none of that name; a file of a smoke test is missing.
        NothingError: the release holds no function.
        ShipsafeError: something was not signed for the target, or AWS cannot be asked at all.
    """
    places, chains, chosen = [], [], set[str]()
    for target in case.targets:
        aws = case.connect(place_of(target))
        looks = open_looks(aws, case.clock, case.sleep)
        every = wanted(case.release, case.policy.deploy, target.name, only=case.request.functions)
        for smoke in filter(None, (one.how.smoke for one in every)):
            payload_of(smoke)
        layers = tuple(LayerPlan(wanted=one, arn=_there(looks, one)) for one in every if one.is_layer)
        functions = tuple(one for one in every if not one.is_layer)
        plans, found = _looked_at(case, looks, layers, functions)
        places.append(PlacePlan(target=target, looks=looks, layers=layers, functions=plans))
        chains += found
        chosen |= {one.artifact.subject for one in every}
    files = [one for one in case.verified.chains if one.subject in chosen]
    return DeployPlan(places=tuple(places), verification=replace(case.verified, chains=(*files, *chains)))


def _there(looks: Looks, one: Wanted) -> str:
    looks.pace.turn()
    layer = found_layer(looks.aws, one.signed, one.name)
    return layer.arn if layer else ""


def _looked_at(
    case: Deploying, looks: Looks, layers: tuple[LayerPlan, ...], functions: tuple[Wanted, ...]
) -> tuple[tuple[FunctionPlan, ...], list[Chain]]:  # fmt: skip
    """The plan and the chain of each function."""
    aws = looks.aws
    site = Site(
        looks=looks, trusted=Trusted(policy=case.policy.sign, account=aws.account, region=aws.region), shelf=open_shelf(case.verify),
        names={one.name: one.artifact.subject for one in functions}, asked=frozenset(one.name for one in functions),
    )  # fmt: skip
    known = {one.wanted.artifact.subject.removeprefix("layer:"): one.arn for one in layers if one.arn}
    work = _work(case, looks, say=lambda _line: None, until=case.now() + _LOOKING)

    def one(wanted_one: Wanted) -> tuple[FunctionPlan | None, Chain]:
        try:
            plan = _plan(case, work, looks, wanted_one, known)
        except ConfigError:
            raise
        except ShipsafeError as error:
            return None, failed(wanted_one.name, error)
        return plan, checked(site, plan)

    with ThreadPoolExecutor(max_workers=min(case.request.jobs, len(functions)), thread_name_prefix="look") as pool:
        found = list(pool.map(one, functions))
    return tuple(plan for plan, _ in found if plan is not None), [chain for _, chain in found]


def _plan(case: Deploying, work: Work, looks: Looks, one: Wanted, layers: Mapping[str, str]) -> FunctionPlan:
    """What is left to do for one function.

    Raises:
        ConfigError: there is none of that name.
        ShipsafeError: it could not be looked at.
    """
    live = look(work, one.name)
    if live is None:
        raise _missing(case, one)
    if live.latest.package == _IMAGE:
        what = f"Function {one.name} runs a container image, which takes no zip and cannot be code-signed."
        raise ConfigError(what, remedy="Give the release's function another name in a [[deploy.function]].")
    plan = plan_of(one, live, layers_of(one, layers, places_of(looks.aws)))
    looks_at = looks.attached(one.name)
    return replace(plan, configuration=looks_at or "")


def _missing(case: Deploying, one: Wanted) -> ConfigError:
    where = f"account {case.targets[0].account or 'of these credentials'}"
    if not one.named:
        return ConfigError(
            f"Nobody says what {one.artifact.name} is called, and there is no function of that very name in {where}.",
            remedy=f'Write [[deploy.function]] function = "{one.artifact.name}", name = "..." into the policy, or create it with --create.',
        )
    return ConfigError(f"There is no function {one.name} in {where}.", remedy="Create it with --create, or correct its name.")


def places_of(aws: Aws) -> dict[str, str]:
    """What stands for the pseudo parameters of CloudFormation."""
    return {"${AWS::AccountId}": aws.account, "${AWS::Region}": aws.region, "${AWS::Partition}": aws.partition}


def _work(case: Deploying, looks: Looks, *, say: Say, until: datetime, interrupted: Callable[[], str] = lambda: "") -> Work:
    hands = Hands(now=case.now, sleep=case.sleep, pace=looks.pace, say=say, interrupted=interrupted)
    return Work(aws=looks.aws, hands=hands, functions=looks.functions, until=until)


def deployed(case: Deploying, plan: DeployPlan, say: Say) -> Deployed:
    """Carry the plan out, and write down what came of it. Nothing that goes wrong at AWS is raised: the deployments say it.

    Raises:
        IntegrityError, IncompleteError: the plan may not be carried out.
    """
    if plan.exit_code is not ExitCode.PASS:
        found = plan.verification.first_broken
        what = found[1].sentence if found else "Nothing could be verified, so that nothing may be deployed."
        raise (IntegrityError if plan.exit_code is ExitCode.INTEGRITY else IncompleteError)(what, remedy=found[1].remedy if found else "")
    with interrupts() as interrupted:
        done = [one for place in plan.places for one in _at(case, plan, place, say, interrupted)]
    chains = tuple({chain.subject: chain for one in done if one.verified for chain in one.verified.chains}.values())
    release, unrecorded = _recorded(case, plan, done)
    return Deployed(
        release=release,
        deployments=tuple(one.deployment for one in done),
        verification=replace(case.verified, chains=chains),
        verdicts={_place_of(one.deployment): _VERDICTS[one.verified.exit_code] for one in done if one.verified},
        unrecorded=unrecorded,
    )


def _place_of(one: Deployment) -> str:
    return f"{one.account}/{one.region}/{one.function}"


def _at(case: Deploying, plan: DeployPlan, place: PlacePlan, say: Say, interrupted: Callable[[], str]) -> Iterator[Done]:
    """All functions of one place, several at once, after their layers."""
    began = case.now()
    until = began + (case.request.deadline or case.policy.deploy.deadline)
    run = Run(id=plan.run, began=began, deadline=until, command=command_of(case, place.target))
    layers = {one.wanted.artifact.subject.removeprefix("layer:"): one.arn or _published(case, place, one, say) for one in place.layers}
    work = _work(case, place.looks, say=say, until=until, interrupted=interrupted)

    def one(function: FunctionPlan) -> Done:
        live = function.live
        if live is None:
            raise ConfigError(f"There is no function {function.name}.", remedy="Create it.")
        arns = layers_of(function.wanted, layers, places_of(place.aws))
        verify = _verify(case, place, function)
        return Course(plan=function, live=live, work=work, run=run, layers=arns, verify=verify).carry_out()

    with ThreadPoolExecutor(max_workers=max(1, min(case.request.jobs, len(place.functions))), thread_name_prefix="deploy") as pool:
        yield from pool.map(one, place.functions)


def _published(case: Deploying, place: PlacePlan, one: LayerPlan, say: Say) -> str:
    told = one.wanted.artifact.told
    say(f"{one.wanted.name}: publishing the layer")
    return published(place.aws, one.wanted.signed, name=one.wanted.name, sleep=case.sleep, runtimes=told.runtimes,
                     architectures=told.architectures).arn  # fmt: skip


def _verify(case: Deploying, place: PlacePlan, plan: FunctionPlan) -> Callable[[str], Verification]:
    def look_again(called: str) -> Verification:
        request = replace(case.verify, now=case.now())
        return verify_functions(
            [called], request, lambda _place: place.aws, artifacts={plan.name: plan.wanted.artifact.subject}, clock=case.clock,
            sleep=case.sleep,
        )  # fmt: skip

    return look_again


def _recorded(case: Deploying, plan: DeployPlan, done: list[Done]) -> tuple[Release, ShipsafeError | None]:
    told = [(one.deployment, next(iter(one.verified.chains), None) if one.verified else None) for one in done]
    request = RecordRequest(trusted=case.policy.attest, run=plan.run, today=case.now().date(), signers=case.request.signers,
                            stage=case.request.stage, store=case.store)  # fmt: skip
    try:
        return keep_record(case.output, case.release, told, request), None
    except ShipsafeError as error:
        return case.release, error


def command_of(case: Deploying, target: SignTarget) -> str:
    """What goes on with it, on any machine that has the release."""
    words = ["shipsafe", "deploy", str(case.request.out), "--target", target.name]
    return " ".join(shlex.quote(word) for word in words)
