"""Whose word counts: signatures against the keys of a policy, with whatever somebody without a key can do to an envelope."""

import base64
import json
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from shipsafe.errors import IntegrityError
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import AttestPolicy, Predicate, Role, Vouched
from tests.evidence.speakers import DAY, Private, envelope, key, pae, signed, trusted_key, trusts

# https://csrc.nist.gov/pubs/sp/800/186/final, P-384: the order of its base point.
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


def _ask(line: bytes, policy: AttestPolicy, at: date = DAY) -> Vouched:
    return vouched(envelope(line), policy, at=at, shown="Orders.intoto.jsonl")


def _refused(line: bytes, policy: AttestPolicy, at: date = DAY) -> str:
    with pytest.raises(IntegrityError) as refused:
        _ask(line, policy, at)
    assert refused.value.path == "Orders.intoto.jsonl"
    return refused.value.what


def _changed(line: bytes, **values: Any) -> bytes:
    return json.dumps(json.loads(line) | values).encode()


def _signatures(line: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(line)["signatures"]
    return found


@pytest.mark.parametrize("private", [key("ci"), key("ci", ec.SECP256R1), ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))])
def test_a_trusted_key_vouches(private: Private) -> None:
    found = _ask(signed(private), trusts(trusted_key(private), unsigned=False))
    assert (found.by, found.role, found.statement.kind) == (("ci",), Role.BUILDER, Predicate.PROVENANCE)


def test_a_stranger_does_not_and_neither_does_nobody() -> None:
    policy = trusts(trusted_key(key("ci")))
    assert _refused(signed(key("mallory")), policy) == "No key that the policy trusts as builder signed it."
    assert _refused(signed(), policy) == "Nobody signed it, and the policy trusts keys of a builder."


def test_the_id_of_a_key_is_not_believed() -> None:
    """A stranger's signature under our key's id adds nobody, and ours is found under any id."""
    ci, ours = trusted_key(key("ci")), signed(key("ci"))
    (theirs,) = _signatures(signed(key("mallory")))
    assert "No key" in _refused(_changed(ours, signatures=[theirs | {"keyid": ci.spki}]), trusts(ci))
    (mine,) = _signatures(ours)
    for keyid in ("", "mallory", "0" * 64, "\n\x1b[31m"):
        assert _ask(_changed(ours, signatures=[theirs | {"keyid": ci.spki}, mine | {"keyid": keyid}]), trusts(ci)).by == ("ci",)
    assert _ask(_changed(ours, signatures=[{"sig": mine["sig"]}]), trusts(ci)).by == ("ci",)


def test_a_threshold_counts_keys_and_not_signatures() -> None:
    """One key that signs often, under many ids and in each form that ECDSA allows, counts once."""
    first, second = key("one"), key("two")
    policy = trusts(trusted_key(first, "one"), trusted_key(second, "two"), builders=2)
    line = signed(first)
    (mine,) = _signatures(line)
    r, s = decode_dss_signature(base64.b64decode(mine["sig"]))
    turned = base64.b64encode(encode_dss_signature(r, _ORDER - s)).decode()
    fresh = first.sign(pae(base64.b64decode(json.loads(line)["payload"])), ec.ECDSA(hashes.SHA384()))
    many = [mine, mine | {"keyid": "two"}, {"keyid": "three", "sig": turned}, {"keyid": "four", "sig": base64.b64encode(fresh).decode()}]
    assert _refused(_changed(line, signatures=many), policy) == "1 of 2 keys signed it that must sign what a builder states: one."
    for alone in many:
        assert _ask(_changed(line, signatures=[alone]), trusts(trusted_key(first, "one"))).by == ("one",)
    assert _ask(signed(first, second), policy).by == ("one", "two")


def test_a_key_that_a_policy_names_twice_counts_once() -> None:
    """No policy that is read has one; a caller may build what it likes."""
    policy = trusts(trusted_key(key("ci"), "one"), trusted_key(key("ci"), "two"), builders=2)
    assert "1 of 2 keys signed it" in _refused(signed(key("ci")), policy)


def test_a_signature_covers_the_payload_and_its_type() -> None:
    line, policy = signed(key("ci")), trusts(trusted_key(key("ci")))
    payload = json.loads(base64.b64decode(json.loads(line)["payload"]))
    other = base64.b64encode(json.dumps(payload | {"predicate": {"a": 2}}).encode()).decode()
    assert "No key" in _refused(_changed(line, payload=other), policy)
    assert "its payload type is 'application/json'" in _refused(_changed(line, payloadType="application/json"), policy)
    over = key("ci").sign(pae(base64.b64decode(json.loads(line)["payload"]), "application/json"), ec.ECDSA(hashes.SHA384()))
    assert "No key" in _refused(_changed(line, signatures=[{"keyid": "", "sig": base64.b64encode(over).decode()}]), policy)


def test_a_signature_with_another_hash_is_none() -> None:
    line = signed(key("ci"))
    weak = key("ci").sign(pae(base64.b64decode(json.loads(line)["payload"])), ec.ECDSA(hashes.SHA256()))
    forged = _changed(line, signatures=[{"keyid": "", "sig": base64.b64encode(weak).decode()}])
    assert "No key" in _refused(forged, trusts(trusted_key(key("ci"))))


def test_a_key_counts_on_its_days_only() -> None:
    line, day = signed(key("ci")), timedelta(days=1)
    policy = trusts(trusted_key(key("ci"), begins=DAY, ends=DAY + day))
    for at in (DAY, DAY + day):
        assert _ask(line, policy, at).by == ("ci",)
    for at in (DAY - day, DAY + 2 * day):
        said = f"Key 'ci' signed it, which the policy trusts from 2026-11-21 until 2026-11-22 only; it was used on {at}."
        assert _refused(line, policy, at) == said


def test_a_key_speaks_in_its_own_role_only() -> None:
    """Else a key that leaked from a build could say that a zip was signed."""
    record = signed(key("ci"), kind=Predicate.SIGNING)
    signer = trusted_key(key("signer"), "signer", roles=frozenset({Role.SIGNER}))
    said = _refused(record, trusts(trusted_key(key("ci")), signer))
    assert said == "Key 'ci' signed it, which the policy trusts as builder, and this is what a signer states."
    asked = signed(key("ci"), kind=Predicate.GATES, predicate={"askedBy": "signer"})
    assert "this is what a signer states" in _refused(asked, trusts(trusted_key(key("ci")), signer))
    assert _ask(signed(key("ci"), kind=Predicate.GATES, predicate={"askedBy": "builder"}), trusts(trusted_key(key("ci")), signer)).by == (
        "ci",
    )


def test_where_the_policy_trusts_nobody_unsigned_is_taken_or_refused_as_it_says() -> None:
    for line in (signed(), signed(key("mallory"))):
        assert _ask(line, AttestPolicy()).by == ()
        assert "trusts no key of a builder" in _refused(line, AttestPolicy(unsigned_allowed=False))


@pytest.mark.parametrize("sig", [b"\x00", b"0" * 104, encode_dss_signature(0, 0), encode_dss_signature(1, _ORDER), b"\x30" * 1024])
def test_what_is_no_signature_of_ecdsa_adds_nobody(sig: bytes) -> None:
    forged = _changed(signed(), signatures=[{"keyid": "", "sig": base64.b64encode(sig).decode()}])
    assert "No key" in _refused(forged, trusts(trusted_key(key("ci"))))
