"""SignPayload: signs the digest of a container image for Notation. Lambda's profiles cannot, as on AWS.

The answer is a JWS envelope (RFC 7515, flattened) with the headers of the Notary Project's signature specification and Signer's own two.
AWS's envelope could not be compared with it.
"""

import base64
import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from shipsafe.local.call import ApiError, Call
from shipsafe.local.pki import Leaf
from shipsafe.local.signer_access import usable_profile
from shipsafe.local.signer_jobs import check_active, new_job
from shipsafe.local.signer_platforms import NOTATION
from shipsafe.local.signer_profiles import expires
from shipsafe.local.signer_state import World
from shipsafe.local.signer_work import SUCCEEDED

PAYLOAD_FORMAT = "application/vnd.cncf.notary.payload.v1+json"
_HALF = 48  # bytes of each number of a P-384 signature in a JWS, RFC 7518, 3.4


def sign_payload(world: World, call: Call) -> dict[str, Any]:
    """SignPayload. The words of its refusals are not AWS's: nobody has published those."""
    told = call.parameters
    profile = usable_profile(world, call, "signer:SignPayload")
    check_active(profile)
    if profile.platform != NOTATION:
        raise ApiError("ValidationException", f"SignPayload is not supported for platform {profile.platform}")
    if told["payloadFormat"] != PAYLOAD_FORMAT:
        raise ApiError("ValidationException", f"Invalid payloadFormat: {told['payloadFormat']}")
    job = new_job(world, call, profile)
    job.expires = expires(profile, job.created)
    protected = {
        "alg": "ES384",
        "crit": [
            "io.cncf.notary.signingScheme",
            "io.cncf.notary.authenticSigningTime",
            "io.cncf.notary.expiry",
            "com.amazonaws.signer.signingProfileVersion",
            "com.amazonaws.signer.signingJob",
        ],
        "cty": PAYLOAD_FORMAT,
        "io.cncf.notary.signingScheme": "notary.x509.signingAuthority",
        "io.cncf.notary.authenticSigningTime": _rfc3339(job.created),
        "io.cncf.notary.expiry": _rfc3339(job.expires),
        "com.amazonaws.signer.signingProfileVersion": profile.version_arn,
        "com.amazonaws.signer.signingJob": job.arn,
    }
    envelope = _envelope(bytes(told["payload"]), protected, world.root.issue(job.created))
    job.status, job.reason, job.completed = "Succeeded", SUCCEEDED, job.created
    metadata = {"signingProfileVersionArn": profile.version_arn, "signingJobArn": job.arn}
    return {"jobId": job.id, "jobOwner": job.account, "metadata": metadata, "signature": envelope}


def _envelope(payload: bytes, protected: dict[str, Any], leaf: Leaf) -> bytes:
    head, body = _base64url(json.dumps(protected).encode()), _base64url(payload)
    r, s = decode_dss_signature(leaf.key.sign(f"{head}.{body}".encode(), ECDSA(hashes.SHA384())))
    return json.dumps(
        {
            "payload": body,
            "protected": head,
            "header": {"x5c": [base64.b64encode(certificate).decode() for certificate in leaf.chain]},
            "signature": _base64url(r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")),
        }
    ).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
