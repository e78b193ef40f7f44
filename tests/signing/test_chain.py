"""One chain from the leaf to a root, every link of it good, at signing time."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from shipsafe.errors import IntegrityError
from shipsafe.signing.chain import Certificate, read_chain
from tests.signing import made
from tests.signing.made import Authority, certify

AT = made.AT
ROOT = certify("Root", days=36500)
OTHER_KEY = ec.generate_private_key(ec.SECP384R1())


def _read(*links: Authority, at: datetime = AT, leaf: Authority | None = None) -> tuple[Certificate, ...]:
    named = asn1_x509.Certificate.load((leaf or links[0]).der)
    ders = [link.der for link in links]
    return read_chain(ders, issuer=named.issuer.dump(), serial=named.serial_number, at=at)


def _refused(words: str, *links: Authority, at: datetime = AT, leaf: Authority | None = None) -> None:
    with pytest.raises(IntegrityError, match=words):
        _read(*links, at=at, leaf=leaf)


def _leaf(issuer: Authority = ROOT, **how: object) -> Authority:
    return certify("signer", issuer, ca=False, days=3, **how)  # type: ignore[arg-type]  # a test's own words


def test_a_chain_is_given_leaf_first() -> None:
    links = made.chain().links
    found = _read(links[2], links[0], links[3], links[1], leaf=links[0])
    assert [one.subject for one in found] == [f"CN={name},O=Tests" for name in ("signer", "Lower", "Upper", "Root")]
    assert [one.sha256 for one in found] == [hashlib.sha256(link.der).hexdigest() for link in links]
    assert found[0].issuer == found[1].subject
    assert found[0].not_after - found[0].not_before == timedelta(days=3)


def test_a_leaf_under_a_root_is_a_chain() -> None:
    assert len(_read(_leaf(), ROOT)) == 2


def test_validity_is_judged_at_signing_time_alone() -> None:
    leaf = _leaf()
    first, last = leaf.certificate.not_valid_before_utc, leaf.certificate.not_valid_after_utc
    assert last < datetime.now(UTC)
    for at in (first, last):
        assert len(_read(leaf, ROOT, at=at)) == 2
    for at in (first - timedelta(seconds=1), last + timedelta(milliseconds=1)):
        _refused("was not valid when it signed", leaf, ROOT, at=at)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_link_must_be_valid_then(number: int) -> None:
    start = [AT - timedelta(days=1)] * 3
    start[number] = AT + timedelta(hours=1)
    root = certify("Root", start=start[2])
    upper = certify("Upper", root, start=start[1])
    _refused("was not valid when it signed", _leaf(upper, start=start[0]), upper, root)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_chain_with_a_link_cut_out_is_refused(missing: int) -> None:
    links = [link for number, link in enumerate(made.chain().links) if number != missing]
    _refused("is not in the signature exactly once", *links)


def test_a_leaf_that_is_not_there_is_refused() -> None:
    _refused("names as its signer is not in it", *made.chain().links[1:], leaf=made.chain().leaf)
    _refused("names as its signer is not in it", _leaf(), ROOT, leaf=_leaf(serial=77))


def test_certificates_that_are_left_over_are_refused() -> None:
    _refused("do not belong to its chain", _leaf(), ROOT, certify("Somebody"))
    _refused("do not belong to its chain", _leaf(), ROOT, _leaf())


def test_two_issuers_of_one_name_are_refused() -> None:
    _refused("is not in the signature exactly once", _leaf(), ROOT, certify("Root"))


def test_two_that_issued_each_other_are_no_chain() -> None:
    first = certify("A", issuer_name="B")
    second = Authority(certify("B", first).certificate, first.key)
    a = certify("A", second, path_length=None)
    _refused("is not in the signature exactly once", _leaf(a), a, second)


def test_a_leaf_that_issued_itself_is_refused() -> None:
    _refused("has issued itself", certify("signer", ca=False))


def test_too_many_certificates_are_refused_before_they_are_read() -> None:
    with pytest.raises(IntegrityError, match="more than 10"):
        read_chain([b"junk"] * 11, issuer=b"", serial=1, at=AT)


def test_a_long_chain_is_refused() -> None:
    links = [ROOT]
    for number in range(10):
        links.append(certify(f"CA {number}", links[-1]))
    _refused("more than 10", _leaf(links[-1]), *reversed(links))


def test_what_is_signed_by_another_key_is_refused() -> None:
    forged = certify("signer", Authority(ROOT.certificate, OTHER_KEY), ca=False, days=3)
    _refused("names another key", forged, ROOT)
    root = certify("Root", key=ROOT.key)
    pretended = Authority(root.certificate, ROOT.key)
    der = bytearray(_leaf(pretended).der)
    der[-1] ^= 1
    spoilt = Authority(x509.load_der_x509_certificate(bytes(der)), ROOT.key)
    _refused("was not issued by", spoilt, root)


def test_a_root_whose_own_signature_is_wrong_is_refused() -> None:
    der = bytearray(ROOT.der)
    der[-1] ^= 1
    root = Authority(x509.load_der_x509_certificate(bytes(der)), ROOT.key)
    _refused("was not issued by", _leaf(), root)


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (_leaf(usage="none"), "not made for signing"),
        (_leaf(usage="issue"), "not made for signing"),
        (_leaf(purposes=[]), "not made for signing code"),
        (_leaf(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]), "not made for signing code"),
        (_leaf(curve=ec.SECP256R1()), "not one of curve P-384"),
        (certify("signer", ROOT, usage="sign", purposes=[ExtendedKeyUsageOID.CODE_SIGNING]), "not made for signing"),
        (_leaf(extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]), "not known here: 1.2.3.4"),
        (_leaf(algorithm=hashes.SHA224()), "signed in a way that is not known"),
    ],
)
def test_a_leaf_must_be_made_for_signing_code(leaf: Authority, words: str) -> None:
    _refused(words, leaf, ROOT)


def test_an_extension_that_does_not_count_is_read_over() -> None:
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert len(_read(_leaf(extra=[(odd, False)]), ROOT)) == 2


@pytest.mark.parametrize(
    "issuer",
    [certify("CA", ROOT, ca=False), certify("CA", ROOT, usage="sign"), certify("CA", ROOT, usage="none")],
    ids=["no CA", "usage", "none"],
)
def test_who_may_not_issue_has_issued_nothing(issuer: Authority) -> None:
    _refused("may not issue certificates", _leaf(issuer), issuer, ROOT)


def test_a_chain_is_as_long_as_its_authorities_allow() -> None:
    root = certify("Root", path_length=1)
    upper = certify("Upper", root, path_length=0)
    lower = certify("Lower", upper)
    assert len(_read(_leaf(upper), upper, root)) == 3
    _refused("so long a chain", _leaf(lower), lower, upper, root)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", ROOT.der[:-1], ROOT.der + b"\0", b"\x30" * 500])
def test_what_is_no_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        read_chain([der], issuer=b"", serial=1, at=AT)


def test_a_number_that_is_not_positive_is_refused_without_a_warning() -> None:
    plain = _leaf(serial=5).der
    at = plain.index(b"\x02\x01\x05")
    negative = plain[:at] + b"\x02\x01\x85" + plain[at + 3 :]
    with pytest.raises(IntegrityError, match="lacks a name, a number"):
        read_chain([negative], issuer=b"", serial=5, at=AT)
