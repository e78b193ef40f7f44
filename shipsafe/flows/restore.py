"""The straight line of `revoke --restore`: what was stopped, whose chain verifies again, the plan, and the brake's release.

A function runs again only where its whole chain holds today; how it was, its tags remember.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shipsafe.adapters.aws.functions import LATEST, FunctionName, list_functions
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.regions import enabled_regions
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError, ExitCode, NothingError, ShipsafeError
from shipsafe.flows.revoke import Done
from shipsafe.flows.targets import place_of
from shipsafe.model.chain import Verification
from shipsafe.model.policy import Policy
from shipsafe.signing.revoke.brake import Memory, memory, release
from shipsafe.verify.live import verify_functions
from shipsafe.verify.request import VerifyRequest

Verify = Callable[[Aws, str], Verification]  # of a function, by its ARN: what it runs without a version, and behind each alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A function that was stopped, how it was, and what verifying it came to.

    `old`: its published versions for which Lambda still names the signature that it was stopped for. No chain is about one that no alias
    leads to, and whoever calls it by its number would run it.
    """

    aws: Aws
    function: str
    remembered: Memory
    verified: Verification
    old: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is stopped, what was asked for and is not, and what nobody could look at."""

    stopped: tuple[Stopped, ...]
    running: tuple[str, ...]
    unlooked: tuple[ShipsafeError, ...]

    @property
    def whole(self) -> tuple[Stopped, ...]:
        """Those that may run again."""
        return tuple(one for one in self.stopped if one.verified.exit_code is ExitCode.PASS)

    @property
    def kept(self) -> tuple[Stopped, ...]:
        """Those that may not."""
        return tuple(one for one in self.stopped if one.verified.exit_code is not ExitCode.PASS)

    @property
    def exit_code(self) -> ExitCode:
        """That of the worst function that stays stopped, 4 where nobody could look."""
        return max((*(one.verified.exit_code for one in self.kept), *(error.exit_code for error in self.unlooked)), default=ExitCode.PASS)


def places(policy: Policy, connect: Callable[[Place], Aws], regions: Sequence[str], *, all_regions: bool) -> tuple[Aws, ...]:
    """Where to look for stopped functions: at the policy's targets in these regions; without any, where AWS's configuration says.

    Raises:
        ConfigError, IncompleteError, IntegrityError: a session cannot be opened, or is another account's; EC2 names no regions.
    """
    own = {place_of(target): None for target in policy.sign.targets if not regions or target.region in regions}
    found = [connect(place) for place in own]
    known = {aws.region for aws in found}
    found += [connect(Place(region=name)) for name in regions if name not in known]
    if not found:
        found = [connect(Place())]
    if all_regions:
        found += [aws.elsewhere(name) for aws in found for name in enabled_regions(aws)]
    return tuple({(aws.account, aws.region): aws for aws in found}.values())


def look(
    where: Sequence[Aws], names: Sequence[FunctionName], verify: Verify, *, pace: Callable[[], Pace], say: Callable[[str], None]
) -> Rest:  # fmt: skip
    """Find what is stopped, and verify it. Changes nothing.

    Raises:
        ConfigError: a name holds a version or alias, or there is no such function.
        NothingError: nothing is stopped.
    """
    for name in names:
        if name.qualifier:
            raise ConfigError(f"{name.text} is one version, and whole functions are stopped.", remedy=f"Name {name.name}.")
    found = _Found()
    for aws in where:
        try:
            _find(found, aws, names, pace())
        except ShipsafeError as error:
            found.unlooked.append(error)
    regions = ", ".join(aws.region for aws in where)
    for name in names:
        if name not in found.known:
            remedy = "Name it by its ARN, or name its --region."
            raise ConfigError(f"There is no function {name.text!r} in {regions}.", remedy=remedy)
    if not (found.stopped or found.running or found.unlooked):
        raise NothingError(f"No function is stopped in {regions}.", remedy="Name the --region, or --all-regions.")
    old = _still_signed(found)
    stopped = []
    for aws, arn, told in found.stopped:
        say(f"{arn}: verifying")
        stopped.append(Stopped(aws=aws, function=arn, remembered=told, verified=verify(aws, arn), old=tuple(old.get(arn, ()))))
    return Rest(stopped=tuple(stopped), running=tuple(found.running), unlooked=tuple(found.unlooked))


@dataclass(slots=True)
class _Found:
    """As `Rest`, before anything is verified; `known` are names that some place has, or may have."""

    stopped: list[tuple[Aws, str, Memory]] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    unlooked: list[ShipsafeError] = field(default_factory=list)
    known: set[FunctionName] = field(default_factory=set)


def _find(found: _Found, aws: Aws, names: Sequence[FunctionName], pace: Pace) -> None:
    here = [name for name in names if name.region in (None, aws.region) and name.account in (None, aws.account)]
    wanted = {aws.function_arn(name.name): name for name in here}
    for arn in wanted if names else _all(aws):
        try:
            told = memory(aws, arn, pace)
        except ShipsafeError as error:
            if isinstance(error, AwsRefusal) and error.absent:
                continue
            found.unlooked.append(error)
        else:
            if told is not None:
                found.stopped.append((aws, arn, told))
            elif arn in wanted:
                found.running.append(arn)
        if arn in wanted:
            found.known.add(wanted[arn])


def _still_signed(found: _Found) -> dict[str, list[str]]:
    """By function, the published versions that carry the signature for which it was stopped."""
    reasons = {arn: told.reason for _, arn, told in found.stopped}
    old: dict[str, list[str]] = {}
    for aws in {(aws.account, aws.region): aws for aws, _, _ in found.stopped}.values():
        try:
            for one in list_functions(aws):
                signed = {one.job, one.profile_version, *(name for layer in one.layers for name in (layer.job, layer.profile_version))}
                if one.version != LATEST and reasons.get(one.function) in signed - {""}:
                    old.setdefault(one.function, []).append(one.version)
        except ShipsafeError as error:
            found.unlooked.append(error)
    return old


def _all(aws: Aws) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.function for one in list_functions(aws)))


def let_run(rest: Rest, *, pace: Callable[[], Pace], say: Callable[[str], None]) -> Done:
    """Let run again what may. What cannot be done does not keep the rest from being done."""
    done, paces = Done(), dict[tuple[str, str], Pace]()
    for one in rest.whole:
        with done.going_on():
            turn = paces.setdefault((one.aws.account, one.aws.region), pace())
            say(f"{one.function}: {release(one.aws, one.function, one.remembered, turn)}.")
    return done


def verifier(request: VerifyRequest) -> Verify:
    """What verifies a function as `verify --function` does: what it runs without a version, and behind each alias."""
    return lambda aws, arn: verify_functions([arn], request, lambda _place: aws)
