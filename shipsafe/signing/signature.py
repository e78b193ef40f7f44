"""The signature inside a signed zip: a detached CMS SignedData, whose layout AWS does not document.

It is read as genuine ones are written (docs/guides/signatures.md) and in no other way: one signer, SHA-384 and ECDSA, seven signed
attributes of one value each. Anything else is an unknown layout and fails, because nobody can say what it means.

Structure: asn1crypto, which reads BER. Signatures and certificates: cryptography. Source: RFC 5652, sections 5 and 11; RFC 6211.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from asn1crypto import cms, core
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.model.signing import ProfileVersion, SigningJob
from shipsafe.signing.chain import REMEDY, Certificate, public_key, read_chain
from shipsafe.signing.layout import EXPIRY_OID, JOB_OID, PEM_LABEL, PROFILE_OID

LONGEST = 64 * 1024  # bytes of text; genuine ones have five thousand
_PEM = re.compile(
    rf"-----BEGIN {PEM_LABEL}-----\n((?:[A-Za-z0-9+/]{{64}}\n)*[A-Za-z0-9+/=]{{1,64}}\n)-----END {PEM_LABEL}-----\n?".encode()
)
_TIME = re.compile(r"(\d{14})(?:\.(\d{1,6}))?Z", re.ASCII)
_CONTENT_TYPE, _DIGEST, _TIME_SIGNED = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
_PROTECTION = "1.2.840.113549.1.9.52"  # RFC 6211
_DATA = "1.2.840.113549.1.7.1"
_SHA384, _ECDSA_SHA384 = "2.16.840.1.101.3.4.2.2", "1.2.840.10045.4.3.3"
_ATTRIBUTES = frozenset({_CONTENT_TYPE, _DIGEST, _TIME_SIGNED, _PROTECTION, JOB_OID, EXPIRY_OID, PROFILE_OID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a signature says, after all of it was checked but the content and whose root it is.

    Attributes:
        job: the signing job. profile_version: the version of the profile that signed.
        signed_at, expires: UTC.
        message_digest: 48 bytes; must be the `content_digest` of the zip.
        certificates: leaf first, root last. root: hex SHA-256 of the last, for `roots.trust`.
    """

    job: SigningJob
    profile_version: ProfileVersion
    signed_at: datetime
    expires: datetime
    message_digest: bytes
    certificates: tuple[Certificate, ...]
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """The parts of the structure, unchecked. `signed` is the DER that the signature is over."""

    certificates: tuple[bytes, ...]
    issuer: bytes
    serial: int
    job: str
    profile_version: str
    signed_at: datetime
    expires: datetime
    message_digest: bytes
    signed: bytes
    signature: bytes


class _Attribute(core.Sequence):  # type: ignore[misc] # asn1crypto has no types
    _fields: ClassVar[list[Any]] = [("type", core.ObjectIdentifier), ("values", core.SetOf, {"spec": core.Any})]


class _Attributes(core.SetOf):  # type: ignore[misc] # likewise
    _child_spec = _Attribute


class _Protection(core.Sequence):  # type: ignore[misc] # likewise
    """RFC 6211: the algorithms, once more, where the signature covers them."""

    _fields: ClassVar[list[Any]] = [
        ("digest_algorithm", cms.DigestAlgorithm),
        ("signature_algorithm", cms.SignedDigestAlgorithm, {"implicit": 1, "optional": True}),
        ("mac_algorithm", cms.HmacAlgorithm, {"implicit": 2, "optional": True}),
    ]


def read_signature(pem: bytes) -> Signature:
    """Read the signature's file, and check its signature and its chain at signing time.

    Raises:
        IntegrityError: the layout is unknown, the signature is not the signer's, or the chain is wrong.
    """
    told = _structure(_unarmored(pem))
    try:
        job, profile = SigningJob.parse(told.job), ProfileVersion.parse(told.profile_version)
    except ConfigError as error:
        raise unknown(error.what.rstrip(".")) from error
    chain = read_chain(told.certificates, issuer=told.issuer, serial=told.serial, at=told.signed_at)
    try:
        public_key(chain[0]).verify(told.signature, told.signed, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature as error:
        raise IntegrityError("The signature is wrong: what it says was changed after signing.", remedy=REMEDY) from error
    if told.signed_at > told.expires:
        raise IntegrityError("The signature expired before it was made.", remedy=REMEDY)
    return Signature(
        job=job,
        profile_version=profile,
        signed_at=told.signed_at,
        expires=told.expires,
        message_digest=told.message_digest,
        certificates=chain,
        root=chain[-1].sha256,
    )


def unknown(what: str) -> IntegrityError:
    """The error for a signature that is not written as genuine ones are."""
    return IntegrityError(
        f"The layout of the signature is unknown: {what}.",
        remedy="It is not believed. If AWS Signer made it just now, a newer shipsafe may know it.",
    )


def _unarmored(pem: bytes) -> bytes:
    if len(pem) > LONGEST:
        raise unknown(f"it has more than {LONGEST} bytes")
    found = _PEM.fullmatch(pem)
    try:
        der = base64.b64decode(found[1].replace(b"\n", b""), validate=True) if found else b""
    except binascii.Error:
        der = b""
    if not found or base64.b64encode(der) != found[1].replace(b"\n", b""):
        raise unknown(f"it is not one block of PEM, {PEM_LABEL}, in lines of 64")
    return der


def _structure(der: bytes) -> _Told:
    """The parts, when the structure is exactly the known one.

    asn1crypto reads a part when it is first asked for, and raises what Python raises.
    """
    try:
        return _told(cms.ContentInfo.load(der, strict=True))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise unknown("its structure cannot be read") from error


def _told(outer: Any) -> _Told:
    if outer["content_type"].native != "signed_data":
        raise unknown("it is not SignedData")
    data = outer["content"]
    inner = data["encap_content_info"]
    if data["version"].native != "v1" or inner["content_type"].dotted != _DATA or inner["content"].native is not None:
        raise unknown("it is not version 1, or not detached")
    if len(data["digest_algorithms"]) != 1:
        raise unknown("it has more than one digest algorithm")
    _check_algorithm(data["digest_algorithms"][0], _SHA384)
    if len(data["signer_infos"]) != 1:
        raise unknown(f"it has {len(data['signer_infos'])} signers")
    signer = data["signer_infos"][0]
    if isinstance(data["certificates"], core.Void) or not isinstance(data["crls"], core.Void):
        raise unknown("it has no certificates, or has revocation lists")
    if signer["version"].native != "v1" or signer["sid"].name != "issuer_and_serial_number":
        raise unknown("its signer is not named by issuer and number")
    _check_algorithm(signer["digest_algorithm"], _SHA384)
    _check_algorithm(signer["signature_algorithm"], _ECDSA_SHA384)
    if isinstance(signer["signed_attrs"], core.Void) or not isinstance(signer["unsigned_attrs"], core.Void):
        raise unknown("it has no signed attributes, or has unsigned ones")
    for one in data["certificates"]:
        # A bit string says how many bits of its last byte do not count; what verifies a certificate does not look.
        if one.name != "certificate" or one.chosen["signature_value"].contents[:1] != b"\0":
            raise unknown("it holds something else than certificates of X.509")
    attributes, signed = _attributes(signer["signed_attrs"])
    return _Told(
        certificates=tuple(one.chosen.dump() for one in data["certificates"]),
        issuer=signer["sid"].chosen["issuer"].dump(),
        serial=signer["sid"].chosen["serial_number"].native,
        job=str(attributes[JOB_OID].parse(core.UTF8String).native),
        profile_version=str(attributes[PROFILE_OID].parse(core.UTF8String).native),
        signed_at=_time(attributes[_TIME_SIGNED]),
        expires=_time(attributes[EXPIRY_OID]),
        message_digest=_digest(attributes[_DIGEST]),
        signed=signed,
        signature=signer["signature"].native,
    )


def _attributes(found: Any) -> tuple[dict[str, Any], bytes]:
    """The signed attributes by OID, each with its one value, and what is signed: their DER, as a SET OF (RFC 5652, 5.4)."""
    signed = b"\x31" + found.dump()[1:]
    plain = _Attributes.load(signed, strict=True)
    attributes: dict[str, Any] = {}
    for one in plain:
        name = one["type"].dotted
        if name not in _ATTRIBUTES:
            raise unknown(f"it signs an attribute {name}, which is not known")
        if name in attributes or len(one["values"]) != 1:
            raise unknown(f"it signs the attribute {name} more than once")
        attributes[name] = one["values"][0]
    missing = sorted(_ATTRIBUTES - set(attributes))
    if missing:
        raise unknown(f"it does not sign the attribute {missing[0]}")
    if attributes[_CONTENT_TYPE].parse(core.ObjectIdentifier).dotted != _DATA:
        raise unknown("it signs another kind of content")
    protection = attributes[_PROTECTION].parse(_Protection)
    _check_algorithm(protection["digest_algorithm"], _SHA384)
    if isinstance(protection["signature_algorithm"], core.Void) or not isinstance(protection["mac_algorithm"], core.Void):
        raise unknown("it does not sign its algorithms")
    _check_algorithm(protection["signature_algorithm"], _ECDSA_SHA384)
    # X.690, 11.6. asn1crypto would bring them in order, and drop the zeros at the end of a time that was signed with them.
    if plain.contents != b"".join(sorted(one.dump() for one in plain)):
        raise unknown("its signed attributes are not in the order of DER")
    return attributes, signed


def _check_algorithm(algorithm: Any, name: str) -> None:
    """It is that one. Parameters are absent or NULL (RFC 5754, sections 2 and 3.3)."""
    if algorithm["algorithm"].dotted != name:
        raise unknown(f"it uses the algorithm {algorithm['algorithm'].dotted}")
    if not isinstance(algorithm["parameters"], core.Void | core.Null) and algorithm["parameters"].dump() != b"\x05\x00":
        raise unknown(f"it uses the algorithm {name} with parameters")


def _digest(value: Any) -> bytes:
    digest = bytes(value.parse(core.OctetString).native)
    if len(digest) != hashes.SHA384.digest_size:
        raise unknown("its digest is not one of SHA-384")
    return digest


def _time(value: Any) -> datetime:
    """A GeneralizedTime in UTC; genuine ones have milliseconds."""
    text = value.parse(core.GeneralizedTime).contents.decode("ascii")
    found = _TIME.fullmatch(text)
    if found is None:
        raise unknown("it has a time that is not UTC")
    when = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return when.replace(microsecond=int((found[2] or "").ljust(6, "0")))
