"""Writes a signature as AWS Signer does: a detached CMS SignedData in PEM, with the attributes of `signing/layout.py`.

What is signed is the 48-byte SHA-384 over the zip's entries; the attribute messageDigest is therefore a digest of that digest. The outer
structures have indefinite lengths, as the genuine ones do (BER, RFC 5652 section 10); what is signed over is DER. AWS does not document
any of this: where it comes from is said in docs/guides/signatures.md.
"""

from datetime import UTC, datetime
from hashlib import sha384

from asn1crypto import algos, cms, core, pem, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from shipsafe.local.pki import Leaf
from shipsafe.signing.layout import EXPIRY_OID, JOB_OID, PEM_LABEL, PROFILE_OID

_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
_PROTECTION = "1.2.840.113549.1.9.52"  # CMSAlgorithmProtection, RFC 6211
_DATA, _SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
_SEQUENCE, _SET, _TAGGED_0 = 0x30, 0x31, 0xA0


def write_signature(content: bytes, leaf: Leaf, *, job: str, profile_version: str, signed_at: datetime, expires: datetime) -> bytes:
    """The text of the signature entry.

    Args:
        content: the 48 bytes that `signing.content_digest` gives for the zip.
        leaf: signs, and brings the chain.
        job: ARN of the signing job.
        profile_version: ARN of the version of the profile.
        signed_at: UTC; milliseconds count.
        expires: UTC, likewise.
    """
    digest_algorithm = algos.DigestAlgorithm({"algorithm": "sha384"})
    signature_algorithm = algos.SignedDigestAlgorithm({"algorithm": "sha384_ecdsa"})
    protection = core.Sequence.load(
        _der(_SEQUENCE, digest_algorithm.dump(), _retag(signature_algorithm.dump(), 0xA1))  # [1] signatureAlgorithm
    )
    attributes = _set_of(
        _attribute(_CONTENT_TYPE, core.ObjectIdentifier(_DATA)),
        _attribute(_SIGNING_TIME, _time(signed_at)),
        _attribute(_PROTECTION, protection),
        _attribute(_MESSAGE_DIGEST, core.OctetString(sha384(content).digest())),
        _attribute(JOB_OID, core.UTF8String(job)),
        _attribute(EXPIRY_OID, _time(expires)),
        _attribute(PROFILE_OID, core.UTF8String(profile_version)),
    )
    certificate = x509.Certificate.load(leaf.chain[0])
    signer_info = _der(
        _SEQUENCE,
        core.Integer(1).dump(),
        cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number}).dump(),
        digest_algorithm.dump(),
        _retag(attributes, _TAGGED_0),
        signature_algorithm.dump(),
        core.OctetString(leaf.key.sign(attributes, ECDSA(hashes.SHA384()))).dump(),
    )
    signed_data = _indefinite(
        _SEQUENCE,
        core.Integer(1).dump(),
        _der(_SET, digest_algorithm.dump()),
        _indefinite(_SEQUENCE, core.ObjectIdentifier(_DATA).dump()),  # detached: no content
        _indefinite(_TAGGED_0, *leaf.chain),
        _der(_SET, signer_info),
    )
    whole = _indefinite(_SEQUENCE, core.ObjectIdentifier(_SIGNED_DATA).dump(), _indefinite(_TAGGED_0, signed_data))
    text: bytes = pem.armor(PEM_LABEL, whole)
    return text


def _attribute(oid: str, value: core.Asn1Value) -> bytes:
    return _der(_SEQUENCE, core.ObjectIdentifier(oid).dump(), _der(_SET, value.dump()))


def _set_of(*members: bytes) -> bytes:
    """DER: the members of a SET OF stand in the order of their encodings (X.690, 11.6)."""
    return _der(_SET, *sorted(members))


def _time(moment: datetime) -> core.GeneralizedTime:
    """In UTC to the millisecond, without trailing zeros, as DER has it."""
    return core.GeneralizedTime(moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000))


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    size = length if len(body) < 0x80 else bytes([0x80 | len(length)]) + length  # noqa: PLR2004 - the long form, X.690, 8.1.3.5
    return bytes([tag]) + size + body


def _retag(encoded: bytes, tag: int) -> bytes:
    """IMPLICIT tagging: the same content under another tag."""
    return bytes([tag]) + encoded[1:]


def _indefinite(tag: int, *parts: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(parts) + b"\x00\x00"
