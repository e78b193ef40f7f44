"""The text of a template, from where a call says it is: in the call, in S3, or in the stack."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from shipsafe.local.call import ApiError
from shipsafe.local.stacks.state import Source
from shipsafe.local.stacks.world import World, invalid

LARGEST_INLINE = 51_200  # bytes
_LARGEST = 1_000_000
# https://BUCKET.s3.REGION.amazonaws.com/KEY, https://s3.REGION.amazonaws.com/BUCKET/KEY, or an endpoint on loopback in place of the latter
_HOSTED = re.compile(
    r"https://(?P<bucket>[a-z0-9.-]+)\.s3[.-][a-z0-9.-]*amazonaws\.com[a-z.]*/(?P<key>[^?]+)(\?versionId=(?P<version>.+))?"
)
_PATH = re.compile(
    r"(https://s3[a-z0-9.-]*\.amazonaws\.com[a-z.]*|https?://(localhost|127\.0\.0\.1)(:\d+)?)"
    r"/(?P<bucket>[a-z0-9.-]+)/(?P<key>[^?]+)(\?versionId=(?P<version>.+))?"
)


def text_of(world: World, given: Mapping[str, Any], former: Source | None) -> str:
    """The text of the template that a call is about.

    Raises:
        ApiError: ValidationError: none or several were named, it is too large, or is not there.
    """
    named = [name for name in ("TemplateBody", "TemplateURL", "UsePreviousTemplate") if given.get(name)]
    if len(named) != 1:
        raise invalid(
            "Either Template URL or Template Body must be specified." if not named else f"Specify only one of {', '.join(named)}."
        )
    if named == ["UsePreviousTemplate"]:
        if former is None:
            raise invalid("UsePreviousTemplate needs a stack that has a template.")
        return former["text"]
    if named == ["TemplateBody"]:
        text = str(given["TemplateBody"])
        if len(text.encode()) > LARGEST_INLINE:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {LARGEST_INLINE}"
            )
        return text
    return _fetched(world, str(given["TemplateURL"]))


def _fetched(world: World, url: str) -> str:
    found = _HOSTED.fullmatch(url) or _PATH.fullmatch(url)
    if found is None:
        raise invalid("TemplateURL must be a supported URL.")
    try:
        body = world.objects.read(found["bucket"], unquote(found["key"]), found["version"] or "")
    except ApiError as error:
        raise invalid(f"S3 error: {error.message}") from error
    if len(body) > _LARGEST:
        raise invalid(f"Template may not exceed {_LARGEST} bytes in size.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise invalid("Template format error: not UTF-8.") from error
