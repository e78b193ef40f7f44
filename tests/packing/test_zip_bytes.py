"""Programs must find the same files in a zip that is signed as it is: every byte belongs to one of them, or the zip is refused."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.packing.archive import pack
from shipsafe.packing.zip_bytes import check_bytes
from tests.packing.trees import tree

FILES = {"app.py": b"print('app')\n" * 40, "data/one.txt": b"1", "empty": b"", "ümlaut.py": b"x = 1\n"}


class Stream(io.RawIOBase):
    """Somewhere that cannot be written to twice, so that sizes follow the data."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        written = bytes(data)
        self.data += written
        return len(written)


def zipped(target: Any = None, *, comment: bytes = b"", folders: bool = True) -> bytes:
    """A zip as Python makes it; `target`, a file, decides how."""
    target = target or io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        if folders:
            made.mkdir("data")
        for name, data in FILES.items():
            made.writestr(name, data)
        made.comment = comment
    return bytes(target.data) if isinstance(target, Stream) else target.getvalue()


def checked(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "one.zip"
    path.write_bytes(data)
    check_bytes(path, shown="one.zip")


def refusal(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(IncompleteError) as caught:
        checked(tmp_path, data)
    assert caught.value.path == "one.zip"
    return caught.value.what


def test_what_we_pack_and_what_others_make_is_taken(tmp_path: Path) -> None:
    packed = pack(tree(tmp_path / "tree", FILES), tmp_path / "packed.zip")
    check_bytes(packed.path, shown="packed.zip")
    checked(tmp_path, zipped())
    checked(tmp_path, zipped(Stream()))
    checked(tmp_path, zipped(comment=b"of commit 0123"))


def test_a_zip_of_the_large_format_is_taken(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made, made.open(zipfile.ZipInfo("app.py"), "w", force_zip64=True) as file:
        file.write(b"x")
    checked(tmp_path, target.getvalue())
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as made:
        for number in range(66_000):
            made.writestr(zipfile.ZipInfo(f"{number}"), b"")
    checked(tmp_path, many.getvalue())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: b"#!/bin/sh\n" + data, "10 bytes before 'data/' belong to no file"),
        (lambda data: data + b"more", "4 bytes behind its directory belong to nothing"),
        (lambda data: data.replace(b"app.py", b"bad.py", 1), "the header of 'app.py' differs from the directory"),
        (lambda data: data[:8] + struct.pack("<H", 8) + data[10:], "the header of 'data/' differs from the directory"),
    ],
)
def test_bytes_that_belong_to_nothing_and_headers_that_differ_are_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], what: str
) -> None:  # fmt: skip
    assert refusal(tmp_path, change(zipped())) == f"Programs would read this zip differently: {what}."


def test_a_file_that_only_some_programs_find_is_refused(tmp_path: Path) -> None:
    """A member whose bytes are there and whose record is not: a program that reads from the front finds it."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("hidden.py", b"import os\n")
    hidden = inner.getvalue()[: inner.getvalue().index(b"PK\x01\x02")]
    data = zipped(folders=False)
    start = data.index(b"PK\x01\x02")
    end = bytearray(data[start:])
    at = end.rindex(b"PK\x05\x06") + 16
    end[at : at + 4] = struct.pack("<L", start + len(hidden))
    assert f"{len(hidden)} bytes before its directory belong to no file" in refusal(tmp_path, data[:start] + hidden + bytes(end))


def test_two_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(folders=False))
    records = [at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"]
    data[records[1] + 42 : records[1] + 46] = data[records[0] + 42 : records[0] + 46]
    assert "differently" in refusal(tmp_path, bytes(data)) or "Not a usable zip" in refusal(tmp_path, bytes(data))


def test_a_second_name_is_refused(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        info = zipfile.ZipInfo("app.py")
        info.extra = struct.pack("<HHBL", 0x7075, 5 + len(b"bad.py"), 1, 0) + b"bad.py"
        made.writestr(info, b"x")
    assert refusal(tmp_path, target.getvalue()) == "Programs would read this zip differently: 'app.py' has a second name."


def test_a_second_name_that_is_the_first_one_is_taken(tmp_path: Path) -> None:
    target = io.BytesIO()
    name = "ümlaut.py".encode()
    with zipfile.ZipFile(target, "w") as made:
        info = zipfile.ZipInfo("ümlaut.py")
        info.extra = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, 0) + name
        made.writestr(info, b"x")
    checked(tmp_path, target.getvalue())


def test_a_folder_that_has_content_is_refused(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("app.py", b"x")
        made.writestr(zipfile.ZipInfo("data/"), b"import os\n")
    assert refusal(tmp_path, target.getvalue()) == "Programs would read this zip differently: the folder 'data/' has content."


def test_a_comment_that_could_be_the_end_of_another_zip_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, zipped(comment=b"x" + b"PK\x05\x06" + bytes(18) + b"y"))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06", b"PK\x03\x04" * 30, zipped()[:-30], zipped()[40:]])
def test_what_is_no_zip_is_refused_without_a_fault_of_ours(tmp_path: Path, data: bytes) -> None:
    assert refusal(tmp_path, data)
