"""One call of the AWS API without its transport: what is asked, by whom, and how it may be refused.

The shapes of `parameters` and answers are botocore's: members by their name in the service model, times as `datetime`, blobs as bytes.
The front (`local/front.py`) turns HTTP into these and back; a test may make them itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Protocol

from shipsafe.errors import ShipsafeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call such as `signer` `StartSigningJob`. `account` and `region` are those of its credentials and endpoint."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    account: str
    region: str
    partition: str = "aws"
    caller: str = ""


class ApiError(ShipsafeError):
    """AWS's own refusal, word for word where its words are known. `code` is the exception's name, `status` the HTTP status."""

    def __init__(self, code: str, message: str, /, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members  # further members of the modelled exception (Lambda's Type, Signer's own `code`)


class Core(Protocol):
    """A service, as the front and tests use it. It holds all state; nothing happens between two calls but that time goes on."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer a call.

        Raises:
            ApiError: as AWS would refuse it; status 501 for an operation that is not reproduced.
        """

    def operations(self) -> frozenset[str]:
        """The operations that are reproduced."""

    def reproduced(self) -> Mapping[str, str]:
        """Each of `operations` with how: `as AWS`, or in a few words what is simpler than on AWS."""

    def snapshot(self) -> Any:
        """All state as a JSON value, for `--state`."""

    def restore(self, value: Any) -> None:
        """Take up what `snapshot` gave."""


@dataclass(slots=True)
class Clock:
    """The endpoint's time: the real one, and what a control call has moved it by.

    A machine may set its clock back by some milliseconds; this one stands still meanwhile, because what is done by now stays done.
    """

    moved: timedelta = timedelta()
    _latest: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def now(self) -> datetime:
        """Now, UTC, with microseconds."""
        with self._lock:
            self._latest = max(self._latest, datetime.now(UTC))
            return self._latest + self.moved


class Objects(Protocol):
    """The object store beside the cores: S3 as moto has it."""

    def read(self, bucket: str, key: str, version: str) -> bytes:
        """The bytes of one version, or of the current one for "".

        Raises:
            ApiError: NoSuchBucket, NoSuchKey or NoSuchVersion.
        """

    def write(self, bucket: str, key: str, body: bytes) -> str | None:
        """Put an object; its version, or None where the bucket has none."""

    def region(self, bucket: str) -> str:
        """Where a bucket is.

        Raises:
            ApiError: NoSuchBucket.
        """

    def versioning(self, bucket: str) -> str:
        """`Enabled`, `Suspended` or ""."""
