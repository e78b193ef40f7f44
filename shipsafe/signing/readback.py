"""The signed object, read back once: is it our zip, signed by our job, and which version and bytes are to be deployed?

Signer does not say which version it wrote, so the newest one of the key is looked up, pinned, streamed to the disk and compared with the
unsigned zip. Whoever else wrote there is found out by what the signature says: job and profile version are inside it.
"""

import hashlib
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO

from shipsafe.adapters.aws.s3 import Downloaded, download, head
from shipsafe.adapters.aws.signer import Job
from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.model.signing import S3Object, SignedArtifact
from shipsafe.signing.compare import compare
from shipsafe.signing.layout import LARGEST_ZIP
from shipsafe.signing.plan import Line
from shipsafe.signing.signature import Signature
from shipsafe.signing.signed_zip import look

_LARGEST = LARGEST_ZIP + MEBIBYTE  # the signature takes some thousand bytes
_REMEDY = "Nothing of it was used. Find out who wrote to the bucket, then sign again."
Trust = Callable[[str], str]  # hex SHA-256 of a root -> who vouches for it


def read_back(
    line: Line, source: S3Object, job: Job, *, scratch: Path, now: datetime, trust: Trust, check: Callable[[], None]
) -> tuple[SignedArtifact, ...]:
    """Read what a job signed; gives the signed artifact for each name of the line.

    Args:
        line: what was signed.
        source: the version that the job read.
        job: it has succeeded.
        scratch: a folder with room for the signed zip; it is gone afterwards.
        now: UTC.
        trust: says who vouches for a root, or raises.
        check: called between pieces; what it raises ends the reading.

    Raises:
        IntegrityError: it is not our zip with the signature of this job, or nobody vouches for its root.
        IncompleteError: the object is not there, has no version, or could not be read.
    """
    stand, name = line.stand, line.work.name
    key = f"{line.destination}{job.id}.zip"
    found = head(stand.aws, stand.bucket, key)
    if found is None:
        raise IncompleteError(
            f"{name}: job {job.id} has succeeded, and s3://{stand.bucket}/{key} is not there.",
            remedy="Restore the object that was deleted (the bucket keeps versions), then run this again.",
        )
    place = S3Object(bucket=stand.bucket, key=key, version=found.version)
    with disk_errors(scratch), tempfile.TemporaryFile(dir=scratch) as file:
        came = download(stand.aws, place, file, largest=_LARGEST, check=check)
        try:
            signature, notes = _examine(line, file, came, found.size)
            _ours(signature, line, job, now)
            vouched = trust(signature.root)
        except ShipsafeError as error:
            raise type(error)(f"{name}: {place} cannot be used. {error.what}", remedy=error.remedy) from error
    return tuple(
        SignedArtifact(
            artifact=one,
            target=stand.target.name,
            account=stand.aws.account,
            region=stand.aws.region,
            unsigned_sha256=line.work.sha256,
            source=source,
            object=place,
            size=came.size,
            sha256=came.sha256,
            code_sha256=came.code_sha256,
            job=signature.job.arn,
            profile_version=signature.profile_version.arn,
            signed_at=signature.signed_at,
            expires=signature.expires,
            root=signature.root,
            trust=vouched,
            notes=notes,
        )
        for one in line.names
    )


def _examine(line: Line, file: IO[bytes], came: Downloaded, size: int) -> tuple[Signature, tuple[str, ...]]:
    """The signature of a zip that holds what the unsigned one holds."""
    if came.size != size:
        raise IntegrityError(f"It has {came.size} bytes, and S3 said {size}.", remedy=_REMEDY)
    zipped = look(file)
    if zipped.signature is None:
        raise IntegrityError("It is not signed.", remedy=_REMEDY)
    try:
        unsigned = line.work.path.open("rb")
    except OSError as error:
        raise IncompleteError(f"The unsigned zip is gone: {error.strerror}.", remedy="Build it again.", path=str(line.work.path)) from error
    with unsigned:
        # What is compared must be what was judged, not what somebody wrote there since.
        if hashlib.file_digest(unsigned, "sha256").hexdigest() != line.work.sha256:
            raise IntegrityError(f"{line.work.path.name} has changed since it was judged.", remedy="Build again, then sign.")
        notes = compare(unsigned, file)
    if not zipped.intact:
        # Its formula has a single source (docs/guides/signatures.md). Every byte was compared above, and the signature is our job's: a
        # formula that is not quite AWS's must not stop a release that Lambda would take.
        notes = (*notes, "The digest in the signature is not the one that is computed here; names and bytes were compared, one by one.")
    return zipped.signature, notes


def _ours(signature: Signature, line: Line, job: Job, now: datetime) -> None:
    """Hold the signature against the job that was started."""
    aws, profile = line.stand.aws, line.stand.profile
    # Which account a job of a shared profile belongs to, Signer says itself (`jobOwner`).
    owners = (job.owner,) if job.owner else (aws.account, profile.account)
    inside = signature.job
    if inside.id != job.id or inside.region != aws.region or inside.partition != aws.partition or inside.account not in owners:
        raise IntegrityError(f"It was signed by {inside.arn}, and not by job {job.id} that was started for it.", remedy=_REMEDY)
    if signature.profile_version.arn != profile.arn:
        raise IntegrityError(f"It was signed by {signature.profile_version.arn}, and not by {profile.arn}.", remedy=_REMEDY)
    if signature.expires <= now:
        raise IntegrityError(f"Its signature expired on {signature.expires:%Y-%m-%d}.", remedy="Give the profile a longer validity.")
