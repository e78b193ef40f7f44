"""The archive: its bytes, what other tools say of it, and what it refuses."""

import base64
import hashlib
import os
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Entry, Origin, StagedTree
from shipsafe.packing.archive import LARGE, pack
from shipsafe.packing.zip_records import STORED, Member, central_header, end_records, local_header
from tests.packing.trees import entry, tree

_FILES = {
    "app.py": b"def handler(event, context):\n    return {'ok': True}\n" * 20,
    "bin/tool": b"#!/bin/sh\nexit 0\n",
    "data/empty.txt": b"",
    "data/random.bin": bytes((7 * i * i + 13 * i) % 251 for i in range(5000)),
    "data/\u00fcn\u00efcode \u65e5\u672c.txt": "grüße\n".encode() * 40,
}
# Changes when `deflate` changes, or a field of a record does: then every artifact of every user changes. See docs/adr/0003.
_GOLDEN = "ae84cd412fe0186e7c4f4820e8aa80d13a342d2a6a68840aa6eccccc95ab9cda"
_GOLDEN_CONTENT = "eab705985a4a5074c95f5536e49b86a5d86f4e10fe7586072ad0665bf350a48a"


@pytest.fixture
def small(tmp_path: Path) -> StagedTree:
    return tree(tmp_path / "tree", _FILES, programs=frozenset({"bin/tool"}))


def test_the_bytes_are_the_ones_they_have_always_been(small: StagedTree, tmp_path: Path) -> None:
    archive = pack(small, tmp_path / "a.zip")
    assert version("deflate") == "0.9.0"
    assert archive.sha256 == _GOLDEN
    assert archive.content_digest == f"sha256:{_GOLDEN_CONTENT}"


def test_every_digest_is_the_one_of_the_file(small: StagedTree, tmp_path: Path) -> None:
    archive = pack(small, tmp_path / "a.zip")
    data = archive.path.read_bytes()
    assert archive.sha256 == hashlib.sha256(data).hexdigest()
    assert archive.sha512 == hashlib.sha512(data).hexdigest()
    assert archive.code_sha256 == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert (archive.size, archive.unzipped, archive.entries) == (len(data), small.size, len(_FILES))
    assert archive.content_digest == small.content_digest
    assert archive.compressor == "libdeflate (deflate 0.9.0) level 6"


def test_other_tools_open_it_and_find_what_was_put_in(small: StagedTree, tmp_path: Path) -> None:
    archive = pack(small, tmp_path / "a.zip")
    tested = subprocess.run(["unzip", "-tq", str(archive.path)], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "No errors detected" in tested.stdout
    with zipfile.ZipFile(archive.path) as opened:
        assert {info.filename: opened.read(info) for info in opened.infolist()} == _FILES
        assert opened.testzip() is None


def test_no_field_says_anything_of_the_machine(small: StagedTree, tmp_path: Path) -> None:
    archive = pack(small, tmp_path / "a.zip")
    with zipfile.ZipFile(archive.path) as opened:
        infos = opened.infolist()
        assert opened.comment == b""
    assert [info.filename for info in infos] == sorted(_FILES, key=str.encode)
    for info in infos:
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert info.create_system == 3
        assert info.extra == info.comment == b""
        assert info.flag_bits == (0 if info.filename.isascii() else 0x800), "no data descriptor, UTF-8 where it is needed"
        assert info.external_attr >> 16 == (PROGRAM_MODE if info.filename == "bin/tool" else FILE_MODE)
        assert not info.is_dir()
    by_name = {info.filename: info.compress_type for info in infos}
    assert by_name["app.py"] == zipfile.ZIP_DEFLATED
    assert by_name["bin/tool"] == by_name["data/empty.txt"] == zipfile.ZIP_STORED, "compression would not help"


def test_nothing_stands_between_the_records(small: StagedTree, tmp_path: Path) -> None:
    """The file is exactly its local headers, its data, its directory and its end: no room for anything else."""
    archive = pack(small, tmp_path / "a.zip")
    with zipfile.ZipFile(archive.path) as opened:
        end = 0
        for info in opened.infolist():
            assert info.header_offset == end
            end += 30 + len(info.filename.encode()) + info.compress_size
        assert opened.start_dir == end
        directory = sum(46 + len(info.filename.encode()) for info in opened.infolist())
    assert archive.size == end + directory + 22


def test_a_file_that_changed_after_it_was_looked_at_is_refused(small: StagedTree, tmp_path: Path) -> None:
    (small.root / "app.py").write_bytes(_FILES["app.py"].replace(b"True", b"None"))
    with pytest.raises(IntegrityError, match=r"src/app\.py: app\.py changed between being audited and being packed"):
        pack(small, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("change", ["longer", "shorter", "gone"])
def test_a_file_of_another_size_is_refused(small: StagedTree, tmp_path: Path, change: str) -> None:
    file = small.root / "app.py"
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes(_FILES["app.py"] + b"#" if change == "longer" else _FILES["app.py"][:-1])
    with pytest.raises(IntegrityError):
        pack(small, tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["../up.py", "/etc/x", "a//b", "a/./b", "a\\b", "a\nb", "a\u2028b", "x" * 70_000])
def test_a_name_that_cannot_stand_in_a_zip_is_refused(tmp_path: Path, name: str) -> None:
    one = replace(entry(tmp_path / "tree", "app.py", b"x"), path=name)
    with pytest.raises(IncompleteError, match="name"):
        pack(StagedTree(subject="function:App", root=tmp_path, entries=(one,)), tmp_path / "a.zip")


def test_one_path_twice_is_refused(tmp_path: Path) -> None:
    one = entry(tmp_path / "tree", "app.py", b"x")
    with pytest.raises(IncompleteError, match="twice"):
        pack(StagedTree(subject="function:App", root=tmp_path, entries=(one, one)), tmp_path / "a.zip")


def _large(root: Path, name: str, size: int) -> Entry:
    """A sparse file of that size: zeros, which cost no room."""
    file = root / name
    root.mkdir(exist_ok=True)
    with file.open("wb") as opened:
        opened.truncate(size)
    digest = hashlib.sha256()
    for _ in range(size // (1 << 20)):
        digest.update(bytes(1 << 20))
    digest.update(bytes(size % (1 << 20)))
    return Entry(path=name, mode=FILE_MODE, size=size, sha256=digest.hexdigest(), source=file, origin=Origin.CODE)


def test_a_large_member_streams_through_zlib_and_says_so(tmp_path: Path) -> None:
    member = _large(tmp_path / "tree", "model.bin", LARGE + 5)
    after = entry(tmp_path / "tree", "z.txt", b"after")
    archive = pack(StagedTree(subject="function:App", root=tmp_path, entries=(member, after)), tmp_path / "a.zip")
    with zipfile.ZipFile(archive.path) as opened:
        assert opened.testzip() is None
        assert opened.getinfo("model.bin").file_size == LARGE + 5
    assert ", zlib " in archive.compressor
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "tree"], "no temporary file is left"


def test_a_large_member_that_does_not_shrink_is_stored(tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 65  # repeats further apart than deflate looks back
    member = entry(tmp_path / "tree", "noise.bin", content)
    archive = pack(StagedTree(subject="function:App", root=tmp_path, entries=(member,)), tmp_path / "a.zip")
    with zipfile.ZipFile(archive.path) as opened:
        assert opened.getinfo("noise.bin").compress_type == zipfile.ZIP_STORED
        assert opened.read("noise.bin") == content


def test_more_files_than_the_old_format_can_count_are_no_matter(tmp_path: Path) -> None:
    one = entry(tmp_path / "tree", "one", b"")
    entries = tuple(replace(one, path=f"d/{number}") for number in range(65_536))
    archive = pack(StagedTree(subject="function:App", root=tmp_path, entries=entries), tmp_path / "a.zip")
    with zipfile.ZipFile(archive.path) as opened:
        assert len(opened.infolist()) == 65_536


def test_records_beyond_4_gib_are_read_back_as_they_were_written() -> None:
    """Written into the air, as nobody wants a 5 GiB test: `zipfile` reads the directory alone."""
    size, offset = 5 << 30, 6 << 30
    member = Member(name="big", mode=FILE_MODE, method=STORED, crc=1, size=size, compressed=size)
    directory = central_header(member, offset)
    # PKWARE's APPNOTE, 4.5.3: the three sizes that do not fit, in this order
    assert struct.unpack("<HHQQQ", directory[-28:]) == (1, 24, size, size, offset)
    local = local_header(member)
    assert struct.unpack("<HHQQ", local[-20:]) == (1, 16, size, size)
    assert struct.unpack_from("<2L", local, 18) == (0xFFFFFFFF, 0xFFFFFFFF)
    end = zipfile._EndRecData(BytesIO(directory + end_records(1, len(directory), 0)))  # type: ignore[attr-defined]
    assert end is not None
    far = end_records(1, 46, offset)
    assert struct.unpack_from("<4Q", far, 24) == (1, 1, 46, offset)
    assert struct.unpack_from("<LQL", far, 60) == (0, offset + 46, 1)


def test_a_place_that_cannot_be_written_to_is_said(small: StagedTree, tmp_path: Path) -> None:
    place = tmp_path / "nowhere" / "a.zip"
    with pytest.raises(IncompleteError, match="Cannot be written"):
        pack(small, place)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the system answers alike, in the middle of a write.

    -B: Python would cut what it compiles at the limit, and whoever imports it next could not.
    """
    script = """
import resource, signal, sys
from pathlib import Path
from shipsafe.errors import IncompleteError
from shipsafe.packing.archive import pack
from tests.packing.trees import tree
import random
place = Path(sys.argv[1])
noise = tree(place / "tree", {f"{n}.bin": random.Random(n).randbytes(200_000) for n in range(9)})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    pack(noise, place / "a.zip")
except IncompleteError as error:
    print(error.what, (place / "a.zip").exists())
"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == "Cannot be written: File too large. False\n"


def test_an_existing_file_is_never_overwritten(small: StagedTree, tmp_path: Path) -> None:
    """The private folder is ours; a file that is there already is somebody's trick."""
    place = tmp_path / "a.zip"
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IncompleteError):
        pack(small, place)
    assert not (tmp_path / "elsewhere").exists()
    assert place.is_symlink(), "and it is left as it was"
