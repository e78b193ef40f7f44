"""From one signing profile to the next, without an outage: both are let in for a while, and the old one goes when nothing runs it any more.

    found = look_at(looks, targets, Rotation.parse("orders_2026=orders_2027"))
    turn = plan_turn(found)
    turn.changes       # make the profile; let both in; later: no longer let the old one in
    turn.held          # why the old one has to stay for now

A profile has one version for ever and its name is never free again, so that a rotation is always to another name. Which step is next is
seen from what is there: no file remembers it, any machine goes on.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shipsafe.adapters.aws.code_signing import Configuration, make_profile
from shipsafe.adapters.aws.functions import LATEST
from shipsafe.adapters.aws.looks import Looks
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.signer import Profile, find_profile
from shipsafe.enforce.apply import alter
from shipsafe.enforce.changes import Alter
from shipsafe.enforce.wanted import MOST_PUBLISHERS, REVOKED
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.model.deployment import Step
from shipsafe.model.enforcement import Enforcing
from shipsafe.model.signing import ProfileVersion, SignTarget
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.revoke.users import Signature, Use, users
from shipsafe.signing.setup.wanted import VALIDITY_MONTHS, description

_NAME = r"[A-Za-z0-9_]{2,64}"
MADE = "(the version that was made before)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Names of two signing profiles."""

    old: str
    new: str

    @classmethod
    def parse(cls, text: str) -> "Rotation":
        """Read `OLD=NEW`.

        Raises:
            ConfigError: it is not that, or AWS takes no such name.
        """
        found = re.fullmatch(rf"({_NAME})=({_NAME})", text, re.ASCII)
        if found is None or found[1] == found[2]:
            what = f"--rotate {text[:140]!r} does not name a profile and the next one."
            raise ConfigError(what, remedy="Write orders_2026=orders_2027: 2 to 64 letters, digits and underscores each.")
        return cls(old=found[1], new=found[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How far a rotation is in one account and Region.

    Attributes:
        targets: of the policy, that sign for it with one of the two.
        still: what the policy still signs with the old one, as it calls that: `target prod`, `break-glass`.
        owner: the account of the profiles, where that is another.
        new: None where it is to be made. Its ARN, and that of `old`, names the version.
        configurations: that let one of the two in.
        under: ARNs of the functions under each of them.
        uses: by whom code of the old one is run, at $LATEST or behind an alias.
        unlooked: what nobody could look at, as sentences.
    """

    looks: Looks
    rotation: Rotation
    targets: tuple[SignTarget, ...]
    still: tuple[str, ...]
    owner: str | None
    old: Profile
    new: Profile | None
    configurations: tuple[Configuration, ...]
    under: dict[str, tuple[str, ...]]
    uses: tuple[Use, ...]
    unlooked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeProfile:
    """Create the new profile."""

    name: str

    @property
    def step(self) -> Step:
        """For people."""
        why = f"signatures are good for {VALIDITY_MONTHS} months; the name is taken for ever"
        return Step(api="signer:PutSigningProfile", parameters={"profileName": self.name, "platformId": PLATFORM}, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is to be done now in one account and Region; `held`: why the old profile is still let in, as sentences; none once it is not."""

    found: Found
    changes: tuple[MakeProfile | Alter, ...]
    held: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether the rotation is over once the changes are made."""
        return not self.held


def look_at(
    looks: Looks,
    targets: Sequence[SignTarget],
    rotation: Rotation,
    *,
    still: Sequence[str],
    pace: Callable[[], Pace],
    say: Callable[[str], None],
) -> Found:
    """Look at the two profiles, at who lets them in, and at who runs the old one's code. Changes nothing.

    Args:
        looks: at the account and Region.
        targets: that sign for it.
        rotation: from which profile to which.
        still: what the policy still signs with the old one there, in words.
        pace: makes the pace of the calls that list functions.
        say: told how far it is.

    Raises:
        ConfigError: no target has either profile, or they belong to two accounts.
        IncompleteError: the old profile is not there, the new one's name is burnt, or AWS refused or gave no answer.
        IntegrityError: the new profile was revoked.
    """
    aws = looks.aws
    mine = tuple(one for one in targets if one.profile in (rotation.old, rotation.new))
    where = f"account {aws.account}, {aws.region}"
    if not mine:
        what = f"No [[sign.target]] for {where} has profile {rotation.old} or {rotation.new}."
        raise ConfigError(what, remedy="Name the profile of a target, and the next one.")
    owners = {None if one.profile_owner == aws.account else one.profile_owner for one in mine}
    if len(owners) > 1:
        raise ConfigError(f"Targets for {where} have these profiles from several accounts.", remedy="Rotate one --target after the other.")
    owner = next(iter(owners))
    old = find_profile(aws, rotation.old, owner)
    if old is None:
        what = f"There is no signing profile {rotation.old} in account {owner or aws.account}, {aws.region}."
        raise IncompleteError(what, remedy="`shipsafe doctor` lists those that are there.")
    new, missing = _next(looks, rotation, owner)
    letting = {old.arn, *([new.arn] if new else [])}
    configurations = tuple(one for one in looks.configurations() if letting & {*one.publishers})
    (region,) = users([aws], Signature(arn=old.arn), pace=pace, since=lambda _job: True, say=say)
    return Found(
        looks=looks, rotation=rotation, targets=mine, still=tuple(still), owner=owner, old=old, new=new,
        configurations=configurations,
        under={one.arn: looks.sharers(one.arn) for one in configurations if old.arn in one.publishers},
        uses=tuple(use for use in region.uses if use.version == LATEST or use.aliases), unlooked=(*missing, *region.unlooked),
    )  # fmt: skip


def _next(looks: Looks, rotation: Rotation, owner: str | None) -> tuple[Profile | None, tuple[str, ...]]:
    """The next profile; of one that another account has to make, None and a sentence about it."""
    if owner is None:
        new = find_profile(looks.aws, rotation.new, None)
        _may_follow(new, rotation)
        return new, ()
    try:
        new = find_profile(looks.aws, rotation.new, owner)
    except AwsRefusal as refusal:
        if not refusal.denied:
            raise
        new = None
    _may_follow(new, rotation)
    if new is not None:
        return new, ()
    what = f"Signing profile {rotation.new} belongs to account {owner}, and is not there, or may not be used from here."
    return None, (f"{what} That account makes it and allows its use first: `shipsafe bootstrap` says how.",)


def _may_follow(new: Profile | None, rotation: Rotation) -> None:
    """Whether the next profile can be the next one, where it is there already."""
    if new is None:
        return
    named, other = f"Signing profile {rotation.new}", "Choose another name."
    if new.status == REVOKED:
        raise IntegrityError(f"{named} was revoked: Lambda refuses what it signs.", remedy=other)
    if new.status != "Active":
        raise IncompleteError(f"{named} is {new.status or 'in no known state'}, and its name cannot be used again.", remedy=other)
    if new.platform != PLATFORM:
        raise IncompleteError(f"{named} is for {new.platform}, and Lambda needs {PLATFORM}.", remedy=other)
    ProfileVersion.parse(new.arn)


def plan_turn(found: Found) -> Turn:
    """What is to be done now.

    Raises:
        ConfigError: a configuration has no room for another publisher.
        IncompleteError: nobody lets the old profile in, so that there is nothing to rotate.
    """
    new = found.new.arn if found.new else MADE
    changes: list[MakeProfile | Alter] = [] if found.new or found.owner else [MakeProfile(name=found.rotation.new)]
    if not found.configurations:
        aws = found.looks.aws
        raise IncompleteError(f"No code-signing configuration of account {aws.account}, {aws.region} lets {found.old.arn} in.",
                              remedy="Nothing holds functions to it: begin with `shipsafe enforce`.")  # fmt: skip
    held = list(_held(found))
    for one in found.configurations if found.new or changes else ():  # what is not there cannot be let in
        kept = [arn for arn in one.publishers if held or arn != found.old.arn]
        publishers = (*kept, *([] if new in kept else [new]))
        if len(publishers) > MOST_PUBLISHERS:
            what = f"{one.arn} lets in {len(one.publishers)} profile versions, and Lambda takes {MOST_PUBLISHERS}."
            raise ConfigError(what, remedy="Take out those that no layer needs; `shipsafe enforce` names them.")
        if publishers != one.publishers:
            changes.append(Alter(seen=one, mode=_mode(one), publishers=publishers, description=_about(one, found)))
    return Turn(found=found, changes=tuple(changes), held=tuple(held))


def _mode(one: Configuration) -> Enforcing:
    for mode in Enforcing:
        if mode.aws == one.policy:
            return mode
    raise IncompleteError(f"{one.arn} is set to {one.policy[:40]!r}, which is neither Warn nor Enforce.", remedy="Find out who set that.")


def _about(one: Configuration, found: Found) -> str | None:
    """The description by which `enforce` and `bootstrap` find it, for the new profile; None for one that somebody else wrote."""
    before = description(found.rotation.old)
    return one.description.replace(before, description(found.rotation.new), 1) if one.description.startswith(before) else None


def _held(found: Found) -> list[str]:
    """Why the old profile has to be let in for now."""
    if not found.under or found.old.status == REVOKED:  # nobody lets it in; or Lambda refuses what it signs all the same
        return []
    held: list[str] = []
    if found.new is None or not all(found.new.arn in one.publishers for one in found.configurations):
        held.append(f"{found.rotation.new} is not let in yet: both are, first.")
    if found.still:
        held.append(f"The policy still signs with {found.rotation.old} ({', '.join(found.still)}).")
    under = {arn for arns in found.under.values() for arn in arns}
    for use in found.uses:
        if use.function in under:
            led = f", alias {', '.join(use.aliases)}" if use.aliases else ""
            held.append(f"{use.name} runs {use.through} signed with it (version {use.version}{led}).")
    return [*held, *(f"Not looked at: {one}" for one in found.unlooked)]


def apply_turn(turn: Turn, say: Callable[[MakeProfile | Alter], None]) -> None:
    """Make the changes, in their order.

    Raises:
        IncompleteError: AWS refused one or gave no answer, or somebody else changed a configuration meanwhile; the next run goes on.
    """
    found = turn.found
    arn = found.new.arn if found.new else ""
    for change in turn.changes:
        if isinstance(change, MakeProfile):
            make_profile(found.looks.aws, change.name, PLATFORM)
            made = find_profile(found.looks.aws, change.name, found.owner)
            _may_follow(made, found.rotation)
            if made is None:
                raise IncompleteError(f"Signer took signing profile {change.name}, and does not show it.", remedy="Run this again.")
            arn = made.arn
        else:
            publishers = tuple(arn if one == MADE else one for one in change.publishers)
            alter(found.looks, Alter(seen=change.seen, mode=change.mode, publishers=publishers, description=change.description))
        say(change)
