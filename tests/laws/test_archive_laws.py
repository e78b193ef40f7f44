"""Laws of the archive: what it holds decides its bytes, and nothing else does."""

import os
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.model.artifact import Archive
from shipsafe.model.tree import PROGRAM_MODE, StagedTree
from shipsafe.packing.archive import pack
from tests.packing.trees import tree

_PART = st.text(st.characters(exclude_categories=("C", "Zl", "Zp"), exclude_characters="/\\"), min_size=1, max_size=12).filter(
    lambda part: part not in (".", "..") and len(part.encode()) < 100
)
_CONTENT = st.one_of(st.binary(max_size=300), st.binary(min_size=1, max_size=20).map(lambda part: part * 500))


def _no_file_is_a_folder(files: Mapping[str, bytes]) -> bool:
    """A path cannot be the folder of another, also on a disk that folds names."""
    return not any(f"{other}/".startswith(f"{path}/") for path in files for other in files if other != path)


_FILES = st.dictionaries(st.lists(_PART, min_size=1, max_size=3).map("/".join), _CONTENT, min_size=1, max_size=8).filter(
    _no_file_is_a_folder
)


def _packed(root: Path, files: Mapping[str, bytes], programs: frozenset[str], name: str) -> tuple[StagedTree, Archive]:
    staged = tree(root, files, programs=programs)
    return staged, pack(staged, root.parent / name)


@settings(max_examples=60, deadline=None)
@given(_FILES, st.data())
def test_order_time_umask_path_and_zone_do_not_change_the_bytes(files: dict[str, bytes], data: st.DataObject) -> None:
    programs = frozenset(data.draw(st.sets(st.sampled_from(sorted(files)))))
    shuffled = dict(data.draw(st.permutations(sorted(files.items()))))
    umask = data.draw(st.sampled_from([0o000, 0o022, 0o027, 0o077]))
    with TemporaryDirectory() as one, TemporaryDirectory(suffix=" zweiter Ort") as other:
        _, first = _packed(Path(one) / "tree", files, programs, "a.zip")
        before, zone = os.umask(umask), os.environ.get("TZ")
        os.environ["TZ"] = data.draw(st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns"]))
        time.tzset()
        try:
            staged = tree(Path(other) / "tree", shuffled, programs=programs)
            for entry in staged.entries:
                stamp = data.draw(st.integers(0, 1 << 32))
                os.utime(entry.source, (stamp, stamp))
            second = pack(staged, Path(other) / "b.zip")
        finally:
            os.umask(before)
            del os.environ["TZ"]
            if zone is not None:
                os.environ["TZ"] = zone
            time.tzset()
        assert first.path.read_bytes() == second.path.read_bytes()
        assert replace(first, path=second.path) == second


@settings(max_examples=60, deadline=None)
@given(_FILES, st.data())
def test_what_goes_in_comes_out(files: dict[str, bytes], data: st.DataObject) -> None:
    programs = frozenset(data.draw(st.sets(st.sampled_from(sorted(files)))))
    with TemporaryDirectory() as place:
        _, archive = _packed(Path(place) / "tree", files, programs, "a.zip")
        with zipfile.ZipFile(archive.path) as opened:
            assert opened.testzip() is None
            assert {info.filename: opened.read(info) for info in opened.infolist()} == files
            assert {info.filename for info in opened.infolist() if info.external_attr >> 16 == PROGRAM_MODE} == programs


@settings(max_examples=40, deadline=None)
@given(_FILES, st.data())
def test_any_change_changes_both_digests(files: dict[str, bytes], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(files)))
    how = data.draw(st.sampled_from(["content", "mode", "name", "gone"]))
    changed, programs = dict(files), frozenset[str]()
    if how == "content":
        changed[path] += b"!"
    elif how == "mode":
        programs = frozenset({path})
    elif how == "name":
        changed[f"{path}~"] = changed.pop(path)
    else:
        del changed[path]
    if not changed or not _no_file_is_a_folder(changed) or (how == "name" and f"{path}~" in files):
        return
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        _, first = _packed(Path(one) / "tree", files, frozenset(), "a.zip")
        _, second = _packed(Path(other) / "tree", changed, programs, "a.zip")
    assert first.sha256 != second.sha256
    assert first.content_digest != second.content_digest
