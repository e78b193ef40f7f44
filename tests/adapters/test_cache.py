"""What is kept between runs: it is believed only as it was kept, by who kept it, and it never grows beyond its bound."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from shipsafe.adapters import kept as kept_databases
from shipsafe.adapters.cache import canonical, open_cache
from shipsafe.adapters.kept import largest, size_of
from shipsafe.errors import ConfigError

QUESTION = {"gate": "lint", "tree": "abc"}
ANSWER = {"findings": [], "notes": ["nothing"]}


def kept(folder: Path, question: object = QUESTION, answer: object = ANSWER) -> Path:
    """A cache in which an earlier run kept an answer; gives its file."""
    cache = open_cache(folder)
    cache.keep("outcome", question, answer)
    cache.flush()
    cache.close()
    return folder / "answers.sqlite"


def recalled(folder: Path, question: object = QUESTION, kind: str = "outcome") -> object:
    """What a later run finds, which lets go of the file."""
    with closing(open_cache(folder)) as cache:
        return cache.recall(kind, question)


def test_what_was_kept_is_recalled_by_the_next_run_and_by_this_one(tmp_path: Path) -> None:
    kept(tmp_path)
    with closing(open_cache(tmp_path)) as cache:
        assert cache.recall("outcome", QUESTION) == ANSWER
        cache.keep("outcome", "another", [1])
        assert cache.recall("outcome", "another") == [1]


@pytest.mark.parametrize("other", [{"gate": "lint", "tree": "abd"}, {"gate": "lint"}, "lint", None])
def test_another_question_has_no_answer(tmp_path: Path, other: object) -> None:
    kept(tmp_path)
    assert recalled(tmp_path, other) is None


def test_an_answer_of_one_kind_is_none_of_another(tmp_path: Path) -> None:
    kept(tmp_path)
    assert recalled(tmp_path, kind="archive") is None


def test_the_same_question_in_another_order_is_the_same() -> None:
    assert canonical({"a": 1, "b": {2, 3}}) == canonical({"b": {3, 2}, "a": 1})


def _flip(base: sqlite3.Connection) -> None:
    value = bytearray(base.execute("select value from answer").fetchone()[0])
    value[-1] ^= 1
    base.execute("update answer set value = ?", (bytes(value),))


def _move(base: sqlite3.Connection) -> None:
    """Give the answer of one question to another: a pass of yesterday to the code of today."""
    key = next(key for (key,) in base.execute("select key from answer where kind = 'outcome' order by length(value)"))
    base.execute("update answer set (value, mac) = (select value, mac from answer where key != ?) where key = ?", (key, key))


def _rename(base: sqlite3.Connection) -> None:
    base.execute("update answer set kind = 'archive'")


@pytest.mark.parametrize("poison", [_flip, _move, _rename])
def test_a_poisoned_entry_is_no_answer_and_is_written_anew(tmp_path: Path, poison: Callable[[sqlite3.Connection], None]) -> None:
    path = kept(tmp_path)
    kept(tmp_path, "a pass", {"findings": [], "notes": ["a longer answer that says that all is well"]})
    with closing(sqlite3.connect(path)) as base, base:
        poison(base)
    assert recalled(tmp_path) is None
    kept(tmp_path)
    assert recalled(tmp_path) == ANSWER


def test_what_was_kept_under_another_key_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that was restored from another trust domain."""
    kept(tmp_path / "cache")
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "somebody else"))
    assert recalled(tmp_path / "cache") is None


def test_machines_with_one_key_share_what_they_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPSAFE_CACHE_KEY", "of the protected jobs")
    kept(tmp_path / "cache")
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "another machine"))
    assert recalled(tmp_path / "cache") == ANSWER


def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the cache can try keys on it, and then write answers."""
    monkeypatch.setenv("SHIPSAFE_CACHE_KEY", "hunter2")
    with pytest.raises(ConfigError, match="SHIPSAFE_CACHE_KEY has fewer than 16 characters"):
        open_cache(tmp_path / "cache")


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "config"))
    kept(tmp_path / "cache")
    assert recalled(tmp_path / "cache") == ANSWER
    (tmp_path / "config/cache.key").chmod(0o644)
    assert recalled(tmp_path / "cache") is None


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "answers.sqlite").write_bytes(content)
    assert recalled(tmp_path) is None
    kept(tmp_path)
    assert recalled(tmp_path) == ANSWER


def test_a_damaged_page_costs_answers_and_nothing_else(tmp_path: Path) -> None:
    path = kept(tmp_path)
    for number in range(300):
        kept(tmp_path, number, "x" * 50)
    data = bytearray(path.read_bytes())
    data[4096:12288] = os.urandom(8192)
    path.write_bytes(data)
    cache = open_cache(tmp_path)
    for number in range(300):
        assert cache.recall("outcome", number) in (None, "x" * 50)
    cache.keep("outcome", QUESTION, ANSWER)
    cache.flush()
    cache.close()


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = open_cache(tmp_path / "cache")
    cache.keep("outcome", QUESTION, ANSWER)
    assert cache.recall("outcome", QUESTION) == ANSWER
    cache.flush()
    cache.close()


def test_twenty_processes_at_once_lose_nothing_and_damage_nothing(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from shipsafe.adapters.cache import open_cache
cache = open_cache(Path(sys.argv[1]))
for step in range(20):
    cache.keep("outcome", [sys.argv[2], step], "answer " * 20)
    cache.flush()
    assert cache.recall("outcome", [sys.argv[2], step]) == "answer " * 20
cache.close()
"""
    children = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)]) for number in range(20)]
    assert [child.wait() for child in children] == [0] * 20
    with closing(open_cache(tmp_path)) as cache:
        assert all(cache.recall("outcome", [str(number), step]) == "answer " * 20 for number in range(20) for step in range(20))
    with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as base:
        assert base.execute("pragma integrity_check").fetchone() == ("ok",)


def test_what_was_not_wanted_for_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPSAFE_CACHE_SIZE", "800K")  # of which answers may take an eighth
    for number in range(40):
        kept(tmp_path, number, os.urandom(4000).hex())
        with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as base, base:
            base.execute("update answer set used = used - 1")
    with closing(open_cache(tmp_path)) as cache:
        there = [number for number in range(40) if cache.recall("outcome", number) is not None]
    assert there
    assert there == list(range(40))[-len(there) :], "the newest are kept"
    assert len(there) < 40
    assert (tmp_path / "answers.sqlite").stat().st_size <= 120 * 1024


def test_a_secret_of_a_question_is_not_in_the_file(tmp_path: Path) -> None:
    """A question may hold what a template says; its key is a keyed digest, which nobody can try values against."""
    path = kept(tmp_path, {"environment": "hunter2-hunter2"})
    assert b"hunter2" not in path.read_bytes()


@pytest.mark.parametrize(("text", "size"), [("500M", 500 * 1024**2), ("2 GiB", 2 * 1024**3), ("1024", 1024), ("3kb", 3072)])
def test_sizes_are_read(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1.5G", "9" * 20])
def test_what_is_no_size_is_said_before_anything_is_done(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a size"):
        size_of(text)
    if text:
        monkeypatch.setenv("SHIPSAFE_CACHE_SIZE", text)
        with pytest.raises(ConfigError, match="is not a size"):
            largest()
        with pytest.raises(ConfigError, match="is not a size"):
            open_cache(tmp_path)


def test_a_file_that_another_process_holds_is_not_taken_for_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be removed under the hands of everybody else."""
    path = kept(tmp_path)
    monkeypatch.setattr(kept_databases, "_WAIT", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, closing(open_cache(tmp_path)) as cache:
        assert cache.recall("outcome", QUESTION) == ANSWER
        other.execute("begin exclusive")
        assert cache.recall("outcome", QUESTION) is None
        other.execute("rollback")
        assert cache.recall("outcome", QUESTION) == ANSWER
