"""A signing record, read back: whole, or not at all."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence.recorded import code_sha256_of, recorded, sha256_of
from shipsafe.evidence.signing_record import signing_record
from shipsafe.model.attestation import Resource, Statement
from shipsafe.model.signing import S3Object, SignedArtifact

UNSIGNED, SIGNED = "a1" * 32, "b2" * 32
ONE = SignedArtifact(
    artifact="Orders",
    target="prod",
    account="123456789012",
    region="eu-west-1",
    unsigned_sha256=UNSIGNED,
    source=S3Object(bucket="b", key="unsigned/o.zip", version="v1"),
    object=S3Object(bucket="b", key="signed/o.zip", version="v2"),
    size=4711,
    sha256=SIGNED,
    code_sha256=code_sha256_of(SIGNED),
    job="arn:aws:signer:eu-west-1:123456789012:/signing-jobs/0a1b2c3d-0000-4000-8000-000000000000",
    profile_version="arn:aws:signer:eu-west-1:123456789012:/signing-profiles/orders_2026/AbCdEfGhIj",
    signed_at=datetime(2026, 11, 21, 9, 0, 0, 338000, tzinfo=UTC),
    expires=datetime(2038, 2, 21, 9, tzinfo=UTC),
    root="c3" * 32,
    trust="aws",
)
ZIPPED = Resource(name="Orders.zip", digests={"sha256": UNSIGNED})


def _statement(**changes: Any) -> Statement:
    made = signing_record(ONE, zipped=ZIPPED, claims=(), vouched_by=())
    predicate = deepcopy(dict(made.predicate))
    for path, value in changes.items():
        place: Any = predicate
        *outer, last = path.split("__")
        for name in outer:
            place = place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return Statement(subjects=made.subjects, kind=made.kind, predicate=predicate)


def test_what_is_read_is_what_was_written() -> None:
    assert recorded(_statement(), shown="x") == ONE


@pytest.mark.parametrize(
    "changes",
    [
        {"job": "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/x"},
        {"profileVersion": "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/orders_2026"},
        {"account": "12345678901"},
        {"account": 123456789012},
        {"signedAt": "yesterday"},
        {"signedAt": "2026-11-21T09:00:00"},
        {"signedAt": "0001-01-01T00:00:00+14:00"},
        {"expires": None},
        {"object": None},
        {"object__version": ""},
        {"source__version": "null"},
        {"source__key": 7},
        {"source": ["b"]},
        {"unsigned__sha256": SIGNED},
        {"signed__sha256": UNSIGNED},
        {"signed__codeSha256": code_sha256_of(UNSIGNED)},
        {"signed__size": "4711"},
        {"signed": None},
    ],
    ids=str,
)
def test_half_a_record_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="The signing record cannot be used"):
        recorded(_statement(**changes), shown="x")


def test_one_subject_is_not_enough() -> None:
    made = _statement()
    with pytest.raises(IntegrityError):
        recorded(Statement(subjects=made.subjects[:1], kind=made.kind, predicate=made.predicate), shown="x")


def test_a_digest_goes_there_and_back() -> None:
    assert sha256_of(code_sha256_of(SIGNED)) == SIGNED


@pytest.mark.parametrize("text", ["", "x", "AAAA", code_sha256_of(SIGNED)[:-1], f"{code_sha256_of(SIGNED)}\n"])
def test_another_text_is_no_code_sha256(text: str) -> None:
    with pytest.raises(IncompleteError):
        sha256_of(text)
