"""The plan of `enforce` at one account and Region: what each function gets, what holds it back, and the changes in their order.

    no configuration -> one that warns -> (N quiet days, every layer allowed) -> one that enforces

A mode belongs to a configuration and not to a function, so there are two: a function gets from Warn to Enforce when the other one is
attached to it. What enforces is never loosened. How a configuration itself is changed says `roles`.

Making a plan changes nothing; made again after it was carried out, it is empty.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipsafe.adapters.aws.code_signing import ENFORCE
from shipsafe.adapters.aws.looks import Looks
from shipsafe.enforce.changes import Attach, Change, Make, Mark
from shipsafe.enforce.look import Standing, What
from shipsafe.enforce.readiness import WARNED, Readiness, readiness, warned, warned_since
from shipsafe.enforce.roles import Case, Goal, Role, is_right, roles_at, shape
from shipsafe.enforce.wanted import Wanted
from shipsafe.model.deployment import Step
from shipsafe.model.enforcement import Enforcing


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPlan:
    """What becomes of a function. `holding`: what keeps it from what is wanted of it, as sentences; none where nothing does."""

    case: Case
    goal: Goal
    readiness: Readiness
    holding: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePlan:
    """What is done at one account and Region. A stage of changes begins when the one before was done without a fault."""

    looks: Looks
    wanted: Wanted
    functions: tuple[FunctionPlan, ...]
    stages: tuple[tuple[Change, ...], ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All changes, for people; none where everything is as far as it can be."""
        return tuple(change.step for stage in self.stages for change in stage)


def plan_at(
    looks: Looks,
    wanted: Wanted,
    cases: Sequence[Case],
    *,
    quiet: timedelta,
    errors: Mapping[str, int],
    known: Callable[[str], bool],
    now: datetime,
) -> PlacePlan:
    """Plan for the functions of one place.

    Args:
        looks: there.
        wanted: what the policy wants there.
        cases: the functions that are meant, as they were looked at.
        quiet: how long Warn must have counted nothing; zero for not at all.
        errors: SignatureValidationErrors of that time, by function; one that is not in it is one that nobody knows of.
        known: whether a function is one of ours.
        now: UTC.

    Raises:
        ConfigError: there is no configuration of the ARN that the policy names.
        IncompleteError: Lambda refused or gave no answer.
    """
    roles = roles_at(looks, wanted)
    ready = {case.name: _readiness(case, wanted, errors.get(case.name), quiet, now) for case in cases}
    meant = {case.name: _goal(case, wanted, roles, ready[case.name]) for case in cases}
    goals = dict(meant)
    for role in roles.values():
        shape(looks, wanted, role, cases, goals, known)
        if not role.usable:
            goals |= {name: Goal.AS_IT_IS for name, goal in goals.items() if goal.value == role.mode.value}
    functions = tuple(_function(case, meant[case.name], goals[case.name], ready[case.name], roles) for case in cases)
    stages = [stage for role in roles.values() for stage in _stages(wanted, role, roles, functions, now)]
    return PlacePlan(looks=looks, wanted=wanted, functions=functions, stages=tuple(stage for stage in stages if stage))


def _readiness(case: Case, wanted: Wanted, errors: int | None, quiet: timedelta, now: datetime) -> Readiness:
    one = case.standing.configuration
    # Where fewer were let in than are wanted, nothing was let through that went uncounted.
    warning = one is not None and one.policy != ENFORCE and {*one.publishers} <= {*wanted.publishers}
    since = warned_since(case.tags or {}, now) if warning else None
    return readiness(case.standing.layers, since=since, errors=errors, quiet=quiet, now=now)


def _goal(case: Case, wanted: Wanted, roles: Mapping[Enforcing, Role], ready: Readiness) -> Goal:
    one, enforcing, standing = case.standing.configuration, roles[Enforcing.ENFORCE].one, case.standing
    if standing.running is None or standing.image or case.tags is None or not _looked(standing):
        return Goal.AS_IT_IS
    if standing.enforces:
        here = enforcing is not None and one is not None and one.arn == enforcing.arn
        good = one is not None and wanted.named is None and is_right(one, wanted, Enforcing.ENFORCE) and not _shared(standing)
        blocked = any(not layer.allowed for layer in standing.layers)
        return Goal.AS_IT_IS if here or good or blocked else Goal.ENFORCE
    return Goal.ENFORCE if case.mode is Enforcing.ENFORCE and ready.ready else Goal.WARN


def _looked(standing: Standing) -> bool:
    """Whether its configuration is known, or that it has none."""
    return standing.configuration is not None or any(one.what is What.NO_CONFIGURATION for one in standing.wrongs)


def _shared(standing: Standing) -> bool:
    return any(one.what is What.SHARED for one in standing.wrongs)


def _function(case: Case, meant: Goal, goal: Goal, ready: Readiness, roles: Mapping[Enforcing, Role]) -> FunctionPlan:
    standing, holding = case.standing, list[str]()
    if meant is Goal.WARN and case.mode is Enforcing.ENFORCE:
        holding += ready.holding
    if meant is Goal.AS_IT_IS:
        holding += [f"{layer.sentence} {layer.remedy}".strip() for layer in standing.layers if not layer.allowed]
    under = standing.configuration.arn if standing.configuration else None
    for role in roles.values():
        if role.blocked and (meant.value == role.mode.value or (role.one is not None and role.one.arn == under)):
            holding.append(role.blocked)
    return FunctionPlan(case=case, goal=goal, readiness=ready, holding=tuple(holding))


def _stages(
    wanted: Wanted, role: Role, roles: Mapping[Enforcing, Role], functions: Sequence[FunctionPlan], now: datetime
) -> Iterator[tuple[Change, ...]]:  # fmt: skip
    """First the configuration, then whom it is attached to, each function with its tag."""
    mine = [one for one in functions if one.goal.value == role.mode.value]
    if role.one is None and any(True for one in mine for _ in _attached(wanted, role, roles, one)):
        yield (Make(mode=role.mode, description=wanted.description(role.mode), publishers=wanted.publishers),)
    elif role.alter is not None:
        yield (role.alter,)
    attached = [change for one in mine for change in _attached(wanted, role, roles, one)]
    if role.mode is Enforcing.WARN:
        new = [one for one in mine if one.readiness.since is None and not role.blocked]
        yield (*attached, *(Mark(function=_arn(one), tags=warned(now)) for one in new))
    else:
        past = [one for one in functions if WARNED in (one.case.tags or {}) and (one in mine or one.case.standing.enforces)]
        yield (*attached, *(Mark(function=_arn(one), tags={}) for one in past))


def _attached(wanted: Wanted, role: Role, roles: Mapping[Enforcing, Role], one: FunctionPlan) -> Iterator[Attach]:
    """The change that puts a function under the configuration of a role; none where it is, or is under one that is as good."""
    standing, enforcing = one.case.standing, roles[Enforcing.ENFORCE].one
    there = standing.configuration
    if there is not None and role.one is not None and there.arn == role.one.arn:
        return
    other = there is not None and enforcing is not None and there.arn == enforcing.arn
    if role.mode is Enforcing.WARN and there is not None and not other and is_right(there, wanted, role.mode) and not _shared(standing):
        return
    yield Attach(function=one.case.name, mode=role.mode, before=there.arn if there else None, to=role.one.arn if role.one else None,
                 why=_why(one))  # fmt: skip


def _why(one: FunctionPlan) -> str:
    before, since = one.case.standing.configuration, one.readiness.since
    if one.goal is Goal.WARN:
        return "it has none" if before is None else "the one that is attached is not as the policy wants it"
    if one.case.standing.enforces:
        return "the one that is attached is not the policy's; this one enforces, too"
    return f"Lambda has warned since {since:%Y-%m-%d}, and nothing holds it back" if since else "nothing holds it back"


def _arn(one: FunctionPlan) -> str:
    running = one.case.standing.running
    return running.function if running else one.case.name
