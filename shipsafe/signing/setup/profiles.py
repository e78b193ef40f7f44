"""A signing profile as it was found. One that is missing is made, with a name that is then taken for ever; none is ever changed."""

import re
from collections.abc import Collection, Iterator
from functools import partial

from shipsafe.adapters.aws.code_signing import list_profiles, make_profile
from shipsafe.adapters.aws.signer import Profile
from shipsafe.errors import IncompleteError
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.check import Check, Mend, State
from shipsafe.signing.setup.look import ProfileLook
from shipsafe.signing.setup.wanted import VALIDITY_MONTHS

_LONGEST_NAME = 64
_COUNTER = re.compile(r"(?P<stem>.+)_(?P<count>[1-9]\d?)")  # orders_2026_2; a year is no counter
_GRANTED = ("signer:StartSigningJob", "signer:GetSigningProfile")


def profile_checks(look: ProfileLook) -> Iterator[Check]:
    """All checks of one profile."""
    about = partial(Check, targets=look.targets, about="profile")
    whose = f"account {look.owner or look.aws.account}, {look.aws.region}"
    if look.owner is not None and (look.error is not None or look.profile is None):
        says = look.error.what if look.error else f"There is no signing profile {look.name} in {whose}."
        state = State.UNKNOWN if look.error else State.MISSING
        yield about(state=state, says=says, remedy=_owner_must(look))
    elif look.error is not None:
        yield about(state=State.UNKNOWN, says=look.error.what, remedy=look.error.remedy, stops=True)
    elif look.profile is None:
        yield _absent(look, whose)
    else:
        yield from _found(look, look.profile, whose)


def next_free(name: str, taken: Collection[str]) -> str:
    """The first of NAME_2, NAME_3 ... that is not taken; of a name that counts already, the ones after it."""
    counted = _COUNTER.fullmatch(name)
    stem, count = (counted["stem"], int(counted["count"])) if counted else (name, 1)
    while True:
        count += 1
        free = f"{stem[: _LONGEST_NAME - len(str(count)) - 1]}_{count}"
        if free not in taken:
            return free


def _absent(look: ProfileLook, whose: str) -> Check:
    says = f"There is no signing profile {look.name} in {whose}."
    if look.pins:
        remedy = "AWS chooses the version of a new profile: take `profile-version` out of the policy, or name the profile that has it."
        return Check(targets=look.targets, about="profile", state=State.MISSING, says=says, remedy=remedy, stops=True)
    why = f"for {PLATFORM}; signatures are good for {VALIDITY_MONTHS} months, the name is taken for ever"
    mend = Mend(what=f"create signing profile {look.name}", why=why, act=partial(make_profile, look.aws, look.name, PLATFORM))
    return Check(targets=look.targets, about="profile", state=State.MISSING, says=says, mends=(mend,))


def _found(look: ProfileLook, profile: Profile, whose: str) -> Iterator[Check]:
    about = partial(Check, targets=look.targets, about="profile")
    named = f"Signing profile {look.name} ({whose})"
    if profile.status == "Revoked":
        when = f" on {profile.revoked_at:%Y-%m-%d}" if profile.revoked_at else ""
        says = f"{named} was revoked{when}: Lambda refuses what it signs."
        yield about(state=State.WRONG, says=says, remedy=_another(look), stops=True)
    elif profile.status != "Active":
        says = f"{named} is {profile.status or 'in no known state'}: it signs nothing, and its name cannot be used again."
        yield about(state=State.MISSING, says=says, remedy=_another(look), stops=True)
    elif profile.platform != PLATFORM:
        says = f"{named} is for {profile.platform}, and Lambda needs {PLATFORM}."
        yield about(state=State.MISSING, says=says, remedy=_another(look), stops=True)
    elif other := sorted(look.pins - {profile.version}):
        says = f"{named} has version {profile.version}, and the policy pins {', '.join(other)}."
        remedy = "Find out who made another profile of that name, then change the policy or the profile."
        yield about(state=State.WRONG, says=says, remedy=remedy, stops=True)
    else:
        pinned = "pinned" if look.pins else "not pinned in the policy"
        yield about(state=State.OK, says=f"{named} is active, version {profile.version} ({pinned}).")


def _another(look: ProfileLook) -> str:
    """Which name to take instead: where names cannot be listed, one to try."""
    if look.owner is not None:
        return "Name another profile of that account in the policy."
    try:
        taken = {look.name, *(one.name for one in list_profiles(look.aws))}
    except IncompleteError:
        return f"Take another name in the policy: {next_free(look.name, {look.name})}, if that is free (profiles could not be listed)."
    return f"Take another name in the policy: {next_free(look.name, taken)} is free."


def _owner_must(look: ProfileLook) -> str:
    """What the owner of a profile runs, so that another account may sign with it.

    https://docs.aws.amazon.com/signer/latest/developerguide/signing-profile-cross-account.html
    """
    version = f" --profile-version {min(look.pins)}" if look.pins else ""
    lines = [
        f"aws signer add-profile-permission --region {look.aws.region} --profile-name {look.name}{version}"
        f" --principal {look.aws.account} --action {action} --statement-id shipsafe_{look.aws.account}_{action.partition(':')[2]}"
        for action in _GRANTED
    ]
    return "\n".join([f"Account {look.owner} owns it, and must create it or allow its use:", *lines])
