"""Laws of envelopes: what was written is read, equal things are equal bytes, and no changed byte is vouched for."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import read_bundle, read_envelope, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import Resource, Statement
from tests.evidence.speakers import DAY, key, signed, trusted_key, trusts

_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_DIGEST = st.binary(min_size=32, max_size=32).map(bytes.hex)
_SUBJECTS = st.lists(
    st.builds(lambda name, sha256: Resource(name=name, digests={"sha256": sha256}), _TEXT, _DIGEST), min_size=1, max_size=3
)
_STATEMENTS = st.builds(
    lambda subjects, kind, predicate: Statement(subjects=tuple(subjects), kind=kind, predicate=predicate),
    _SUBJECTS,
    _TEXT,
    st.dictionaries(_TEXT, _JSON, max_size=4),
)
_CI = trusted_key(key("ci"))
_SIGNER, _OTHER = FileSigner(key("ci")), FileSigner(key("other"))
_LINE = signed(key("ci"), predicate={"text": "Grüße", "number": 1})


@given(_STATEMENTS)
def test_what_was_written_is_read_again_and_vouched_for(statement: Statement) -> None:
    line = written(statement, [_SIGNER])
    assert b"\n" not in line
    (envelope,) = read_bundle(line + b"\n", shown="b")
    assert statement_of(envelope, shown="b") == statement
    assert read_envelope(line, shown="b").line == line


@given(_STATEMENTS, st.permutations([_SIGNER, _OTHER]))
def test_equal_statements_give_equal_bytes_whoever_signs_first(statement: Statement, signers: list[FileSigner]) -> None:
    shuffled = Statement(
        subjects=statement.subjects, kind=statement.kind, predicate=dict(sorted(statement.predicate.items(), reverse=True))
    )
    assert written(statement, [_SIGNER, _OTHER]) == written(shuffled, signers)


@settings(max_examples=400)
@given(st.integers(0, len(_LINE) - 1), st.integers(1, 255))
def test_no_changed_byte_of_a_line_changes_what_is_vouched_for(place: int, flip: int) -> None:
    """A byte of the key id may change, and a name of a field that nobody reads: what is said stays what was signed."""
    changed = bytearray(_LINE)
    changed[place] ^= flip
    _says_nothing_else(bytes(changed))


@settings(max_examples=300)
@given(st.sampled_from(["payload", "payloadType", "sig"]), st.data())
def test_no_changed_byte_of_payload_type_or_signature_is_vouched_for(part: str, data: st.DataObject) -> None:
    document = json.loads(_LINE)
    holder: dict[str, Any] = document["signatures"][0] if part == "sig" else document
    raw = bytearray(holder[part].encode() if part == "payloadType" else base64.b64decode(holder[part]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 127 if part == "payloadType" else 255))
    holder[part] = raw.decode() if part == "payloadType" else base64.b64encode(raw).decode()
    try:
        vouched(read_envelope(json.dumps(document).encode(), shown="b"), trusts(_CI), at=DAY, shown="b")
    except IntegrityError:
        return
    raise AssertionError(part)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_no_envelope_is_refused_in_our_words(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"\.$"):
        read_bundle(data, shown="b")


def _says_nothing_else(line: bytes) -> None:
    try:
        (envelope,) = read_bundle(line, shown="b")
        told = vouched(envelope, trusts(_CI), at=DAY, shown="b")
    except IntegrityError:
        return
    assert told.statement == statement_of(read_envelope(_LINE, shown="b"), shown="b")
    assert told.by == ("ci",)
