"""What code-signing configurations of an account and Region are to say: who may sign, and how strict Lambda is with which function.

    wanted = wanted_at(looks, policy)
    wanted.publishers                       # ARNs of profile versions: of the targets here, of break-glass, of `[sign] publishers`

A profile is looked up, never believed: Lambda takes any ARN as a publisher unseen. One that was revoked is wanted by nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shipsafe.adapters.aws.looks import Looks
from shipsafe.adapters.aws.signer import Profile
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.model.enforcement import Enforcing
from shipsafe.model.policy import Policy
from shipsafe.model.signing import ProfileVersion, SignTarget
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.wanted import description

MOST_PUBLISHERS = 20  # CreateCodeSigningConfig, AllowedPublishers
REVOKED = "Revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted at one account and Region.

    Attributes:
        account, region: where.
        publishers: ARNs of profile versions, sorted, each once; never none.
        named: the ARN of the configuration that the policy names for functions that enforce, or None.
        about: what the descriptions of the configurations that shipsafe makes begin with; a later run finds them by that.
        notes: what is odd and was left out, as sentences.
    """

    account: str
    region: str
    publishers: tuple[str, ...]
    named: str | None
    about: str
    notes: tuple[str, ...] = ()

    def description(self, mode: Enforcing) -> str:
        """Of the configuration of that mode. The one that enforces may also be `bootstrap`'s."""
        return self.about if mode is Enforcing.ENFORCE else f"{self.about} (warn)"


def wanted_at(looks: Looks, policy: Policy, targets: Sequence[SignTarget] = ()) -> Wanted:
    """What the policy wants where these looks are.

    Args:
        looks: at an account and Region.
        policy: its targets there say who signs; without any, those who sign for others do (`[sign] publishers`).
        targets: of the policy, where only some are meant.

    Raises:
        ConfigError: nobody may sign there, more than Lambda takes may, or two targets name two configurations.
        IncompleteError: a profile is not there, or could not be looked at.
        IntegrityError: a target's profile was revoked, or is another than the policy pins.
    """
    aws, notes = looks.aws, list[str]()
    here = [one for one in targets or policy.sign.targets if one.account in (None, aws.account) and one.region in (None, aws.region)]
    found = [_of_target(looks, one) for one in here]
    found += _of_break_glass(looks, policy, notes)
    found += [one.arn for one in policy.sign.publishers if one.partition == aws.partition and not _revoked(looks, one, notes)]
    publishers = tuple(sorted({*found}))
    if not publishers:
        what = f"The policy names nobody who may sign for account {aws.account}, {aws.region}."
        raise ConfigError(what, remedy="Add a [[sign.target]] for it.", path=policy.path)
    if len(publishers) > MOST_PUBLISHERS:
        what = f"{len(publishers)} profile versions may sign for account {aws.account}, {aws.region}: Lambda takes {MOST_PUBLISHERS}."
        raise ConfigError(what, remedy="Take out of `publishers` of [sign] what no layer needs.", path=policy.path)
    return Wanted(account=aws.account, region=aws.region, publishers=publishers, named=_named(looks, policy, here),
                  about=description(here[0].profile if here else "others"), notes=tuple(notes))  # fmt: skip


def _of_target(looks: Looks, target: SignTarget) -> str:
    owner = target.profile_owner if target.profile_owner != looks.aws.account else None
    profile = _profile(looks, target.profile, owner)
    whose = f"Signing profile {target.profile} of target {target.name}"
    if profile is None:
        raise IncompleteError(
            f"There is no signing profile {target.profile} in account {owner or looks.aws.account}, {looks.aws.region}.",
            remedy="`shipsafe bootstrap` creates it.",
        )
    if profile.status == REVOKED:
        raise IntegrityError(f"{whose} was revoked: Lambda refuses what it signs.", remedy="Name another profile in the policy.")
    if target.profile_version not in (None, profile.version):
        what = f"{whose} has version {profile.version}, and the policy pins {target.profile_version}."
        raise IntegrityError(what, remedy="Find out who made another profile of that name.")
    return profile.arn


def _of_break_glass(looks: Looks, policy: Policy, notes: list[str]) -> Iterator[str]:
    """The profile that signs what breaks the glass: Enforce stays on meanwhile, so Lambda has to know it before."""
    name = policy.break_glass.profile if policy.break_glass.allowed else None
    if name is None:
        return
    profile = _profile(looks, name, None)
    if profile is None or profile.status == REVOKED:
        state = "is not there" if profile is None else "was revoked"
        notes.append(f"Signing profile {name} of [break-glass] {state}: what it is to sign would not be let in.")
    else:
        yield profile.arn


def _profile(looks: Looks, name: str, owner: str | None) -> Profile | None:
    profile = looks.profile(name, owner)
    if profile is not None and profile.platform != PLATFORM:
        raise ConfigError(
            f"Signing profile {name} is for {profile.platform}, and Lambda needs {PLATFORM}.", remedy="Name another profile in the policy."
        )
    return profile


def _revoked(looks: Looks, one: ProfileVersion, notes: list[str]) -> bool:
    """Whether a publisher was revoked, as far as one can see: Signer tells of another account's profile only whoever was let in."""
    if (one.account, one.region) != (looks.aws.account, looks.aws.region):
        return False
    profile = looks.profile(one.name, None)
    if profile is not None and profile.arn == one.arn and profile.status != REVOKED:
        return False
    state = "was revoked" if profile is not None and profile.arn == one.arn else "never was"
    notes.append(f"{one.arn} of `publishers` of [sign] {state}: it is not let in. Take it out of the policy.")
    return True


def _named(looks: Looks, policy: Policy, here: Sequence[SignTarget]) -> str | None:
    place = [looks.aws.region, looks.aws.account]
    pins = {one.code_signing_config for one in here if one.code_signing_config and one.code_signing_config.split(":")[3:5] == place}
    named = policy.enforce.configuration
    if named is not None and named.split(":")[3:5] == place:
        pins.add(named)
    if len(pins) > 1:
        what = f"The policy names {len(pins)} code-signing configurations for account {looks.aws.account}, {looks.aws.region}."
        raise ConfigError(what, remedy="Name one in [enforce], or choose a target with --target.", path=policy.path)
    return next(iter(pins), None)
