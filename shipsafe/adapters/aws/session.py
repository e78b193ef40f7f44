"""Who we are on AWS, and clients for it: named profiles, SSO, assumed roles, regions, partitions, `AWS_ENDPOINT_URL`.

Credentials come from where boto3 looks for them; none is ever asked for on a command line, written down or shown. boto3 (150 ms) is
imported when the first session is opened.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from shipsafe import __version__
from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z0-9]+)+-\d{1,2}", re.ASCII)
_SESSION = "shipsafe"  # RoleSessionName, as CloudTrail shows it
_ATTEMPTS = 10  # of a call: the first, and those that botocore makes after throttling, a 5xx or no answer
_POOL = 64  # connections: twenty jobs are polled at once
Recorded = Callable[[str, str, Mapping[str, Any]], None]  # service, operation, parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to go, and as whom; None where AWS's own configuration says it.

    `account`: the credentials must belong to it, after `role` was assumed. `aws_profile` is a named profile.
    """

    region: str | None = None
    account: str | None = None
    aws_profile: str | None = None
    role: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Aws:
    """One account in one region. Clients are made once and may be used by many threads.

    `caller` is the ARN that STS says we are; `local` whether the endpoint is on this machine; `once` that botocore makes no call again.
    """

    session: Any
    account: str
    region: str
    partition: str
    caller: str
    local: bool
    record: Recorded | None = None
    once: bool = False
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def function_arn(self, name: str) -> str:
        """Of a Lambda function here, without a version."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{name}"

    def client(self, service: str, *, once: bool = False) -> Any:
        """A botocore client with adaptive retries, its calls told to `record`.

        With `once` botocore makes no call a second time by itself: what would be done twice when only its answer was lost.
        """
        once = once or self.once
        key = f"{service} once" if once else service
        with self._lock:
            if key not in self._clients:
                self._clients[key] = _client(self.session, service, self.region, self.record, attempts=1 if once else _ATTEMPTS)
            return self._clients[key]

    def calling_once(self) -> "Aws":
        """The same, for whoever tries again themselves: botocore alone may take minutes until it says that nobody answers."""
        return replace(self, once=True)

    def elsewhere(self, region: str) -> "Aws":
        """The same credentials in another region of the partition; nothing is asked."""
        return self if region == self.region else replace(self, region=region, _clients={}, _lock=Lock())


def open_aws(place: Place, *, record: Recorded | None = None) -> Aws:
    """Find credentials and ask STS who we are.

    Raises:
        ConfigError: there is no such profile, no region is named anywhere, or some services are on this machine and others are not.
        IncompleteError: there are no credentials, they have expired, or the role cannot be assumed.
        IntegrityError: the credentials belong to another account than `place` says.
    """
    import boto3  # noqa: PLC0415 - 150 ms that only AWS commands need
    from botocore.exceptions import ProfileNotFound  # noqa: PLC0415 - likewise

    try:
        session = boto3.session.Session(profile_name=place.aws_profile, region_name=place.region)
    except ProfileNotFound as error:
        raise _no_profile(place) from error
    region = session.region_name or os.environ.get("AWS_REGION")  # boto3 reads AWS_DEFAULT_REGION alone, other SDKs this one
    if not region:
        raise ConfigError("No AWS region is named anywhere.", remedy="Give the target a `region`, or set AWS_REGION.")
    check_region(region)
    if place.role is not None:
        session = _assume(session, place, region, record)
    with aws_errors("ask AWS who we are"):
        told = _client(session, "sts", region, record).get_caller_identity()
        account, caller = str(told["Account"]), " ".join(str(told["Arn"]).split())
    if not _ACCOUNT.fullmatch(account):
        raise IncompleteError("STS names no AWS account for these credentials.", remedy="Find out what answers in its place.")
    if place.account is not None and account != place.account:
        raise IntegrityError(
            f"These AWS credentials belong to account {account}, and account {place.account} is meant.",
            remedy="Use credentials of that account, or a `role` in it.",
        )
    return Aws(
        session=session,
        account=account,
        region=region,
        partition=_partition(session, region),
        caller=caller,
        local=is_local(),
        record=record,
    )


def check_region(name: str) -> None:
    """Refuse what cannot be the name of a Region: botocore knows no endpoint for it, or makes one up.

    Raises:
        ConfigError: it cannot be one.
    """
    if not _REGION.fullmatch(name):
        raise ConfigError(f"{name[:80]!r} cannot be an AWS region.", remedy="Write eu-central-1, for example.")


def is_local(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `AWS_ENDPOINT_URL` leads to this machine."""
    return urlsplit(environment.get("AWS_ENDPOINT_URL", "")).hostname in _LOOPBACK


def _partition(session: Any, region: str) -> str:
    from botocore.exceptions import UnknownRegionError  # noqa: PLC0415 - likewise

    try:
        return str(session.get_partition_for_region(region))
    except UnknownRegionError as error:
        what = f"No partition of AWS has a region {region!r}, as far as this version of botocore knows."
        raise ConfigError(what, remedy="Correct its name; for a new one, update botocore.") from error


def _no_profile(place: Place) -> ConfigError:
    """Who named it decides where it is put right: the policy, or the environment."""
    named = place.aws_profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE", "")
    remedy = "Add it to ~/.aws/config" + ("." if place.aws_profile else ", or unset AWS_PROFILE.")
    return ConfigError(f"AWS's configuration has no profile {named!r}.", remedy=remedy)


def _assume(session: Any, place: Place, region: str, record: Recorded | None) -> Any:
    """A session with the credentials of a role, which are renewed before they expire."""
    import boto3  # noqa: PLC0415 - likewise
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials  # noqa: PLC0415 - likewise
    from botocore.session import get_session  # noqa: PLC0415 - likewise

    inner = get_session()
    with aws_errors("find AWS credentials"):
        credentials = session.get_credentials()
    if credentials is None:
        remedy = "Sign in (`aws sso login`, AWS_PROFILE), then run this again."
        raise IncompleteError(f"There are no AWS credentials to assume {place.role} with.", remedy=remedy)
    arguments = {"RoleSessionName": _SESSION} | ({"ExternalId": place.external_id} if place.external_id else {})
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda service, **words: _client(session, service, region, record, **words),
        source_credentials=credentials,
        role_arn=place.role,
        extra_args=arguments,
    )
    inner._credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)  # noqa: SLF001 - the documented way of botocore's own tests; there is no setter for a refreshing one
    return boto3.session.Session(botocore_session=inner, region_name=region)


def _client(session: Any, service: str, region: str, record: Recorded | None, *, attempts: int = _ATTEMPTS, **words: Any) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - likewise

    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": attempts},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=_POOL,
        user_agent_extra=f"shipsafe/{__version__}",
        request_checksum_calculation="when_required",  # we send a SHA-256 where one counts
    )
    with aws_errors(f"use {service}"):
        session._session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)  # noqa: SLF001 - boto3 hands it on to nobody
        client = session.client(service, region_name=region, config=config, **words)
    _check_endpoint(service, urlsplit(client.meta.endpoint_url).hostname)
    if record is not None:
        tell = record
        client.meta.events.register("provide-client-params.*.*", lambda params, model, **_: tell(service, model.name, params))
    return client


def _check_endpoint(service: str, host: str | None) -> None:
    """Where one service is on this machine all are: else lines would say LOCAL of what is not, and a local root would count there.

    Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints": `AWS_ENDPOINT_URL_S3` wins over `AWS_ENDPOINT_URL`, and
    `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` (`ignore_configured_endpoint_urls` of a profile) over both.
    """
    if is_local() and host not in _LOOPBACK:
        raise ConfigError(
            f"AWS_ENDPOINT_URL leads to this machine, and {service} would be asked at {host}.",
            remedy=f"Unset AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_{service.upper()} and whatever ignores configured endpoints.",
        )


def _moment(told: Any) -> datetime:
    """A time of an answer, in UTC.

    Of what AWS tells in seconds, as Signer does, botocore makes a time of this machine's zone, where it may be another day: a key that
    ended on the day before a job would count for it.
    """
    from botocore.utils import parse_timestamp  # noqa: PLC0415 - likewise

    moment: datetime = parse_timestamp(told)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError as error:
        raise ValueError(f"{moment} is no time of UTC") from error
