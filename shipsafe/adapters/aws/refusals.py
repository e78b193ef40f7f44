"""What botocore raises -> our errors: which call, why, and what to do next.

    with aws_errors("start a signing job", codes={"ValidationException": "..."}):
        client.start_signing_job(...)

A caller that can go on after a refusal catches `AwsRefusal` and looks at its `code`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from shipsafe.errors import ConfigError, IncompleteError, ShipsafeError

_LONGEST = 500  # characters of AWS's own words
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "InvalidClientTokenId", "InvalidAccessKeyId")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden")
_THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "ServiceUnavailable")

# A member that is missing, or of another kind than AWS's model says: botocore hands it on, or fails over it with one of these.
_MISSHAPEN = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


class AwsRefusal(IncompleteError):  # noqa: N818 - it is what AWS said, and some callers go on
    """AWS answered with an error.

    Attributes:
        code: AWS's name for it (`AccessDenied`, `NoSuchBucket`, `PreconditionFailed`).
        status: the HTTP status, or 0.
        operation: the call.
        said: AWS's own words.
    """

    def __init__(self, what: str, *, remedy: str, code: str, status: int, operation: str, said: str) -> None:
        super().__init__(what, remedy=remedy)
        self.code = code
        self.status = status
        self.operation = operation
        self.said = said

    @property
    def denied(self) -> bool:
        """Whether a right is missing."""
        return self.code in _DENIED

    @property
    def passing(self) -> bool:
        """Whether the same call may go well in a moment: AWS is throttling, failing or busy with the same thing."""
        return self.code in _THROTTLED or self.code == "ResourceConflictException" or self.status >= 500  # noqa: PLR2004 - a server's own failure

    @property
    def untrusted(self) -> bool:
        """Whether Lambda does not count the signature of code or of a layer, or there is none: it has looked, and that is its answer."""
        return self.code in ("CodeVerificationFailedException", "InvalidCodeSignatureException")

    @property
    def absent(self) -> bool:
        """Whether Lambda or Signer knows no such thing (any more)."""
        return self.code == "ResourceNotFoundException"


@contextmanager
def aws_errors(doing: str) -> Generator[None]:
    """Turn what botocore raises into our error. `doing` completes "Could not ...".

    Raises:
        AwsRefusal: AWS answered with an error.
        ConfigError: the call could not be made as it was asked for (a name of another shape).
        IncompleteError: no credentials, no connection, no answer, or one that cannot be read where it is read in this context.
    """
    from botocore import exceptions as botocore  # noqa: PLC0415 - whoever is here has boto3 already
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - likewise; it is none of botocore's other errors

    try:
        yield
    except botocore.ClientError as error:
        raise _refusal(doing, error.response, error.operation_name) from error
    except botocore.ParamValidationError as error:
        raise ConfigError(f"Could not {doing}: {str(error)[:_LONGEST]}.", remedy="Correct the name.") from error
    except botocore.UnauthorizedSSOTokenError as error:
        raise IncompleteError(f"Could not {doing}: the SSO session has expired.", remedy="Run `aws sso login`, then this again.") from error
    except botocore.BotoCoreError as error:
        raise _no_answer(doing, error) from error
    except (ResponseParserError, *_MISSHAPEN) as error:
        what = f"Could not {doing}: the answer has not the shape of one of AWS's ({type(error).__name__})."
        raise IncompleteError(what, remedy="Find out what answers in AWS's place (a proxy?), then run this again.") from error


def _refusal(doing: str, response: Any, operation: str) -> AwsRefusal:
    told = response.get("Error", {})
    code, said = (" ".join(str(told.get(name, "")).split())[:_LONGEST] for name in ("Code", "Message"))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _EXPIRED:
        remedy = "Renew the AWS credentials and run this again: it goes on where it was."
    elif code in _DENIED:
        remedy = "Give these credentials the right; the guide to signing lists what each command needs."
    elif code == "400":  # an answer to HEAD has no body that would say why
        remedy = "If the AWS credentials have expired, renew them, then run this again: it goes on where it was."
    elif code in _THROTTLED or status >= 500:  # noqa: PLR2004 - a server's own failure
        remedy = "AWS was asked again several times; run this again in a while: it goes on where it was."
    else:
        remedy = ""
    words = f"Could not {doing}: {operation} answered {code or status}{f': {said}' if said else ''}"
    return AwsRefusal(words.rstrip(".") + ".", remedy=remedy, code=code, status=status, operation=operation, said=said)


def _no_answer(doing: str, error: Exception) -> ShipsafeError:
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError", "SSOTokenLoadError"):
        remedy = "Sign in (`aws sso login`, AWS_PROFILE, a role), or use `shipsafe local run -- COMMAND` without an account."
        return IncompleteError(f"Could not {doing}: there are no usable AWS credentials ({name}).", remedy=remedy)
    return IncompleteError(f"Could not {doing}: AWS gave no answer ({name}).", remedy="Check the network and run this again.")
