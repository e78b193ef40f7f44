"""Objects that are written once and kept: put one where none is, find them in spite of delete markers, read a version whole.

Every call says whose bucket it must be (`ExpectedBucketOwner`). Source: Amazon S3 API Reference; "How S3 Object Lock
works".
"""

import base64
import hashlib
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.aws.conditional import written_where_none_is
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IncompleteError, IntegrityError

_FORBIDDEN = 403
_ABSENT = ("404", "NoSuchBucket", "NotFound")
_TRIES = 4  # of a download that breaks off
_VERSIONS = 20  # of an object, the oldest; more is somebody's mischief
# What a call needs, as IAM names it; configs/iam/evidence.json grants it to who reads, sign.json to who writes.
_RIGHTS = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "GetObject": "s3:GetObjectVersion (and kms:Decrypt, where the bucket has a key of its own)",
    "PutObject": "s3:PutObject (and kms:GenerateDataKey, where the bucket has a key of its own)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedBucket:
    """A bucket, the region it is in, and the account that owns it."""

    name: str
    region: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObject:
    """What is to be put: bytes, under a key of the bucket of an account."""

    bucket: str
    owner: str
    key: str
    data: bytes


@contextmanager
def _looking(doing: str, place: str) -> Iterator[None]:
    """As `aws_errors`, and a refusal names the right that is missing.

    Raises:
        AwsRefusal: AWS answered with an error.
        IncompleteError: no credentials, no connection, no answer.
    """
    try:
        with aws_errors(doing):
            yield
    except AwsRefusal as refusal:
        if refusal.status == _FORBIDDEN and refusal.operation in _RIGHTS and not refusal.remedy.startswith("Renew"):
            refusal.remedy = f"Give these credentials {_RIGHTS[refusal.operation]} on {place}: configs/iam has what each command needs."
        raise


def owned_bucket(aws: Aws, name: str, accounts: Collection[str]) -> OwnedBucket:
    """Find out where a bucket is, and that it belongs to us, or to one of the accounts.

    Raises:
        IntegrityError: it belongs to none of them.
        IncompleteError: there is none, it may not be looked at, or AWS gave no answer.
    """
    refused = None
    for owner in dict.fromkeys((aws.account, *accounts)):
        try:
            return OwnedBucket(name=name, region=_head_bucket(aws, name, ExpectedBucketOwner=owner), owner=owner)
        except AwsRefusal as refusal:
            if refusal.status != _FORBIDDEN:
                raise
            refused = refused or refusal
    try:
        _head_bucket(aws, name)
    except AwsRefusal as refusal:
        raise refused or refusal from None
    raise IntegrityError(
        f"Bucket {name} belongs to another account than {aws.account}, and to none of the policy's `accounts`.",
        remedy="Add its account to `accounts` if it is yours; else choose another bucket: somebody else owns that name.",
    )


def _head_bucket(aws: Aws, name: str, **words: str) -> str:
    try:
        with _looking(f"look at bucket {name}", f"arn:{aws.partition}:s3:::{name}"):
            told = aws.client("s3").head_bucket(Bucket=name, **words)
            # HeadBucket names the region in every answer; an endpoint that leaves it out serves its own.
            return str(told.get("BucketRegion") or aws.region)
    except AwsRefusal as refusal:
        if refusal.code in _ABSENT:
            raise IncompleteError(f"There is no bucket {name}.", remedy="Make it, or correct `evidence` in the policy.") from refusal
        raise


def versions_below(aws: Aws, bucket: str, owner: str, prefix: str, *, page: int = 1000) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every key below a prefix with the ids of its oldest versions, the oldest first; also keys whose newest version is a delete marker.

    `page`: how many are asked for at a time, at most 1,000.

    Raises:
        IncompleteError: S3 refused or gave no answer.
    """
    key, found = "", deque[str](maxlen=_VERSIONS)
    for one in _listed(aws, bucket, owner, prefix, page):
        if one["Key"] != key:
            if found:
                yield key, tuple(reversed(found))
            key, found = str(one["Key"]), deque(maxlen=_VERSIONS)
        found.append(str(one["VersionId"]))  # S3 lists the newest first
    if found:
        yield key, tuple(reversed(found))


def _listed(aws: Aws, bucket: str, owner: str, prefix: str, page: int) -> Iterator[dict[str, Any]]:
    words: dict[str, str] = {}
    while True:
        with _looking(f"list s3://{bucket}/{prefix}", f"arn:{aws.partition}:s3:::{bucket}"):
            told = aws.client("s3").list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=page, ExpectedBucketOwner=owner, **words)
            entries = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in told.get("Versions", ())]
            more = bool(told.get("IsTruncated"))
            following = {"KeyMarker": told["NextKeyMarker"], "VersionIdMarker": told["NextVersionIdMarker"]} if more else {}
        yield from entries
        if not more:
            return
        if following == words:
            raise IncompleteError(f"Could not list s3://{bucket}/{prefix}: S3 names the same page twice.", remedy="Run this again.")
        words = following


def read_version(aws: Aws, bucket: str, owner: str, key: str, version: str, *, largest: int) -> bytes:
    """One version of an object, whole. A connection that breaks is made again.

    Raises:
        IntegrityError: it is larger than `largest` bytes.
        IncompleteError: S3 refused, there is no such version, or the connection broke again and again.
    """
    for remaining in range(_TRIES - 1, -1, -1):
        try:
            return _read_once(aws, bucket, owner, key, version, largest)
        except AwsRefusal:
            raise
        except IncompleteError:
            if not remaining:
                raise
    raise AssertionError  # pragma: no cover - the last round returns or raises


def _read_once(aws: Aws, bucket: str, owner: str, key: str, version: str, largest: int) -> bytes:
    with _looking(f"read s3://{bucket}/{key}", f"arn:{aws.partition}:s3:::{bucket}/{key}"):
        told = aws.client("s3").get_object(Bucket=bucket, Key=key, VersionId=version, ExpectedBucketOwner=owner)
        with closing(told["Body"]) as body:
            data = bytes(body.read(largest + 1))
            if len(data) <= largest and len(data) != told["ContentLength"]:
                raise IncompleteError(f"Could not read s3://{bucket}/{key}: the connection broke off.", remedy="Run this again.")
    if len(data) > largest:
        raise IntegrityError(f"It is larger than {largest // MEBIBYTE} MiB, which no envelope is.", path=f"s3://{bucket}/{key}")
    return data


def put_object(aws: Aws, new: NewObject, *, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Put bytes where no object is, with their SHA-256 for S3 to check; False where there is one.

    Raises:
        IncompleteError: S3 refused, gave no answer, or somebody else kept writing the same key.
    """

    def write() -> None:
        with _looking(f"write s3://{new.bucket}/{new.key}", f"arn:{aws.partition}:s3:::{new.bucket}/{new.key}"):
            aws.client("s3").put_object(
                Bucket=new.bucket,
                Key=new.key,
                Body=new.data,
                ContentType="application/json",
                ExpectedBucketOwner=new.owner,
                IfNoneMatch="*",
                # Object Lock asks for the algorithm's header even where the checksum itself is there: PutObject, "Object Lock".
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=base64.b64encode(hashlib.sha256(new.data).digest()).decode(),
            )

    return written_where_none_is(write, sleep=sleep)


def default_retention(aws: Aws, bucket: str, owner: str) -> str:
    """How long the bucket's own settings keep a new version from being deleted, as a sentence; also where it may not be asked."""
    try:
        with aws_errors(f"look at the Object Lock of bucket {bucket}"):
            told = aws.client("s3").get_object_lock_configuration(Bucket=bucket, ExpectedBucketOwner=owner)
            rule = told["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention")
    except AwsRefusal as refusal:
        if refusal.code == "ObjectLockConfigurationNotFoundError":
            return f"Bucket {bucket} has no Object Lock: nothing keeps evidence from being deleted."
        return f"Whether bucket {bucket} has Object Lock is not known: {refusal.what}"
    if rule is None:
        return f"Bucket {bucket} has Object Lock and no default retention: nothing keeps evidence from being deleted."
    number, unit = (rule["Days"], "day") if rule.get("Days") else (rule["Years"], "year")  # an S3 of others may answer "Days": 0 as well
    return f"Bucket {bucket} keeps every version for {number} {unit}{'' if number == 1 else 's'} (Object Lock, {rule['Mode'].lower()})."
