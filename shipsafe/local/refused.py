"""A refusal that the front makes itself, written as the service that was asked writes its own."""

from http import HTTPStatus
from uuid import uuid4
from xml.sax.saxutils import escape

from shipsafe.local.asked import Answered, Asked
from shipsafe.local.call import ApiError
from shipsafe.local.rest_json import Answer, refusal

_XML = "application/xml"


def line(status: int) -> str:
    """A status line such as `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def http(answer: Answer) -> Answered:
    """An answer of a core, as the server takes it."""
    return line(answer.status), answer.headers, [answer.body]


def refuse(asked: Asked, error: ApiError) -> Answered:
    """An `ApiError` in the protocol of the request."""
    if asked.protocol == "json":
        return http(refusal(asked.service if asked.service in ("signer", "lambda", "codedeploy") else "", error))
    code, message, request_id = escape(error.code), escape(error.message), str(uuid4())
    if asked.protocol == "rest-xml":
        extra = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.members.items())
        text = f"<Error><Code>{code}</Code><Message>{message}</Message>{extra}<RequestId>{request_id}</RequestId></Error>"
        names = [("x-amz-request-id", request_id)]
    else:
        kind = "Sender" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
        inner = f"<Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f"<ErrorResponse>{inner}<RequestId>{request_id}</RequestId></ErrorResponse>"
        names = [("x-amzn-RequestId", request_id)]
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    if asked.method == "HEAD":
        body = b""  # S3 has only its status to tell then
    return line(error.status), [*names, ("Content-Type", _XML), ("Content-Length", str(len(body)))], [body]
