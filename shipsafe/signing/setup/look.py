"""How the AWS side of some targets is: every bucket, profile and configuration is looked at once, however many targets share it.

Looking changes nothing. What could not be looked at is kept as an error beside what could.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from shipsafe.adapters.aws.bucket_settings import BucketSettings, nothing_below, read_settings
from shipsafe.adapters.aws.code_signing import Configuration, find_configuration, list_configurations
from shipsafe.adapters.aws.s3 import bucket_region
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import Profile, find_profile
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.model.signing import SignTarget

Connected = tuple[SignTarget, Aws]
_LONGEST_NAME = 63  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLook:
    """A bucket. `region` None: nobody has one of that name. `crowded`: the `prefixes` that hold unsigned zips already."""

    targets: tuple[str, ...]
    aws: Aws
    name: str
    prefixes: tuple[str, ...]
    kms_key: str | None
    region: str | None = None
    settings: BucketSettings | None = None
    crowded: frozenset[str] = frozenset()
    error: ShipsafeError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLook:
    """A signing profile. `pins`: the versions that targets pin; `owner` None where the profile is to be in the account itself."""

    targets: tuple[str, ...]
    aws: Aws
    name: str
    owner: str | None
    pins: frozenset[str]
    profile: Profile | None = None
    error: ShipsafeError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationLook:
    """The code-signing configuration that the policy names, or those that are there to choose from.

    `elsewhere`: the one that the policy names is of another account or Region, where functions run and nothing is signed.
    """

    targets: tuple[str, ...]
    profile: ProfileLook
    pinned: str | None
    elsewhere: bool = False
    found: tuple[Configuration, ...] = ()
    error: ShipsafeError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """All of it."""

    buckets: tuple[BucketLook, ...]
    profiles: tuple[ProfileLook, ...]
    configurations: tuple[ConfigurationLook, ...]


def bucket_name(target: SignTarget, aws: Aws) -> str:
    """The bucket of a target, its pseudo parameters filled in.

    Raises:
        ConfigError: that makes it longer than a bucket's name may be.
    """
    name = target.bucket_in(aws.account, aws.region)
    if len(name) > _LONGEST_NAME:  # all else was checked when the policy was read
        remedy = "Shorten `bucket` in the policy."
        raise ConfigError(f"Bucket {name} of target {target.name} has more than {_LONGEST_NAME} characters.", remedy=remedy)
    return name


def look(connected: Sequence[Connected], *, unnamed: bool = True) -> Looked:
    """Look at all that some targets need; without `unnamed` at no code-signing configuration but those that the policy names.

    Raises:
        ConfigError: two targets want one bucket with different keys, or a bucket's name is too long.
    """
    buckets = tuple(_bucket(same) for same in _alike(connected, bucket_name))
    profiles, configurations = [], []
    for same in _alike(connected, lambda target, _: (target.profile, target.profile_owner)):
        profile = _profile(same)
        profiles.append(profile)
        for alike in _alike(same, lambda target, _: target.code_signing_config):
            pinned = alike[0][0].code_signing_config
            if pinned is not None or unnamed:
                configurations.append(_configuration(_names(alike), profile, pinned))
    return Looked(buckets=buckets, profiles=tuple(profiles), configurations=tuple(configurations))


def _alike(connected: Sequence[Connected], key: Callable[[SignTarget, Aws], Hashable]) -> Iterator[list[Connected]]:
    """Targets of one account and Region that share something."""
    groups: dict[Hashable, list[Connected]] = {}
    for target, aws in connected:
        groups.setdefault((aws.account, aws.region, key(target, aws)), []).append((target, aws))
    yield from groups.values()


def _names(connected: Sequence[Connected]) -> tuple[str, ...]:
    return tuple(target.name for target, _ in connected)


def _bucket(same: Sequence[Connected]) -> BucketLook:
    target, aws = same[0]
    name = bucket_name(target, aws)
    keys = {one.kms_key for one, _ in same}
    if len(keys) > 1:
        remedy = "A bucket has one key for what Signer writes: give the targets one `kms-key`, or a bucket each."
        raise ConfigError(f"Targets {', '.join(_names(same))} want bucket {name} with different keys.", remedy=remedy)
    prefixes = tuple(dict.fromkeys(one.prefix for one, _ in same))
    bare = BucketLook(targets=_names(same), aws=aws, name=name, prefixes=prefixes, kms_key=target.kms_key)
    try:
        region = bucket_region(aws, name)
        if region != aws.region:
            return replace(bare, region=region)
        crowded = frozenset(prefix for prefix in prefixes if not nothing_below(aws, name, f"{prefix}unsigned/"))
    except ShipsafeError as error:
        return replace(bare, error=error)
    return replace(bare, region=region, settings=read_settings(aws, name), crowded=crowded)


def _profile(same: Sequence[Connected]) -> ProfileLook:
    target, aws = same[0]
    owner = target.profile_owner if target.profile_owner != aws.account else None
    pins = frozenset(one.profile_version for one, _ in same if one.profile_version is not None)
    bare = ProfileLook(targets=_names(same), aws=aws, name=target.profile, owner=owner, pins=pins)
    try:
        return replace(bare, profile=find_profile(aws, target.profile, owner))
    except ShipsafeError as error:
        return replace(bare, error=error)


def _configuration(targets: tuple[str, ...], profile: ProfileLook, pinned: str | None) -> ConfigurationLook:
    bare = ConfigurationLook(targets=targets, profile=profile, pinned=pinned)
    try:
        if pinned is None:
            return replace(bare, found=list_configurations(profile.aws))
        if pinned.split(":")[3:5] != [profile.aws.region, profile.aws.account]:
            return replace(bare, elsewhere=True)
        one = find_configuration(profile.aws, pinned)
        return replace(bare, found=(one,) if one else ())
    except ShipsafeError as error:
        return replace(bare, error=error)
