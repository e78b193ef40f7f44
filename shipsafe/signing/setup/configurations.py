"""The code-signing configuration for a profile: named by the policy, or found by its publisher and its description, or made.

It is never changed: functions depend on it, and whoever adds a publisher adds somebody whose code will run.
"""

from collections.abc import Iterator
from functools import partial

from shipsafe.adapters.aws.code_signing import ENFORCE, Configuration, make_configuration
from shipsafe.adapters.aws.signer import read_profile
from shipsafe.signing.setup.check import Check, Mend, State
from shipsafe.signing.setup.look import ConfigurationLook
from shipsafe.signing.setup.wanted import description

_ABOUT = "code-signing configuration"


def configuration_checks(look: ConfigurationLook) -> Iterator[Check]:
    """All checks of the code-signing configuration of some targets."""
    about = partial(Check, targets=look.targets, about=_ABOUT)
    one = chosen(look)
    if look.error is not None:
        yield about(state=State.UNKNOWN, says=look.error.what, remedy=look.error.remedy, stops=look.pinned is None)
    elif one is not None:
        yield from _judged(look, one)
        if look.pinned is None and (others := _candidates(look)[1:]):
            says = f"{', '.join(other.arn for other in others)} would do as well."
            yield about(state=State.NOTE, says=says, remedy="Name the one that is meant in the policy: `code-signing-config`.")
    elif look.elsewhere:
        where = " in ".join(reversed(str(look.pinned).split(":")[3:5]))
        remedy = "`shipsafe doctor` with a target there looks at it."
        yield about(state=State.UNKNOWN, says=f"{look.pinned} is of account {where}: it was not looked at.", remedy=remedy)
    elif look.pinned is not None:
        remedy = "Correct it in the policy; without the key, `shipsafe bootstrap` finds or makes one."
        yield about(state=State.MISSING, says=f"There is no {look.pinned}.", remedy=remedy)
    elif look.profile.profile is None and look.profile.owner is not None:
        yield about(state=State.MISSING, says="It can be made once the profile may be used.", remedy="Run `shipsafe bootstrap` then.")
    else:
        mend = Mend(
            what=f"create a code-signing configuration that trusts {look.profile.name} alone",
            why=f"{ENFORCE}: Lambda refuses whatever else is deployed to a function under it",
            act=partial(_make, look),
        )
        yield about(state=State.MISSING, says=f"None trusts signing profile {look.profile.name}.", mends=(mend,))


def chosen(look: ConfigurationLook) -> Configuration | None:
    """The one that the policy names; else ours for the profile; else one that enforces and trusts the profile's version alone."""
    if look.pinned is not None:
        return next(iter(look.found), None)
    return next(iter(_candidates(look)), None)


def _candidates(look: ConfigurationLook) -> list[Configuration]:
    """Those that could be meant, the likeliest first; among equals the order is always the same."""
    profile = look.profile.profile
    found = sorted(look.found, key=lambda one: one.arn)
    ours = [one for one in found if one.description == description(look.profile.name)]
    trusting = [one for one in ours if profile is not None and profile.arn in one.publishers]
    alone = [one for one in found if profile is not None and one.publishers == (profile.arn,) and one.policy == ENFORCE]
    return list(dict.fromkeys([*trusting, *ours, *alone]))


def _make(look: ConfigurationLook) -> None:
    profile = read_profile(look.profile.aws, look.profile.name, look.profile.owner)  # it may have been made a moment ago
    make_configuration(look.profile.aws, description(look.profile.name), profile.arn)


def _judged(look: ConfigurationLook, one: Configuration) -> Iterator[Check]:
    about = partial(Check, targets=look.targets, about=_ABOUT)
    profile, command = look.profile.profile, f"aws lambda update-code-signing-config --region {look.profile.aws.region}"
    if one.policy != ENFORCE:
        says = f"{one.arn} is set to {one.policy}: Lambda runs unsigned code, and only counts it."
        remedy = f"{command} --code-signing-config-arn {one.arn} --code-signing-policies UntrustedArtifactOnDeployment={ENFORCE}"
        yield about(state=State.WRONG, says=says, remedy=f"Once everything is signed:\n{remedy}")
    if profile is None or profile.arn not in one.publishers:
        says = f"{one.arn} does not trust signing profile {look.profile.name}: Lambda would refuse what it signs."
        if profile is None:
            yield about(state=State.MISSING, says=says, remedy="Make the profile first.")
        else:
            arns = ",".join((*one.publishers, profile.arn))
            remedy = f"{command} --code-signing-config-arn {one.arn} --allowed-publishers SigningProfileVersionArns={arns}"
            yield about(state=State.MISSING, says=says, remedy=f"If it is to:\n{remedy}")
    elif one.policy == ENFORCE:
        yield about(state=State.OK, says=f"{one.arn} enforces, and trusts {', '.join(one.publishers)}.")
