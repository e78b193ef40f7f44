"""How the roles of the pipeline are, account by account: what is wanted, and what is there. Looking changes nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipsafe.adapters.aws.iam import Role, find_provider, find_role
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import find_profile, read_profile
from shipsafe.errors import ShipsafeError
from shipsafe.model.deployment import Stage
from shipsafe.model.pipeline import Job
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.look import Connected
from shipsafe.signing.setup.rights import GOING, Site, rights, stages_at
from shipsafe.signing.setup.stack_roles import StackRoleLook, look_at_stack_roles
from shipsafe.signing.setup.trust import provider_arn, trust

_CHINA = "aws-cn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLook:
    """The identity provider of an account. `audiences`: those that it takes; None where there is no provider."""

    targets: tuple[str, ...]
    aws: Aws
    arn: str
    url: str
    audiences: tuple[str, ...] | None = None
    error: ShipsafeError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLook:
    """The role of a job in one account.

    Attributes:
        trust: the trust policy that it should have.
        rights: makes the permissions policy that it should have; it asks Signer for the version of a profile that was not there before.
        known: whether `rights` can be made now.
        role: as it is; None where there is none.
    """

    targets: tuple[str, ...]
    aws: Aws
    job: Job
    name: str
    trust: dict[str, Any]
    rights: Callable[[], dict[str, Any]]
    known: bool
    role: Role | None = None
    error: ShipsafeError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesLook:
    """All accounts. `lacking`: what the policy would have to say before a role can be made, by its key. `of_stacks`: roles of others."""

    providers: tuple[ProviderLook, ...] = ()
    roles: tuple[RoleLook, ...] = ()
    of_stacks: tuple[StackRoleLook, ...] = ()
    lacking: tuple[str, ...] = ()
    numbered: bool = True


def look_at_roles(
    policy: Policy, connected: Sequence[Connected], going: Sequence[Connected], versions: Mapping[str, str | None]
) -> RolesLook:
    """Look at the provider and the roles that a pipeline needs.

    Args:
        policy: names the roles, and who may take them; one that names no roles wants none.
        connected: where is signed.
        going: where it goes live: the same targets, at their stages. It is verified there, and looked at in both places.
        versions: of the signing profiles, by target; None where one is to be made. Other targets are looked up, and left out of what may
            be signed where they have none.

    Raises:
        ConfigError: the rights of a role cannot be written.
    """
    pipeline = policy.pipeline
    if pipeline.roles is None:
        return RolesLook()
    if lacking := tuple(key for key, value in (("repository", pipeline.repository), ("workflow", pipeline.workflow)) if value is None):
        return RolesLook(lacking=lacking)
    keepers = {target.name: aws.account for target, aws in connected}

    def site(target: SignTarget, aws: Aws, stage: Stage | None) -> Site:
        keeper = keepers.get(target.name) or next(one.account for one in policy.sign.targets if one.name == target.name) or aws.account
        return _site(target, aws, keeper, versions.get(target.name), stage)

    found = {
        target.name: find_profile(aws, target.profile, target.profile_owner) for target, aws in connected if target.name not in versions
    }
    versions = {**versions, **{name: one.version for name, one in found.items() if one is not None}}
    ready = [(target, aws) for target, aws in connected if target.name in versions or target.profile_version]
    live = {aws.account for _, aws in going}
    # What runs on a schedule looks at who may sign, too, also where nothing goes live.
    looking = [*going, *((target, aws) for target, aws in connected if aws.account not in live)]
    places = {Job.BUILD: connected, Job.SIGN: ready, Job.DEPLOY: going, Job.VERIFY: looking}
    several = [(job, same) for job in Job for same in _by_account(places[job])]
    roles = tuple(one for job, same in several if (one := _role(policy, job, same, site)) is not None)
    providers = tuple(_provider(policy, same) for same in _by_account([*connected, *going]))
    of_stacks = look_at_stack_roles(policy, going)
    return RolesLook(providers=providers, roles=roles, of_stacks=of_stacks, numbered=pipeline.repository_id is not None)


def _by_account(connected: Iterable[Connected]) -> Iterator[list[Connected]]:
    """IAM knows no Regions: what is in one account."""
    groups: dict[str, list[Connected]] = {}
    for target, aws in connected:
        groups.setdefault(aws.account, []).append((target, aws))
    yield from groups.values()


def _names(same: Iterable[Connected]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(target.name for target, _ in same))


def _provider(policy: Policy, same: Sequence[Connected]) -> ProviderLook:
    aws = same[0][1]
    arn = provider_arn(policy.pipeline, partition=aws.partition, account=aws.account)
    bare = ProviderLook(targets=_names(same), aws=aws, arn=arn, url=policy.pipeline.issuer)
    try:
        return replace(bare, audiences=find_provider(aws, arn))
    except ShipsafeError as error:
        return replace(bare, error=error)


def _role(policy: Policy, job: Job, same: Sequence[Connected], site: Callable[[SignTarget, Aws, Stage | None], Site]) -> RoleLook | None:
    """None where the job has nothing to do on AWS: evidence that no key of KMS signs needs no role that builds."""
    aws, name = same[0][1], policy.pipeline.role_name(job)
    sites = [site(target, where, stage) for target, where in same for stage in (stages_at(policy, target) if job in GOING else (None,))]
    known = job is not Job.SIGN or all(one.version for one in sites)

    def wanted() -> dict[str, Any]:
        whole = sites if known else [_with_version(one, target, where) for one, (target, where) in zip(sites, same, strict=True)]
        return rights(job, whole, policy)

    if known and not wanted()["Statement"]:
        return None
    bare = RoleLook(
        targets=_names(same),
        aws=aws,
        job=job,
        name=str(name),
        trust=trust(job, policy.pipeline, provider_arn(policy.pipeline, partition=aws.partition, account=aws.account)),
        rights=wanted,
        known=known,
    )
    try:
        return replace(bare, role=find_role(aws, bare.name))
    except ShipsafeError as error:
        return replace(bare, error=error)


def _site(target: SignTarget, aws: Aws, keeper: str, version: str | None, stage: Stage | None) -> Site:
    return Site(
        partition=aws.partition,
        suffix=f"amazonaws.com{'.cn' if aws.partition == _CHINA else ''}",
        account=aws.account,
        region=aws.region,
        bucket=target.bucket_in(keeper, aws.region),
        prefix=target.prefix,
        kms_key=target.kms_key,
        keeper=keeper,
        profile=target.profile,
        version=target.profile_version or version,
        owner=target.profile_owner or aws.account,
        tagged=bool(target.tags),
        stack=stage.stack if stage else None,
        stack_role=stage.stack_role if stage else None,
    )


def _with_version(site: Site, target: SignTarget, aws: Aws) -> Site:
    """The profile has been made since."""
    return site if site.version else replace(site, version=read_profile(aws, target.profile, target.profile_owner).version)
