"""The ARN of a layer -> what it says of itself: its version, account and region, which nobody else is believed about."""

import re

from shipsafe.model.location import Location
from shipsafe.model.project import LayerRef

# Region and account may be pseudo parameters; both are empty in `arn:aws:lambda:::awslayer:NAME`, a layer that AWS publishes.
_PART = r"(?:[a-z0-9-]*|\$\{AWS::[A-Za-z]+\})"
LAYER_ARN = re.compile(rf"arn:{_PART}:lambda:(?P<region>{_PART}):(?P<account>{_PART}):(?:aws)?layer:(?P<name>[A-Za-z0-9_-]{{1,140}})")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def layer_arn(arn: str, *, text: str, location: Location | None) -> LayerRef:
    """A reference to the layer of that ARN, with or without a version; `text` is what people see of it."""
    found = LAYER_ARN.match(arn)
    rest = arn[found.end() :] if found else ""
    if found is None or (rest and not _VERSION.fullmatch(rest[1:])) or rest[:1] not in ("", ":"):
        return LayerRef(text=text, unresolved="it is not the ARN of a layer", location=location)
    return LayerRef(
        text=text,
        arn=arn,
        version=int(rest[1:]) if rest else None,
        account=found["account"] or None,
        region=found["region"] or None,
        location=location,
    )
