"""Who is calling, and where to: read off the SigV4 credential scope. Nothing is verified; there is no secret here to verify with.

Several accounts: an access key of twelve digits *is* an account (`AWS_ACCESS_KEY_ID=111122223333`); a key that moto's IAM or STS gave out
(a user's, an assumed role's) belongs to the account it was made in; any other key is of account 123456789012. The same answer goes to
our cores, as `Call.account`, and to moto, as its header `x-moto-account-id`, so that STS tells what every service sees.
"""

import re
import sys
from dataclasses import dataclass
from urllib.parse import parse_qs

DEFAULT_ACCOUNT = "123456789012"  # moto's
DEFAULT_REGION = "us-east-1"
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9.-]+)/aws4_request")
_QUERY_SCOPE = re.compile(r"([^/\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9.-]+)/aws4_request")
_ACCOUNT = re.compile(r"\d{12}")
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-isof-", "aws-iso-f"),
               ("eu-isoe-", "aws-iso-e"), ("us-iso-", "aws-iso"), ("eusc-", "aws-eusc"))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a request is signed for; `service` is "" where it is not signed."""

    service: str = ""
    region: str = DEFAULT_REGION
    access_key: str = ""


def scope_of(authorization: str, query: str) -> Scope:
    """The scope of an `Authorization` header, or of a presigned query."""
    found = _SCOPE.search(authorization)
    if found is None and "X-Amz-Credential" in query:
        found = _QUERY_SCOPE.fullmatch(parse_qs(query).get("X-Amz-Credential", [""])[0])
    if found is None:
        return Scope()
    return Scope(access_key=found[1], region=found[2], service=found[3].lower())


def partition_of(region: str) -> str:
    """The partition that a region is in."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def account_of(access_key: str) -> str:
    """The account of an access key, as STS tells it."""
    if _ACCOUNT.fullmatch(access_key):
        return access_key
    # Without moto's IAM no key was ever given out; while it is being imported, none yet.
    find = getattr(sys.modules.get("moto.iam.models"), "get_account_id_from", None)
    return str(find(access_key)) if find is not None else DEFAULT_ACCOUNT


def caller_of(access_key: str, account: str, region: str) -> str:
    """The ARN that GetCallerIdentity answers."""
    partition = partition_of(region)
    if not hasattr(sys.modules.get("moto.iam.models"), "iam_backends"):
        return f"arn:{partition}:sts::{account}:user/moto"
    from moto.sts.models import sts_backends  # noqa: PLC0415 - only with moto

    return str(sts_backends[account][partition].get_caller_identity(access_key, region)[1])
