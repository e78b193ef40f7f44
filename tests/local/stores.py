"""An object store in memory, a clock that is moved by hand, and calls of Signer: what tests of the local cores stand on."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shipsafe.local.call import ApiError, Call, Clock
from shipsafe.local.signer import Signer

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
REGION = "eu-west-1"
BEGIN = datetime(2026, 11, 21, 12, 0, 0, 338000, tzinfo=UTC)


class HandClock(Clock):
    """Stands still until it is moved."""

    def now(self) -> datetime:
        return BEGIN + self.moved

    def pass_time(self, **words: float) -> None:
        self.moved += timedelta(**words)


@dataclass
class Memory:
    """Buckets with versions, as the protocol `Objects` has it."""

    regions: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    objects: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)

    def bucket(self, name: str, *, region: str = REGION, versioning: str = "Enabled") -> None:
        self.regions[name], self.states[name] = region, versioning

    def read(self, bucket: str, key: str, version: str) -> bytes:
        self.region(bucket)
        versions = self.objects.get((bucket, key))
        if not versions:
            raise ApiError("NoSuchKey", "The specified key does not exist.", status=404)
        if version not in versions:
            raise ApiError("NoSuchVersion", "The specified version does not exist.", status=404)
        return versions[version]

    def write(self, bucket: str, key: str, body: bytes) -> str | None:
        self.region(bucket)
        if bucket in self.read_only:
            raise ApiError("AccessDenied", "Access Denied", status=403)
        versions = self.objects.setdefault((bucket, key), {})
        version = f"v{len(versions) + 1}" if self.states[bucket] == "Enabled" else "null"
        versions[version] = body
        return version if self.states[bucket] else None

    def region(self, bucket: str) -> str:
        if bucket not in self.regions:
            raise ApiError("NoSuchBucket", "The specified bucket does not exist", status=404)
        return self.regions[bucket]

    def versioning(self, bucket: str) -> str:
        self.region(bucket)
        return self.states[bucket]


def ask(
    signer: Signer, operation: str, *, account: str = ACCOUNT, region: str = REGION, caller: str = "", **parameters: Any
) -> dict[str, Any]:
    """A call of `signer`, by default as account 1111 in eu-west-1."""
    call = Call(service="signer", operation=operation, parameters=parameters, account=account, region=region, caller=caller)
    return signer.handle(call)
