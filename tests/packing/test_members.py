"""Compressed bytes between runs: nothing is compressed twice, and nobody who writes to the cache changes what ships."""

import hashlib
import os
import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import deflate
import pytest

from shipsafe.errors import IntegrityError
from shipsafe.model.tree import Origin, StagedTree
from shipsafe.packing.archive import compressor, pack
from shipsafe.packing.members import Members, Packed, open_members
from tests.packing import trees

tree = partial(trees.tree, origin=Origin.DEPENDENCY)  # small files of code are not kept

FILES = {"app.py": b"print('hello')\n" * 400, "data.bin": os.urandom(3000), "empty.py": b"", "pkg/one.py": b"x = 1\n" * 300}


def packed(folder: Path, one: StagedTree, members: Members) -> bytes:
    """The archive's bytes; the members are closed, as at the end of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    pack(one, folder / "package.zip", members)
    members.close()
    return (folder / "package.zip").read_bytes()


def opened(folder: Path) -> Members:
    return open_members(folder, compressor())


@pytest.fixture
def one(tmp_path: Path) -> StagedTree:
    return tree(tmp_path / "tree", FILES)


def test_a_second_run_compresses_nothing_and_gives_the_same_bytes(one: StagedTree, tmp_path: Path) -> None:
    first = packed(tmp_path / "1", one, opened(tmp_path))
    again = opened(tmp_path)
    for entry in one.entries:
        entry.source.unlink()  # so that anything that is read again is missed
    assert packed(tmp_path / "2", one, again) == first
    assert again.reused == len(FILES)


def test_only_what_changed_is_compressed(one: StagedTree, tmp_path: Path) -> None:
    packed(tmp_path / "1", one, opened(tmp_path))
    again = opened(tmp_path)
    packed(tmp_path / "2", tree(tmp_path / "changed", {**FILES, "app.py": b"print('changed')\n" * 400}), again)
    assert again.reused == len(FILES) - 1


def test_another_compressor_has_members_of_its_own(one: StagedTree, tmp_path: Path) -> None:
    packed(tmp_path / "1", one, opened(tmp_path))
    other = open_members(tmp_path, "another")
    packed(tmp_path / "2", one, other)
    assert other.reused == 0


def _evil(content: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


APP = FILES["app.py"]
OTHER = b"print('owned')\n".ljust(15) * 400


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (_evil(OTHER[: len(APP)]), zlib.crc32(OTHER[: len(APP)])),
        (_evil(APP) + b"\0\0trailing", zlib.crc32(APP)),
        (_evil(APP), zlib.crc32(APP) ^ 1),
        (b"", 0),
        (b"\xff" * 40, 0),
        (_evil(APP)[:-3], zlib.crc32(APP)),
        (_evil(APP + APP), zlib.crc32(APP)),
    ],
    ids=["other content", "something behind its end", "a wrong checksum", "nothing", "noise", "cut", "too long"],
)
def test_what_somebody_else_put_there_is_compressed_again(one: StagedTree, tmp_path: Path, data: bytes, crc: int) -> None:
    first = packed(tmp_path / "1", one, opened(tmp_path))
    with closing(sqlite3.connect(tmp_path / "members.sqlite")) as base, base:
        entry = next(entry for entry in one.entries if entry.path == "app.py")
        key = hashlib.sha256(f"{compressor()}\0{entry.sha256}\0{entry.size}".encode()).digest()
        assert base.execute("update member set data = ?, crc = ? where key = ?", (data, crc, key)).rowcount == 1
    again = opened(tmp_path)
    assert packed(tmp_path / "2", one, again) == first
    assert again.reused == len(FILES) - 1


def test_members_of_another_machine_are_used_when_they_are_what_was_audited(
    one: StagedTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = packed(tmp_path / "1", one, opened(tmp_path))
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "another machine"))
    again = opened(tmp_path)
    assert packed(tmp_path / "2", one, again) == first
    assert again.reused == len(FILES)


def test_two_entries_with_the_same_content_are_compressed_once(tmp_path: Path) -> None:
    twins = tree(tmp_path / "tree", {"a.py": APP, "b.py": APP})
    members, made = opened(tmp_path), 0

    def compress() -> Packed:
        nonlocal made
        made += 1
        return Packed(data=deflate.deflate_compress(APP, 6), crc=deflate.crc32(APP), deflated=True)

    with closing(members):
        for entry in twins.entries:
            members.get(entry.sha256, entry.size, compress)
    assert made == 1


def test_a_file_that_changed_after_it_was_audited_is_not_hidden_by_the_cache(one: StagedTree, tmp_path: Path) -> None:
    """What is taken from the cache is what was audited, whatever the file is now."""
    first = packed(tmp_path / "1", one, opened(tmp_path))
    one.entries[0].source.write_bytes(b"something else")
    assert packed(tmp_path / "2", one, opened(tmp_path)) == first
    foreign = replace(one, entries=tuple(replace(entry, sha256="0" * 64) for entry in one.entries))
    with closing(opened(tmp_path)) as members, pytest.raises(IntegrityError, match="changed between being audited and being packed"):
        pack(foreign, tmp_path / "3.zip", members)


def test_small_files_of_code_are_not_kept_for_they_may_be_secrets(tmp_path: Path) -> None:
    """What is in a dependency is public; what people leave among their code is not."""
    code = trees.tree(tmp_path / "code", {".env": b"KEY=hunter2\n", "large.bin": bytes(2 << 20)})
    first = packed(tmp_path / "1", code, opened(tmp_path))
    again = opened(tmp_path)
    assert packed(tmp_path / "2", code, again) == first
    assert again.reused == 1
    with closing(sqlite3.connect(tmp_path / "members.sqlite")) as base:
        assert base.execute("select count(*) from member").fetchone() == (1,)
