"""One unsigned zip into a bucket, under the key of its content, and the version that S3 gave it.

S3 writes only where nothing is (`IfNoneMatch`) and only the bytes that were hashed (`ChecksumSHA256`). Where something is already, it
must be our bytes: a run that was cut off after S3 had them, or another run that was faster.
"""

from shipsafe.adapters.aws.s3 import KeyTakenError, Upload, head, put_new
from shipsafe.errors import IncompleteError
from shipsafe.model.signing import S3Object
from shipsafe.signing.earlier import pinned
from shipsafe.signing.journal import Journal
from shipsafe.signing.plan import Line
from shipsafe.signing.watch import Watch

_TRIES = 6
_PAUSE = 1.0  # seconds, doubled each time


def upload(line: Line, journal: Journal, watch: Watch) -> S3Object:
    """Upload a zip, and write down its version.

    Raises:
        IntegrityError: the file has changed since it was hashed, or other bytes lie under its key.
        IncompleteError: S3 refused or gave no answer, versioning is off, or somebody else keeps writing that key.
    """
    target, work = line.stand.target, line.work
    aws, bucket = line.stand.aws, line.stand.bucket
    what = Upload(path=work.path, sha256=work.sha256, size=work.size, kms_key=target.kms_key, tags=target.tags)
    for number in range(_TRIES):
        watch.check()
        try:
            place = put_new(aws, bucket, line.key, what)
        except KeyTakenError as taken:
            # Somebody writes it at this moment, or it was deleted between the two calls: ask again.
            found = None if taken.busy else head(aws, bucket, line.key)
            if found is None:
                watch.pause(_PAUSE * 2**number)
                continue
            place = pinned(found, bucket, line.key, work)
        journal.note_upload(aws.account, place)
        return place
    raise IncompleteError(
        f"{work.name}: s3://{bucket}/{line.key} was written and deleted by somebody else all the while.", remedy="Run this again later."
    )
