"""What is to be uploaded and signed where: found by looking only, and every refusal comes before anything is changed.

    plan(work, targets, connect=..., journal=...) -> SigningPlan      # reads
    carry_out(plan, ...)                                              # changes; see run.py

A plan knows what an earlier run has done, from the journal and from the bucket, and leaves it out: a plan made after everything was done
holds reading back alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from shipsafe.adapters.aws.s3 import look_at_bucket
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import Job, Profile, read_profile
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError, ShipsafeError
from shipsafe.model.signing import ProfileVersion, S3Object, SignTarget
from shipsafe.signing.earlier import earlier_job, uploaded
from shipsafe.signing.journal import Journal
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.ticket import Ticket, Unsigned, signed_prefix, unsigned_key
from shipsafe.signing.unsigned import examine
from shipsafe.signing.watch import side_by_side

In = TypeVar("In")
Out = TypeVar("Out")

_MOST_SENTENCES = 5  # of refusals in one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A target as it was found: who we are there, the bucket's name, and the profile version that signs."""

    target: SignTarget
    aws: Aws
    bucket: str
    profile: ProfileVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One zip at one target, and how far it is.

    Attributes:
        names: the artifacts that are this zip, byte for byte; it is signed once for all of them.
        source: where it was uploaded, or None.
        job: a job for it that is running or has succeeded, or None.
        attempt: the number of the job, or of the one to start.
    """

    names: tuple[str, ...]
    work: Unsigned
    stand: Stand
    source: S3Object | None = None
    job: Job | None = None
    attempt: int = 1

    @property
    def key(self) -> str:
        """The key of the unsigned object."""
        return unsigned_key(self.stand.target.prefix, self.work.sha256)

    @property
    def destination(self) -> str:
        """What the key of the signed object begins with."""
        return signed_prefix(self.stand.target.prefix, self.work.sha256)

    def todo(self) -> tuple[str, ...]:
        """What is left to do, for a person to read."""
        if self.job is not None and self.job.status == "Succeeded":
            return (f"read back what job {self.job.id} of an earlier run signed",)
        if self.job is not None:
            return (f"wait for job {self.job.id} of an earlier run", "read back")
        upload = () if self.source else ("upload",)
        return (*upload, "sign" if self.attempt == 1 else f"sign: attempt {self.attempt}, the one before failed", "read back")

    def ticket(self, source: S3Object) -> Ticket:
        """What is asked of Signer."""
        aws = self.stand.aws
        return Ticket(account=aws.account, region=aws.region, source=source, profile=self.stand.profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPlan:
    """All lines, in the order of work and targets. `order`: the artifacts' names as they were given."""

    stands: tuple[Stand, ...]
    lines: tuple[Line, ...]
    order: tuple[str, ...]
    journal: Journal

    @property
    def changes(self) -> bool:
        """Whether anything will be uploaded or signed; else it is only read back."""
        return any(line.job is None for line in self.lines)


def plan(
    work: Sequence[Unsigned],
    targets: Sequence[SignTarget],
    *,
    connect: Callable[[SignTarget], Aws],
    journal: Journal,
    now: Callable[[], datetime],
) -> SigningPlan:
    """Look at every zip and target, and say what is left to do. Changes nothing.

    Args:
        work: what is to be signed, each name once.
        targets: where.
        connect: opens the session of a target; called once for each.
        journal: of the folder that earlier runs worked in.
        now: the time, UTC; a signature that has expired is none.

    Raises:
        NothingError: there is nothing to sign.
        ConfigError: there is no target, or a name stands twice.
        IntegrityError: a file is not the one that was judged, a profile is revoked or not the pinned version, a bucket is somebody
            else's, or a key holds other bytes than its name says.
        IncompleteError: a zip cannot be signed, something is missing on AWS, or AWS gave no answer.
    """
    if not work:
        raise NothingError("There is no artifact to sign.", remedy="Run `shipsafe build` first.")
    if not targets:
        raise ConfigError("The policy names no place to sign.", remedy="Add a [[sign.target]]; `shipsafe bootstrap` prints one.")
    names = [one.name for one in work]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"Two artifacts are called {twice!r}.", remedy="Give each a name of its own.")
    _each(work, examine)
    # One after the other and in this thread: a named profile may ask for a code of its MFA device.
    opened = [(target, _caught(connect, target)) for target in targets]
    stands = _each(opened, lambda one: _stand(*one))
    bare = [Line(names=tuple(one.name for one in same), work=same[0], stand=stand) for same in _by_content(work) for stand in stands]
    lines = _each(bare, lambda line: _how_far(line, journal, now()))
    return SigningPlan(stands=tuple(stands), lines=tuple(lines), order=tuple(names), journal=journal)


def _stand(target: SignTarget, aws: Aws | ShipsafeError) -> Stand:
    if isinstance(aws, ShipsafeError):
        raise aws
    name = target.bucket_in(aws.account, aws.region)
    bucket = look_at_bucket(aws, name)
    if bucket.region != aws.region:
        raise IncompleteError(
            f"Bucket {name} is in {bucket.region}, and target {target.name} signs in {aws.region}: Signer works in one region.",
            remedy="Name a bucket of that region.",
        )
    if bucket.versioning != "Enabled":
        raise IncompleteError(f"Versioning is off on bucket {name}.", remedy="Turn it on; `shipsafe bootstrap` does.")
    profile = read_profile(aws, target.profile, target.profile_owner)
    return Stand(target=target, aws=aws, bucket=name, profile=_may_sign(profile, target, aws))


def _may_sign(profile: Profile, target: SignTarget, aws: Aws) -> ProfileVersion:
    """The version of a profile that is fit for Lambda, and is the one that is meant."""
    name = f"Signing profile {target.profile} of target {target.name}"
    other = "Choose another profile in the policy; `shipsafe doctor` lists them."
    if profile.status == "Revoked":
        when = f" on {profile.revoked_at:%Y-%m-%d}" if profile.revoked_at else ""
        raise IntegrityError(f"{name} was revoked{when}: Lambda refuses what it signs.", remedy=other)
    if profile.status != "Active":
        raise IncompleteError(f"{name} is {profile.status or 'in no known state'}, not Active: it signs nothing.", remedy=other)
    if profile.platform != PLATFORM:
        raise IncompleteError(f"{name} is for {profile.platform}, and Lambda needs {PLATFORM}.", remedy=other)
    try:
        version = ProfileVersion.parse(profile.arn)
    except ConfigError as error:
        raise IncompleteError(f"{name}: Signer names no version of it. {error.what}", remedy=other) from error
    meant = (target.profile, target.profile_owner or aws.account, aws.region, aws.partition, profile.version)
    if (version.name, version.account, version.region, version.partition, version.version) != meant:
        raise IntegrityError(
            f"{name} is another one on AWS: {version.arn}.", remedy="Check account, region and `profile-owner` in the policy."
        )
    if target.profile_version is not None and target.profile_version != version.version:
        raise IntegrityError(
            f"{name} has version {version.version} on AWS, and the policy pins {target.profile_version}.",
            remedy="Find out who made another profile of that name, then change the policy or the profile.",
        )
    return version


def _by_content(work: Sequence[Unsigned]) -> Iterable[list[Unsigned]]:
    """Artifacts that are the same bytes, together: they are signed once."""
    groups: dict[str, list[Unsigned]] = {}
    for one in work:
        groups.setdefault(one.sha256, []).append(one)
    return groups.values()


def _how_far(line: Line, journal: Journal, now: datetime) -> Line:
    stand = line.stand
    source = uploaded(stand.aws, stand.bucket, line.key, line.work, journal)
    if source is None:
        return line
    ticket = line.ticket(source)
    earlier = earlier_job(stand.aws, ticket, line.destination, journal, name=line.work.name, now=now)
    return replace(line, source=source, job=earlier.job, attempt=earlier.attempt)


def _caught(look: Callable[[In], Out], item: In) -> Out | ShipsafeError:
    try:
        return look(item)
    except ShipsafeError as error:
        return error


def _each(items: Sequence[In], look: Callable[[In], Out]) -> list[Out]:
    """Look at all items side by side; every refusal is told, in one error of the gravest kind."""
    done = side_by_side(items, lambda item: _caught(look, item))
    found = [result for _, result in sorted(done, key=lambda one: one[0])]
    errors = list({str(one): one for one in found if isinstance(one, ShipsafeError)}.values())
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise _together(errors)
    return [one for one in found if not isinstance(one, ShipsafeError)]


def _together(errors: Sequence[ShipsafeError]) -> ShipsafeError:
    kind = next((kind for kind in (IntegrityError, IncompleteError) if any(isinstance(one, kind) for one in errors)), type(errors[0]))
    told, more = errors[:_MOST_SENTENCES], len(errors) - _MOST_SENTENCES
    later = [{one.remedy for one in told[number:]} for number in range(1, len(told) + 1)]
    # What to do is said once, after the last that it is good for.
    sentences = [
        str(one).removesuffix(one.remedy).strip() if one.remedy in after else str(one) for one, after in zip(told, later, strict=True)
    ]
    return kind(" ".join([*sentences, *([f"And {more} more."] if more > 0 else [])]))
