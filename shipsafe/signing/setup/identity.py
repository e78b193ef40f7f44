"""Who we are on AWS, until when, and whether the clock of this machine is right."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import ShipsafeError
from shipsafe.signing.setup.check import Check, State

# A signed request is good for 5 minutes on most services: "Troubleshoot AWS Signature Version 4", IAM User Guide.
_REFUSED = timedelta(minutes=5)
_NOTABLE = timedelta(minutes=1)
_SOON = timedelta(minutes=15)


def identity_checks(aws: Aws, targets: tuple[str, ...], clock: Callable[[], datetime]) -> Iterator[Check]:
    """The credentials and the clock; `clock` tells the time here, UTC."""
    about = partial(Check, targets=targets)
    until = credentials_until(aws)
    whose = f"{aws.caller}, account {aws.account}, {aws.region}, partition {aws.partition}"
    if until is None:
        yield about(about="credentials", state=State.OK, says=f"{whose}. They name no end.")
    else:
        state = State.NOTE if until - clock() < _SOON else State.OK
        yield about(about="credentials", state=state, says=f"{whose}, until {until:%Y-%m-%d %H:%M} UTC if nothing renews them.")
    try:
        skew = clock_skew(aws, clock)
    except ShipsafeError as error:
        yield about(about="clock", state=State.UNKNOWN, says=error.what, remedy=error.remedy)
        return
    says = f"{abs(skew.total_seconds()):.0f} s {'behind' if skew > timedelta() else 'ahead of'} AWS."
    if abs(skew) > _REFUSED:
        yield about(about="clock", state=State.MISSING, says=says, remedy="Set the clock: AWS refuses what is signed at another time.")
    else:
        yield about(about="clock", state=State.NOTE if abs(skew) > _NOTABLE else State.OK, says=says)


def clock_skew(aws: Aws, clock: Callable[[], datetime]) -> timedelta:
    """What AWS's clock is ahead of this one.

    Raises:
        IncompleteError: STS gave no answer.
    """
    with aws_errors("ask AWS for the time"):
        told = aws.client("sts").get_caller_identity()
    try:
        return parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"]) - clock()
    except (KeyError, ValueError, TypeError):
        return timedelta()  # no time was told: a clock that is wrong would have been refused


def credentials_until(aws: Aws) -> datetime | None:
    """When the credentials end, where they say so."""
    credentials = aws.session.get_credentials()
    until: datetime | None = getattr(credentials, "_expiry_time", None)  # botocore's RefreshableCredentials tells nobody else
    return until.astimezone(UTC) if until else None  # a program that gives credentials may write any time zone
