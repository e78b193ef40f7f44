"""Calls that our cores make of moto's services whose requests are forms: CloudWatch and IAM. They go the way that a client's go."""

import re
from collections.abc import Callable, Mapping
from html import unescape
from http import HTTPStatus
from urllib.parse import urlencode

from shipsafe.local.asked import Answered, Asked, whole
from shipsafe.local.call import ApiError
from shipsafe.local.objects import request_environ

_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_CODE, _MESSAGE = re.compile(r"<Code>([^<]*)</Code>"), re.compile(r"<Message>([^<]*)</Message>")


class MotoCalls:
    """`send` is the front's way to moto."""

    def __init__(self, send: Callable[[Asked], Answered]) -> None:
        self._send = send

    def __call__(self, service: str, account: str, region: str, form: Mapping[str, str]) -> bytes:
        """The body of the answer to a form, which names its `Action` and `Version`.

        Raises:
            ApiError: what moto refuses.
        """
        environ = request_environ("POST", "/", "", urlencode(form).encode(), service=service, account=account, region=region, kind=_FORM)
        status, _, body = whole(self._send, environ)
        number = int(status.split(" ")[0])
        if number >= HTTPStatus.BAD_REQUEST:
            text = body.decode(errors="replace")
            code, message = _CODE.search(text), _MESSAGE.search(text)
            raise ApiError(code[1] if code else "ServiceFailure", unescape(message[1]) if message else status, number)
        return body
