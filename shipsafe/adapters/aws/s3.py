"""The few calls of S3 that signing makes: look at a bucket, put one object that is new, look at a version, read one back.

Every call says whose bucket it must be (`ExpectedBucketOwner`): a name in a policy is no proof of who owns it.
Source: Amazon S3 API Reference; "Checking object integrity"; "How to prevent object overwrites with conditional writes".
"""

import base64
import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

from shipsafe.adapters.aws.conditional import BUSY, TAKEN
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.signing import S3Object

_CHUNK = MEBIBYTE
_TRIES = 4  # of one download: botocore tries calls again, but never the reading of an answer's body
_ABSENT = ("404", "NoSuchKey", "NotFound", "NoSuchVersion", "MethodNotAllowed", "405")  # 405: the newest version is a delete marker
_FORBIDDEN = 403
_WRONG_BYTES = ("BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest", "XAmzContentChecksumMismatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket of ours: where it is, and `Enabled`, `Suspended` or "" for its versioning."""

    name: str
    region: str
    versioning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What S3 says of one version of one object; `sha256` is hex, None where S3 has none of the whole object."""

    version: str
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A key in a bucket and when it was last written."""

    key: str
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to put: `sha256` is hex, `size` bytes; `kms_key` None for the bucket's own encryption."""

    path: Path
    sha256: str
    size: int
    kms_key: str | None
    tags: tuple[tuple[str, str], ...]


class KeyTakenError(Exception):
    """There is an object of that key already, or somebody is writing it: `busy`."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__("busy" if busy else "taken")
        self.busy = busy


def look_at_bucket(aws: Aws, name: str) -> Bucket:
    """Ask where a bucket is and whether it keeps versions.

    Raises:
        IntegrityError: it belongs to another account.
        IncompleteError: there is none, it may not be looked at, or AWS gave no answer.
    """
    region = bucket_region(aws, name)
    if region is None:
        raise IncompleteError(f"There is no bucket {name}.", remedy="`shipsafe bootstrap` creates it.")
    with aws_errors(f"look at bucket {name}"):
        versioning = aws.client("s3").get_bucket_versioning(Bucket=name, ExpectedBucketOwner=aws.account)
    return Bucket(name=name, region=region, versioning=versioning.get("Status", ""))


def bucket_region(aws: Aws, name: str, *, owner: str | None = None) -> str | None:
    """Where a bucket of ours, or of the account that is named, is; None where nobody has one of that name.

    Raises:
        IntegrityError: it belongs to another account.
        IncompleteError: it may not be looked at, or AWS gave no answer.
    """
    s3, owner = aws.client("s3"), owner or aws.account
    try:
        with aws_errors(f"look at bucket {name}"):
            head = s3.head_bucket(Bucket=name, ExpectedBucketOwner=owner)
    except AwsRefusal as refusal:
        if refusal.status == _FORBIDDEN and _of_somebody_else(s3, name):
            raise IntegrityError(
                f"Bucket {name} does not belong to account {owner}.",
                remedy="Somebody else owns that name: choose another bucket in the policy.",
            ) from refusal
        if refusal.code in _ABSENT or refusal.code == "NoSuchBucket":
            return None
        raise
    # HeadBucket names the region in every answer; an endpoint that leaves it out serves its own.
    return head.get("BucketRegion") or aws.region


def _of_somebody_else(s3: Any, name: str) -> bool:
    """Whether a bucket that refused us as its owner's account lets us look at it without saying so. No answer proves nothing."""
    try:
        with aws_errors(f"look at bucket {name}"):
            s3.head_bucket(Bucket=name)
    except AwsRefusal:
        return False
    return True


def head(aws: Aws, bucket: str, key: str, version: str | None = None) -> Head | None:
    """What S3 says of an object's newest version, or of the one that is named; None where there is none.

    Raises:
        IncompleteError: S3 refused or gave no answer, or the version has no name (versioning is off).
    """
    words: dict[str, Any] = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": aws.account, "ChecksumMode": "ENABLED"}
    if version is not None:
        words["VersionId"] = version
    try:
        with aws_errors(f"look at s3://{bucket}/{key}"):
            told = aws.client("s3").head_object(**words)
    except AwsRefusal as refusal:
        if refusal.code in _ABSENT or (version is not None and refusal.status == 400):  # noqa: PLR2004 - HeadObject of a version that never was: 400 without a body
            return None
        raise
    pinned = S3Object(bucket=bucket, key=key, version=told.get("VersionId", ""))
    return Head(version=pinned.version, size=told.get("ContentLength", -1), sha256=_hex(told.get("ChecksumSHA256")))


def _hex(checksum: str | None) -> str | None:
    """A checksum as hex; None for one that is of parts (`...-3`) and says nothing of the whole."""
    if checksum is None or "-" in checksum:
        return None
    try:
        return base64.b64decode(checksum, validate=True).hex()
    except ValueError:
        return None


def put_new(aws: Aws, bucket: str, key: str, upload: Upload) -> S3Object:
    """Put a file where no object is, in one streamed request, with its SHA-256 for S3 to check.

    Raises:
        KeyTakenError: there is an object, or somebody is writing it.
        IntegrityError: the file is no longer the one that was hashed.
        IncompleteError: the file is gone, S3 refused or gave no answer, or versioning is off.
    """
    words: dict[str, Any] = {}
    if upload.kms_key is not None:
        words |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": upload.kms_key}
    if upload.tags:
        words["Tagging"] = urlencode(upload.tags)
    try:
        with _opened(upload) as file, aws_errors(f"upload {upload.path.name} to s3://{bucket}/{key}"):
            told = aws.client("s3").put_object(
                Bucket=bucket,
                Key=key,
                Body=file,
                ContentLength=upload.size,
                ContentType="application/zip",
                ExpectedBucketOwner=aws.account,
                IfNoneMatch="*",
                # Object Lock asks for the algorithm's header even where the checksum itself is there: PutObject, "Object Lock".
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=base64.b64encode(bytes.fromhex(upload.sha256)).decode(),
                **words,
            )
    except AwsRefusal as refusal:
        if refusal.code in _WRONG_BYTES:
            raise _changed(upload) from refusal
        if refusal.code in TAKEN or refusal.code in BUSY:
            raise KeyTakenError(busy=refusal.code in BUSY) from refusal
        raise
    stored = told.get("ChecksumSHA256")
    if stored is not None and _hex(stored) != upload.sha256:
        raise IntegrityError(f"S3 stored other bytes than were sent as s3://{bucket}/{key}.", remedy="Delete that version and sign again.")
    return S3Object(bucket=bucket, key=key, version=told.get("VersionId", ""))


def _opened(upload: Upload) -> BufferedReader:
    try:
        file = upload.path.open("rb")
    except OSError as error:
        what = f"{upload.path.name} cannot be read any more: {error.strerror}."
        raise IncompleteError(what, remedy="Build it again, then sign.", path=str(upload.path)) from error
    if os.fstat(file.fileno()).st_size != upload.size:  # S3 would wait for what is missing
        file.close()
        raise _changed(upload)
    return file


def _changed(upload: Upload) -> IntegrityError:
    return IntegrityError(
        f"{upload.path.name} changed before it was uploaded: S3 did not receive the bytes with SHA-256 {upload.sha256}.",
        remedy="Find out what writes to it, build again, then sign.",
    )


def keys_below(aws: Aws, bucket: str, prefix: str, *, most: int) -> list[Listed]:
    """At most `most` (up to 1,000) keys that begin with `prefix`.

    Raises:
        IncompleteError: S3 refused or gave no answer.
    """
    with aws_errors(f"list s3://{bucket}/{prefix}"):
        told = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=most, ExpectedBucketOwner=aws.account)
        return [Listed(key=one["Key"], modified=one["LastModified"]) for one in told.get("Contents", ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What came: `sha256` hex, `code_sha256` base64 as Lambda has it, bytes."""

    sha256: str
    code_sha256: str
    size: int


def download(aws: Aws, place: S3Object, into: IO[bytes], *, largest: int, check: Callable[[], None]) -> Downloaded:
    """Stream exactly that version into a file; nothing of it is held in memory. A connection that breaks is made again.

    Args:
        aws: where, and as whom.
        place: the version.
        into: an empty file, which is at its end afterwards.
        largest: bytes; more is refused.
        check: called between pieces; what it raises ends the download.

    Raises:
        IntegrityError: it is larger than `largest`, or its length is not what S3 said.
        IncompleteError: S3 refused, there is no such version, or the connection broke again and again.
    """
    for remaining in range(_TRIES - 1, -1, -1):
        try:
            return _download_once(aws, place, into, largest=largest, check=check)
        except AwsRefusal:
            raise
        except IncompleteError:
            check()
            if not remaining:
                raise
            into.seek(0)
            into.truncate()
    raise AssertionError  # pragma: no cover - the last round returns or raises


def _download_once(aws: Aws, place: S3Object, into: IO[bytes], *, largest: int, check: Callable[[], None]) -> Downloaded:
    digest, size = hashlib.sha256(), 0
    with aws_errors(f"read {place} back"):
        told = aws.client("s3").get_object(
            Bucket=place.bucket, Key=place.key, VersionId=place.version, ExpectedBucketOwner=aws.account, ChecksumMode="ENABLED"
        )
        with closing(told["Body"]) as body:  # `with body` would give urllib3's answer, whose errors are not botocore's
            for chunk in body.iter_chunks(_CHUNK):
                check()
                size += len(chunk)
                if size > largest:
                    raise IntegrityError(f"{place} is larger than {largest // MEBIBYTE} MiB, which no signed zip is.", remedy="Sign again.")
                digest.update(chunk)
                into.write(chunk)
    if told.get("VersionId") != place.version:
        raise IntegrityError(
            f"S3 answered with another version than {place}.", remedy="Sign again, and find out what is between you and S3."
        )
    return Downloaded(sha256=digest.hexdigest(), code_sha256=base64.b64encode(digest.digest()).decode(), size=size)
