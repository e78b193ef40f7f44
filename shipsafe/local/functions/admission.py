"""Whether code may be deployed: the four checks of a code-signing configuration, and what is recorded of them.

    integrity   blocks always, under Warn too
    expiry      |
    mismatch    | block under Enforce; under Warn they are counted (CloudWatch: SignatureValidationErrors) and written down (CloudTrail)
    revocation  |

Unsigned code is a mismatch. A function without a configuration is not checked at all, a container image never. A configuration that is
attached or changed holds from the next deployment on. Source: "Using code signing to verify code integrity with Lambda" and what was
recorded on AWS; the texts for expired and revoked code and for another profile are assumed to be the one for unsigned code.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shipsafe.local.call import ApiError, Call
from shipsafe.local.functions.refusals import refusal
from shipsafe.local.functions.state import CodeSigning, Seen
from shipsafe.local.functions.world import World

_EVENTS = 1000  # that are remembered
_EVENT_NAMES = {
    "CreateFunction": "CreateFunction20150331",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
}
_VALID, _EXPIRED, _MISMATCH, _REVOKED = "VALID", "EXPIRED", "MISMATCH", "REVOKED"


class Part(NamedTuple):
    """A package that a deployment brings: the function's own, or a layer's. `arn` is how a refusal names it."""

    arn: str
    seen: Seen


def find(world: World, call: Call, arn: str) -> CodeSigning:
    """The configuration that a function is, or is to be, bound to.

    Raises:
        ApiError: CodeSigningConfigNotFoundException.
    """
    config = world.place(call)["code_signing"].get(arn)
    if config is None:
        raise refusal(
            "CodeSigningConfigNotFoundException",
            f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}.",
        )
    return config


def admit(world: World, call: Call, name: str, config: CodeSigning | None, parts: Sequence[Part], *, dry_run: bool = False) -> None:
    """Let a deployment through or refuse it, and record which. `parts` may be empty for an image, or a change that brings no code.

    Raises:
        ApiError: CodeVerificationFailedException, or for broken integrity the exception of the setting `integrity_code`.
    """
    try:
        verdicts = _verdicts(world, config, parts) if config else []
    except ApiError as error:
        _record(world, call, name, dry_run=dry_run, error=error)
        raise
    if not dry_run and any(status != _VALID for _, status in verdicts):
        world.metric(call, [("SignatureValidationErrors", 1.0, {"FunctionName": name})])
    _record(world, call, name, dry_run=dry_run, additional=_additional(verdicts))


def _record(
    world: World, call: Call, name: str, *, dry_run: bool, additional: Mapping[str, str] | None = None, error: ApiError | None = None
) -> None:
    """Write an event as CloudTrail has it; a refused call has an error and no additional data."""
    event: dict[str, Any] = {
        "eventTime": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "lambda.amazonaws.com",
        "eventName": _EVENT_NAMES[call.operation],
        "awsRegion": call.region,
        "recipientAccountId": call.account,
        "eventID": str(world.ids()),
        "userIdentity": {"arn": call.caller},
        "requestParameters": {"functionName": name, "dryRun": dry_run},
        "additionalEventData": dict(additional) if additional else None,
    }
    if error is not None:
        event |= {"errorCode": error.code, "errorMessage": error.message}
    world.state["events"].append(event)
    del world.state["events"][:-_EVENTS]


def _verdicts(world: World, config: CodeSigning, parts: Sequence[Part]) -> list[tuple[Part, str]]:
    for part in parts:
        if part.seen["state"] == "broken":
            raise refusal(world.settings.integrity_code, _BROKEN.format(arn=part.arn))
    verdicts = [(part, _status(world, config, part.seen)) for part in parts]
    if config["policy"] == "Enforce":
        for part, status in verdicts:
            if status != _VALID:
                raise refusal("CodeVerificationFailedException", _UNACCEPTED.format(arn=part.arn))
    return verdicts


def _status(world: World, config: CodeSigning, seen: Seen) -> str:
    """In the order of AWS's documentation: expiry, mismatch, revocation."""
    if seen["state"] == "none":
        return _MISMATCH
    if datetime.fromisoformat(seen["expires"]) <= world.clock.now():
        return _EXPIRED
    if seen["profile"] not in config["publishers"]:
        return _MISMATCH
    signed_at = datetime.fromisoformat(seen["signed_at"])
    if world.revoked(job_arn=seen["job"], profile_version_arn=seen["profile"], signed_at=signed_at):
        return _REVOKED
    return _VALID


def _additional(verdicts: Sequence[tuple[Part, str]]) -> dict[str, str] | None:
    """The signatureStatus, with the ARNs of the part that it is about: the first that is not valid, else the first."""
    if not verdicts:
        return None
    part, status = next((verdict for verdict in verdicts if verdict[1] != _VALID), verdicts[0])
    arns = {"signingJobArn": part.seen["job"], "signingProfileVersionArn": part.seen["profile"]} if part.seen["job"] else {}
    return {"signatureStatus": status, **arns}


_UNACCEPTED = (
    "Lambda cannot deploy the function. "
    "The function or layer might be signed using a signature that the client is not configured to accept. "
    "Check the provided signature for {arn}."
)
# Its middle was recorded on AWS, its first sentence and its last are those of the text above.
_BROKEN = (
    "Lambda cannot deploy the function. The function or layer code is not properly signed. "
    "This can mean that the code was signed incorrectly or modified after it was signed. Check the provided signature for {arn}."
)
