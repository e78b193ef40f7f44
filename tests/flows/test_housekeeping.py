"""`shipsafe cache`: what lies there is said, what is old goes first, what is somebody else's stays, and nobody who works is disturbed."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from shipsafe.adapters.cache import open_cache
from shipsafe.adapters.kept import evict
from shipsafe.errors import IncompleteError
from shipsafe.flows import housekeeping
from shipsafe.flows.housekeeping import clear, prune, status
from shipsafe.packing.members import Packed, open_members
from tests.end_to_end.program import Ended, shipsafe

NOW = time.time()  # one for all: midnight may come between two lines
TODAY = int(NOW) // 86_400


def filled(folder: Path, count: int = 20) -> Path:
    """Answers and members; number N was last used N days ago."""
    cache = open_cache(folder)
    for number in range(count):
        cache.keep("outcome", number, os.urandom(2000).hex())
    cache.flush()
    cache.close()
    members = open_members(folder, "label")
    for number in range(count):
        data = os.urandom(4000)
        members.get(f"{number:064x}", 5000, lambda data=data: Packed(data=data, crc=0, deflated=True))  # type: ignore[misc]
    members.close()
    for name, table in (("answers", "answer"), ("members", "member")):
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as base, base:
            keys = base.execute(f"select key from {table} order by key").fetchall()  # noqa: S608 - one of two names
            days = [(TODAY - number, key) for number, (key,) in enumerate(keys)]
            base.executemany(f"update {table} set used = ? where key = ?", days)  # noqa: S608 - likewise
    return folder


def entries(folder: Path) -> dict[str, int]:
    return {part.name: part.entries for part in status(folder) if part.name in ("answers", "members")}


def ages(folder: Path, name: str, table: str) -> list[int]:
    with closing(sqlite3.connect(folder / f"{name}.sqlite")) as base:
        return sorted(TODAY - used for (used,) in base.execute(f"select used from {table}"))  # noqa: S608 - one of two names


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    parts = status(tmp_path / "none")
    assert {(part.size, part.entries, part.written) for part in parts} == {(0, 0, None)}
    assert (prune(tmp_path / "none", most=0, days=0), clear(tmp_path / "none")) == (0, 0)
    assert not (tmp_path / "none").exists()


def test_what_was_not_used_for_so_many_days_goes(tmp_path: Path) -> None:
    filled(tmp_path)
    assert prune(tmp_path, most=1 << 40, days=7, now=lambda: NOW) > 0
    assert ages(tmp_path, "answers", "answer") == ages(tmp_path, "members", "member") == list(range(8))


def test_what_was_not_used_for_longest_goes_until_it_fits(tmp_path: Path) -> None:
    filled(tmp_path)
    prune(tmp_path, most=60_000, days=None)
    answers, members = ages(tmp_path, "answers", "answer"), ages(tmp_path, "members", "member")
    assert answers == list(range(len(answers)))
    assert members == list(range(len(members)))
    assert 0 < len(answers) < 20
    assert len(members) == 45_000 // 4000
    assert prune(tmp_path, most=0, days=None) > 0
    assert entries(tmp_path) == {"answers": 0, "members": 0}


def test_an_index_of_advisories_that_nobody_wants_goes_with_age(tmp_path: Path) -> None:
    (tmp_path / "advisories").mkdir()
    for name, days in (("folder-a", 40), ("folder-b", 1), ("snapshot", 40)):
        file = tmp_path / "advisories" / f"{name}.sqlite"
        file.write_bytes(b"x" * 1000)
        os.utime(file, (time.time() - days * 86_400,) * 2)
    assert prune(tmp_path, most=1 << 40, days=30) == 1000
    assert sorted(file.stem for file in (tmp_path / "advisories").glob("*.sqlite")) == ["folder-b", "snapshot"]


@pytest.mark.parametrize("content", [b"", b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_counted_and_goes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "answers.sqlite").write_bytes(content)
    (part,) = [part for part in status(tmp_path) if part.name == "answers"]
    assert (part.size, part.entries) == (len(content), 0)
    assert prune(tmp_path, most=1 << 30, days=None) == len(content)
    assert entries(filled(tmp_path)) == {"answers": 20, "members": 20}


def test_clear_leaves_what_somebody_else_put_there(tmp_path: Path) -> None:
    cache = filled(tmp_path / "cache")
    mine = [cache / "notes.txt", cache / "advisories" / "mine.json", cache / "other" / "answers.sqlite"]
    for file in mine:
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    (cache / "empty").mkdir()
    (cache / "policies").mkdir()
    (cache / "policies" / "abc.toml").write_text("x")
    size = sum(part.size for part in status(cache))
    assert clear(cache) == size
    assert [file.read_text() for file in mine] == ["mine"] * 3
    assert sorted(path.name for path in cache.iterdir()) == ["advisories", "empty", "notes.txt", "other", "policies"]


def test_clear_leaves_what_another_process_holds_or_is_writing(tmp_path: Path) -> None:
    """A lock that is gone keeps nobody out, and a folder or draft that is gone is a disk that refuses."""
    ours = tmp_path / "advisories"
    for name, age in (("lock", 0), (".of-one-that-runs.sqlite.tmp", 60), (".of-one-that-died.zip.tmp", 7200), ("current.json", 0)):
        ours.mkdir(exist_ok=True)
        (ours / name).write_text("x")
        os.utime(ours / name, (NOW - age,) * 2)
    assert clear(tmp_path, now=lambda: NOW) == 2
    assert sorted(path.name for path in ours.iterdir()) == [".of-one-that-runs.sqlite.tmp", "lock"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Whoever can write to the cache folder does not get other files removed by its owner."""
    cache, other = tmp_path / "cache", tmp_path / "other"
    cache.mkdir()
    other.mkdir()
    for name in ("current.json", "a.sqlite", "answers.sqlite"):
        (other / name).write_text("precious")
    (cache / "advisories").symlink_to(other)
    (cache / "policies").symlink_to(other)
    (cache / "answers.sqlite").symlink_to(other / "answers.sqlite")
    assert clear(cache) == 0
    assert len(list(other.iterdir())) == 3
    assert {part.size for part in status(cache)} == {0}


def sealed(path: Path) -> None:
    """Make SQLite take a file for read-only, also for root: of a format that only a later SQLite may write."""
    data = bytearray(path.read_bytes())
    data[18] = 3
    path.write_bytes(data)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    sealed(filled(tmp_path) / "answers.sqlite")
    with pytest.raises(IncompleteError, match="Cannot be written"):
        prune(tmp_path, most=0, days=None)


def test_a_cache_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    sealed(filled(tmp_path) / "answers.sqlite")
    cache = open_cache(tmp_path)
    assert cache.recall("outcome", 3) is not None
    cache.keep("outcome", "new", "answer")
    cache.flush()
    cache.close()
    with closing(open_cache(tmp_path)) as again:
        assert again.recall("outcome", "new") is None
        assert again.recall("outcome", 3) is not None


def test_a_writer_is_neither_disturbed_nor_waited_for_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []

    def evicted(base: sqlite3.Connection, table: str, most: int, since: int) -> int:
        waits.extend(base.execute("pragma busy_timeout").fetchone())
        return evict(base, table, most, since)

    filled(tmp_path)
    monkeypatch.setattr(housekeeping, "evict", evicted)
    with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as writer:
        writer.execute("begin immediate")
        prune(tmp_path, most=0, days=None)
        writer.execute("update answer set used = 1")
        writer.commit()
    assert entries(tmp_path) == {"answers": 20, "members": 0}
    assert len(waits) == 2
    assert max(waits) <= 10_000, "milliseconds, for each"


def test_a_cache_that_another_process_clears_is_no_error_of_prune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    removed: list[str] = []

    def cleared_meanwhile(base: sqlite3.Connection, table: str, most: int, since: int) -> int:
        def clear_journal() -> int:
            if journal.is_file():
                removed.append(journal.name)
                journal.unlink()
            return 0

        journal = tmp_path / f"{table}s.sqlite-journal"
        base.set_progress_handler(clear_journal, 1)
        return evict(base, table, most, since)

    monkeypatch.setattr(housekeeping, "evict", cleared_meanwhile)
    prune(tmp_path, most=1000, days=None)
    assert set(removed) == {"answers.sqlite-journal", "members.sqlite-journal"}


def test_processes_that_write_survive_that_the_cache_is_cleared_under_them(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from shipsafe.adapters.cache import open_cache
for step in range(30):
    cache = open_cache(Path(sys.argv[1]))
    cache.keep("outcome", [sys.argv[2], step], "answer " * 200)
    cache.flush()
    assert cache.recall("outcome", [sys.argv[2], step]) in (None, "answer " * 200)
    cache.close()
"""
    children = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)]) for number in range(4)]
    while any(child.poll() is None for child in children):
        clear(tmp_path)
        status(tmp_path)
        prune(tmp_path, most=1000, days=0)
    assert [child.wait() for child in children] == [0] * 4
    clear(tmp_path)
    assert entries(filled(tmp_path)) == {"answers": 20, "members": 20}


def screen(cache: Path, *words: str, size: str | None = None) -> Ended:
    return shipsafe(
        "cache", *words, cwd=cache.parent, env={"SHIPSAFE_CACHE_DIR": str(cache)} | ({"SHIPSAFE_CACHE_SIZE": size} if size else {})
    )


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    cache = filled(tmp_path / "cache")
    size = sum(part.size for part in status(cache))
    told = json.loads(screen(cache, "status", "--json", size="3G").out)
    assert (told["folder"], told["largest"]) == (str(cache), 3 << 30)
    assert sum(part["size"] for part in told["parts"]) == size
    assert {part["name"]: part["entries"] for part in told["parts"]}["members"] == 20
    lines = screen(cache, "status", size="3G").out.splitlines()
    assert lines[0] == str(cache)
    assert lines[-1].split() == ["together", f"{size / 2**20:.1f}", "MiB", "of", "at", "most", "3072.0", "MiB", "(SHIPSAFE_CACHE_SIZE)"]
    pruned = screen(cache, "prune", "--max-size", "60K", "--older-than", "5")
    assert (pruned.code, pruned.out.endswith("MiB freed\n")) == (0, True)
    assert ages(cache, "answers", "answer") == [0, 1, 2]
    cleared = screen(cache, "clear")
    assert (cleared.code, list(cache.iterdir())) == (0, [])


@pytest.mark.parametrize("words", [("prune", "--max-size", "much"), ("prune", "--older-than", "-1")])
def test_what_makes_no_sense_is_refused(tmp_path: Path, words: Sequence[str]) -> None:
    cache = filled(tmp_path / "cache", 2)
    assert screen(cache, *words).code == 2
    assert screen(cache, "status", size="lots").code == 2
    assert entries(cache) == {"answers": 2, "members": 2}
