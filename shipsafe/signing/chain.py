"""The certificates of a signature: from the one that signed to a root that signed itself, all of them valid when it was signed.

The certificate that signs for AWS Signer is valid for three days, the signature for years: a chain is judged at signing time, never now.
Whose root it is says `roots`; here every certificate must have its place in one chain.
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from shipsafe.adapters.shown import shown
from shipsafe.errors import IntegrityError

_MOST = 10  # a genuine signature has five: its root stands there twice
_HASHES = ("sha256", "sha384", "sha512")
_UNDERSTOOD = (
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
)
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
REMEDY = "Do not use this zip; sign the unsigned one again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate. `sha256` is hex, over its DER; the names are RFC 4514; times are UTC."""

    subject: str
    issuer: str
    sha256: str
    not_before: datetime
    not_after: datetime
    der: bytes


def read_chain(found: Sequence[bytes], *, issuer: bytes, serial: int, at: datetime) -> tuple[Certificate, ...]:
    """The chain, leaf first, root last.

    Args:
        found: the certificates of the signature, DER, in any order; the same one may stand there twice.
        issuer: DER of the name of who issued the leaf, as the signature names its signer.
        serial: the leaf's number, likewise.
        at: when it was signed.

    Raises:
        IntegrityError: there is no such chain, something in it is wrong, or a certificate is left over.
    """
    if len(found) > _MOST:
        raise _wrong(f"The signature holds more than {_MOST} certificates.")
    certificates = [_load(der) for der in dict.fromkeys(found)]
    leaves = [one for one in certificates if one.serial_number == serial and one.issuer.public_bytes() == issuer]
    if len(leaves) != 1:
        raise _wrong("The certificate that the signature names as its signer is not in it.")
    links = [leaves[0]]
    while links[-1].subject != links[-1].issuer:
        issuers = [one for one in certificates if one not in links and one.subject == links[-1].issuer]
        if len(issuers) != 1:
            raise _wrong(f"The certificate of the issuer of {_name(links[-1].subject)} is not in the signature exactly once.")
        links.append(issuers[0])
    if len(links) != len(certificates):
        raise _wrong("The signature holds certificates that do not belong to its chain.")
    if len(links) < 2:  # noqa: PLR2004 - a leaf and a root
        raise _wrong("The certificate that signed has issued itself.")
    _check_leaf(links[0])
    for below, certificate in enumerate(links[1:]):
        _check_issuer(links[below], certificate, below)
    _check_signed(links[-1], links[-1])
    for certificate in links:
        _check_valid(certificate, at)
    return tuple(_noun(certificate) for certificate in links)


def public_key(certificate: Certificate) -> ec.EllipticCurvePublicKey:
    """The key of a certificate that `read_chain` gave."""
    key = _load(certificate.der).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _wrong(f"The key of {certificate.subject[:120]} is not one of an elliptic curve.")
    return key


def _load(der: bytes) -> x509.Certificate:
    """A certificate that says everything in the one way that DER allows."""
    try:
        # cryptography warns of what is odd in a certificate, and nobody could do anything about it. It reads a part when it is first
        # asked for, so all of it is read here.
        with warnings.catch_warnings(action="ignore"):
            certificate = x509.load_der_x509_certificate(der)
            subject, issuer, extensions = certificate.subject, certificate.issuer, certificate.extensions
            certificate.public_key()
            modern = certificate.version is x509.Version.v3 and certificate.serial_number > 0
            valid = certificate.not_valid_before_utc <= certificate.not_valid_after_utc and certificate.signature_hash_algorithm is not None
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
        raise _wrong("A certificate of the signature cannot be read.") from error
    if not (modern and valid and subject.rdns and issuer.rdns):
        raise _wrong("A certificate of the signature is not of version 3, or lacks a name, a number or a time.")
    odd = next((one.oid.dotted_string for one in extensions if one.critical and one.oid not in _UNDERSTOOD), None)
    if odd is not None:
        raise _wrong(f"The certificate of {_name(subject)} has a condition that is not known here: {odd}.")
    return certificate


def _check_leaf(leaf: x509.Certificate) -> None:
    basic, usage = _extension(leaf, x509.BasicConstraints), _extension(leaf, x509.KeyUsage)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if (basic is not None and basic.ca) or usage is None or not usage.digital_signature:
        raise _wrong(f"The certificate of {_name(leaf.subject)} is not made for signing.")
    if purposes is None or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise _wrong(f"The certificate of {_name(leaf.subject)} is not made for signing code.")
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise _wrong(f"The key of {_name(leaf.subject)} is not one of curve P-384.")


def _check_issuer(issued: x509.Certificate, issuer: x509.Certificate, below: int) -> None:
    """`below`: how many certificates of issuers stand between this one and the leaf."""
    basic, usage = _extension(issuer, x509.BasicConstraints), _extension(issuer, x509.KeyUsage)
    if basic is None or not basic.ca or usage is None or not usage.key_cert_sign:
        raise _wrong(f"{_name(issuer.subject)} may not issue certificates.")
    if basic.path_length is not None and below > basic.path_length:
        raise _wrong(f"{_name(issuer.subject)} may not issue for so long a chain.")
    theirs, mine = _extension(issued, x509.AuthorityKeyIdentifier), _extension(issuer, x509.SubjectKeyIdentifier)
    if theirs is not None and mine is not None and theirs.key_identifier not in (None, mine.digest):
        raise _wrong(f"The certificate of {_name(issued.subject)} names another key as its issuer's.")
    _check_signed(issued, issuer)


def _check_signed(issued: x509.Certificate, issuer: x509.Certificate) -> None:
    algorithm = issued.signature_hash_algorithm
    if not isinstance(issuer.public_key(), ec.EllipticCurvePublicKey) or algorithm is None or algorithm.name not in _HASHES:
        raise _wrong(f"The certificate of {_name(issued.subject)} is signed in a way that is not known here.")
    try:
        issued.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise _wrong(f"The certificate of {_name(issued.subject)} was not issued by {_name(issuer.subject)}.") from error


def _check_valid(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise _wrong(
            f"The certificate of {_name(certificate.subject)} was not valid when it signed, at {at:%Y-%m-%d %H:%M:%S} UTC: it is from "
            f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} to {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S}."
        )


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _noun(certificate: x509.Certificate) -> Certificate:
    der = certificate.public_bytes(Encoding.DER)
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        sha256=hashlib.sha256(der).hexdigest(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        der=der,
    )


def _name(name: x509.Name) -> str:
    return f"'{shown(name.rfc4514_string(), 120)}'"


def _wrong(what: str) -> IntegrityError:
    return IntegrityError(what, remedy=REMEDY)
