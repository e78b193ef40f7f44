"""How the bucket and the code-signing configuration of a target should be. Calls, CloudFormation and Terraform are all written from here.

The life cycle is chosen so that nothing vanishes that a roll-back needs:

- `PREFIXsigned/` is never removed, nor its old versions: a stack, or a function under self-managed storage, names them years later;
- `PREFIXunsigned/` is removed after 90 days, its old versions 30 days later: once a zip is signed nothing reads it any more. Promotion
  uploads from the release folder, and `sign` of an older release uploads again;
- what an interrupted multipart upload of another tool left is removed after 7 days, for nobody can see it, and it costs.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

UPLOAD_DAYS = 7
UNSIGNED_DAYS = 90
NONCURRENT_DAYS = 30
VALIDITY_MONTHS = 135  # of signatures: Signer's default and the longest it takes; PutSigningProfile, signatureValidityPeriod
TLS_SID = "ShipsafeDenyInsecureTransport"


def bucket_settings(bucket: str, *, partition: str, prefixes: Iterable[str], kms_key: str | None) -> dict[str, Any]:
    """Every setting of `adapters.aws.bucket_settings.NAMES`, in the order in which they are made.

    `bucket` and `partition` may be CloudFormation's pseudo parameters.
    """
    return {
        "public access": dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True),
        "ownership": "BucketOwnerEnforced",
        "versioning": "Enabled",
        "encryption": encryption(kms_key),
        "policy": {"Version": "2012-10-17", "Statement": [tls_statement(bucket, partition)]},
        "life cycle": [abort_rule(), *(unsigned_rule(prefix) for prefix in prefixes)],
    }


def encryption(kms_key: str | None) -> dict[str, Any]:
    """Signer writes with the bucket's default, so the target's key must be that. A bucket key saves a call to KMS for every object."""
    if kms_key is None:
        return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key}, "BucketKeyEnabled": True}


def tls_statement(bucket: str, partition: str) -> dict[str, Any]:
    """Nobody, whatever else allows it, without TLS. https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html."""
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Sid": TLS_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def abort_rule() -> dict[str, Any]:
    """Remove what unfinished multipart uploads left."""
    abort = {"DaysAfterInitiation": UPLOAD_DAYS}
    return {"ID": "shipsafe-unfinished", "Filter": {"Prefix": ""}, "Status": "Enabled", "AbortIncompleteMultipartUpload": abort}


def unsigned_rule(prefix: str) -> dict[str, Any]:
    """Remove what was uploaded to be signed, long after it was. Days also removes the delete markers that are left alone."""
    mark = f"-{hashlib.sha256(prefix.encode()).hexdigest()[:8]}" if prefix else ""  # an ID has 255 characters at most
    return {
        "ID": f"shipsafe-unsigned{mark}",
        "Filter": {"Prefix": f"{prefix}unsigned/"},
        "Status": "Enabled",
        "Expiration": {"Days": UNSIGNED_DAYS},
        "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
    }


def description(profile: str) -> str:
    """Of the code-signing configuration that is made for a profile; a later run finds it by this."""
    return f"shipsafe: code signed by profile {profile}"
