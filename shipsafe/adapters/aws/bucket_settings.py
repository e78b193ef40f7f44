"""What a bucket is set to, each setting in the shape of the S3 API, and the calls that make and set one.

    settings = read_settings(aws, "orders-artifacts")
    settings.values["versioning"]        # "Enabled", None where it was never set
    settings.refused["policy"]           # why it could not be looked at

Source: Amazon S3 API Reference; the codes of absence are those of the Get calls' error lists.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError

_NO_CONSTRAINT = "us-east-1"  # the one region that CreateBucket refuses as a LocationConstraint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """One setting: the calls that read and write it, S3's code for "never set", and where its value is in an answer and a request."""

    read: str
    write: str
    absent: str
    unpack: Callable[[Any], Any]
    pack: Callable[[Any], Mapping[str, Any]]


_SETTINGS = {
    "versioning": _Setting(
        read="get_bucket_versioning",
        write="put_bucket_versioning",
        absent="",
        unpack=lambda told: told.get("Status"),
        pack=lambda value: {"VersioningConfiguration": {"Status": value}},
    ),
    "encryption": _Setting(
        read="get_bucket_encryption",
        write="put_bucket_encryption",
        absent="ServerSideEncryptionConfigurationNotFoundError",
        unpack=lambda told: told["ServerSideEncryptionConfiguration"]["Rules"][0],
        pack=lambda value: {"ServerSideEncryptionConfiguration": {"Rules": [value]}},
    ),
    "public access": _Setting(
        read="get_public_access_block",
        write="put_public_access_block",
        absent="NoSuchPublicAccessBlockConfiguration",
        unpack=lambda told: told["PublicAccessBlockConfiguration"],
        pack=lambda value: {"PublicAccessBlockConfiguration": value},
    ),
    "ownership": _Setting(
        read="get_bucket_ownership_controls",
        write="put_bucket_ownership_controls",
        absent="OwnershipControlsNotFoundError",
        unpack=lambda told: told["OwnershipControls"]["Rules"][0]["ObjectOwnership"],
        pack=lambda value: {"OwnershipControls": {"Rules": [{"ObjectOwnership": value}]}},
    ),
    "policy": _Setting(
        read="get_bucket_policy",
        write="put_bucket_policy",
        absent="NoSuchBucketPolicy",
        unpack=lambda told: dict(json.loads(told["Policy"])),
        pack=lambda value: {"Policy": json.dumps(value)},
    ),
    "life cycle": _Setting(
        read="get_bucket_lifecycle_configuration",
        write="put_bucket_lifecycle_configuration",
        absent="NoSuchLifecycleConfiguration",
        unpack=lambda told: told["Rules"],
        pack=lambda value: {"LifecycleConfiguration": {"Rules": value}},
    ),
}
NAMES = tuple(_SETTINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """Of every name in `NAMES` its value (None: never set), or the refusal of the look at it."""

    values: Mapping[str, Any]
    refused: Mapping[str, IncompleteError]


def read_settings(aws: Aws, bucket: str) -> BucketSettings:
    """Look at every setting; a refusal of one does not end the look at the others."""
    values: dict[str, Any] = {}
    refused: dict[str, IncompleteError] = {}
    for name in NAMES:
        try:
            values[name] = _read(aws, bucket, name)
        except IncompleteError as error:
            refused[name] = error
    return BucketSettings(values=values, refused=refused)


def _read(aws: Aws, bucket: str, name: str) -> Any:
    setting, doing = _SETTINGS[name], f"look at the {name} of bucket {bucket}"
    try:
        with aws_errors(doing):
            told = getattr(aws.client("s3"), setting.read)(Bucket=bucket, ExpectedBucketOwner=aws.account)
    except AwsRefusal as refusal:
        if setting.absent and refusal.code == setting.absent:
            return None
        raise
    try:
        return setting.unpack(told)
    except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise IncompleteError(f"Could not {doing}: S3's answer has another shape.", remedy="Run this again.") from error


def set_bucket(aws: Aws, bucket: str, name: str, value: Any) -> None:
    """Set one setting.

    Raises:
        IncompleteError: S3 refused or gave no answer.
    """
    setting = _SETTINGS[name]
    with aws_errors(f"set the {name} of bucket {bucket}"):
        getattr(aws.client("s3"), setting.write)(Bucket=bucket, ExpectedBucketOwner=aws.account, **setting.pack(value))


def make_bucket(aws: Aws, bucket: str) -> None:
    """Create a bucket in our region; one that we own already is left as it is.

    Raises:
        IncompleteError: the name is somebody else's, S3 refused or gave no answer.
    """
    words: dict[str, Any] = {"Bucket": bucket}
    if aws.region != _NO_CONSTRAINT:
        words["CreateBucketConfiguration"] = {"LocationConstraint": aws.region}
    try:
        with aws_errors(f"create bucket {bucket}"):
            aws.client("s3").create_bucket(**words)
    except AwsRefusal as refusal:
        if refusal.code == "BucketAlreadyOwnedByYou":
            return
        if refusal.code == "BucketAlreadyExists":
            remedy = "Names of buckets are shared by all accounts: choose another in the policy, with ${AWS::AccountId} in it, for example."
            raise IncompleteError(f"Bucket {bucket} belongs to somebody else.", remedy=remedy) from refusal
        raise


def nothing_below(aws: Aws, bucket: str, prefix: str) -> bool:
    """Whether no key begins with `prefix`.

    Raises:
        IncompleteError: S3 refused or gave no answer.
    """
    with aws_errors(f"list s3://{bucket}/{prefix}"):
        told = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1, ExpectedBucketOwner=aws.account)
    return not told.get("Contents")
