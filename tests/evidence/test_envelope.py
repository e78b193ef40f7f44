"""Envelopes as lines of a bundle: the same bytes for the same statement, and one meaning or none when they are read."""

import base64
import json
from typing import Any

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import read_bundle, read_envelope, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from tests.evidence.speakers import SUBJECT, key, signed, statement

_GOOD = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "predicate": {}, "subject": [{"digest": {"sha256": SUBJECT}}]}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _line(content: bytes, **values: Any) -> bytes:
    kind = "application/vnd.in-toto+json"
    return json.dumps({"payload": _b64(content), "payloadType": kind, "signatures": []} | values).encode()


def test_equal_statements_and_keys_give_equal_bytes_in_any_order_of_the_keys() -> None:
    one, two = FileSigner(key("one")), FileSigner(key("two"))
    assert written(statement(), [one, two]) == written(statement(), [two, one]) == written(statement(), [one, two])
    assert b"\n" not in written(statement(), [one])
    ids = [each["keyid"] for each in json.loads(written(statement(), [one, two]))["signatures"]]
    assert ids == sorted([one.public_key.keyid, two.public_key.keyid])


def test_what_was_written_is_read_again() -> None:
    (read,) = read_bundle(signed(key("one")) + b"\n", shown="b")
    assert statement_of(read, shown="b") == statement()
    assert not read_bundle(signed(), shown="b")[0].signatures


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "no envelope"),
        (b"\n \n", "no envelope"),
        (b"[]", "has no payload"),
        (b"{", "one meaning"),
        (b'{"payload":"","payload":"","payloadType":"","signatures":[]}', "one meaning"),
        (json.dumps({"payload": "", "payloadType": "x", "signatures": []}).encode("utf-16-le").replace(b"\n", b""), "one meaning"),
        (b'{"payload":"","payloadType":"","signatures":[],"more":NaN}', "one meaning"),
        (b'{"payload":"","payloadType":"\\ud800","signatures":[]}', "one meaning"),
        (b"[" * 200_000, "one meaning"),
        (_line(b"{}", signatures={}), "another kind"),
        (_line(b"{}", payloadType=1), "another kind"),
        (_line(b"{}", signatures=[{"keyid": "", "sig": _b64(b"x")}] * 17), "17 signatures, and 16 are the most"),
        (_line(b"{}", signatures=["x"]), "not of the shape"),
        (_line(b"{}", signatures=[{"keyid": ""}]), "not of the shape"),
        (_line(b"{}", signatures=[{"keyid": "", "sig": ""}]), "not of the shape"),
        (_line(b"{}", signatures=[{"keyid": 7, "sig": _b64(b"x")}]), "not of the shape"),
        (_line(b"{}", signatures=[{"keyid": "x" * 2000, "sig": _b64(b"x")}]), "not of the shape"),
        (_line(b"{}", signatures=[{"keyid": "", "sig": _b64(b"x" * 2000)}]), "not of the shape"),
        (_line(b"{}", payload="e30"), "not base64"),
        (_line(b"{}", payload="e30=\n"), "not base64"),
        (_line(b"{}", payload="e31="), "not base64"),  # bits at its end that mean nothing
        (_line(b"{}", payload="é"), "not base64"),
        (_line(b"{}", payload=None), "not base64"),
    ],
)
def test_what_is_no_envelope_is_refused(line: bytes, says: str) -> None:
    with pytest.raises(IntegrityError, match=says) as refused:
        read_bundle(line, shown="b")
    assert refused.value.path == "b"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "its _type is not"),
        ({"subject": []}, "no subject"),
        ({"predicate": None}, "no subject, predicateType or predicate"),
        ({"subject": [{"name": "x"}]}, "a subject has no digest"),
        ({"subject": [{"digest": {"sha1": "0" * 40, "md5": "0" * 32}}]}, r"no SHA-256 \(md5, sha1 is not enough\)"),
        ({"subject": [{"digest": {"sha256": SUBJECT.upper()}}]}, "no SHA-256"),
        ({"subject": [{"digest": {"sha256": SUBJECT[:-1]}}]}, "no SHA-256"),
        ({"subject": [{"digest": {"sha256": SUBJECT + "\n"}}]}, "no SHA-256"),
        ({"subject": _GOOD["subject"] * 1001}, "more than 1000 subjects"),  # type: ignore[operator]  # it is a list
    ],
)
def test_what_is_no_statement_is_refused(payload: dict[str, Any], says: str) -> None:
    with pytest.raises(IntegrityError, match=says):
        statement_of(read_envelope(_line(json.dumps(_GOOD | payload).encode()), shown="b"), shown="b")


def test_a_line_that_is_wrong_is_named() -> None:
    with pytest.raises(IntegrityError) as refused:
        read_bundle(signed() + b"\n{}\n", shown="b")
    assert refused.value.line == 2


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(IntegrityError, match="more than 1000"):
        read_bundle(b"{}\n" * 1001, shown="b")
    with pytest.raises(IntegrityError, match="more than 1000"):
        read_bundle(b"\n" * 100_000, shown="b")  # empty ones: a list of a hundred million of them takes a gigabyte


def test_an_envelope_holds_no_heap_of_values_beside_its_payload() -> None:
    heap = json.dumps({"payload": "", "payloadType": "", "signatures": [{"sig": "YQ==", "heap": [{}] * 200_000}]}).encode()
    with pytest.raises(IntegrityError, match="more than 200,000 values"):
        read_envelope(heap, shown="b")
