"""What one pass sees of a zip is what packing and signing see of it, each with a reader of its own."""

import hashlib
import io
import stat
import zipfile
from pathlib import Path

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.local.sign_zip import sign_zip
from shipsafe.packing.handed_over import take_zip
from shipsafe.signing.content_digest import content_digest
from shipsafe.verify.files import open_regular
from shipsafe.verify.zip_contents import Contents, contents_of, digests_of


def _zip(*entries: tuple[str, bytes, int], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, body, mode in entries:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, body)
            info.external_attr = mode << 16  # `writestr` takes none for 0600
    return sink.getvalue()


def _seen(data: bytes, folder: Path) -> Contents:
    path = folder / "a.zip"
    path.write_bytes(data)
    (folder / "scratch").mkdir()
    with open_regular(path, what="zip", shown="a.zip") as file:
        return contents_of(file, digests_of(file, shown="a.zip"), folder / "scratch", shown="a.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize(
    "entries",
    [
        [("app.py", b"x = 1\n", 0o100644)],
        [("lib/", b"", 0o040755), ("lib/tool", b"#!/bin/sh\n", 0o100755), ("empty", b"", 0o100600)],
        [("app.py", b"a" * 3_000_000, 0), ("b-1.dist-info/METADATA", b"Name: b\n", 0), ("b-1.dist-info/RECORD", b"", 0)],
        [("./z/é.py", "é".encode() * 9, 0o100664), ("z//y.py", b"y", 0o644)],
    ],
)
def test_one_pass_sees_what_packing_sees(tmp_path: Path, method: int, entries: list[tuple[str, bytes, int]]) -> None:
    data = _zip(*entries, method=method)
    seen = _seen(data, tmp_path)
    other = take_zip(tmp_path / "a.zip", tmp_path / "copy.zip", tmp_path / "tree", shown="a.zip")
    assert seen.content_digest == other.content_digest
    assert {one.path: (one.mode, one.sha256, one.size) for one in seen.entries} == {
        path: (one.mode, one.sha256, one.size) for path, one in other.draft.entries.items()
    }
    assert (seen.bytes.sha256, seen.bytes.sha512, seen.bytes.code_sha256) == (other.sha256, other.sha512, other.code_sha256)
    assert seen.bytes.sha256 == hashlib.sha256(data).hexdigest()
    assert seen.rightless is not any(mode for _, _, mode in entries)


def test_only_what_says_which_distributions_there_are_is_written_to_the_disk(tmp_path: Path) -> None:
    seen = _seen(_zip(("app.py", b"x", 0o644), ("b-1.dist-info/METADATA", b"Name: b\n", 0o644), ("METADATA", b"no", 0o644)), tmp_path)
    written = {path.read_bytes() for path in (tmp_path / "scratch").iterdir()}
    assert written == {b"Name: b\n"}
    assert next(one for one in seen.entries if "dist-info" in one.path).source.read_bytes() == b"Name: b\n"


def test_what_signer_would_sign_is_digested_on_the_way(tmp_path: Path) -> None:
    data = sign_zip(_zip(("lib/", b"", 0o040755), ("lib/a.py", b"a", 0o644)), lambda _content: b"no signature at all")
    with pytest.raises(IntegrityError, match="layout of the signature is unknown"):
        _seen(data, tmp_path)
    assert len(content_digest(io.BytesIO(data))) == 48


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([("a", b"x", stat.S_IFLNK | 0o777)], "is a link"),
        ([("a/", b"", 0o100644)], "another kind"),
        ([("a", b"x", 0o644), ("a/b", b"y", 0o644)], "a folder of that name"),
        ([("a\u2028b", b"x", 0o644)], "cannot be named"),
    ],
)
def test_what_no_two_programs_would_unpack_alike_is_refused(tmp_path: Path, entries: list[tuple[str, bytes, int]], sentence: str) -> None:
    with pytest.raises(IntegrityError, match=sentence):
        _seen(_zip(*entries), tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    data = bytearray(_zip(("a", b"\0" * 1000, 0o644)))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (0x7FFFFFFF).to_bytes(4, "little")
    with pytest.raises(IntegrityError, match="MiB unpacked"):
        _seen(bytes(data), tmp_path)
