"""The straight line of `doctor`: targets, who we are at each, what `bootstrap` would look at, who else may sign. It changes nothing.

What may not be looked at is `unknown`, and ends with 4; it is never taken for well.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from shipsafe.adapters.aws.code_signing import (
    Configuration,
    ListedProfile,
    functions_under,
    list_configurations,
    list_profiles,
    signatures_that_expire,
)
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ExitCode, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.flows.bootstrap import survey_stage, surveyed
from shipsafe.flows.pipeline_places import Pipeline, pipeline_of
from shipsafe.flows.targets import PASTE, once_a_place, place_of
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.check import Check, State
from shipsafe.signing.setup.configurations import chosen
from shipsafe.signing.setup.identity import credentials_until, identity_checks
from shipsafe.signing.setup.look import ConfigurationLook, Connected
from shipsafe.signing.setup.users import publisher_checks

Listed = TypeVar("Listed")

_SOON = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """An account and Region, with its profiles and code-signing configurations, and when the credentials end.

    None for what could not be listed, or, of a stage, was not.
    """

    aws: Aws
    targets: tuple[str, ...]
    until: datetime | None
    profiles: tuple[ListedProfile, ...] | None
    configurations: tuple[Configuration, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """All that was found, in the order in which it is told."""

    places: tuple[Where, ...]
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> ExitCode:
        """0 all well, 4 something is missing or could not be looked at, 5 trust is wrong."""
        return max((check.code for check in self.checks), default=ExitCode.INCOMPLETE)


def examine(
    policy: Policy, targets: Sequence[SignTarget], connect: Callable[[Place], Aws], clock: Callable[[], datetime], *, elsewhere: bool = True
) -> Examined:
    """Look at all that signing needs, at every target; where the policy has none, at the account that AWS's configuration leads to.

    Args:
        policy: whose targets they are.
        targets: of it.
        connect: opens a session.
        clock: UTC.
        elsewhere: whether the roles of their stages in other accounts are looked at, too.

    Raises:
        ConfigError: no region or an unknown named profile, or two targets contradict each other.
    """
    checks: list[Check] = []
    connected: list[Connected] = []
    opened = once_a_place(connect)
    for target in targets:
        try:
            connected.append((target, opened(place_of(target))))
        except (IncompleteError, IntegrityError) as error:
            checks.append(_refused((target.name,), "credentials", error))
    sites: dict[tuple[str, str], tuple[Aws, list[str]]] = {}
    for target, aws in connected:
        sites.setdefault((aws.account, aws.region), (aws, []))[1].append(target.name)
    if not targets:
        remedy = f"Add one to the policy, for example:\n{PASTE}"
        checks.append(Check(targets=(), about="policy", state=State.MISSING, says="It names no place to sign.", remedy=remedy))
        try:
            sites["", ""] = (connect(Place()), [])
        except IncompleteError as error:
            checks.append(_refused((), "credentials", error))
    places = [_place(aws, tuple(names), checks, clock) for aws, names in sites.values()]
    survey = surveyed(connected, pipeline=_pipeline(policy, connected, opened, checks, elsewhere=elsewhere))
    checks += survey.checks
    known = {*policy.accounts, *policy.publishers, *(one.profile_owner for one in targets if one.profile_owner is not None)}
    for look in survey.looked.configurations:
        checks += _trusted(look, places, known)
    return Examined(places=tuple(places), checks=tuple(checks))


def examine_stage(policy: Policy, name: str, connect: Callable[[Place], Aws], clock: Callable[[], datetime]) -> Examined:
    """Look at the roles of a stage alone, in its account; where is signed is another account's matter.

    Raises:
        ConfigError: there is no such stage, or the policy names no roles.
        IncompleteError: there are no credentials.
        IntegrityError: they are another account's.
    """
    survey = survey_stage(policy, name, connect)
    targets: dict[tuple[str, str], tuple[Aws, list[str]]] = {}
    for target, aws in survey.places:
        targets.setdefault((aws.account, aws.region), (aws, []))[1].append(target.name)
    checks: list[Check] = []
    places = []
    for aws, names in targets.values():
        checks += identity_checks(aws, tuple(names), clock)
        places.append(Where(aws=aws, targets=tuple(names), until=credentials_until(aws), profiles=None, configurations=None))
    return Examined(places=tuple(places), checks=(*checks, *survey.checks))


def _refused(targets: tuple[str, ...], about: str, error: ShipsafeError) -> Check:
    state = State.WRONG if isinstance(error, IntegrityError) else State.UNKNOWN
    return Check(targets=targets, about=about, state=state, says=error.what, remedy=error.remedy)


def _pipeline(
    policy: Policy, connected: Sequence[Connected], opened: Callable[[Place], Aws], checks: list[Check], *, elsewhere: bool
) -> Pipeline | None:
    """Where its roles are; where another target of an account cannot be reached, a check says so, and no role is looked at."""
    try:
        return pipeline_of(policy, connected, opened, elsewhere=elsewhere)
    except (IncompleteError, IntegrityError) as error:
        checks.append(_refused((), "roles", error))
        return None


def _listed(targets: tuple[str, ...], about: str, call: Callable[[], Listed], checks: list[Check]) -> Listed | None:
    """What a call gives; where it is refused, a check says so."""
    try:
        return call()
    except IncompleteError as error:
        checks.append(_refused(targets, about, error))
        return None


def _place(aws: Aws, targets: tuple[str, ...], checks: list[Check], clock: Callable[[], datetime]) -> Where:
    checks += identity_checks(aws, targets, clock)
    now = clock()
    profiles = _listed(targets, "profiles", lambda: list_profiles(aws), checks)
    configurations = _listed(targets, "code-signing configurations", lambda: list_configurations(aws), checks)
    soon = _listed(targets, "signatures", lambda: signatures_that_expire(aws, PLATFORM, after=now, before=now + _SOON), checks)
    for name, count in sorted((soon or {}).items()):
        says = f"{count} of profile {name} expire before {now + _SOON:%Y-%m-%d}: a roll-back to what they are on is refused then."
        checks.append(Check(targets=targets, about="signatures", state=State.NOTE, says=says))
    return Where(aws=aws, targets=targets, until=credentials_until(aws), profiles=profiles, configurations=configurations)


def _trusted(look: ConfigurationLook, places: Sequence[Where], known: Collection[str]) -> Iterator[Check]:
    """Whom the code-signing configuration of some targets trusts, and what it is attached to."""
    aws, one = look.profile.aws, chosen(look)
    where = next(place for place in places if (place.aws.account, place.aws.region) == (aws.account, aws.region))
    if one is None:
        return
    if where.profiles is not None:
        yield from publisher_checks(aws, look.targets, one, where.profiles, known)
    refusals: list[Check] = []
    functions = _listed(look.targets, "functions", lambda: functions_under(aws, one.arn), refusals)
    yield from refusals
    if functions is not None:
        says = f"{len(functions)} under {one.arn}." if functions else f"None is under {one.arn}: it enforces nothing yet."
        yield Check(targets=look.targets, about="functions", state=State.OK if functions else State.NOTE, says=says)


def document(found: Examined) -> dict[str, Any]:
    """What was found as JSON; docs/guides/doctor.md describes it."""
    return {
        "format": 1,
        "exit_code": int(found.exit_code),
        "local": any(place.aws.local for place in found.places),
        "places": [_described(place) for place in found.places],
        "checks": [
            {"targets": list(one.targets), "about": one.about, "state": str(one.state), "says": one.says, "remedy": remedy_of(one)}
            for one in found.checks
        ],
    }


def remedy_of(check: Check) -> str:
    """What to do about a check, the command that does it included."""
    return check.remedy or ("Run `shipsafe bootstrap`." if check.mends else "")


def _described(place: Where) -> dict[str, Any]:
    profiles, configurations = place.profiles, place.configurations
    return {
        "account": place.aws.account,
        "region": place.aws.region,
        "partition": place.aws.partition,
        "caller": place.aws.caller,
        "targets": list(place.targets),
        "credentials_until": place.until.isoformat() if place.until else None,
        "profiles": None if profiles is None else [asdict(one) | {"users": users(place, one)} for one in profiles],
        "code_signing_configurations": None if configurations is None else [asdict(one) for one in configurations],
    }


def users(place: Where, profile: ListedProfile) -> list[str] | None:
    """ARNs of the code-signing configurations that trust a profile; None where they could not be listed."""
    if place.configurations is None:
        return None
    return [one.arn for one in place.configurations if profile.arn in one.publishers]
