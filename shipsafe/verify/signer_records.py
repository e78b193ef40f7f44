"""What AWS itself has written down of a signature, against the signing record: what Lambda saw, what Signer did, and by which profile.

A signature may hold in itself and still not count: the job or the profile was revoked, or another object was signed than was uploaded.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shipsafe.adapters.aws.looks import Looks
from shipsafe.adapters.aws.signer import Job, Profile
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.model.chain import Hold, Link
from shipsafe.model.signing import ProfileVersion, SignedArtifact, SigningJob
from shipsafe.signing.layout import PLATFORM
from shipsafe.verify import live_links
from shipsafe.verify.links import broken, held, not_asked, too_early, unanswered
from shipsafe.verify.looks import not_looked
from shipsafe.verify.trusted import REMEDY, Trusted

KEPT = timedelta(days=730)  # that Signer shows a job: "AWS Signer API Reference", StartSigningJob
_APART = timedelta(days=1)  # two records of one expiry; Signer's own has been seen to differ by milliseconds
_INVESTIGATE = "Find out who deployed it and how, and deploy what was signed again."
_ANEW = "Sign and publish the layer anew, and attach that version."


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The zip of a version of a function, or of a layer, as Lambda tells of it.

    `what` names it for people, and `verb` says what it does with the code; `code_sha256` is base64; the ARNs are "" where Lambda saw no
    signature. `link` is the id of the link that compares those. `function` is the name of the function that runs it, "" where none does.
    """

    what: str
    code_sha256: str
    profile_version: str
    job: str
    verb: str = "runs"
    link: str = live_links.SIGNATURE
    function: str = ""


def signature_link(code: Code, record: SignedArtifact | None) -> Link:
    """Whether the signature that Lambda saw is the one of the record."""
    if not code.job or not code.profile_version:
        return broken(code.link, f"Lambda saw no signature on the code of {code.what}.", expected=record.job if record else "",
                      found="none", remedy=_INVESTIGATE)  # fmt: skip
    if record is None:
        return not_asked(code.link, "There is no signing record to hold it against.")
    if code.job != record.job:
        sentence = f"Lambda saw the signature of another job on the code of {code.what}."
        return broken(code.link, sentence, expected=record.job, found=code.job, remedy=_INVESTIGATE)
    if code.profile_version != record.profile_version:
        sentence = f"Lambda saw the signature of another profile version on the code of {code.what}."
        return broken(code.link, sentence, expected=record.profile_version, found=code.profile_version, remedy=_INVESTIGATE)
    return held(code.link, f"Lambda saw the signature of job {code.job.rpartition('/')[2]}, as recorded.")


def job_link(looks: Looks, record: SignedArtifact, now: datetime) -> Link:
    """Whether Signer's own record of the job says what ours does, and the signature still counts."""
    arn = SigningJob.parse(record.job)
    if arn.region != looks.aws.region:
        sentence = f"The signing job is of {arn.region}, and is not known in {looks.aws.region}."
        return unanswered(live_links.JOB, sentence, remedy="Look at it in its own Region.")
    try:
        job = looks.job(arn.id)
    except ShipsafeError as error:
        return not_looked(live_links.JOB, error)
    if job is None and now - record.signed_at > KEPT:
        return unanswered(live_links.JOB, f"Signer no longer shows job {arn.id}: it keeps jobs for two years.", remedy="Sign it anew.")
    if job is None and arn.account != looks.aws.account:
        sentence = f"The signing job is of account {arn.account}, and Signer tells account {looks.aws.account} nothing of it."
        return unanswered(live_links.JOB, sentence, remedy="Only that account and the one that started the job are told: use one of them.")
    if job is None:
        return broken(live_links.JOB, f"Signer knows no job {arn.id}.", expected=record.job, found="none", remedy=_INVESTIGATE)
    return (
        too_early(live_links.JOB, record.signed_at, now)
        or _refuted(job, record, now)
        or held(live_links.JOB, f"Signer has signed what we uploaded in job {arn.id}; it holds until {record.expires:%Y-%m-%d}.")
    )


def _refuted(job: Job, record: SignedArtifact, now: datetime) -> Link | None:
    """The first thing in which Signer's record of a job is not as it should be."""

    def wrong(sentence: str, expected: object = "", found: object = "", remedy: str = _INVESTIGATE) -> Link:
        return broken(live_links.JOB, sentence, expected=str(expected), found=str(found), remedy=remedy)

    if job.revoked is not None:
        return wrong(f"The signature of job {job.id} was revoked: {job.revoked}.", "not revoked", "revoked")
    if job.status != "Succeeded":
        return wrong(f"Signing job {job.id} is {job.status}: it has signed nothing.", "Succeeded", job.status)
    if job.platform != PLATFORM:
        return wrong(f"Signing job {job.id} signed for another platform.", PLATFORM, job.platform)
    source = record.source
    if job.source != (source.bucket, source.key, source.version):
        return wrong(f"Signing job {job.id} signed another object than the one that we uploaded.", source, _object(*job.source))
    if job.signed != (record.object.bucket, record.object.key):
        found = f"s3://{'/'.join(job.signed)}" if job.signed else "none"
        return wrong(f"Signing job {job.id} wrote another object.", f"s3://{record.object.bucket}/{record.object.key}", found)
    version = ProfileVersion.parse(record.profile_version)
    if (job.profile, job.profile_version) != (version.name, version.version):
        found = f"{job.profile}/{job.profile_version}"
        return wrong(f"Signing job {job.id} used another profile version.", f"{version.name}/{version.version}", found)
    if job.expires is not None and abs(job.expires - record.expires) > _APART:
        return wrong(f"Signing job {job.id} says another day on which its signature expires.", _day(record.expires), _day(job.expires))
    if min(record.expires, job.expires or record.expires) <= now:
        return wrong(f"The signature of job {job.id} expired on {_day(record.expires)}.", f"after {_day(now)}", _day(record.expires),
                     "Sign and deploy it anew.")  # fmt: skip
    return None


def profile_link(looks: Looks, trusted: Trusted, arn: str, signed_at: datetime | None) -> Link:
    """Whether a profile version is one that the policy trusts, and was not revoked when it signed.

    `signed_at` is the time of the signature; None where nobody knows it, and then any revocation counts.
    """
    if why := trusted.why_not(arn):
        sentence = f"It is signed by a profile that the policy does not trust: {why}."
        return broken(live_links.PROFILE, sentence, expected="a trusted profile version", found=arn, remedy=REMEDY)
    try:
        version = ProfileVersion.parse(arn)
        if version.region != looks.aws.region:
            sentence = f"Profile {version.name} is of {version.region}, and is not known in {looks.aws.region}."
            return unanswered(live_links.PROFILE, sentence, remedy="Look at it in its own Region.")
        profile = looks.profile(version.name, version.account if version.account != looks.aws.account else None)
    except ConfigError as error:
        return broken(live_links.PROFILE, error.what, found=arn, remedy=error.remedy)
    except ShipsafeError as error:
        return not_looked(live_links.PROFILE, error)
    if profile is None or profile.arn != version.arn:
        sentence = f"There is no version {version.version} of signing profile {version.name}."
        return broken(live_links.PROFILE, sentence, expected=version.arn, found=profile.arn if profile else "none", remedy=_INVESTIGATE)
    if profile.platform != PLATFORM:
        sentence = f"Signing profile {version.name} does not sign for Lambda."
        return broken(live_links.PROFILE, sentence, expected=PLATFORM, found=profile.platform, remedy=_INVESTIGATE)
    return _state(profile, signed_at)


def _state(profile: Profile, signed_at: datetime | None) -> Link:
    match profile.status:
        case "Active":
            return held(live_links.PROFILE, f"Signing profile {profile.name} is active, and the policy trusts it.")
        case "Canceled":
            note = f"Signing profile {profile.name} is cancelled: it signs nothing more, and what it has signed stays good."
            return held(live_links.PROFILE, f"The policy trusts signing profile {profile.name}.", notes=(note,))
        case "Revoked":
            begins = profile.revoked_from
            if begins is not None and signed_at is not None and signed_at < begins:
                note = f"Signing profile {profile.name} is revoked from {begins:%Y-%m-%d %H:%M} UTC on; this was signed before."
                return held(live_links.PROFILE, f"The policy trusts what signing profile {profile.name} had signed by then.", notes=(note,))
            since = f" from {begins:%Y-%m-%d %H:%M} UTC on" if begins else ""
            return broken(live_links.PROFILE, f"Signing profile {profile.name} was revoked: what it has signed{since} no longer counts.",
                          expected="Active", found="Revoked", remedy="Sign with another profile, and deploy that.")  # fmt: skip
        case other:
            sentence = f"Signing profile {profile.name} is in a state that is not known: {other or 'none'}."
            return unanswered(live_links.PROFILE, sentence, remedy="A newer shipsafe may know it.")


def layer_revoked(looks: Looks, trusted: Trusted, profile_version: str, job: str, now: datetime) -> Link | None:
    """What is wrong with the signature of a layer that no signing record of ours names; None where it still counts.

    Lambda looks at revocations when a layer is attached, and not again. Of another account's job Signer tells nothing, so that such a
    layer is not looked at (None). `now` is for the signature's expiry.
    """
    arn = SigningJob.parse(job)
    if arn.account != looks.aws.account:
        return None
    if arn.region != looks.aws.region:
        sentence = f"its signing job is of {arn.region}, and is not known in {looks.aws.region}."
        return unanswered(live_links.LAYERS, sentence, remedy="Have it signed in this Region, and attach that version.")
    try:
        found = looks.job(arn.id)
    except ShipsafeError as error:
        return not_looked(live_links.LAYERS, error)
    if found is None:
        sentence = f"Signer shows no job {arn.id} (it keeps jobs for two years), so that nobody can see whether it was revoked."
        return unanswered(live_links.LAYERS, sentence, remedy="Sign and publish the layer anew, and attach that version.")
    if found.revoked is not None:
        sentence = f"the signature of job {arn.id} was revoked: {found.revoked}."
        return broken(live_links.LAYERS, sentence, expected="not revoked", found="revoked", remedy=_ANEW)
    if found.expires is not None and found.expires <= now:
        sentence = f"the signature of job {arn.id} expired on {_day(found.expires)}."
        return broken(live_links.LAYERS, sentence, expected=f"after {_day(now)}", found=_day(found.expires), remedy=_ANEW)
    profile = profile_link(looks, trusted, profile_version, found.created)
    return profile if profile.hold is not Hold.HELD else None


def _object(bucket: str, key: str, version: str) -> str:
    return f"s3://{bucket}/{key}?versionId={version}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
