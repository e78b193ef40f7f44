"""Files are read with a bound, and written whole or not at all."""

import os
from pathlib import Path

import pytest

from shipsafe.adapters.files import read_bounded, write_atomic, write_new
from shipsafe.errors import ConfigError, IncompleteError


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ConfigError, match=r"Not a regular file\."):
            read_bounded(path, limit=10)


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 11)
    with pytest.raises(ConfigError, match="Larger than"):
        read_bounded(file, limit=10)
    assert read_bounded(file, limit=11) == b"x" * 11


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^gone: Cannot be read: No such file or directory\."):
        read_bounded(tmp_path / "gone", limit=10, shown="gone")


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(IncompleteError, match="Cannot be written"):
        write_atomic(tmp_path / "file" / "below", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    write_atomic(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    """As `/dev/null` does, which root would replace otherwise."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomic(pipe, b"told")
        assert os.read(reader, 10) == b"told"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_new_file_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    write_new(tmp_path / "a" / "new.toml", b"one")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    for there in ("a/new.toml", "dangling", "a"):
        with pytest.raises(ConfigError, match="left as it is"):
            write_new(tmp_path / there, b"two")
    assert (tmp_path / "a/new.toml").read_bytes() == b"one"
    assert not (tmp_path / "elsewhere").exists()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "dangling", "new.toml"], "nothing is left beside it"
