"""A zip that another tool made is unpacked within bounds, and nothing of it leaves the tree."""

import io
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.model.project import CodeKind
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Source, StagedTree
from shipsafe.packing import unpack
from tests.packing.loopback import wheel
from tests.packing.staging import distribution, function, staged, write


def archive(*members: tuple[str, bytes, int]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of members that stand in it twice
        for name, data, mode in members:
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(member, data)
    return buffer.getvalue()


def stage_zip(tmp_path: Path, data: bytes) -> StagedTree:
    root = write(tmp_path / "project", {"build/app.zip": data})
    return staged(root, tmp_path / "work", function("build/app.zip", kind=CodeKind.ZIP))


def test_members_keep_their_bytes_and_the_owners_right_to_run(tmp_path: Path) -> None:
    tree = stage_zip(tmp_path, archive(("app.py", b"a", 0o600), ("bin/", b"", 0o40755), ("./bin/run", b"b", 0o744), ("x", b"", 0)))
    assert [(entry.path, entry.mode) for entry in tree.entries] == [
        ("app.py", FILE_MODE), ("bin/run", PROGRAM_MODE), ("x", FILE_MODE)]  # fmt: skip
    assert tree.prebuilt
    assert str(tree.entries[0].location) == "build/app.zip"


def test_distributions_in_it_are_bundled(tmp_path: Path) -> None:
    _, parent = wheel("parent", "1.0", requires=["child>=1", 'absent ; extra == "x"', "not a requirement ???"])
    _, child = wheel("child", "2.0")
    members = [
        (name, zipfile.ZipFile(io.BytesIO(data)).read(name), 0o644)
        for data in (parent, child)
        for name in zipfile.ZipFile(io.BytesIO(data)).namelist()
    ]
    tree = stage_zip(tmp_path, archive(*members))
    found = distribution(tree, "child")
    assert (found.version, found.source, found.index, found.hashes) == ("2.0", Source.BUNDLED, None, ())
    assert found.via == ("parent",)
    assert distribution(tree, "parent").requires == ("child",)
    assert "child.py" in found.paths
    assert str(found.location) == "build/app.zip"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("../outside.py", b"", 0o644)], "leads out of the archive"),
        ([("/etc/outside.py", b"", 0o644)], "leads out of the archive"),
        ([("a/../../outside.py", b"", 0o644)], "leads out of the archive"),
        ([("a\\..\\outside.py", b"", 0o644)], "leads out of the archive"),
        ([("new\nline.py", b"", 0o644)], "cannot be named"),
        ([("link", b"/etc/passwd", stat.S_IFLNK | 0o777)], "is a link or a device"),
        ([("pipe", b"", stat.S_IFIFO | 0o644)], "is a link or a device"),
        ([("a.py", b"1", 0o644), ("a.py", b"2", 0o644)], "stands in it twice"),
        ([("a.py", b"1", 0o644), ("./a.py", b"2", 0o644)], "stands in it twice"),
        ([("a", b"1", 0o644), ("a/b", b"2", 0o644)], "Not a usable zip"),
    ],
)
def test_what_could_mislead_is_refused(tmp_path: Path, members: list[tuple[str, bytes, int]], reason: str) -> None:
    with pytest.raises(IncompleteError) as caught:
        stage_zip(tmp_path, archive(*members))
    assert reason in str(caught.value)
    assert str(caught.value).startswith("build/app.zip: ")
    assert not (tmp_path / "outside.py").exists()
    assert not (tmp_path / "work/outside.py").exists()


def _encrypted(data: bytes) -> bytes:
    """The flag in the local header and in the central directory, as far as a reader looks."""
    changed = bytearray(data)
    changed[6] |= 1
    changed[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[: len(data) // 2], "Not a usable zip"),
        (lambda _: b"", "Not a usable zip"),
        (lambda data: data.replace(b"stored bytes", b"STORED bytes"), "Not a usable zip: Bad CRC-32"),
        (_encrypted, "is encrypted"),
    ],
)
def test_a_damaged_or_encrypted_archive_is_incomplete(tmp_path: Path, damage: Callable[[bytes], bytes], reason: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("app.py", "stored bytes")
    with pytest.raises(IncompleteError, match=reason):
        stage_zip(tmp_path, damage(buffer.getvalue()))


def test_a_method_that_lambda_does_not_unpack_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as opened:
        opened.writestr("app.py", "x" * 100)
    with pytest.raises(IncompleteError, match="in a way that Lambda does not unpack"):
        stage_zip(tmp_path, buffer.getvalue())


def test_a_bomb_is_stopped_while_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_UNZIPPED", 3 * 1024 * 1024)
    with pytest.raises(IncompleteError, match="More than 3 MiB unzipped"):
        stage_zip(tmp_path, archive(("a", b"\0" * 2 * 1024 * 1024, 0o644), ("b", b"\0" * 2 * 1024 * 1024, 0o644)))
    monkeypatch.setattr(unpack, "_MEMBERS", 1)
    with pytest.raises(IncompleteError, match="More than 1 files"):
        staged(tmp_path / "project", tmp_path / "again", function("build/app.zip", kind=CodeKind.ZIP))
