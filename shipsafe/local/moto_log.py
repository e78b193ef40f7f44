"""moto's state, kept as the requests that made it: a log that is read again, request by request, when the endpoint starts anew.

moto draws its ids from one generator. It is seeded before each request, and the seed is written down, so that versions of objects, roles
and keys have the same ids again; where one differs, the log is refused. Not restored: dates (they are those of the restart), key material
of KMS, and what moto draws elsewhere. Credentials are not written down: a request is kept with its account in place of its access key.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from shipsafe.adapters.files import disk_errors
from shipsafe.errors import IncompleteError
from shipsafe.local.asked import Answered, Asked, ask
from shipsafe.local.identity import account_of
from shipsafe.local.kept_bodies import DiskBlobs
from shipsafe.local.objects import request_environ

_SECRET_HEADERS = frozenset(
    {
        *("authorization", "x-amz-security-token", "cookie", "x-moto-account-id"),
        *("x-amz-server-side-encryption-customer-key", "x-amz-copy-source-server-side-encryption-customer-key"),
    }
)
_SECRET_QUERY = frozenset({"awsaccesskeyid", "signature", "expires"})  # and X-Amz-*, of presigned requests
_READS = re.compile(
    r"(Get|List|Describe|Head|BatchGet|Lookup|Simulate|Decode|Validate|Search|Select|Scan|Query|Verify|Encrypt|Decrypt|Sign)"
)
_UPLOAD = re.compile(rb"<UploadId>([^<]+)</UploadId>")
_TOO_SECRET = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})  # their parameters are credentials
_VERSION = "x-amz-version-id"
_FAILED = 400
_ANEW = "Begin with an empty folder, or use the version of moto that wrote this one."


class MotoLog:
    """The log in a file, and the bodies beside it. `send` is the way to moto, `seed` sets its generator."""

    def __init__(self, path: Path, bodies: DiskBlobs, *, send: Callable[[Asked], Answered], seed: Callable[[int], None]) -> None:
        self._path, self._bodies, self._send, self._seed = path, bodies, send, seed

    def run(self, asked: Asked) -> Answered:
        """Let moto answer, and write the request down if it changed anything. Calls must come one after the other.

        Raises:
            IncompleteError: the disk refuses.
        """
        if not _changes(asked):
            return self._send(asked)
        seed = secrets.randbits(63)
        body = self._bodies.keep(asked.body)
        asked.body.seek(0)
        entry = {"seed": seed, **_entry(asked), "body": body}
        self._seed(seed)
        status, headers, parts = self._send(asked)
        if int(status.split(" ")[0]) >= _FAILED:
            return status, headers, parts
        answer = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        entry["told"] = _told(headers, answer)
        with disk_errors(self._path), self._path.open("ab") as file:
            file.write(json.dumps(entry).encode() + b"\n")
        return status, headers, [answer]

    def replay(self) -> int:
        """Do again what is written down; how many requests that were.

        Raises:
            IncompleteError: the log is damaged, or moto answers otherwise than it did.
        """
        uploads: dict[str, str] = {}
        count = 0
        for entry in self._entries():
            self._again(entry, uploads)
            count += 1
        return count

    def clear(self) -> None:
        """Forget everything."""
        self._path.unlink(missing_ok=True)

    def _entries(self) -> Iterator[Mapping[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open("r+b") as file:
            while line := file.readline():
                if not line.endswith(b"\n"):  # the process was killed while it wrote: nobody was answered
                    file.truncate(file.tell() - len(line))
                    return
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise IncompleteError("A line of the state's log is damaged.", remedy=_ANEW, path=str(self._path)) from error

    def _again(self, entry: Mapping[str, Any], uploads: dict[str, str]) -> None:
        try:
            query = [(name, uploads.get(value, value) if name == "uploadId" else value) for name, value in entry["query"]]
            body = self._bodies.get(entry["body"])
            environ = request_environ(
                entry["method"],
                entry["path"],
                urlencode(query),
                b"",
                service=entry["service"],
                account=entry["account"],
                region=entry["region"],
            )
            environ |= {**entry["environ"], "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            environ["shipsafe.headers"] = [tuple(header) for header in entry["headers"]]
            seed, told = int(entry["seed"]), dict(entry["told"])
        except (KeyError, TypeError, ValueError) as error:
            raise IncompleteError("An entry of the state's log is damaged.", remedy=_ANEW, path=str(self._path)) from error
        asked = ask(environ)
        self._seed(seed)
        status, headers, parts = self._send(asked)
        now = _told(headers, b"".join(parts))
        asked.body.close()
        if "UploadId" in told:
            uploads[told["UploadId"]] = now.get("UploadId", "")
        if int(status.split(" ")[0]) >= _FAILED or told.get(_VERSION) != now.get(_VERSION):
            words = f"The state cannot be taken up: {asked.service} {asked.operation} is answered otherwise than it was."
            raise IncompleteError(words, remedy=_ANEW, path=str(self._path))


def _changes(asked: Asked) -> bool:
    """Whether a request may change anything. What is only looked at need not be done again."""
    if asked.operation:
        return _READS.match(asked.operation) is None and asked.operation not in _TOO_SECRET
    return asked.method not in ("GET", "HEAD", "OPTIONS")


def _entry(asked: Asked) -> dict[str, Any]:
    headers = asked.environ.get("shipsafe.headers", ())
    kept = {
        name: value
        for name, value in asked.environ.items()
        if isinstance(value, str)
        and ((name.startswith("HTTP_") and name[5:].replace("_", "-").lower() not in _SECRET_HEADERS) or name == "CONTENT_TYPE")
    }
    query = parse_qsl(str(asked.environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return {
        "method": asked.method,
        "path": asked.environ.get("RAW_URI", "/").partition("?")[0],
        "query": [(name, value) for name, value in query if not name.lower().startswith("x-amz-") and name.lower() not in _SECRET_QUERY],
        "environ": kept,
        "headers": [(name, value) for name, value in headers if "_" in name],
        "service": asked.scope.service or asked.service,
        "region": asked.scope.region,
        "account": account_of(asked.scope.access_key),
    }


def _told(headers: list[tuple[str, str]], answer: bytes) -> dict[str, str]:
    version = next((value for name, value in headers if name.lower() == _VERSION), None)
    upload = _UPLOAD.search(answer)
    return ({_VERSION: version} if version else {}) | ({"UploadId": upload[1].decode()} if upload else {})
