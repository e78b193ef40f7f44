"""Objects that one job hands to another: put a file where none is, read it again whole. Nothing is ever written over.

They need no versions: who takes them knows what their bytes must be. Every call says whose bucket it must be (`ExpectedBucketOwner`).
Source: Amazon S3 API Reference.
"""

import base64
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.conditional import written_where_none_is
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.s3 import bucket_region
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.adapters.files import MEBIBYTE, read_errors
from shipsafe.errors import IncompleteError, IntegrityError

_ABSENT = ("NoSuchKey", "404", "NotFound")
_REMEDY = "Look at `[pipeline] transport` of the policy, and at configs/iam/transport.json for the rights that it takes."


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBucket:
    """A bucket of the account `owner` (12 digits), reached in its own region."""

    aws: Aws
    name: str
    owner: str

    def put(self, key: str, path: Path, *, sha256: str, size: int, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Put a file, in one streamed request, with its SHA-256 (hex) for S3 to check; False where there is an object already.

        Raises:
            IncompleteError: the file cannot be read, or is no longer what was hashed; S3 refused, or gave no answer.
        """

        def write() -> None:
            with read_errors(path), path.open("rb") as file, aws_errors(f"write s3://{self.name}/{key}"):
                if os.fstat(file.fileno()).st_size != size:  # S3 would wait for what is missing
                    raise IncompleteError("It changed while it was handed over.", remedy="Run this again.", path=str(path))
                self.aws.client("s3").put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=file,
                    ContentLength=size,
                    ExpectedBucketOwner=self.owner,
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
                )

        return written_where_none_is(write, sleep=sleep)

    def read(self, key: str) -> Iterator[bytes] | None:
        """The bytes of an object in pieces of a MiB; None where there is none. A connection that breaks while they come raises.

        Raises:
            IncompleteError: S3 refused, or gave no answer.
        """
        doing = f"read s3://{self.name}/{key}"
        try:
            with aws_errors(doing):
                told = self.aws.client("s3").get_object(Bucket=self.name, Key=key, ExpectedBucketOwner=self.owner)
        except AwsRefusal as refusal:
            if refusal.code in _ABSENT:
                return None
            raise
        return _pieces(told["Body"], doing)


def _pieces(body: Any, doing: str) -> Iterator[bytes]:
    with closing(body), aws_errors(doing):
        yield from body.iter_chunks(MEBIBYTE)


def handed_bucket(name: str, connect: Callable[[Place], Aws], *, owner: str | None = None) -> HandedBucket:
    """The bucket of that name, of the account whose credentials these are unless another is named.

    Raises:
        IntegrityError: it belongs to another account.
        IncompleteError: there is none, it may not be looked at, or AWS gave no answer.
    """
    aws = connect(Place())
    try:
        region = bucket_region(aws, name, owner=owner)
    except IntegrityError as error:
        error.remedy = "Name its account where it is yours (--expected-owner, [pipeline] transport-owner); else choose another bucket."
        raise
    if region is None:
        raise IncompleteError(f"There is no bucket {name}.", remedy=_REMEDY)
    return HandedBucket(aws=aws.elsewhere(region), name=name, owner=owner or aws.account)
