"""Whose signatures the policy trusts: the profiles of its `[[sign.target]]`s, and the profile versions of `[sign] publishers`.

Never what a release or a code-signing configuration says of itself.
"""

from dataclasses import dataclass

from shipsafe.errors import ConfigError
from shipsafe.model.signing import ProfileVersion, SignPolicy, SignTarget

REMEDY = "If it is one of yours, add it to `publishers` of [sign] in the policy; else find out who signs with it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Trust in signing profiles, as an account and Region sees it."""

    policy: SignPolicy
    account: str
    region: str

    def why_not(self, arn: str) -> str:
        """Why the policy does not trust what a profile version has signed, as a clause; "" where it does.

        A target that pins no version trusts the profile of its name: a profile has one version for ever.
        """
        try:
            version = ProfileVersion.parse(arn)
        except ConfigError:
            return "it names no version of a signing profile"
        if any(version.arn == one.arn for one in self.policy.publishers):
            return ""
        if not self.policy.targets and not self.policy.publishers:
            return "the policy names no [[sign.target]] and no `publishers`, so that it trusts nobody's signature"
        named = [target for target in self.policy.targets if self._is(target, version)]
        if not named:
            return "the policy trusts no such profile"
        if version.name != self.policy.emergency and all(target.profile_version not in (None, version.version) for target in named):
            return f"target {named[0].name} pins version {named[0].profile_version} of that profile"
        return ""

    def _is(self, target: SignTarget, version: ProfileVersion) -> bool:
        here = target.account or self.account
        known = {(target.profile, target.profile_owner or here), (self.policy.emergency, here)}
        return (version.name, version.account) in known and version.region == (target.region or self.region)
