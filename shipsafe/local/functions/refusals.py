"""Lambda's exceptions by name, with the HTTP status that the service model gives each."""

from shipsafe.local.call import ApiError

_STATUS = {
    "AccessDeniedException": 403,
    "CodeSigningConfigNotFoundException": 404,
    "PreconditionFailedException": 412,
    "ProvisionedConcurrencyConfigNotFoundException": 404,
    "ResourceConflictException": 409,
    "RequestTooLargeException": 413,
    "ResourceNotFoundException": 404,
    "TooManyRequestsException": 429,
}


def refusal(code: str, message: str, **members: str) -> ApiError:
    """An exception of Lambda; one that is not in the table has status 400."""
    return ApiError(code, message, _STATUS.get(code, 400), **{"Type": "User", **members})


def invalid(message: str) -> ApiError:
    """The exception that Lambda uses for most of what is wrong with a request."""
    return refusal("InvalidParameterValueException", message)


def not_reproduced(what: str) -> ApiError:
    """Part of an operation that AWS has and this endpoint has not: loud, and never an empty answer."""
    return ApiError("NotImplemented", f"The local endpoint does not reproduce {what}.", 501)


def check_revision(given: str | None, latest: str, *, ask: str = "GetFunction/GetAlias") -> None:
    """Refuse a call that was made for another revision. `ask`: the operation that AWS's text names.

    Raises:
        ApiError: PreconditionFailedException.
    """
    if given and given != latest:
        raise refusal(
            "PreconditionFailedException",
            f"The Revision Id provided does not match the latest Revision Id. Call the {ask} API to retrieve the latest Revision Id",
        )
