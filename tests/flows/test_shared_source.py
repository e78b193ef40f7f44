"""What several machines built from: one commit, and a change on one of them is a change of all."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence.envelope import written
from shipsafe.evidence.provenance import SourceTree
from shipsafe.flows.shared_source import shared_source
from tests.evidence.test_provenance import COMMIT, made

HERE = SourceTree(commit=COMMIT, url="https://github.com/acme/shop", dirty=False, parameters={"Stage": "prod"})


def share(folder: Path, *, dirty: bool | None = False, commit: str | None = COMMIT) -> tuple[Path, dict[str, Any]]:
    """A folder with the evidence of one artifact, and what its manifest says of it."""
    folder.mkdir(exist_ok=True)
    data = written(made(SourceTree(commit=commit, dirty=dirty)), ()) + b"\n"
    (folder / "Orders.intoto.jsonl").write_bytes(data)
    stated = {"path": "Orders.intoto.jsonl", "sha256": hashlib.sha256(data).hexdigest(), "signed": False}
    return folder, {"name": "Orders", "evidence": stated}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([False, False], False),
        ([False, True], True),
        ([None, True], True),
        ([False, None], None),
    ],
)
def test_one_change_is_a_change_and_one_doubt_is_a_doubt(tmp_path: Path, said: list[bool | None], *, expected: bool | None) -> None:
    shares = [share(tmp_path / str(number), dirty=dirty) for number, dirty in enumerate(said)]
    found = shared_source(HERE, shares)
    assert found == SourceTree(commit=COMMIT, url=HERE.url, dirty=expected, parameters=HERE.parameters)


def test_a_share_that_states_nothing_leaves_a_doubt(tmp_path: Path) -> None:
    assert shared_source(HERE, [share(tmp_path / "1"), (tmp_path, {"name": "Node"})]).dirty is None
    assert shared_source(HERE, []).dirty is None


@pytest.mark.parametrize("commit", ["d" * 40, None])
def test_a_share_of_another_commit_is_refused(tmp_path: Path, commit: str | None) -> None:
    with pytest.raises(IntegrityError, match=r"Orders was built from commit (dddddddddddd|none), and here lies cccccccccccc\."):
        shared_source(HERE, [share(tmp_path / "1", commit=commit)])


def test_evidence_that_was_not_brought_is_named(tmp_path: Path) -> None:
    folder, entry = share(tmp_path / "1")
    (folder / "Orders.intoto.jsonl").unlink()
    with pytest.raises(IncompleteError, match="It is not there, and its manifest names it"):
        shared_source(HERE, [(folder, entry)])


def _link(path: Path) -> None:
    path.replace(path.with_name("other"))
    path.symlink_to(path.with_name("other"))


@pytest.mark.parametrize("change", [_link, lambda path: path.write_bytes(b"{}\n"), lambda path: path.write_bytes(b"")])
def test_other_evidence_than_the_manifest_names_is_refused(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder, entry = share(tmp_path / "1")
    change(folder / "Orders.intoto.jsonl")
    with pytest.raises((IntegrityError, IncompleteError)):
        shared_source(HERE, [(folder, entry)])


@pytest.mark.parametrize("stated", [None, [], "x", {}, {"sha256": 7}])
def test_a_manifest_that_says_something_odd_of_it_is_refused(tmp_path: Path, stated: object) -> None:
    folder, _ = share(tmp_path / "1")
    with pytest.raises(IntegrityError, match="its digest is another"):
        shared_source(HERE, [(folder, {"name": "Orders", "evidence": stated})])
