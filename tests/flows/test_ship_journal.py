"""What a line has finished, written down beside the release."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipsafe.flows.ship_journal import Line, LineJournal
from shipsafe.model.ship import Leg

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> LineJournal:
    (tmp_path / "shipsafe.json").write_text("{}")
    return LineJournal(tmp_path)


def test_what_was_finished_is_read_again(journal: LineJournal) -> None:
    line = journal.begin(NOW)
    assert journal.read() == Line(began=NOW)
    line = journal.finish(line, Leg.BUILD, "ab")
    line = journal.finish(line, Leg.SIGN, "ab")
    assert journal.read() == line == Line(began=NOW, release="ab", finished=(Leg.BUILD, Leg.SIGN))
    assert journal.finish(line, Leg.SIGN, "ab") == line


def test_a_folder_in_which_nothing_lies_stays_as_it_is(tmp_path: Path) -> None:
    """A build that does not pass leaves no folder behind."""
    LineJournal(tmp_path / "dist").begin(NOW)
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{", '{"version": 2}', "[" * 100_000,
        json.dumps({"version": 1, "began": "yesterday", "release": "", "finished": []}),
        json.dumps({"version": 1, "began": NOW.isoformat(), "release": "", "finished": ["fly"]}),
        json.dumps({"version": 1, "began": NOW.isoformat(), "release": 7, "finished": []}),
        json.dumps({"version": 1, "began": NOW.isoformat(), "release": "", "finished": "build"}),
        "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_journal_is_none(journal: LineJournal, text: str) -> None:
    journal.begin(NOW)
    journal.path.write_text(text)
    assert journal.read() is None


def test_a_link_is_not_followed(journal: LineJournal, tmp_path: Path) -> None:
    line = journal.finish(journal.begin(NOW), Leg.BUILD, "ab")
    other = tmp_path / "elsewhere"
    journal.path.rename(other)
    journal.path.symlink_to(other)
    assert journal.read() is None
    journal.finish(line, Leg.SIGN, "ab")
    assert other.read_text() != journal.path.read_text(), "it was replaced, not written through"
