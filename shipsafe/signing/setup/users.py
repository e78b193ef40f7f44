"""Who may sign what runs: the publishers of a code-signing configuration, each looked up.

Lambda takes any ARN as a publisher unseen: of a profile that never was, that was revoked, or that belongs to somebody else.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from shipsafe.adapters.aws.code_signing import Configuration, ListedProfile
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import ConfigError
from shipsafe.model.signing import ProfileVersion
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.check import Check, State

_ABOUT = "publisher"


def publisher_checks(
    aws: Aws, targets: tuple[str, ...], one: Configuration, profiles: Sequence[ListedProfile], known: Collection[str]
) -> Iterator[Check]:
    """A check for every publisher of a configuration.

    Args:
        aws: where the configuration is.
        targets: names, for the checks.
        one: the configuration.
        profiles: all signing profiles of the account there.
        known: accounts that the policy trusts.
    """
    for arn in one.publishers:
        yield _publisher(aws, targets, arn, profiles, known)


def _publisher(aws: Aws, targets: tuple[str, ...], arn: str, profiles: Sequence[ListedProfile], known: Collection[str]) -> Check:
    about = partial(Check, targets=targets, about=_ABOUT)
    out = "Take it out of the code-signing configuration."
    try:
        version = ProfileVersion.parse(arn)
    except ConfigError:
        return about(state=State.WRONG, says=f"{arn} names no version of a signing profile: no signature is one of its.", remedy=out)
    if version.account != aws.account:
        if version.account in known:
            return about(
                state=State.NOTE, says=f"{arn} is of account {version.account}, which the policy trusts; its state is not looked at."
            )
        remedy = f"{out} If it is meant, add the account to `accounts`, or to `publishers` of [layers], in the policy."
        return about(state=State.WRONG, says=f"{arn} is of account {version.account}, which the policy does not name.", remedy=remedy)
    if (version.region, version.partition) != (aws.region, aws.partition):
        return about(state=State.NOTE, says=f"{arn} is of {version.region}, not {aws.region}; its state is not looked at.")
    found = next((profile for profile in profiles if profile.name == version.name), None)
    if found is None or found.arn != arn:
        return about(state=State.WRONG, says=f"There is no {arn}, and never was.", remedy=out)
    if found.status == "Revoked":
        return about(state=State.WRONG, says=f"{arn} was revoked.", remedy=out)
    if found.platform != PLATFORM:
        return about(state=State.WRONG, says=f"{arn} signs for {found.platform}, not for Lambda.", remedy=out)
    if found.status != "Active":
        return about(state=State.NOTE, says=f"{arn} is {found.status}: what it has signed still runs.")
    return about(state=State.OK, says=f"{arn} is active.")
