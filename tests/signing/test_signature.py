"""The signature is read as genuine ones are written, and in no other way."""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509

from shipsafe.errors import ExitCode, IntegrityError
from shipsafe.signing.signature import LONGEST, read_signature
from tests.signing import made

INNER = b"\x07" * 48


def _refused(pem: bytes, words: str) -> None:
    with pytest.raises(IntegrityError, match=words) as caught:
        read_signature(pem)
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert caught.value.remedy


@pytest.mark.parametrize("ber", [False, True], ids=["der", "ber"])
def test_what_it_says_is_read(ber: bool) -> None:  # noqa: FBT001 - a parameter of the test
    signature = read_signature(made.sign(INNER, ber=ber))
    assert signature.job.arn == made.JOB
    assert signature.profile_version.arn == made.PROFILE
    assert (signature.profile_version.name, signature.profile_version.version) == ("orders_2026", "Ab1cD2ef3G")
    assert (signature.signed_at, signature.expires) == (made.AT, made.EXPIRES)
    assert signature.message_digest == hashlib.sha384(INNER).digest()
    assert [one.der for one in signature.certificates] == made.chain().ders
    assert signature.root == made.chain().root
    assert signature.certificates[0].subject == "CN=signer,O=Tests"


def test_a_root_that_stands_there_twice_is_one_root() -> None:
    """Genuine signatures hold their root twice."""
    ders = made.chain().ders
    assert read_signature(made.sign(INNER, certificates=[*ders, ders[-1]])).root == made.chain().root


def test_the_order_of_the_certificates_does_not_matter() -> None:
    assert len(read_signature(made.sign(INNER, certificates=sorted(made.chain().ders))).certificates) == 4


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"20260301123015Z", datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)),
        (b"20260301123015.2Z", datetime(2026, 3, 1, 12, 30, 15, 200000, tzinfo=UTC)),
        (b"20260301123015.250Z", datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)),
        (b"20260301123015.999999Z", datetime(2026, 3, 1, 12, 30, 15, 999999, tzinfo=UTC)),
    ],
)
def test_times_have_any_fraction(text: bytes, moment: datetime) -> None:
    assert read_signature(made.sign(INNER, attrs=_with(made.SIGNING_TIME, _generalized(text)))).signed_at == moment


def _generalized(text: bytes) -> core.GeneralizedTime:
    value = core.GeneralizedTime()
    value.contents = text
    return value


def _with(oid: str, *values: core.Asn1Value) -> Callable[[list[bytes]], list[bytes]]:
    """The attributes with another one in place of `oid`; without it for no values."""
    kind = core.ObjectIdentifier(oid).dump()

    def change(attributes: list[bytes]) -> list[bytes]:
        kept = [one for one in attributes if kind not in one[:16]]
        return sorted([*kept, made.attribute(oid, *values)] if values else kept)

    return change


UNKNOWN = "The layout of the signature is unknown: "


@pytest.mark.parametrize(
    "oid", [made.CONTENT_TYPE, made.DIGEST, made.SIGNING_TIME, made.PROTECTION, made.JOB_OID, made.EXPIRY_OID, made.PROFILE_OID]
)
def test_every_attribute_is_there_exactly_once(oid: str) -> None:
    _refused(made.sign(INNER, attrs=_with(oid)), UNKNOWN + f"it does not sign the attribute {oid}")
    same = made.attributes(INNER)[oid]
    _refused(made.sign(INNER, attrs=lambda attributes: sorted([*attributes, same])), f"signs the attribute {oid} more than once")
    two = (made.protection(), made.protection("sha256")) if oid == made.PROTECTION else (core.UTF8String("a"), core.UTF8String("b"))
    _refused(made.sign(INNER, attrs=_with(oid, *two)), f"signs the attribute {oid} more than once")


@pytest.mark.parametrize(
    ("oid", "value", "words"),
    [
        (made.CONTENT_TYPE, core.ObjectIdentifier("1.2.840.113549.1.7.2"), "another kind of content"),
        (made.DIGEST, core.OctetString(b"\0" * 32), "not one of SHA-384"),
        (made.DIGEST, core.UTF8String("0"), "structure"),
        (made.SIGNING_TIME, core.UTCTime(made.AT), "structure"),
        (made.SIGNING_TIME, _generalized(b"20260301123015"), "not UTC"),
        (made.SIGNING_TIME, _generalized(b"20260301123015+0100"), "not UTC"),
        (made.SIGNING_TIME, _generalized(b"20260231123015Z"), "structure"),
        (made.SIGNING_TIME, _generalized(b"\xff"), "structure"),
        (made.EXPIRY_OID, _generalized(b"never"), "not UTC"),
        (made.JOB_OID, core.UTF8String(made.PROFILE), "not the ARN of a signing job"),
        (made.JOB_OID, core.UTF8String(made.JOB + "\n"), "not the ARN of a signing job"),
        (made.JOB_OID, core.PrintableString(made.JOB), "structure"),
        (made.PROFILE_OID, core.UTF8String(made.PROFILE.rpartition("/")[0]), "not the ARN of a signing profile's version"),
        (made.PROTECTION, made.protection(digest="sha256"), "algorithm 2.16.840.1.101.3.4.2.1"),
        (made.PROTECTION, made.protection(signature="sha256_ecdsa"), "algorithm 1.2.840.10045.4.3.2"),
        (made.PROTECTION, core.Null(), "structure"),
        ("1.3.187.137.1.5", core.UTF8String("new"), "attribute 1.3.187.137.1.5, which is not known"),
    ],
)
def test_an_attribute_of_another_kind_is_unknown(oid: str, value: core.Asn1Value, words: str) -> None:
    _refused(made.sign(INNER, attrs=_with(oid, value)), words)


def test_attributes_out_of_order_are_unknown() -> None:
    _refused(made.sign(INNER, attrs=lambda attributes: sorted(attributes, reverse=True)), "order of DER")


def test_an_expiry_before_the_signing_is_wrong() -> None:
    _refused(made.sign(INNER, expires=made.AT - timedelta(seconds=1)), "expired before it was made")


def _set(*path: Any, value: Any) -> made.Change:
    def change(data: dict[str, Any]) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


def _two_signers(data: dict[str, Any]) -> None:
    data["signer_infos"] = data["signer_infos"] * 2


def _content(data: dict[str, Any]) -> None:
    data["encap_content_info"] = {"content_type": "data", "content": INNER}


def _by_key(data: dict[str, Any]) -> None:
    data["signer_infos"][0]["sid"] = cms.SignerIdentifier(name="subject_key_identifier", value=core.OctetString(b"\0" * 20))


def _attribute_certificate(data: dict[str, Any]) -> None:
    data["certificates"] = [*data["certificates"], cms.CertificateChoices(name="other", value=_other())]


def _other() -> cms.OtherCertificateFormat:
    return cms.OtherCertificateFormat({"other_cert_format": "1.2.3", "other_cert": core.Any(core.Null())})


def _unsigned(data: dict[str, Any]) -> None:
    data["signer_infos"][0]["unsigned_attrs"] = [{"type": "1.2.3", "values": [core.Null()]}]


def _list(data: dict[str, Any]) -> None:
    data["crls"] = [cms.RevocationInfoChoice(name="other", value=cms.OtherRevocationInfoFormat({
        "other_rev_info_format": "1.2.3", "other_rev_info": core.Any(core.Null()),
    }))]  # fmt: skip


SHA256 = {"algorithm": "sha256", "parameters": core.Null()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("version", value="v3"), "not version 1"),
        (_content, "not detached"),
        (_set("encap_content_info", value={"content_type": "signed_data"}), "not detached"),
        (_set("digest_algorithms", 0, value=SHA256), "algorithm 2.16.840.1.101.3.4.2.1"),
        (_set("digest_algorithms", value=[SHA256, {"algorithm": "sha384"}]), "more than one digest algorithm"),
        (_set("digest_algorithms", value=[]), "more than one digest algorithm|structure"),
        (_two_signers, "2 signers"),
        (_set("signer_infos", value=[]), "0 signers"),
        (_set("signer_infos", 0, "version", value="v3"), "named by issuer and number"),
        (_by_key, "named by issuer and number"),
        (_set("signer_infos", 0, "digest_algorithm", value=SHA256), "algorithm 2.16.840.1.101.3.4.2.1"),
        (_set("signer_infos", 0, "signature_algorithm", value={"algorithm": "sha256_ecdsa"}), "algorithm 1.2.840.10045.4.3.2"),
        (_set("signer_infos", 0, "signed_attrs", value=None), "no signed attributes"),
        (_unsigned, "unsigned ones"),
        (_list, "revocation lists"),
        (_set("certificates", value=None), "no certificates"),
        (_attribute_certificate, "something else than certificates|structure"),
        (_set("signer_infos", 0, "signature", value=b""), "signature is wrong"),
        (_set("signer_infos", 0, "signature", value=b"\0" * 96), "signature is wrong"),
    ],
)
def test_another_structure_is_unknown(change: made.Change, words: str) -> None:
    _refused(made.sign(INNER, change=change), words)


def test_parameters_of_an_algorithm_are_unknown() -> None:
    name = core.ObjectIdentifier("2.16.840.1.101.3.4.2.2").dump()
    odd = made.unarmor(made.sign(INNER)).replace(name + b"\x05\x00", name + b"\x04\x00", 1)
    _refused(made.armor(odd), "structure|with parameters")


def test_a_certificate_whose_signature_does_not_use_all_bits_is_unknown() -> None:
    """What verifies a certificate overlooks that byte; nothing in a signature may be changed without notice."""
    certificate = asn1_x509.Certificate.load(made.chain().ders[1])
    der = certificate.dump()
    at = der.index(certificate["signature_value"].contents)
    odd = der[:at] + b"\x01" + der[at + 1 :]
    ders = made.chain().ders
    _refused(made.sign(INNER, certificates=[ders[0], odd, *ders[2:]]), "something else than certificates")


def test_a_signature_over_something_else_is_wrong() -> None:
    mixed = made.unarmor(made.sign(INNER)).replace(made.JOB.encode(), made.JOB[:-1].encode() + b"f")
    _refused(made.armor(mixed), "signature is wrong")


PEM = made.sign(INNER)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        PEM[1:],
        PEM + b"\n",
        PEM + PEM,
        b"\n" + PEM,
        PEM.replace(b"PKCS7", b"CMS"),
        PEM.replace(b"\n", b"\r\n"),
        PEM.replace(b"\n", b"", 2),
        PEM.replace(b"\nM", b"\n M", 1),
        b"-----BEGIN PKCS7-----\n-----END PKCS7-----\n",
        b"-----BEGIN PKCS7-----\nAB==\n-----END PKCS7-----\n",  # two bits that do not count
        b"-----BEGIN PKCS7-----\nA===\n-----END PKCS7-----\n",
        b"-----BEGIN PKCS7-----\n" + b"A" * 64 + b"\n-----END PKCS7-----",
        b"A" * (LONGEST + 1),
    ],
)
def test_another_text_is_unknown(text: bytes) -> None:
    _refused(text, "layout of the signature is unknown")


@pytest.mark.parametrize(
    "der",
    [
        b"\x30\x00",
        b"\x30\x80" * 20_000,
        b"\x30\x80" * 300 + b"\0\0" * 300,
        b"\x31" * 1000,
        b"\x30\x84\xff\xff\xff\xff",
        made.unarmor(PEM) + b"\0",
        made.unarmor(PEM)[:-1],
        core.Sequence.load(b"\x30\x05\x06\x03\x2a\x03\x04").dump(),
        cms.ContentInfo({"content_type": "data", "content": b"hello"}).dump(),
    ],
)
def test_another_structure_never_ends_in_a_traceback(der: bytes) -> None:
    _refused(made.armor(der), "layout of the signature is unknown")


def test_the_remedy_says_that_it_is_not_believed() -> None:
    with pytest.raises(IntegrityError) as caught:
        read_signature(b"-----BEGIN PKCS7-----\n" + base64.b64encode(b"0") + b"\n-----END PKCS7-----\n")
    assert str(caught.value) == (
        "The layout of the signature is unknown: its structure cannot be read. "
        "It is not believed. If AWS Signer made it just now, a newer shipsafe may know it."
    )
