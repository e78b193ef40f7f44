"""The journal of signing: what was written is read again, and nothing else is believed."""

import json
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.model.signing import S3Object
from shipsafe.signing.journal import NAME, Journal

TICKET = "9d" * 32
JOB = "6bc1c1d3-0000-4000-8000-000000000001"
OTHER = "6bc1c1d3-0000-4000-8000-000000000002"
PLACE = S3Object(bucket="artifacts", key="unsigned/ab.zip", version="3sL4kq")


def test_what_was_noted_is_known_to_the_next_run(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.note_upload("111122223333", PLACE)
    journal.note_started(TICKET, 1, JOB)

    again = Journal.open(tmp_path)

    assert again.uploaded("111122223333", "artifacts", "unsigned/ab.zip") == PLACE
    assert again.uploaded("444455556666", "artifacts", "unsigned/ab.zip") is None
    attempt = again.attempt(TICKET)
    assert attempt is not None
    assert (attempt.number, attempt.job, attempt.failed) == (1, JOB, False)
    assert again.unreadable == 0


def test_the_newest_attempt_counts(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.note_started(TICKET, 1, JOB)
    journal.note_failed(TICKET, 1, JOB)
    failed = Journal.open(tmp_path).attempt(TICKET)
    journal.note_started(TICKET, 2, OTHER)
    second = Journal.open(tmp_path).attempt(TICKET)

    assert failed is not None
    assert second is not None
    assert (failed.number, failed.failed) == (1, True)
    assert (second.number, second.job, second.failed) == (2, OTHER, False)


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_line_that_a_crash_tore_is_left_out_and_the_next_one_is_whole(tmp_path: Path, cut: int) -> None:
    journal = Journal.open(tmp_path)
    journal.note_upload("111122223333", PLACE)
    journal.note_started(TICKET, 1, JOB)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-cut])

    after = Journal.open(tmp_path)
    torn = cut > 1  # without its line feed alone, a fact is whole
    assert (after.attempt(TICKET) is None) == torn
    after.note_started(TICKET, 2, OTHER)

    last = Journal.open(tmp_path)
    assert last.uploaded("111122223333", PLACE.bucket, PLACE.key) == PLACE
    second = last.attempt(TICKET)
    assert second is not None
    assert second.number == 2


@pytest.mark.parametrize(
    "fact",
    [
        {"fact": "started", "ticket": TICKET, "attempt": 0, "job": JOB},
        {"fact": "started", "ticket": TICKET, "attempt": 100, "job": JOB},
        {"fact": "started", "ticket": TICKET, "attempt": True, "job": JOB},
        {"fact": "started", "ticket": TICKET, "attempt": "1", "job": JOB},
        {"fact": "started", "ticket": TICKET, "attempt": 1, "job": "../../etc"},
        {"fact": "started", "ticket": TICKET, "attempt": 1},
        {"fact": "started", "ticket": TICKET, "attempt": 1, "job": JOB, "more": 1},
        {"fact": "started", "ticket": "short", "attempt": 1, "job": JOB},
        {"fact": ["started"], "ticket": TICKET, "attempt": 1, "job": JOB},
        {"fact": "signed", "ticket": TICKET},
        {"fact": "uploaded", "account": "111122223333", "bucket": "artifacts", "key": "k", "version": "null"},
        {"fact": "uploaded", "account": "111122223333", "bucket": "artifacts", "key": "k\u001b[2J", "version": "v"},
        {"fact": "uploaded", "account": "\uff11" * 12, "bucket": "artifacts", "key": "k", "version": "v"},
        [],
        None,
        "text",
    ],
)
def test_what_is_no_fact_is_left_out(tmp_path: Path, fact: object) -> None:
    (tmp_path / NAME).write_text(json.dumps(fact) + "\n", encoding="utf-8")

    journal = Journal.open(tmp_path)

    assert journal.unreadable == 1
    assert journal.attempt(TICKET) is None
    assert journal.uploaded("111122223333", "artifacts", "k") is None


@pytest.mark.parametrize("data", [b"\x00" * 4096, b"\xff\xfe{}", b"[" * 100_000, b'{"fact":1e999}', b"{}\n" * 1000])
def test_bytes_that_are_no_journal_hurt_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / NAME).write_bytes(data)

    journal = Journal.open(tmp_path)
    journal.note_started(TICKET, 1, JOB)

    assert journal.unreadable
    assert Journal.open(tmp_path).attempt(TICKET) == journal.attempt(TICKET)


def test_a_link_in_the_journals_place_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text(json.dumps({"fact": "started", "ticket": TICKET, "attempt": 1, "job": JOB}) + "\n", encoding="utf-8")
    before = victim.read_bytes()
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / NAME).symlink_to(victim)

    journal = Journal.open(folder)
    assert journal.attempt(TICKET) is None
    with pytest.raises(IncompleteError, match="Cannot be written"):
        journal.note_started(TICKET, 1, OTHER)

    assert victim.read_bytes() == before


def test_after_it_was_closed_nothing_is_written(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.note_started(TICKET, 1, JOB)
    before = (tmp_path / NAME).read_bytes()

    journal.close()
    journal.note_failed(TICKET, 1, JOB)

    assert (tmp_path / NAME).read_bytes() == before
