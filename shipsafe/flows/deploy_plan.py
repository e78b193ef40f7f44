"""What is left to do at every place, and whether it may be done. Making a plan changes nothing; made a second time it is empty."""

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shipsafe.adapters.aws.callers import callers_of_latest
from shipsafe.adapters.aws.looks import Looks, open_looks
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy import codedeploy
from shipsafe.deploy.look import Live, look
from shipsafe.deploy.managed import built_for, manager_of, refusal
from shipsafe.deploy.plan import FunctionPlan, layers_of, plan_of
from shipsafe.deploy.rollout import check_time
from shipsafe.deploy.smoke import payload_of
from shipsafe.deploy.unclear import check_clear
from shipsafe.deploy.wanted import Wanted, called, wanted
from shipsafe.deploy.work import Work
from shipsafe.errors import ConfigError, ExitCode, ShipsafeError
from shipsafe.flows.deploy_case import Deploying
from shipsafe.flows.deploy_checks import checked, failed, former
from shipsafe.flows.deploy_create import creation
from shipsafe.flows.targets import place_of
from shipsafe.model.chain import Chain, Verification
from shipsafe.model.deployment import Rollout
from shipsafe.model.signing import SignTarget
from shipsafe.signing.layer_versions import found_layer
from shipsafe.verify.shelf import open_shelf
from shipsafe.verify.signed_code import Site
from shipsafe.verify.trusted import Trusted

_LOOKING = timedelta(minutes=2)  # how long a change of somebody else is waited for before anything is planned
_IMAGE = "Image"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """A layer of the project: `arn` of the version that holds it, "" where one is to be published."""

    wanted: Wanted
    arn: str = ""

    @property
    def name(self) -> str:
        """As functions of the project call it."""
        return self.wanted.artifact.subject.removeprefix("layer:")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePlan:
    """All that is left to do at one target."""

    target: SignTarget
    looks: Looks
    site: Site
    layers: tuple[LayerPlan, ...]
    functions: tuple[FunctionPlan, ...]

    @property
    def aws(self) -> Aws:
        """The account and Region."""
        return self.looks.aws


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployPlan:
    """What is left to do everywhere, and whether it may be done: `verification` holds a chain for each zip and each function.

    `remarks`: what whoever is asked should know. `run`: the id that the deployment will have.
    """

    places: tuple[PlacePlan, ...]
    verification: Verification
    remarks: tuple[str, ...] = ()
    run: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed."""
        return any(not one.empty for place in self.places for one in place.functions)

    @property
    def exit_code(self) -> ExitCode:
        """0 where it may be done, else that of the gravest thing that does not hold."""
        return self.verification.exit_code


def planned(case: Deploying) -> DeployPlan:
    """Look at everything, and say what is left to do. Changes nothing.

    Raises:
        ConfigError: nobody says what a function is called, there is none of that name, or it cannot be deployed as is asked for.
        NothingError: the release holds no function.
        ShipsafeError: something was not signed for the target, or AWS cannot be asked at all.
    """
    places, chains, chosen = list[PlacePlan](), list[Chain](), set[str]()
    for target in case.targets:
        every = wanted(case.release, case.policy.deploy, target.name, only=case.request.functions)
        for one in every:
            _check_how(one, case.deadline)
        place, found = _at(case, target, every)
        places.append(place)
        chains += found
        chosen |= {one.artifact.subject for one in every}
    files = [one for one in case.verified.chains if one.subject in chosen]
    remarks = [line for place in places for one in place.functions for line in one.remarks]
    return DeployPlan(places=tuple(places), verification=replace(case.verified, chains=(*files, *chains)), remarks=tuple(remarks))


def _check_how(one: Wanted, deadline: timedelta) -> None:
    """What can be said before AWS is asked.

    Raises:
        ConfigError: it cannot go live in that way.
    """
    how = one.how
    if one.is_layer:
        return
    if not one.alias and how.strategy.rollout is not Rollout.ALL_AT_ONCE:
        what = f"{one.name} has no alias, so that all of its calls go to new code at once: a {how.strategy.rollout} roll-out cannot be."
        raise ConfigError(what, remedy=f'Give it one (`alias = "live"`) that its callers use, or write rollout = "{Rollout.ALL_AT_ONCE}".')
    if one.alias and not how.codedeploy:
        check_time(how.strategy, deadline)
    if how.smoke:
        payload_of(how.smoke)


def _at(case: Deploying, target: SignTarget, every: tuple[Wanted, ...]) -> tuple[PlacePlan, list[Chain]]:
    """The plan at one target, and a chain for each function."""
    aws = case.connect(place_of(target))
    looks = open_looks(aws, case.clock, case.sleep)
    functions = [one for one in every if not one.is_layer]
    site = Site(
        looks=looks, trusted=Trusted(policy=case.policy.sign, account=aws.account, region=aws.region), shelf=open_shelf(case.verify),
        names=called(case.release, case.policy.deploy), asked=frozenset(one.name for one in functions),
    )  # fmt: skip
    layers = tuple(LayerPlan(wanted=one, arn=_there(looks, one)) for one in every if one.is_layer)
    known = {one.name: one.arn for one in layers if one.arn}
    work = case.work(looks, say=lambda _line: None, until=case.now() + _LOOKING)

    def one(wanted_one: Wanted) -> tuple[FunctionPlan | None, Chain]:
        try:
            plan = _plan(case, work, site, wanted_one, known)
        except ConfigError:
            raise
        except ShipsafeError as error:
            return None, failed(wanted_one.name, error)
        return plan, checked(site, plan)

    with ThreadPoolExecutor(max_workers=min(case.request.jobs, len(functions)), thread_name_prefix="look") as pool:
        found = list(pool.map(one, functions))
    plans = tuple(plan for plan, _ in found if plan is not None)
    return PlacePlan(target=target, looks=looks, site=site, layers=layers, functions=plans), [chain for _, chain in found]


def _there(looks: Looks, one: Wanted) -> str:
    looks.pace.turn()
    layer = found_layer(looks.aws, one.signed, one.name)
    return layer.arn if layer else ""


def _plan(case: Deploying, work: Work, site: Site, one: Wanted, layers: Mapping[str, str]) -> FunctionPlan:
    """What is left to do for one function.

    Raises:
        ConfigError: there is none of that name, or it is not deployed by us.
        ShipsafeError: it could not be looked at.
    """
    aws = site.looks.aws
    live = look(work, one.name)
    manager = manager_of(live.whole.tags if live else {}, source=built_for(case.release))
    if manager is not None:
        raise refusal(one.name, manager, f"{case.request.out}{f' --stage {case.request.stage}' if case.request.stage else ''}")
    check_clear(one.artifact.name, one.artifact.told, case.policy.deploy.of(one.artifact.name))
    arns = layers_of(one, layers, pseudo_parameters(aws))
    if live is None:
        return creation(case, site, one, arns)
    if live.latest.package == _IMAGE:
        what = f"Function {one.name} runs a container image, which takes no zip and cannot be code-signed."
        raise ConfigError(what, remedy="Give the release's function another name in a [[deploy.function]].")
    plan = plan_of(one, live, arns)
    _check_roles(plan, live)
    plan = replace(_by_codedeploy(aws, plan, live), configuration=site.looks.attached(one.name) or "")
    if one.alias or plan.empty:
        return plan
    return replace(plan, former=former(site, live.latest), remarks=(_callers(site.looks, one.name),))


def _callers(looks: Looks, name: str) -> str:
    """Who gets new code at once, because the function is called without an alias."""
    try:
        found = callers_of_latest(looks.aws, name, looks.pace)
    except ShipsafeError as error:
        said = f"nobody could say who that is: {error.what}"
    else:
        said = "; ".join(found) if found else "Lambda knows of none but whoever may invoke it"
    return (
        f"{name} has no alias: all of its callers get the new code at once, and no part of the calls can be watched first. Callers: {said}."
    )


def _check_roles(plan: FunctionPlan, live: Live) -> None:
    """An alias shares its calls only between versions of one execution role ("Configuring alias routing").

    Raises:
        ConfigError: it could not be moved step by step.
    """
    strategy = plan.wanted.how.strategy
    before = next((one for one in live.versions if one.version == plan.before), None)
    if plan.shift and len(strategy.shares) > 1 and before is not None and before.role != live.latest.role:
        what = f"Version {before.version} of {plan.name} has another execution role than $LATEST: no alias can share calls between them."
        raise ConfigError(what, remedy=f'Deploy it once with rollout = "{Rollout.ALL_AT_ONCE}", or give it back its role.')


def _by_codedeploy(aws: Aws, plan: FunctionPlan, live: Live) -> FunctionPlan:
    """The same where CodeDeploy moves the alias: it cannot make one."""
    one = plan.wanted
    if one.how.codedeploy is None or not one.alias or live.alias(one.alias) is None:
        return plan
    told = one.artifact.told.preference
    by, strategy = codedeploy.prepared(
        aws, one.how, before_hook=told.before_hook if told else None, after_hook=told.after_hook if told else None
    )
    return replace(plan, wanted=replace(one, how=replace(one.how, strategy=strategy)), by=by)


def pseudo_parameters(aws: Aws) -> dict[str, str]:
    """What stands for those of CloudFormation."""
    return {"${AWS::AccountId}": aws.account, "${AWS::Region}": aws.region, "${AWS::Partition}": aws.partition}
