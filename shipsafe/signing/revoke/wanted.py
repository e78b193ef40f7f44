"""What is to be revoked: one signature, or all that a profile version has signed since a time. Neither can be taken back.

Source: AWS Signer Developer Guide, "Revoke a signature" and "Revoke a signing profile": a revocation holds in all regions of the partition;
that of a profile holds for what was signed after its effective time, which must be in the past and can only be moved further back.
"""

from dataclasses import dataclass
from datetime import datetime

from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import describe_job, find_profile, revoke_job, revoke_profile_version
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.signing import ProfileVersion, SignedArtifact, SigningJob

LONGEST = 500  # characters of a reason, as Signer takes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One revocation. `effective` (UTC, whole seconds, as Signer takes them) is set for a profile version, and for that alone.

    Raises:
        ConfigError: the reason is empty or too long, or `effective` is missing, not asked for or in the future.
    """

    what: SigningJob | ProfileVersion
    reason: str
    effective: datetime | None
    now: datetime

    def __post_init__(self) -> None:
        if not 1 <= len(self.reason) <= LONGEST or not self.reason.strip():
            raise ConfigError(f"A reason has 1 to {LONGEST} characters; this one has {len(self.reason)}.", remedy="Say why, in a sentence.")
        if isinstance(self.what, SigningJob):
            if self.effective is not None:
                raise ConfigError("A job is revoked as a whole.", remedy="Leave --effective out, or name a --profile-version.")
        elif self.effective is None:
            raise ConfigError(
                "A profile version is revoked from a time on: what it signed before stays good, what it signed since does not.",
                remedy="Give the last moment that you trust: --effective 2026-11-01T09:00Z. It can be moved back later, never forward.",
            )
        elif self.effective > self.now:
            raise ConfigError(f"{self.effective:%Y-%m-%d %H:%M} UTC is in the future.", remedy="Give a time that has passed.")

    def concerns(self, record: SignedArtifact) -> bool:
        """Whether what a signing record tells of is revoked by it."""
        if self.what.arn == record.job:
            return True
        return self.what.arn == record.profile_version and self.effective is not None and record.signed_at >= self.effective


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the job or profile stands with Signer now.

    `done`: it is revoked as far as is asked for, and nothing is left to do. `says`: for people. `unknown`: why nobody could look, or None.
    """

    done: bool
    says: str
    unknown: IncompleteError | None = None


def standing(aws: Aws, wanted: Revocation) -> Standing:
    """Ask Signer. That one may not look does not stop a revocation.

    Raises:
        ConfigError: the profile has another version than the one named.
        IncompleteError: Signer knows no such job or profile, or the job has signed nothing.
    """
    look = _job if isinstance(wanted.what, SigningJob) else _profile
    try:
        return look(aws, wanted)
    except _MissingError:
        raise
    except IncompleteError as error:
        return Standing(done=False, says=f"not known. {error}", unknown=error)


class _MissingError(IncompleteError):
    """There is nothing to revoke."""


def _job(aws: Aws, wanted: Revocation) -> Standing:
    assert isinstance(wanted.what, SigningJob)  # noqa: S101 - `standing` chose by it
    job = describe_job(aws, wanted.what.id)
    if job is None and wanted.what.account == aws.account:
        what = f"Signer knows no job {wanted.what.id} in account {aws.account}, {aws.region}."
        raise _MissingError(what, remedy="Check the ARN: `shipsafe inspect FILE.zip` shows that of a signed zip.")
    if job is None:
        return Standing(done=False, says=f"not known: the job is account {wanted.what.account}'s, and Signer does not show it to us")
    if job.status != "Succeeded":
        what = f"Job {wanted.what.id} has signed nothing that could be revoked: it is {job.status or 'in no known state'}."
        raise _MissingError(what, remedy="Look again when it has ended.")
    if job.revoked is not None:
        return Standing(done=True, says=f"revoked already: {job.revoked}")
    return Standing(
        done=False, says=f"signed{f' on {job.completed:%Y-%m-%d}' if job.completed else ''} with profile {job.profile}, not revoked"
    )


def _profile(aws: Aws, wanted: Revocation) -> Standing:
    assert isinstance(wanted.what, ProfileVersion)  # noqa: S101 - likewise
    assert wanted.effective is not None  # noqa: S101 - a Revocation of a profile has it
    profile = find_profile(aws, wanted.what.name, None)
    if profile is None:
        what = f"There is no signing profile {wanted.what.name} in account {aws.account}, {aws.region}."
        raise _MissingError(what, remedy="`shipsafe doctor` lists those that are there.")
    if profile.version != wanted.what.version:
        remedy = "Revoke that one, if it is meant: a profile has one version."
        raise ConfigError(f"Profile {profile.name} has version {profile.version}, not {wanted.what.version}.", remedy=remedy)
    if profile.revoked_from is None and profile.status != "Revoked":
        return Standing(done=False, says=f"{profile.status}, not revoked")
    if profile.revoked_from is not None and wanted.effective < profile.revoked_from:
        return Standing(done=False, says=f"revoked from {profile.revoked_from:%Y-%m-%d %H:%M:%S} UTC on; that time is moved back")
    since = f" for what it signed from {profile.revoked_from:%Y-%m-%d %H:%M:%S} UTC on" if profile.revoked_from else ""
    return Standing(done=True, says=f"revoked already{since}")


def revoke(aws: Aws, wanted: Revocation) -> None:
    """Revoke, and look whether Signer says so.

    Raises:
        IncompleteError: Signer refused or gave no answer, or does not show the revocation.
    """
    if isinstance(wanted.what, SigningJob):
        revoke_job(aws, wanted.what, wanted.reason)
    elif wanted.effective is not None:
        revoke_profile_version(aws, wanted.what, wanted.reason, wanted.effective)
    after = standing(aws, wanted)
    if not after.done and after.unknown is None and wanted.what.account == aws.account:
        raise IncompleteError(f"Signer took the revocation, and says: {after.says}.", remedy="Run this again in a minute: it looks first.")
