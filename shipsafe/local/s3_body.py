"""Is the body of a request to S3 what its headers say? moto believes them.

    x-amz-checksum-sha256, -sha1, -crc32, in a header or in the trailer of a chunked body -> 400 BadDigest
    Content-MD5                                                                           -> 400 BadDigest
    x-amz-content-sha256                                                                  -> 400 XAmzContentSHA256Mismatch

CRC-32C and CRC-64/NVME are in no library here, and are taken as they come.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import IO, Protocol

from shipsafe.local.asked import Asked
from shipsafe.local.call import ApiError

_CHUNK = 1024 * 1024
_LINE = 8192  # bytes of a line between chunks
_PLAIN = re.compile(r"[0-9a-f]{64}")
_WRONG = "The Content-MD5 or checksum value that you specified did not match what the server received."
ALGORITHMS = ("sha256", "sha1", "crc32")


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4)


def check_body(asked: Asked) -> None:
    """Compare every digest that a request names with its body, and put the body back.

    Raises:
        ApiError: BadDigest, InvalidDigest, InvalidRequest, XAmzContentSHA256Mismatch or IncompleteBody.
    """
    of_parts = asked.operation == "CompleteMultipartUpload"  # whose checksum is that of the parts together, not of this body
    declared = {name: value for name in ALGORITHMS if not of_parts and (value := asked.header(f"x-amz-checksum-{name}"))}
    md5, told = asked.header("content-md5"), asked.header("x-amz-content-sha256")
    framed = told.startswith("STREAMING-")
    if not (declared or md5 or framed or _PLAIN.fullmatch(told)):
        return
    # SHA-1 and MD5 are what S3 compares with; they guard nothing.
    weak = (hashlib.sha1(usedforsecurity=False), hashlib.md5(usedforsecurity=False))
    hashes: dict[str, _Hash] = {"sha256": hashlib.sha256(), "sha1": weak[0], "crc32": _Crc32(), "md5": weak[1]}
    wanted = {*declared, *(name for name in ALGORITHMS if name in asked.header("x-amz-trailer")), *(["md5"] if md5 else [])}
    wanted |= {"sha256"} if _PLAIN.fullmatch(told) else set()
    trailer: dict[str, str] = {}
    for part in _unframed(asked.body, trailer) if framed else iter(lambda: asked.body.read(_CHUNK), b""):
        for name in wanted:
            hashes[name].update(part)
    asked.body.seek(0)
    if _PLAIN.fullmatch(told) and hashes["sha256"].digest().hex() != told:
        raise ApiError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
    if md5:
        _compare(md5, hashes["md5"].digest(), ApiError("InvalidDigest", "The Content-MD5 you specified is not valid."))
    for name, value in (
        declared | {name: trailer[f"x-amz-checksum-{name}"] for name in wanted if f"x-amz-checksum-{name}" in trailer}
    ).items():
        _compare(value, hashes[name].digest(), ApiError("InvalidRequest", f"Value for x-amz-checksum-{name} header is invalid."))


def _compare(declared: str, computed: bytes, malformed: ApiError) -> None:
    try:
        value = base64.b64decode(declared, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed from error
    if len(value) != len(computed):
        raise malformed
    if value != computed:
        raise ApiError("BadDigest", _WRONG)


def _unframed(body: IO[bytes], trailer: dict[str, str]) -> Iterator[bytes]:
    """The payload of an aws-chunked body; its trailer goes into `trailer`.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    """
    while left := _length(body):
        while left:
            part = body.read(min(left, _CHUNK))
            if not part:
                raise _incomplete(body)
            left -= len(part)
            yield part
        if body.readline(_LINE).strip():
            raise _incomplete(body)
    while line := body.readline(_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        trailer[name.strip().lower()] = value.strip()


def _length(body: IO[bytes]) -> int:
    try:
        return int(body.readline(_LINE).split(b";")[0], 16)
    except ValueError as error:
        raise _incomplete(body) from error


def _incomplete(body: IO[bytes]) -> ApiError:
    return ApiError("IncompleteBody", f"The request body is not chunked as its headers say, near byte {body.tell()}.")
