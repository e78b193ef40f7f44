"""Whose signatures a printed template trusts: a profile that it makes, or one that is there and is named by its version's ARN."""

from shipsafe.errors import ConfigError
from shipsafe.model.signing import SignTarget


def existing_profile(target: SignTarget, *, partition: str, region: str, account: str) -> str | None:
    """The ARN of the version that the policy pins; None where the template makes the profile. The other words are the template's own.

    Raises:
        ConfigError: the profile is another account's, and the policy does not say which version.
    """
    if target.profile_version is not None:
        whose = target.profile_owner or account
        return f"arn:{partition}:signer:{region}:{whose}:/signing-profiles/{target.profile}/{target.profile_version}"
    if target.profile_owner is not None:
        raise ConfigError(
            f"Signing profile {target.profile} belongs to account {target.profile_owner}: a template cannot look up its version.",
            remedy="Add its `profile-version` to the policy; `shipsafe doctor` shows it.",
        )
    return None
