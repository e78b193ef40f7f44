"""What moto's S3 lets through and AWS does not. Everything that is not named here reaches moto as it came, and comes back as it went.

- A body that is not what its checksum says is refused (`s3_body.py`); a checksum that came without `x-amz-sdk-checksum-algorithm` is kept
  all the same, so that HeadObject tells it.
- Requests for one key are answered one after the other: moto writes an object in several steps, and loses versions that meet in them.
- `If-None-Match: *` on a write is decided once for several that come together; a delete while the body came in is a conflict (409).
- `x-amz-expected-bucket-owner` must name the bucket's owner; moto reads it nowhere, and lets every account into every bucket.
- In a bucket whose versioning is suspended a write answers the version `null`, and that version can be looked at.
- A sub-resource that moto does not know, and would take for the object or the bucket itself, is answered 501.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from shipsafe.local.asked import Answered, Asked, Run, header_names
from shipsafe.local.call import ApiError
from shipsafe.local.routes import match
from shipsafe.local.s3_body import ALGORITHMS, check_body

WRITES = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})
_DELETES = frozenset({"DeleteObject"})
# What moto 5.2 tells apart. It takes every other PUT of a key for PutObject, every other DELETE for DeleteObject or DeleteBucket, every
# other GET for GetObject or ListObjects (moto/s3/responses.py).
_NAMES = """
    AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateMultipartUpload DeleteBucket DeleteBucketCors
    DeleteBucketEncryption DeleteBucketLifecycle DeleteBucketOwnershipControls DeleteBucketPolicy DeleteBucketReplication
    DeleteBucketTagging DeleteBucketWebsite DeleteObject DeleteObjects DeleteObjectTagging DeletePublicAccessBlock
    GetBucketAccelerateConfiguration GetBucketAcl GetBucketCors GetBucketEncryption GetBucketInventoryConfiguration
    GetBucketLifecycleConfiguration GetBucketLocation GetBucketLogging GetBucketNotificationConfiguration GetBucketOwnershipControls
    GetBucketPolicy GetBucketPolicyStatus GetBucketReplication GetBucketTagging GetBucketVersioning GetBucketWebsite GetObject
    GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectLockConfiguration GetObjectTagging GetPublicAccessBlock HeadBucket
    HeadObject ListBucketInventoryConfigurations ListBuckets ListMultipartUploads ListObjects ListObjectsV2 ListObjectVersions ListParts
    PutBucketAccelerateConfiguration PutBucketAcl PutBucketCors PutBucketEncryption PutBucketInventoryConfiguration
    PutBucketLifecycleConfiguration PutBucketLogging PutBucketNotificationConfiguration PutBucketOwnershipControls PutBucketPolicy
    PutBucketReplication PutBucketTagging PutBucketVersioning PutBucketWebsite PutObject PutObjectAcl PutObjectLegalHold
    PutObjectLockConfiguration PutObjectRetention PutObjectTagging PutPublicAccessBlock RestoreObject SelectObjectContent UploadPart
    UploadPartCopy
"""
KNOWN_TO_MOTO = frozenset(_NAMES.split())
_SIGNATURE = frozenset({"awsaccesskeyid", "signature", "expires"})  # of a query presigned the old way


class S3Checks:
    """The checks, and what they remember: which keys are being asked for, and when some were deleted."""

    def __init__(self, versioning: Callable[[str], str], owner: Callable[[str], str | None]) -> None:
        self._versioning, self._owner = versioning, owner
        self._lock = threading.Lock()
        self._asked: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._deleted: dict[str, float] = {}

    def __call__(self, asked: Asked, run: Run) -> Answered:
        """Answer a request to S3.

        Raises:
            ApiError: it is refused here.
        """
        check_known(asked)
        self._check_owner(asked)
        if asked.method in ("PUT", "POST"):
            check_body(asked)
            _name_algorithm(asked)
        if asked.operation in WRITES:
            return self._write(asked, run)
        if asked.operation == "HeadObject" and "versionId" in asked.query and self._versioning(_bucket(asked)) != "Enabled":
            return self._look(asked, run)
        with self._alone(asked):
            answered = run(asked)
            if asked.operation in _DELETES:
                self._deleted[asked.path] = time.monotonic()
        return answered

    def _check_owner(self, asked: Asked) -> None:
        expected, owner = asked.header("x-amz-expected-bucket-owner"), self._owner(_bucket(asked))
        if expected and owner and expected != owner:
            raise ApiError("AccessDenied", "Access Denied", HTTPStatus.FORBIDDEN)

    def _write(self, asked: Asked, run: Run) -> Answered:
        condition = asked.header("if-none-match")
        if condition not in ("", "*"):
            raise ApiError(
                "NotImplemented", "A header you provided implies functionality that is not implemented", 501, Header="If-None-Match"
            )
        with self._alone(asked):
            if condition and self._deleted.get(asked.path, 0.0) >= asked.begun:
                words = "A conflicting operation occurred during the upload; retry it."
                raise ApiError("ConditionalRequestConflict", words, HTTPStatus.CONFLICT, Condition="If-None-Match")
            status, headers, parts = run(asked)
        told = {name.lower() for name, _ in headers}
        if status.startswith("200") and "x-amz-version-id" not in told and self._versioning(_bucket(asked)) == "Suspended":
            headers = [*headers, ("x-amz-version-id", "null")]
        return status, headers, parts

    @contextmanager
    def _alone(self, asked: Asked) -> Iterator[None]:
        with self._lock:
            lock = self._asked[asked.path]
        with lock:
            yield

    def _look(self, asked: Asked, run: Run) -> Answered:
        """HeadObject of a version where versioning is not enabled: moto refuses it, and answers the GetObject of the same."""
        asked.environ["REQUEST_METHOD"] = "GET"
        with self._alone(asked):
            status, headers, parts = run(asked)
        if hasattr(parts, "close"):
            parts.close()
        return status, headers, []


def check_known(asked: Asked) -> None:
    """Refuse what moto would take for something else.

    Raises:
        ApiError: NotImplemented (501).
    """
    if asked.method == "OPTIONS" or (asked.method == "POST" and "form-data" in asked.environ.get("CONTENT_TYPE", "")):
        return  # a browser's preflight and its form: no operations, but known to moto
    if asked.operation not in KNOWN_TO_MOTO:
        raise _not_implemented(asked, asked.operation or f"{asked.method} with {', '.join(sorted(asked.query)) or 'nothing'}")
    found = match("s3", asked.method, asked.path, asked.query, header_names(asked.environ))
    known = {name for name, _ in found.route.literals} | found.route.known if found is not None else frozenset[str]()
    unknown = [name for name in asked.query if name not in known and not name.lower().startswith("x-") and name.lower() not in _SIGNATURE]
    if unknown:
        raise _not_implemented(asked, f"{asked.operation} with the sub-resource {', '.join(sorted(unknown))}")


def _not_implemented(asked: Asked, what: str) -> ApiError:
    return ApiError("NotImplemented", f"The local endpoint does not reproduce S3 {what}.", 501, Resource=asked.path)


def _name_algorithm(asked: Asked) -> None:
    """Say which checksum was sent: moto keeps one only if an SDK computed it, and an SDK that was given it does not say so."""
    if asked.operation == "CompleteMultipartUpload":
        return  # its checksum is that of the parts together
    sent = next((name for name in ALGORITHMS if asked.header(f"x-amz-checksum-{name}")), None)
    if sent is not None:
        asked.environ.setdefault("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", sent.upper())


def _bucket(asked: Asked) -> str:
    return asked.path.split("/")[1]
