"""Signatures of the genuine shape, made for tests: own root, a leaf for three days, and every part open to being wrong.

Written apart from the writer of the local endpoint, with asn1crypto's own classes, so that the reader is held against two.
"""

import base64
import hashlib
import io
import textwrap
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import cms, core, parser
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AT = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
EXPIRES = datetime(2037, 6, 1, 12, 30, 15, 250000, tzinfo=UTC)
JOB = "arn:aws:signer:eu-central-1:111122223333:/signing-jobs/0b39c1d4-8d3e-4a55-9c86-2a1e2b3c4d5e"
PROFILE = "arn:aws:signer:eu-central-1:111122223333:/signing-profiles/orders_2026/Ab1cD2ef3G"
ENTRY = "META_INF/aws_signer_signature_v1.0.SF"
CONTENT_TYPE, DIGEST, SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
PROTECTION = "1.2.840.113549.1.9.52"
JOB_OID, EXPIRY_OID, PROFILE_OID = "1.3.187.137.1.2", "1.3.187.137.1.3", "1.3.187.137.1.4"
FILES = (("app.py", b"def handler(event, context):\n    return 'ok'\n"), ("lib/", b""), ("lib/prices.py", b"PRICE = 3\n" * 50))


@dataclass(frozen=True)
class Authority:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()


def certify(
    name: str,
    issuer: Authority | None = None,
    *,
    days: float = 3650,
    start: datetime = AT - timedelta(hours=1),
    ca: bool = True,
    path_length: int | None = None,
    usage: str | None = None,
    purposes: Sequence[x509.ObjectIdentifier] | None = None,
    curve: ec.EllipticCurve | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    key: ec.EllipticCurvePrivateKey | None = None,
    issuer_name: str | None = None,
    serial: int | None = None,
) -> Authority:
    """A certificate; a root without `issuer`. `usage`: `sign`, `issue` or `none`."""
    key = key or ec.generate_private_key(curve or ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = usage or ("issue" if ca else "sign")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_issuer_name(subject, issuer, issuer_name))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start.replace(microsecond=0))
        .not_valid_after((start + timedelta(days=days)).replace(microsecond=0))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), critical=ca)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usage != "none":
        builder = builder.add_extension(_usage(usage), critical=True)
    if issuer is not None:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    wanted = [ExtendedKeyUsageOID.CODE_SIGNING] if purposes is None and not ca else purposes
    if wanted:
        builder = builder.add_extension(x509.ExtendedKeyUsage(wanted), critical=True)
    for value, critical in extra:
        builder = builder.add_extension(value, critical=critical)
    return Authority(builder.sign((issuer.key if issuer else key), algorithm or hashes.SHA384()), key)  # type: ignore[arg-type] # any hash


def _issuer_name(subject: x509.Name, issuer: Authority | None, other: str | None) -> x509.Name:
    if other is not None:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, other)])
    return issuer.certificate.subject if issuer else subject


def _usage(kind: str) -> x509.KeyUsage:
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    issue = kind == "issue"
    return x509.KeyUsage(digital_signature=not issue, key_cert_sign=issue, crl_sign=issue, **dict.fromkeys(names, False))


@dataclass(frozen=True)
class Chain:
    """Leaf first, root last."""

    links: tuple[Authority, ...]

    @property
    def leaf(self) -> Authority:
        return self.links[0]

    @property
    def root(self) -> str:
        return self.links[-1].sha256

    @property
    def ders(self) -> list[bytes]:
        return [link.der for link in self.links]


@cache
def chain() -> Chain:
    """Root, two subordinates and a leaf for three days, as the genuine chain has them."""
    root = certify("Root", days=36500, start=AT - timedelta(days=2000))
    upper = certify("Upper", root, path_length=1, start=AT - timedelta(days=300))
    lower = certify("Lower", upper, path_length=0, days=365, start=AT - timedelta(days=100))
    return Chain((certify("signer", lower, ca=False, days=3), lower, upper, root))


def attribute(oid: str, *values: core.Asn1Value) -> bytes:
    """A signed attribute, DER."""
    kind = core.ObjectIdentifier(oid).dump()
    return wrap(0x30, kind + wrap(0x31, b"".join(sorted(value.dump() for value in values))))


def wrap(tag: int, body: bytes) -> bytes:
    """DER: tag, length, body."""
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(length)]) + length + body


def moment(when: datetime) -> core.GeneralizedTime:
    value = core.GeneralizedTime()
    value.contents = f"{when:%Y%m%d%H%M%S}.{when.microsecond // 1000:03d}Z".encode()
    return value


def protection(digest: str = "sha384", signature: str = "sha384_ecdsa") -> core.Asn1Value:
    algorithm = cms.SignedDigestAlgorithm({"algorithm": signature}).dump()
    body = cms.DigestAlgorithm({"algorithm": digest, "parameters": core.Null()}).dump() + b"\xa1" + algorithm[1:]
    return core.Sequence.load(wrap(0x30, body))


def attributes(inner: bytes, at: datetime = AT, expires: datetime = EXPIRES, job: str = JOB, profile: str = PROFILE) -> dict[str, bytes]:
    """The seven signed attributes, by OID."""
    return {
        CONTENT_TYPE: attribute(CONTENT_TYPE, core.ObjectIdentifier("1.2.840.113549.1.7.1")),
        DIGEST: attribute(DIGEST, core.OctetString(hashlib.sha384(inner).digest())),
        SIGNING_TIME: attribute(SIGNING_TIME, moment(at)),
        PROTECTION: attribute(PROTECTION, protection()),
        JOB_OID: attribute(JOB_OID, core.UTF8String(job)),
        EXPIRY_OID: attribute(EXPIRY_OID, moment(expires)),
        PROFILE_OID: attribute(PROFILE_OID, core.UTF8String(profile)),
    }


Change = Callable[[dict[str, Any]], None]


class _AsSigned(cms.CMSAttributes):  # type: ignore[misc] # asn1crypto has no types
    """Attributes that stay as they are.

    asn1crypto takes a length that ends in 0x80, as that of one signer in fifty does, for an indefinite one, and encodes all within anew:
    without zeros at the end of times.
    """

    def dump(self, force: bool = False) -> bytes:  # noqa: ARG002, FBT001, FBT002 - as asn1crypto calls it
        return bytes(super().dump())


def sign(
    inner: bytes,
    by: Chain | None = None,
    *,
    at: datetime = AT,
    expires: datetime = EXPIRES,
    job: str = JOB,
    profile: str = PROFILE,
    attrs: Callable[[list[bytes]], list[bytes]] = sorted,
    certificates: Sequence[bytes] | None = None,
    change: Change = lambda _: None,
    ber: bool = False,
) -> bytes:
    """The signature's file over a zip whose inner digest is `inner`.

    `attrs` makes the list of attributes another one before it is signed; `change` makes the finished structure another one.
    """
    by = by or chain()
    signed = b"".join(attrs(list(attributes(inner, at, expires, job, profile).values())))
    value = by.leaf.key.sign(wrap(0x31, signed), ec.ECDSA(hashes.SHA384()))
    leaf = asn1_x509.Certificate.load(by.leaf.der)
    digest = {"algorithm": "sha384", "parameters": core.Null()}
    info = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            name="issuer_and_serial_number",
            value=cms.IssuerAndSerialNumber({"issuer": leaf.issuer, "serial_number": leaf.serial_number}),
        ),
        "digest_algorithm": digest,
        "signed_attrs": _AsSigned.load(wrap(0x31, signed)),
        "signature_algorithm": {"algorithm": "sha384_ecdsa"},
        "signature": value,
    }
    data = {
        "version": "v1",
        "digest_algorithms": [digest],
        "encap_content_info": {"content_type": "data"},
        "certificates": [asn1_x509.Certificate.load(der) for der in (by.ders if certificates is None else certificates)],
        "signer_infos": [info],
    }
    change(data)
    der = wrap(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + wrap(0xA0, cms.SignedData(data).dump()))
    return armor(indefinite(der) if ber else der)


def armor(der: bytes) -> bytes:
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN PKCS7-----\n{lines}\n-----END PKCS7-----\n".encode()


def unarmor(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.split(b"\n")[1:-2]))


def indefinite(der: bytes) -> bytes:
    """The two outer levels, and the sequence in them, with indefinite lengths (BER), as genuine signatures have them."""
    kind = core.ObjectIdentifier("1.2.840.113549.1.7.2").dump()
    data = parser.parse(parser.parse(parser.parse(der)[4][len(kind) :])[4])[4]
    return b"".join((b"\x30\x80", kind, b"\xa0\x80\x30\x80", data, b"\0\0" * 3))


def inner_digest(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """The plain reading of the formula."""
    return hashlib.sha384(b"".join(name.encode() + body for name, body in entries)).digest()


@dataclass
class Zip:
    """Entries in their order, and how they are written."""

    entries: list[tuple[str, bytes]] = field(default_factory=lambda: list(FILES))
    compression: int = zipfile.ZIP_DEFLATED
    time: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0)

    def bytes(self) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", self.compression) as archive:
            for name, body in self.entries:
                info = zipfile.ZipInfo(name, self.time)
                archive.writestr(info, body, self.compression)
        return file.getvalue()


def signed_zip(entries: Sequence[tuple[str, bytes]] = FILES, signer: Callable[[bytes], bytes] = sign, **how: Any) -> bytes:
    """A zip as Signer leaves it: the entries, the folder, the signature."""
    whole = [*entries, ("META_INF/", b"")]
    return Zip([*whole, (ENTRY, signer(inner_digest(whole)))], **how).bytes()
