"""For any zip: a byte more anywhere in it is noticed, and a byte changed is noticed or changes no file."""

import tempfile
import zipfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.errors import IncompleteError
from shipsafe.packing.unpack import unpack
from shipsafe.packing.zip_bytes import check_bytes

NAMES = st.lists(
    st.text("abé/_", min_size=1, max_size=6).filter(lambda name: name.strip("/") == name and "//" not in name), max_size=4, unique=True
)
FILES = NAMES.map(lambda names: [name for name in names if not any(other.startswith(f"{name}/") for other in names)])


def made(folder: Path, names: list[str], contents: list[bytes], method: int) -> bytes:
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w", method) as opened:
        opened.writestr("app.py", b"one = 1\n")
        for name, data in zip(names, contents, strict=False):
            opened.writestr(name, data)
    return path.read_bytes()


def read(folder: Path, data: bytes) -> dict[str, bytes] | None:
    """Every file, or None where it is refused."""
    path, target = folder / "read.zip", Path(tempfile.mkdtemp(dir=folder))
    path.write_bytes(data)
    try:
        check_bytes(path, shown="read.zip")
        return {name: file.read_bytes() for name, file, _ in unpack(path, target, shown="read.zip")}
    except IncompleteError:
        return None


def _has_comment(path: Path) -> bool:
    with zipfile.ZipFile(path) as opened:
        return bool(opened.comment)


@settings(max_examples=60, deadline=None)
@given(
    FILES, st.lists(st.binary(max_size=40), min_size=4, max_size=4), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.data()
)
def test_no_byte_can_be_added_unseen(names: list[str], contents: list[bytes], method: int, more: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = made(folder, names, contents, method)
        files = read(folder, data)
        assert files is not None
        at = more.draw(st.integers(0, len(data)))
        added = more.draw(st.binary(min_size=1, max_size=6))
        files = read(folder, data[:at] + added + data[at:])
        assert files is None or _has_comment(folder / "read.zip"), "which no program takes for a file"


@settings(max_examples=100, deadline=None)
@given(
    FILES, st.lists(st.binary(max_size=40), min_size=4, max_size=4), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.data()
)
def test_no_byte_can_be_changed_so_that_a_file_is_another(
    names: list[str], contents: list[bytes], method: int, more: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = bytearray(made(folder, names, contents, method))
        before = read(folder, bytes(data))
        at = more.draw(st.integers(0, len(data) - 1))
        data[at] = more.draw(st.integers(0, 255))
        after = read(folder, bytes(data))
        # A name may be written in another way in both of its places only by two changes, and a file's bits decide nothing about it.
        assert after is None or after == before
