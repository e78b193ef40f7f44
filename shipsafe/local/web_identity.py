"""AssumeRoleWithWebIdentity: the token is verified and the role's trust policy decides. moto would hand any role to anybody.

What a role may do then is not looked at: within an account everybody may do everything here.
"""

import json
from typing import Any
from urllib.parse import parse_qs

from shipsafe.local.asked import Answered, Asked, Run
from shipsafe.local.call import ApiError, Clock
from shipsafe.local.tokens import Issuers
from shipsafe.local.trust import ACTION, lets_in

_OPERATION = ACTION.partition(":")[2]
_LARGEST = 1024 * 1024  # bytes of a form
_ROLE_PARTS = 6
_DURATION = 3600  # seconds, where the call names none


class WebIdentity:
    """What stands before moto's STS."""

    def __init__(self, issuers: Issuers, clock: Clock) -> None:
        self._issuers, self._clock = issuers, clock

    def __call__(self, asked: Asked, run: Run) -> Answered:
        """Answer a request to STS.

        Raises:
            ApiError: the token or the trust policy does not let the caller have the role.
        """
        if asked.operation == _OPERATION:
            self._check(_parameters(asked))
        return run(asked)

    def _check(self, given: dict[str, str]) -> None:
        for name in ("RoleArn", "RoleSessionName", "WebIdentityToken"):
            if not given.get(name):
                raise ApiError("ValidationError", f"1 validation error detected: Value null at '{name}' failed to satisfy constraint", 400)
        if not given.get("DurationSeconds", "0").isdigit():
            raise ApiError("ValidationError", "DurationSeconds must be a number of seconds.", 400)
        token = self._issuers.read(given["WebIdentityToken"], self._clock.now())
        role, provider, audiences = _role(given["RoleArn"], token.issuer)
        if audiences is None:
            raise ApiError("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {token.issuer}", 400)
        if token.audience not in audiences:
            raise ApiError("InvalidIdentityToken", "Incorrect token audience", 400)
        if role is None or not lets_in(json.loads(role.assume_role_policy_document), provider, token.claims):  # moto has parsed it
            raise ApiError("AccessDenied", f"Not authorized to perform {ACTION}", 403)
        if int(given.get("DurationSeconds", _DURATION)) > int(role.max_session_duration or _DURATION):
            words = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            raise ApiError("ValidationError", words, 400)


def _parameters(asked: Asked) -> dict[str, str]:
    body = asked.body.read(_LARGEST)
    asked.body.seek(0)
    form = parse_qs(body.decode(errors="replace")) | asked.query
    return {name: values[0] for name, values in form.items()}


def _role(arn: str, issuer: str) -> tuple[Any, str, list[str] | None]:
    """A role of moto's (None: there is none), the ARN of its account's provider for an issuer, and the audiences that this one takes."""
    from moto.iam.exceptions import NotFoundException  # noqa: PLC0415 - only with moto
    from moto.iam.models import iam_backends  # noqa: PLC0415 - likewise

    parts = arn.split(":")
    if len(parts) != _ROLE_PARTS or parts[2] != "iam" or parts[1] not in ("aws", "aws-cn", "aws-us-gov") or not parts[4].isdigit():
        raise ApiError("ValidationError", f"{arn} is invalid", 400)
    account, partition = parts[4], parts[1]
    backend = iam_backends[account][partition]
    provider = f"arn:{partition}:iam::{account}:oidc-provider/{issuer.removeprefix('https://')}"
    known = backend.open_id_providers.get(provider)
    try:
        role = backend.get_role_by_arn(arn)
    except NotFoundException:
        role = None
    return role, provider, None if known is None else list(known.client_id_list)
