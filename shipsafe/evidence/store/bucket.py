"""Evidence in a bucket: one object an envelope and subject, put only where none is, under the bucket's own Object Lock.

Objects are found by listing versions, and read from the oldest on: an object that somebody wrote over has a newer version, one that
somebody deleted has a delete marker, and Object Lock keeps the first version from going. Neither hides anything from us.
"""

import re
from collections.abc import Callable, Collection, Iterator

from shipsafe.adapters.aws.kept_objects import NewObject, default_retention, owned_bucket, put_object, read_version, versions_below
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError
from shipsafe.evidence.store.layout import Filed, filed

_PARALLEL = 16
_PLACE = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[\x21-\x7e]{0,400}))?", re.ASCII)


def opened(place: str, connect: Callable[[Place], Aws], accounts: Collection[str]) -> "BucketPlace":
    """The bucket of `s3://bucket/prefix`, looked at where it is.

    Raises:
        ConfigError: the place is no such name.
        IntegrityError: the bucket belongs to none of the accounts that are ours.
        IncompleteError: there is none, it may not be looked at, or AWS gave no answer.
    """
    found = _PLACE.fullmatch(place)
    if found is None:
        raise ConfigError(f"{place[:120]!r} is no place for evidence.", remedy="Write s3://bucket/prefix, or a folder.")
    aws = connect(Place())
    bucket = owned_bucket(aws, found["bucket"], accounts)
    if bucket.region != aws.region:
        aws = connect(Place(region=bucket.region))
    return BucketPlace(aws, bucket.name, bucket.owner, (found["prefix"] or "").strip("/"))


class BucketPlace:
    """A prefix of a bucket, in the bucket's own region."""

    parallel = _PARALLEL

    def __init__(self, aws: Aws, bucket: str, owner: str, prefix: str) -> None:
        self._aws, self._bucket, self._owner = aws, bucket, owner
        self._prefix = f"{prefix}/" if prefix else ""
        self.local = aws.local

    def shown(self, name: str) -> str:
        """The address, for people."""
        return f"s3://{self._bucket}/{self._prefix}{name}".rstrip("/")

    def names(self, below: str) -> Iterator[Filed]:
        """What is filed there, deleted or not, in the order of its names.

        Raises:
            IncompleteError: it may not be listed, or AWS gave no answer.
        """
        for key, versions in versions_below(self._aws, self._bucket, self._owner, f"{self._prefix}{below}"):
            if found := filed(key.removeprefix(self._prefix), versions):
                yield found

    def read(self, one: Filed, version: str, *, largest: int) -> bytes:
        """One version, whole.

        Raises:
            IntegrityError: it is larger than `largest` bytes.
            IncompleteError: it may not be read, is gone, or AWS gave no answer.
        """
        return read_version(self._aws, self._bucket, self._owner, f"{self._prefix}{one.name}", version, largest=largest)

    def path(self, one: Filed) -> None:
        """No object is a file."""

    def put(self, one: Filed, data: bytes) -> bool:
        """Write a new object; False where there is one of that name, which is left as it is.

        Raises:
            IncompleteError: it may not be written, or AWS gave no answer.
        """
        return put_object(self._aws, NewObject(bucket=self._bucket, owner=self._owner, key=f"{self._prefix}{one.name}", data=data))

    def guard(self) -> str:
        """What keeps people from deleting evidence here; it is asked of the bucket each time."""
        return default_retention(self._aws, self._bucket, self._owner)
