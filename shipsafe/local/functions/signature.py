"""What the signature inside a package says, as far as Lambda cares.

A signature that does not vouch for these bytes, whose own structure is wrong, or whose chain ends in a root that is not accepted, is
`broken`: for Lambda the code "is not properly signed". A package without a signature is `none`.
"""

import io
import zipfile
from datetime import UTC

from shipsafe.errors import IntegrityError
from shipsafe.local.functions.state import Seen
from shipsafe.signing.layout import ENTRY


def look(body: bytes, roots: frozenset[str]) -> Seen:
    """Read the signature of a package that was measured. `roots`: hex SHA-256 of the root certificates that it may end in."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if ENTRY not in archive.namelist():
            return unsigned()  # whatever else may be odd about the zip: to Lambda it is unsigned
    from shipsafe.signing import signed_zip  # noqa: PLC0415 - asn1crypto and cryptography, which only a package needs

    try:
        signed = signed_zip.look(io.BytesIO(body))
    except IntegrityError:
        return {**unsigned(), "state": "broken"}
    if signed.signature is None or not signed.intact or signed.signature.root not in roots:
        return {**unsigned(), "state": "broken"}
    return {
        "state": "signed",
        "job": signed.signature.job.arn,
        "profile": signed.signature.profile_version.arn,
        "signed_at": signed.signature.signed_at.astimezone(UTC).isoformat(),
        "expires": signed.signature.expires.astimezone(UTC).isoformat(),
    }


def unsigned() -> Seen:
    """What there is to see in a package without a signature."""
    return {"state": "none", "job": "", "profile": "", "signed_at": "", "expires": ""}


def members(seen: Seen) -> dict[str, str]:
    """SigningProfileVersionArn and SigningJobArn: there for properly signed code alone."""
    return {"SigningProfileVersionArn": seen["profile"], "SigningJobArn": seen["job"]} if seen["state"] == "signed" else {}
