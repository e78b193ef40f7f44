"""moto's S3 as our cores use it: their requests go the way that a client's go, through the same checks and into the same log."""

import re
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import md5
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote, urlencode

from shipsafe.local.asked import Answered, Asked, whole
from shipsafe.local.call import ApiError
from shipsafe.local.identity import DEFAULT_ACCOUNT, DEFAULT_REGION

_CODE, _MESSAGE = re.compile(rb"<Code>([^<]*)</Code>"), re.compile(rb"<Message>([^<]*)</Message>")
_STATUS = re.compile(rb"<Status>([^<]*)</Status>")


class MotoObjects:
    """The `Objects` of an endpoint. `send` is the front's way to moto."""

    def __init__(self, send: Callable[[Asked], Answered]) -> None:
        self._send = send

    def read(self, bucket: str, key: str, version: str) -> bytes:
        """The bytes of one version, or of the current one for "".

        Raises:
            ApiError: NoSuchBucket, NoSuchKey or NoSuchVersion.
        """
        return self._ask("GET", bucket, key, query={"versionId": version} if version else {})[1]

    def write(self, bucket: str, key: str, body: bytes) -> str | None:
        """Put an object; its version, or None where the bucket has none.

        Raises:
            ApiError: NoSuchBucket, or what a bucket policy refuses.
        """
        return self._ask("PUT", bucket, key, body=body)[0].get("x-amz-version-id")

    def region(self, bucket: str) -> str:
        """Where a bucket is.

        Raises:
            ApiError: NoSuchBucket.
        """
        return self._ask("HEAD", bucket)[0].get("x-amz-bucket-region", DEFAULT_REGION)

    def versioning(self, bucket: str) -> str:
        """`Enabled`, `Suspended` or "".

        Raises:
            ApiError: NoSuchBucket.
        """
        found = _STATUS.search(self._ask("GET", bucket, query={"versioning": ""})[1])
        return found[1].decode() if found else ""

    def owner(self, bucket: str) -> str | None:
        """The account of a bucket, or None where there is none."""
        # Before moto's S3 is loaded there are no buckets; while it is being imported, none yet.
        backends = getattr(sys.modules.get("moto.s3.models"), "s3_backends", None)
        found = backends.bucket_accounts.get(bucket) if backends is not None else None
        return str(found[1]) if found else None

    def _ask(
        self, method: str, bucket: str, key: str = "", *, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[dict[str, str], bytes]:
        path = f"/{quote(bucket, safe='')}" + (f"/{quote(key)}" if key else "")
        environ = request_environ(method, path, urlencode(query or {}), body, service="s3", account=self.owner(bucket) or DEFAULT_ACCOUNT)
        if method == "PUT":  # PutObject asks for it where a bucket has a default retention (Object Lock)
            environ["HTTP_CONTENT_MD5"] = b64encode(md5(body, usedforsecurity=False).digest()).decode()
        status, headers, answer = whole(self._send, environ)
        number = int(status.split(" ")[0])
        if number >= HTTPStatus.BAD_REQUEST:
            code, message = _CODE.search(answer), _MESSAGE.search(answer)
            missing = "NoSuchKey" if key else "NoSuchBucket"
            name = code[1].decode() if code else missing if number == HTTPStatus.NOT_FOUND else "AccessDenied"
            raise ApiError(name, message[1].decode() if message else f"{method} {path}: {status}", number)
        return {name.lower(): value for name, value in headers}, answer


def request_environ(
    method: str, path: str, query: str, body: bytes, *, service: str, account: str, region: str = DEFAULT_REGION, kind: str = ""
) -> dict[str, Any]:
    """A request that the endpoint makes of itself, signed by nobody, as WSGI. `path` is quoted; `kind` is its content type."""
    day = datetime.now(UTC).strftime("%Y%m%d")
    credential = f"{account}/{day}/{region}/{service}/aws4_request"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path).encode().decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}" if query else path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": kind,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ["REQUEST_URI"] = environ["RAW_URI"]
    return environ
