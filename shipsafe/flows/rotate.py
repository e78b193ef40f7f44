"""The straight line of `enforce --rotate OLD=NEW`: places, how far each is, what is to be done now, and the changes."""

from collections.abc import Callable, Iterator, Sequence

from shipsafe.adapters.aws.looks import open_looks
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.enforce.changes import Alter
from shipsafe.enforce.rotate import MakeProfile, Rotation, Turn, apply_turn, look_at, plan_turn
from shipsafe.errors import ConfigError, ExitCode, ShipsafeError, gravest
from shipsafe.flows.enforce import EnforceRequest
from shipsafe.flows.enforce_places import places

_GLASS = "break-glass"
_RATE = 10.0  # calls a second while functions are listed: Lambda takes 15, and whoever deploys meanwhile needs some


def turns(
    request: EnforceRequest,
    rotation: Rotation,
    connect: Callable[[Place], Aws],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    say: Callable[[str], None],
) -> tuple[Turn, ...]:
    """How far the rotation is, for each account and Region that signs with one of the two. Changes nothing.

    Raises:
        ConfigError: no target has either profile; and as `look_at`.
        IncompleteError, IntegrityError: as `look_at` and `plan_turn`.
    """

    def pace() -> Pace:
        return Pace(_RATE, int(_RATE), clock, sleep)

    def still(aws: Aws) -> list[str]:
        """Also what --target leaves out: it signs for the same functions."""
        here = [one for one in request.policy.sign.targets if one.account in (None, aws.account) and one.region in (None, aws.region)]
        names = [f"target {one.name}" for one in here if one.profile == rotation.old]
        return [*names, *([_GLASS] if request.policy.break_glass.profile == rotation.old else [])]

    found = [
        plan_turn(look_at(open_looks(aws, clock, sleep), targets, rotation, still=still(aws), pace=pace, say=say))
        for aws, targets in places(request.policy, request.targets, connect)
        if any(one.profile in (rotation.old, rotation.new) for one in targets)
    ]
    if not found:
        what = f"No [[sign.target]] signs with {rotation.old} or {rotation.new}."
        raise ConfigError(what, remedy="Name the profile that a target has, and the next one.", path=request.policy.path)
    return tuple(found)


def carry_out(made: Sequence[Turn], say: Callable[[MakeProfile | Alter], None]) -> tuple[ShipsafeError, ...]:
    """Make the changes, place after place; gives what could not be done. The next run goes on from there."""
    failed: list[ShipsafeError] = []
    for turn in made:
        try:
            apply_turn(turn, say)
        except ShipsafeError as error:
            failed.append(error)
    return tuple(failed)


def exit_code(made: Sequence[Turn], failed: Sequence[ShipsafeError], *, check: bool) -> ExitCode:
    """4 where somebody could not look, or with `check` where it is not over; that of the gravest failure."""
    codes = [error.exit_code for error in failed]
    codes += [ExitCode.INCOMPLETE for turn in made if turn.found.unlooked or (check and (turn.changes or not turn.finished))]
    return gravest(codes)


def for_the_policy(turn: Turn) -> Iterator[str]:
    """What a person writes into the policy now, line by line; nothing where it says so already."""
    found, rotation = turn.found, turn.found.rotation
    if turn.finished:
        yield f"Take {found.old.arn} out of `publishers` of [sign], if it stands there."
        if found.old.status == "Active":
            owner = f" (as account {found.owner})" if found.owner else ""
            command = f"aws signer cancel-signing-profile --region {found.looks.aws.region} --profile-name {rotation.old}"
            yield f"So that nobody signs with {rotation.old} any more{owner}; that cannot be undone: {command}"
    elif found.still and found.new is not None:
        for target in found.targets:
            if target.profile == rotation.old:
                yield f'[[sign.target]] with name = "{target.name}":'
                yield f'  profile = "{rotation.new}"'
                if target.profile_version is not None:
                    yield f'  profile-version = "{found.new.version}"'
        if _GLASS in found.still:
            yield f'[break-glass]: profile = "{rotation.new}"'
        yield "[sign]: add to `publishers`, until the rotation is over:"
        yield f'  "{found.old.arn}"'
        yield "Do that first: until the policy trusts both, `deploy` and `verify` refuse configurations that let both in (5)."
        yield "Then build, sign and deploy every function again, and run this once more."
