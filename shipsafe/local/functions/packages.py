"""Where the code of a function or a layer comes from, and whether it may be that large.

S3ObjectVersion is honoured exactly: the bytes of that version are deployed, or the call is refused. `CodeSha256` is the base64 of the
SHA-256 of the bytes as they came. Texts: as AWS answers, "Lambda quotas" for the numbers.
"""

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.functions.refusals import invalid, not_reproduced
from shipsafe.local.functions.signature import look, unsigned
from shipsafe.local.functions.state import Code
from shipsafe.local.functions.world import World

LARGEST_UPLOAD = 52_428_800  # bytes, zipped, given inline
LARGEST_UNZIPPED = 262_144_000  # bytes, with all layers
_ENTRIES = 500_000  # more than any package of 250 MB holds that a person made
_DIGEST = re.compile(r"[^@\s]+@sha256:(?P<hex>[0-9a-f]{64})")
_EMPTY = "Uploaded file must be a non-empty zip"


def take(world: World, call: Call, given: Mapping[str, Any], *, room: int = LARGEST_UNZIPPED) -> Code:
    """Read, measure and keep a package. `room`: bytes that it may have when unzipped; what layers take is already off it.

    Raises:
        ApiError: InvalidParameterValueException, in AWS's words, for everything that is wrong with it.
    """
    if given.get("ImageUri"):
        return _image(given)
    body, reference = _bytes(world, call, given)
    unzipped = _measure(body, room)
    return {
        "sha256": world.blobs.put(body),
        "code_sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        "size": len(body),
        "unzipped": unzipped,
        "seen": look(body, world.roots),
        "image": "",
        "reference": reference,
        "kms_key": given.get("SourceKMSKeyArn") or "",
    }


def _bytes(world: World, call: Call, given: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    inline, bucket, key = given.get("ZipFile"), given.get("S3Bucket"), given.get("S3Key")
    if inline is not None and (bucket or key):
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
    if inline is not None:
        if len(inline) > LARGEST_UPLOAD:
            raise invalid(f"Zipped size must be smaller than {LARGEST_UPLOAD} bytes")
        return bytes(inline), {}
    if not bucket or not key:
        raise invalid("Please provide a source for function code.")
    version = given.get("S3ObjectVersion") or ""
    body = _object(world, call, bucket, key, version)
    return body, _reference(world, bucket, key, version) if given.get("S3ObjectStorageMode") == "REFERENCE" else {}


def _object(world: World, call: Call, bucket: str, key: str, version: str) -> bytes:
    try:
        place = world.objects.region(bucket)
        if place != call.region:
            raise invalid(
                "Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: "
                f"The bucket is in this region: {place}. Please use this region to retry the request"
            )
        return world.objects.read(bucket, key, version)
    except ApiError as error:
        if error.code == "InvalidParameterValueException":
            raise
        raise invalid(f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}") from error


def _reference(world: World, bucket: str, key: str, version: str) -> dict[str, str]:
    """Code that stays in the customer's bucket: only with versions, and here only with the version named."""
    if not version or version == "null" or world.objects.versioning(bucket) != "Enabled":
        raise invalid(
            "S3ObjectStorageMode REFERENCE needs a bucket with versioning and the version of the object; "
            f"s3://{bucket}/{key} was given without."
        )
    return {"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version}


def _measure(body: bytes, room: int) -> int:
    """Bytes when unzipped, as the archive's own directory says."""
    if not body:
        raise invalid(_EMPTY)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from error
    if not entries:
        raise invalid(_EMPTY)
    size = sum(entry.file_size for entry in entries)
    if size > room or len(entries) > _ENTRIES:
        raise invalid(f"Unzipped size must be smaller than {max(room, 0)} bytes")
    return size


def _image(given: Mapping[str, Any]) -> Code:
    if any(given.get(member) for member in ("ZipFile", "S3Bucket", "S3Key")):
        raise invalid("Please do not provide other FunctionCode parameters when providing an ImageUri.")
    found = _DIGEST.fullmatch(given["ImageUri"])
    if found is None:
        raise not_reproduced(
            f"a registry of images, so it cannot say which image {given['ImageUri'][:200]} is; name it by NAME@sha256:DIGEST"
        )
    return {
        "sha256": "",
        "code_sha256": found["hex"],
        "size": 0,
        "unzipped": 0,
        "seen": unsigned(),
        "image": given["ImageUri"],
        "reference": {},
        "kms_key": "",
    }
