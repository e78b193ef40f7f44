"""What a signing job does when it is due: reads one version of one object, signs it, and writes the signed object."""

from datetime import datetime

from shipsafe.local.call import ApiError, Objects
from shipsafe.local.cms import write_signature
from shipsafe.local.pki import LocalRoot
from shipsafe.local.sign_zip import Unsignable, sign_zip
from shipsafe.local.signer_state import Job, Profile, Transfer

SUCCEEDED = "Signing Succeeded"  # as the live service was measured


def work(
    job: Job, transfer: Transfer, profile: Profile, *, objects: Objects, root: LocalRoot, signed_at: datetime, expires: datetime
) -> str:
    """Sign, and put the result at prefix + job id + `.zip`, which is the key that is returned.

    Raises:
        Unsignable: why the job fails.
    """
    if job.doom is not None:
        raise Unsignable(job.doom)
    try:
        unsigned = objects.read(transfer.bucket, transfer.key, transfer.version)
    except ApiError as error:
        raise Unsignable(f"The source object cannot be read: {error.message}") from error
    leaf = root.issue(signed_at)
    signed = sign_zip(
        unsigned,
        lambda content: write_signature(
            content, leaf, job=job.arn, profile_version=profile.version_arn, signed_at=signed_at, expires=expires
        ),
    )
    key = f"{transfer.prefix}{job.id}.zip"
    try:
        objects.write(transfer.to_bucket, key, signed)
    except ApiError as error:
        raise Unsignable(f"The signed object cannot be written: {error.message}") from error
    return key
