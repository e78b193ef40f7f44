"""The straight line of `enforce`: places, which functions, how they stand, the plan, and the changes.

    found = survey(EnforceRequest(policy=policy, everything=True), open_aws, now=now)
    found.exit_code                # what `--check` ends with: 5, 4 or 0
    carry_out(found, ...)

What one place does not tell never hides what is wrong at another.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from shipsafe.adapters.aws.functions import LATEST, FunctionName, list_functions
from shipsafe.adapters.aws.looks import Looks, open_looks
from shipsafe.adapters.aws.metrics import signature_errors
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.adapters.shown import shown
from shipsafe.deploy.unclear import open_questions
from shipsafe.deploy.wanted import called
from shipsafe.enforce.apply import Applied, apply
from shipsafe.enforce.changes import Change
from shipsafe.enforce.look import What, Wrong, enforcement_of
from shipsafe.enforce.plan import FunctionPlan, PlacePlan, plan_at
from shipsafe.enforce.readiness import Readiness, looked_from
from shipsafe.enforce.roles import Case, Goal
from shipsafe.enforce.wanted import Wanted, wanted_at
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, NothingError, ShipsafeError, gravest
from shipsafe.flows.enforce_places import places, signing_at
from shipsafe.model.enforcement import Enforcing, Ring
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.packing.release import Release

_WORKERS = 8
Connect = Callable[[Place], Aws]
Asked = TypeVar("Asked")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceRequest:
    """What somebody asked for.

    Attributes:
        policy: says who may sign, and which rings there are.
        names: functions, by name or ARN. Without any, those of the rings.
        targets: names of the `[[sign.target]]`s whose places are meant; all where none is named.
        everything: every function of these places is meant.
    """

    policy: Policy
    names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceSurvey:
    """How everything stands, and what is to be done; nothing was changed. `unlooked`: errors of whole places, and of CloudWatch."""

    places: tuple[PlacePlan, ...]
    unlooked: tuple[ShipsafeError, ...] = ()

    @property
    def functions(self) -> tuple[tuple[PlacePlan, FunctionPlan], ...]:
        """All functions, place by place."""
        return tuple((place, one) for place in self.places for one in place.functions)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything that is to be changed; none where all is as far as it can be."""
        return tuple(change for place in self.places for stage in place.stages for change in stage)

    @property
    def exit_code(self) -> ExitCode:
        """5 where something is wrong, else 4 where something could not be looked at."""
        codes = [wrong.code for _, one in self.functions for wrong in one.case.standing.wrongs]
        return gravest([*codes, *(ExitCode.INCOMPLETE for _ in self.unlooked)])


def survey(
    request: EnforceRequest,
    connect: Connect,
    *,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda _line: None,
) -> EnforceSurvey:
    """Look at every function that is meant, and plan. Changes nothing.

    Args:
        request: what is asked for.
        connect: opens AWS at a place.
        now: UTC.
        clock: seconds that only go forward, for the pace of the calls.
        sleep: likewise.
        say: told how far it is.

    Raises:
        ConfigError: nobody says which functions, or the policy says nothing of who may sign.
        NothingError: there are none.
        IncompleteError: there are no credentials, or a profile could not be looked at.
        IntegrityError: the credentials are another account's, or a profile was revoked.
    """
    asked = [FunctionName.parse(name) for name in dict.fromkeys(request.names)]
    if qualified := [one.text for one in asked if one.qualifier is not None]:
        remedy = "Leave out the version or alias."
        raise ConfigError(f"A code-signing configuration belongs to a whole function, and not to {qualified[0]}.", remedy=remedy)
    if not asked and not request.everything and not request.policy.enforce.rings:
        remedy = "Name functions, add an [[enforce.ring]] to the policy, or say --all for every function of the account and Region."
        raise ConfigError("Nobody says which functions are meant.", remedy=remedy, path=request.policy.path)
    plans: list[PlacePlan] = []
    unlooked: list[ShipsafeError] = []
    there = list(places(request.policy, request.targets, connect))
    unlooked += _elsewhere(asked, [aws for aws, _ in there])
    for aws, targets in there:
        try:
            plans.append(_planned(open_looks(aws, clock, sleep), request, asked, targets, now, unlooked, say))
        except IncompleteError as error:  # what another place has is told all the same
            unlooked.append(error)
    if not any(plan.functions for plan in plans):
        if unlooked:
            raise unlooked[0]
        where = ", ".join(f"account {one.wanted.account}, {one.wanted.region}" for one in plans)
        raise NothingError(f"No function is meant in {where}.", remedy="Check the rings of the policy, the Region and the credentials.")
    if not (asked or request.everything or request.targets):
        unlooked += _unreached(request.policy, {aws.account for aws, _ in there})
    return EnforceSurvey(places=tuple(plans), unlooked=tuple(unlooked))


def _elsewhere(asked: Sequence[FunctionName], there: Sequence[Aws]) -> Iterator[ShipsafeError]:
    """Functions that are named where no target is: nobody looks at them, so nobody may say that they are in order."""
    for one in asked:
        if not any(one.account in (None, aws.account) and one.region in (None, aws.region) for aws in there):
            what = f"Function {one.text} is where no target of the policy is: it was not looked at."
            yield IncompleteError(what, remedy="Add a [[sign.target]] or a [[deploy.stage]] for its account and Region, or leave it out.")


def _unreached(policy: Policy, accounts: Collection[str]) -> Iterator[ShipsafeError]:
    """Rings with an account that no target is in."""
    for ring in policy.enforce.rings:
        for account in ring.accounts:
            if account not in accounts:
                what = f"Ring {shown(ring.name, 80)} names account {account}, where no target of the policy is: it was not looked at."
                yield IncompleteError(what, remedy="Add a [[sign.target]] or a [[deploy.stage]] for it, or take it out of the ring.")


def _planned(
    looks: Looks, request: EnforceRequest, asked: Sequence[FunctionName], targets: Sequence[SignTarget], now: datetime,
    unlooked: list[ShipsafeError], say: Callable[[str], None],
) -> PlacePlan:  # fmt: skip
    """The plan of one place.

    Raises:
        ShipsafeError: as `survey`.
    """
    aws, policy = looks.aws, request.policy
    wanted = wanted_at(looks, policy, signing_at(aws, policy, targets))
    met = _each(lambda name: _met(looks, policy, name), _names(looks, request, asked))
    met = tuple(one for one in met if asked or request.everything or one.ring is not None or one.unread is not None)
    say(f"account {aws.account}, {aws.region}: {len(met)} function{'' if len(met) == 1 else 's'}")
    known = _known(looks, wanted, policy, frozenset(one.name for one in met))
    cases = _each(lambda one: _case(looks, wanted, one, known, now), met)
    errors = _errors(aws, policy, cases, now, unlooked)
    try:
        return plan_at(looks, wanted, cases, quiet=policy.enforce.quiet, errors=errors, known=known, now=now)
    except IncompleteError as error:  # how the functions stand is known
        unlooked.append(error)
        held = tuple(FunctionPlan(case=case, goal=Goal.AS_IT_IS, readiness=Readiness(), holding=(error.what,)) for case in cases)
        return PlacePlan(looks=looks, wanted=wanted, functions=held, stages=())


def names_of(release: Release, policy: Policy) -> tuple[str, ...]:
    """What the functions of a release are called in the account: as the policy says, else the template, else as the release does.

    Raises:
        ConfigError: the template does not say for certain what one is called, and the policy says nothing.
        NothingError: it has none.
    """
    found = called(release, policy.deploy)
    if not found:
        raise NothingError("The release holds no function.", remedy="Name the folder of another.", path=str(release.out))
    for one in release.artifacts:
        if one.subject in found.values():
            unclear = [text for text in open_questions(one.told, policy.deploy.of(one.name)) if text.startswith("name:")]
            if unclear:
                what = f"The template does not say for certain what {one.name} is called: {shown(unclear[0], 300)}."
                raise ConfigError(what, remedy=f'Write it into the policy: [[deploy.function]] function = "{one.name}", name = "...".')
    return tuple(found)


def carry_out(
    found: EnforceSurvey, *, sleep: Callable[[float], None] = time.sleep, say: Callable[[PlacePlan, Change], None]
) -> tuple[Applied, ...]:  # fmt: skip
    """Make the changes, place after place; what cannot be done does not keep another place from being done."""

    def done(place: PlacePlan) -> Applied:
        return apply(place, sleep=sleep, say=lambda change: say(place, change))

    return tuple(done(place) for place in found.places)


def _names(looks: Looks, request: EnforceRequest, asked: Sequence[FunctionName]) -> tuple[str, ...]:
    """The functions to look at: those that are named and can be here, else all."""
    if asked:
        aws = looks.aws
        here = [one for one in asked if one.account in (None, aws.account) and one.region in (None, aws.region)]
        return tuple(dict.fromkeys(one.name for one in here))
    names = (one.name for one in list_functions(looks.aws, versions=False))
    return tuple(name for name in names if request.everything or request.policy.enforce.may_have(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """A function before it is looked at: its tags, or why they could not be read, and with them its ring and what is wanted of it."""

    name: str
    ring: Ring | None
    mode: Enforcing
    tags: Mapping[str, str] | None = None
    unread: ShipsafeError | None = None


def _met(looks: Looks, policy: Policy, name: str) -> _Met:
    tags: Mapping[str, str] | None = None
    unread: ShipsafeError | None = None
    try:
        tags = looks.tags(name)
    except ShipsafeError as error:
        unread = error
    ring = policy.enforce.ring_of(name, looks.aws.account, tags or {})
    return _Met(name=name, ring=ring, mode=ring.mode if ring else policy.enforce.mode, tags=tags, unread=unread)


def _case(looks: Looks, wanted: Wanted, met: _Met, known: Callable[[str], bool], now: datetime) -> Case:
    standing = enforcement_of(looks, wanted, met.name, now=now, mode=met.mode, known=known)
    if met.unread is not None and standing.running is not None:
        unread = Wrong(what=What.UNLOOKED, sentence=met.unread.what, remedy=met.unread.remedy)
        standing = replace(standing, wrongs=(*standing.wrongs, unread))
    return Case(standing=standing, ring=met.ring.name if met.ring else "", mode=met.mode, tags=met.tags)


def _known(looks: Looks, wanted: Wanted, policy: Policy, asked: frozenset[str]) -> Callable[[str], bool]:
    """Whether a function is one of ours: meant now, named by the policy, in a ring, or running what a profile of ours has signed."""
    named = {str(rule.changes["name"]) for rule in policy.deploy.rules if "name" in rule.changes}
    ours = {*wanted.publishers} - {one.arn for one in policy.sign.publishers}

    def known(name: str) -> bool:
        if name in asked or name in named:
            return True
        if policy.enforce.ring_for(name, looks.aws.account, lambda: looks.tags(name)) is not None:
            return True
        running = looks.function(name, LATEST)
        return running is not None and running.profile_version in ours

    return known


def _errors(aws: Aws, policy: Policy, cases: Sequence[Case], now: datetime, unlooked: list[ShipsafeError]) -> Mapping[str, int]:
    """What CloudWatch counted of the functions that wait for Enforce."""
    quiet = policy.enforce.quiet
    waiting = [one.name for one in cases if one.mode is Enforcing.ENFORCE and one.standing.configuration and not one.standing.enforces]
    if not quiet or not waiting:
        return {}
    try:
        return signature_errors(aws, waiting, since=looked_from(quiet, now), until=now)
    except ShipsafeError as error:
        unlooked.append(error)
        return {}


def _each(look: Callable[[Asked], Value], several: Sequence[Asked]) -> tuple[Value, ...]:
    """Look at several functions at once, at the pace that their looks keep."""
    with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="shipsafe-enforce") as pool:
        try:
            return tuple(pool.map(look, several))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
