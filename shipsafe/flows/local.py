"""`shipsafe local`: the local AWS endpoint for as long as it is wanted, or for as long as one command runs."""

import os
import shlex
import signal
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from shipsafe.adapters import process
from shipsafe.errors import ConfigError
from shipsafe.local.identity import DEFAULT_ACCOUNT, DEFAULT_REGION

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

DEFAULT_PORT = 4580
_EXTRA = ("moto", "flask", "flask_cors", "werkzeug")
# Of the variables that AWS's tools read, those that say nothing of an account or an endpoint. All others are unset: credentials, profiles,
# sessions, web identities, containers, SSO, endpoints of single services, and whatever may be added to them.
_HARMLESS = frozenset(
    {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_DEFAULT_OUTPUT", "AWS_PAGER", "AWS_CLI_AUTO_PROMPT", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"}
)
_OTHERS = frozenset({"BOTO_CONFIG", "SHIPSAFE_LOCAL_ROOT"})
# What `up` says to unset in any case: it is read in one terminal and followed in another, whose variables it cannot see.
_OFTEN_SET = frozenset(
    {
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How the endpoint is to be. `port` 0 takes a free one; `delay` is how long signing jobs take; `account` is the default one."""

    port: int = 0
    state: Path | None = None
    throttle: bool = False
    delay: timedelta = timedelta(seconds=1)
    account: str = DEFAULT_ACCOUNT


@contextmanager
def endpoint(wanted: Wanted) -> Generator["Endpoint"]:
    """A running endpoint.

    Raises:
        ConfigError: the extra is not installed, the port or the folder cannot be used.
        IncompleteError: the state is damaged.
    """
    if any(find_spec(name) is None for name in _EXTRA):
        raise ConfigError("The local AWS endpoint is not installed.", remedy="Run `pip install 'shipsafe[local]'`.")
    from shipsafe.local.endpoint import start  # noqa: PLC0415 - needs the extra

    with start(port=wanted.port, state=wanted.state, throttle=wanted.throttle, delay=wanted.delay) as running:
        yield running


def up(wanted: Wanted, *, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Run the endpoint until SIGINT or SIGTERM; print what to export, and when it is ready.

    Raises:
        ConfigError, IncompleteError: as `endpoint`.
    """
    ended = Event()
    with _signals(lambda _number, _frame: ended.set()), endpoint(wanted) as running:
        ours = local_environment(running.url, running.fingerprint, environment, wanted.account, Path(os.devnull), Path(os.devnull))
        say(f"unset {' '.join(sorted(_OFTEN_SET | (environment.keys() - ours.keys())))}")
        for name in sorted(local_environment("", "", {}, "", Path(), Path())):
            say(f"export {name}={shlex.quote(ours[name])}")
        say(f"# ready: {running.url} (local root {running.fingerprint}); Ctrl-C ends it")
        ended.wait()


def run(command: Sequence[str], wanted: Wanted, *, environment: Mapping[str, str]) -> int:
    """Run a command that sees the endpoint and no real credentials; its exit code (128 and the signal's number where one ended it).

    Raises:
        ConfigError: as `endpoint`, or the command cannot be started.
        IncompleteError: as `endpoint`.
    """
    with tempfile.TemporaryDirectory(prefix="shipsafe-local-") as folder, endpoint(wanted) as running:
        config, credentials = Path(folder) / "config", Path(folder) / "credentials"
        config.touch()
        credentials.touch()
        ours = local_environment(running.url, running.fingerprint, environment, wanted.account, config, credentials)
        return process.follow(command, env=ours)


def local_environment(
    url: str, fingerprint: str, environment: Mapping[str, str], account: str, config: Path, credentials: Path
) -> dict[str, str]:
    """An environment that leads to the endpoint, and holds nothing that leads anywhere else.

    The region is kept where one is set; `config` and `credentials` are empty files in place of those in ~/.aws.
    """
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    kept = {name: value for name, value in environment.items() if not is_foreign(name)}
    return kept | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "SHIPSAFE_LOCAL_ROOT": fingerprint,
        # A proxy does not reach this machine's loopback.
        **{name: _with_loopback(environment.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
    }


def _with_loopback(hosts: str) -> str:
    return hosts if "127.0.0.1" in hosts.split(",") else ",".join(filter(None, (hosts, "127.0.0.1")))


def is_foreign(name: str) -> bool:
    """Whether a variable may lead AWS's tools to somewhere else, or as somebody else."""
    return (name.startswith("AWS_") and name not in _HARMLESS) or name in _OTHERS


@contextmanager
def _signals(handler: Callable[[int, FrameType | None], object]) -> Generator[None]:
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
