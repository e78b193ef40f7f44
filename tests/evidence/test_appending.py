"""A bundle is a log: what others wrote stays, nothing is written twice, and what nobody signed gives way to what somebody did."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer._signature import Signature

from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence import appending
from shipsafe.evidence.appending import appended, trust_in
from shipsafe.evidence.envelope import read_bundle, statement_of
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.model.attestation import Predicate, Role, Statement
from tests.evidence.speakers import DAY, key, signed, statement

RELEASE, OTHER = FileSigner(key("release")), FileSigner(key("other"))
GATES = statement(Predicate.GATES, {"askedBy": "signer", "decision": "PASS", "advisories": 1})
LATER = statement(Predicate.GATES, {"askedBy": "signer", "decision": "PASS", "advisories": 2})
BUILDER = statement(Predicate.GATES, {"askedBy": "builder", "decision": "PASS", "advisories": 1})


class Random(FileSigner):
    """As KMS signs: never twice the same."""

    def sign(self, payload: bytes) -> Signature:
        return Signature(self.public_key.keyid, key("kms").sign(payload, ec.ECDSA(hashes.SHA384())).hex())


def add(data: bytes, *statements: Statement, by: tuple[FileSigner, ...] = ()) -> bytes:
    return appended(data, statements, by, today=DAY, shown="b")


def said(data: bytes) -> list[Statement]:
    return [statement_of(one, shown="b") for one in read_bundle(data, shown="b")]


def signatures(data: bytes) -> list[int]:
    return [len(one.signatures) for one in read_bundle(data, shown="b")]


def test_what_was_there_stays_as_it_was_and_what_is_new_stands_behind_it() -> None:
    before = signed(key("ci")) + b"\n" + signed() + b"\n"
    after = add(before, GATES, by=(RELEASE,))
    assert after.startswith(before)
    assert said(after)[2:] == [GATES]


@pytest.mark.parametrize("signer", [RELEASE, Random(key("kms"))], ids=["a file", "KMS"])
def test_an_equal_statement_by_the_same_signer_is_written_once(signer: FileSigner) -> None:
    once = add(b"", GATES, by=(signer,))
    assert add(once, GATES, by=(signer,)) == once
    assert said(add(once, LATER, by=(signer,))) == [GATES, LATER]


def test_an_equal_statement_by_another_signer_is_written_beside_it() -> None:
    both = add(add(b"", GATES, by=(OTHER,)), GATES, by=(RELEASE,))
    assert said(both) == [GATES, GATES]
    assert add(both, GATES, by=(RELEASE,)) == both
    assert signatures(add(both, GATES, by=(RELEASE, OTHER))) == [1, 1, 2], "together they are more than each alone"


def test_a_signature_that_only_says_that_it_is_ours_does_not_keep_ours_out() -> None:
    """The id of a key is a hint: whoever can write to the folder could otherwise make a signer believe that it has spoken."""
    envelope = json.loads(add(b"", GATES, by=(OTHER,)))
    envelope["signatures"][0]["keyid"] = RELEASE.public_key.keyid
    forged = json.dumps(envelope).encode() + b"\n"
    assert said(add(forged, GATES, by=(RELEASE,))) == [GATES, GATES]


def test_what_nobody_signed_gives_way_to_what_somebody_signed() -> None:
    """Only where it is about the same matter and by the same speaker, and never the other way round."""
    unsigned = add(b"", BUILDER, GATES)
    after = add(unsigned, LATER, by=(RELEASE,))
    assert said(after) == [BUILDER, LATER]
    assert signatures(after) == [0, 1]
    assert add(after, LATER) == after
    assert signatures(add(after, GATES)) == [0, 1, 0]


def test_a_bundle_that_is_full_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "MOST_ENVELOPES", 1)
    one = add(b"", GATES, by=(RELEASE,))
    assert add(one, GATES, by=(RELEASE,)) == one
    with pytest.raises(IncompleteError, match="no room"):
        add(one, LATER, by=(RELEASE,))


def test_what_is_no_bundle_is_not_added_to() -> None:
    with pytest.raises(IntegrityError):
        add(b"{}\n", GATES)
    odd = json.dumps({"payload": base64.b64encode(b"{}").decode(), "payloadType": "text/plain", "signatures": []}).encode()
    with pytest.raises(IntegrityError):
        add(odd, GATES, by=(RELEASE,))


def test_the_policy_of_some_signers_takes_what_all_of_them_signed() -> None:
    trusted = trust_in((RELEASE, OTHER), Role.SIGNER)
    assert trusted.thresholds == {Role.SIGNER: 2}
    assert not trusted.unsigned_allowed
    assert trust_in((), Role.SIGNER).unsigned_allowed
