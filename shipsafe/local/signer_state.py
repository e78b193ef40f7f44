"""What the local Signer remembers: profiles, jobs, request tokens and what a control call has planned; as JSON, too.

Everything lies in one place for all accounts and Regions: a profile under its ARN, a job under its id, which is unique everywhere.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.local.call import Clock, Objects
from shipsafe.local.pki import LocalRoot

_TIME = "$time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Who revoked something, when and why; `effective` (of a profile) is from when its signatures do not count."""

    at: datetime
    by: str
    reason: str
    effective: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One statement of a profile's policy: `principal` (an account or an ARN) may do `action`."""

    statement: str
    action: str
    principal: str
    profile_version: str | None


@dataclass(slots=True, kw_only=True)
class Profile:
    """A signing profile. It is never deleted, and its name never free again."""

    arn: str
    account: str
    region: str
    name: str
    version: str
    platform: str
    validity: tuple[int, str]
    status: str = "Active"
    material: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    signing_parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    permissions: list[Permission] = field(default_factory=list)
    policy_revision: str = ""
    revocation: Revocation | None = None

    @property
    def version_arn(self) -> str:
        """What a signature names, and what a code-signing configuration lists."""
        return f"{self.arn}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Where a job reads and writes."""

    bucket: str
    key: str
    version: str
    to_bucket: str
    prefix: str


@dataclass(slots=True, kw_only=True)
class Job:
    """A signing job. It belongs to the account of its profile; `invoker` is the account that started it.

    `due` is when it completes; None: it hangs. `doom`: the reason that it will fail with. `lost`: nobody finds it.
    """

    id: str
    arn: str
    account: str
    region: str
    invoker: str
    requested_by: str
    profile: str
    profile_version: str
    platform: str
    created: datetime
    transfer: Transfer | None = None
    due: datetime | None = None
    doom: str | None = None
    lost: bool = False
    status: str = "InProgress"
    reason: str | None = None
    completed: datetime | None = None
    expires: datetime | None = None
    signed_key: str | None = None
    revocation: Revocation | None = None

    @property
    def profile_arn(self) -> str:
        """The profile that signs; it is of the same account and Region."""
        return f"{self.arn.partition(':/')[0]}:/signing-profiles/{self.profile}"


@dataclass(frozen=True, slots=True)
class Started:
    """What a request token stands for: the parameters that came with it (a digest), and the job that they started."""

    parameters: str
    job: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What will happen to the next job that is started: `fail` (with `reason`), `hang` or `lose`."""

    fate: str
    reason: str = ""


@dataclass(slots=True)
class State:
    """Profiles by ARN, jobs by id in the order of their start, tokens by `account/region/token`, plans in their order."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    tokens: dict[str, Started] = field(default_factory=dict)
    planned: list[Planned] = field(default_factory=list)


@dataclass(slots=True)
class World:
    """All that an operation works with. `delay` is how long the jobs take that are started from now on."""

    state: State
    clock: Clock
    objects: Objects
    root: LocalRoot
    random: Random
    delay: timedelta

    def now(self) -> datetime:
        """The clock's time to the millisecond: signatures say no more, and a restored state must equal the one before."""
        return to_milliseconds(self.clock.now())


def to_milliseconds(moment: datetime) -> datetime:
    """The begin of its millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_json(state: State) -> Any:
    """The state as a JSON value."""
    return _plain(state)


def from_json(value: Any) -> State:
    """The state that `to_json` gave.

    Raises:
        ConfigError: it is of another shape.
    """
    try:
        told = _timed(value)
        return State(
            profiles={arn: _profile(profile) for arn, profile in told["profiles"].items()},
            jobs={id_: _job(job) for id_, job in told["jobs"].items()},
            tokens={token: Started(**started) for token, started in told["tokens"].items()},
            planned=[Planned(**planned) for planned in told["planned"]],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError("The saved state of Signer is damaged.", remedy="Remove the state folder and begin anew.") from error


def _profile(told: dict[str, Any]) -> Profile:
    count, unit = told["validity"]
    permissions = [Permission(**permission) for permission in told["permissions"]]
    return Profile(**told | {"validity": (count, unit), "permissions": permissions, "revocation": _revocation(told["revocation"])})


def _job(told: dict[str, Any]) -> Job:
    transfer = Transfer(**told["transfer"]) if told["transfer"] else None
    return Job(**told | {"transfer": transfer, "revocation": _revocation(told["revocation"])})


def _revocation(told: dict[str, Any] | None) -> Revocation | None:
    return Revocation(**told) if told else None


def _plain(value: Any) -> Any:
    """Seven times as fast as `asdict`: the state may be asked for after every call."""
    match value:
        case str() | int() | None:
            return value
        case datetime():
            return {_TIME: value.isoformat()}
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:  # one of the dataclasses above
            return {name: _plain(getattr(value, name)) for name in value.__slots__}


def _timed(value: Any) -> Any:
    match value:
        case {"$time": str(text)}:
            return datetime.fromisoformat(text)
        case dict():
            return {key: _timed(item) for key, item in value.items()}
        case list():
            return [_timed(item) for item in value]
        case _:
            return value
