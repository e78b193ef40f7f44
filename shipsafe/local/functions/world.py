"""What every operation of the local Lambda is given: the state, the time, the object store and whoever knows of revocations."""

import math
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from shipsafe.errors import ConfigError
from shipsafe.local.blobs import Blobs
from shipsafe.local.call import Call, Clock, Objects
from shipsafe.local.functions.state import Place, State, empty_place, nothing

if TYPE_CHECKING:
    from shipsafe.local.functions.traffic import Traffic

AS_AWS = "as AWS"


class Revoked(Protocol):
    """Who knows whether a signature was revoked: the local Signer."""

    def __call__(self, *, job_arn: str, profile_version_arn: str, signed_at: datetime) -> bool:
        """Whether the job, or the profile's version at that time, was revoked."""


class Metric(Protocol):
    """Who counts: CloudWatch."""

    def __call__(self, call: Call, points: Sequence[tuple[str, float, Mapping[str, str]]]) -> None:
        """Add data points (name, value, dimensions) in the namespace AWS/Lambda, where the call was made."""


@dataclass(slots=True)
class Settings:
    """What a control call may change.

    Attributes:
        creating: seconds that a new function, or version, is `Pending`.
        updating: seconds that an update is `InProgress`.
        integrity_code: for a package that was changed after it was signed: `CodeVerificationFailedException`, as recorded on AWS, or
            `InvalidCodeSignatureException`, as its documentation has it.
        concurrency: concurrent executions of an account in a region.
    """

    creating: float = 1.0
    updating: float = 1.0
    integrity_code: str = "CodeVerificationFailedException"
    concurrency: int = 1000

    def change(self, values: Mapping[str, Any]) -> None:
        """Take new values by name.

        Raises:
            ConfigError: there is no such setting, or the value cannot be.
        """
        known = {item.name: type(getattr(self, item.name)) for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ConfigError(f"Lambda has no setting {name!r}.", remedy=f"There are {', '.join(known)}.")
            if known[name] is not str and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf):
                raise ConfigError(f"Setting {name} of Lambda cannot be {value!r}.", remedy="Give a number from 0.")
            if known[name] is str and value not in ("CodeVerificationFailedException", "InvalidCodeSignatureException"):
                raise ConfigError(
                    f"Setting {name} of Lambda cannot be {value!r}.",
                    remedy="It is CodeVerificationFailedException or InvalidCodeSignatureException.",
                )
        for name, value in values.items():
            setattr(self, name, known[name](value))


@dataclass(slots=True, kw_only=True)
class World:
    """Everything outside of a call. `roots`: hex SHA-256 of the root certificates that signatures may end in.

    `location` makes the URL of a package from its hex SHA-256; `ids` makes new names, `chance` chooses between the versions of an alias.
    `traffic` is what comes to functions, by account, Region, function and qualifier; it is not part of what `--state` keeps.
    """

    clock: Clock
    objects: Objects
    blobs: Blobs
    revoked: Revoked
    roots: frozenset[str]
    location: Callable[[str], str]
    metric: Metric
    ids: Callable[[], uuid.UUID] = uuid.uuid4
    chance: Callable[[], float] = random.random
    settings: Settings = field(default_factory=Settings)
    state: State = field(default_factory=nothing)
    traffic: dict[tuple[str, str, str, str], "Traffic"] = field(default_factory=dict)

    def place(self, call: Call) -> Place:
        """What the caller's account has in the call's region."""
        return self.state["places"].setdefault(f"{call.account}/{call.region}", empty_place())

    def elsewhere(self, account: str, region: str) -> Place:
        """What any account has in a region; changes to an account that has nothing are not kept."""
        return self.state["places"].get(f"{account}/{region}", empty_place())

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.now().timestamp()

    def stamp(self) -> str:
        """Now, as Lambda writes times."""
        return self.clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"

    def revision(self) -> str:
        """A new RevisionId."""
        return str(self.ids())


class Operation(NamedTuple):
    """One operation: what answers it, and how near to AWS that is."""

    run: Callable[[World, Call], dict[str, Any]]
    note: str = AS_AWS
