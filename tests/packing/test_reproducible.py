"""Packing a second time, elsewhere: what is compared, and what is said when it differs."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.adapters.process import Finished, run
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.tree import StagedTree
from shipsafe.packing.archive import pack
from shipsafe.packing.reproducible import check_reproducible
from tests.packing.trees import tree

_FILES = {"app.py": b"x = 1\n" * 100, "bin/run": b"#!/bin/sh\n", "\u00fc/\u00e9.txt": b"text"}


@pytest.fixture
def staged(tmp_path: Path) -> StagedTree:
    return tree(tmp_path / "tree", _FILES, programs=frozenset({"bin/run"}))


def test_the_second_archive_is_the_same(staged: StagedTree, tmp_path: Path) -> None:
    archive = pack(staged, tmp_path / "a.zip")
    second = check_reproducible(staged, archive, workspace=tmp_path / "again")
    assert second == {"sha256": archive.sha256, "content_digest": archive.content_digest}
    again = tmp_path / "again" / "elsewhere, with a long name" / "again.zip"
    assert again.read_bytes() == archive.path.read_bytes()


def test_the_circumstances_are_really_others(staged: StagedTree, tmp_path: Path) -> None:
    """Umask, dates, path and order of files are seen on what the child left; the rest on how it was started."""
    asked: list[tuple[Sequence[str | Path], Mapping[str, str]]] = []

    def watched(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900) -> Finished:
        asked.append((argv, env or {}))
        return run(argv, cwd=cwd, env=env, timeout=timeout)

    archive = pack(staged, tmp_path / "a.zip")
    check_reproducible(staged, archive, workspace=tmp_path / "again", run=watched)
    [(argv, environment)] = asked
    assert {"TZ", "LC_ALL", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH"} <= environment.keys()
    assert all(environment[name] != os.environ.get(name) for name in environment)
    question = json.loads(Path(argv[4]).read_text(encoding="utf-8"))
    assert [entry[0] for entry in question["entries"]] == list(reversed(_FILES))
    folder = tmp_path / "again" / "elsewhere, with a long name"
    assert (folder / "again.zip").stat().st_mode & 0o777 == 0o600
    assert (folder / "tree" / "app.py").stat().st_mtime > 3_999_999_000


def test_another_first_archive_is_an_integrity_error_that_names_the_member(staged: StagedTree, tmp_path: Path) -> None:
    other = tree(tmp_path / "other", {**_FILES, "bin/run": b"#!/bin/bash\n"}, programs=frozenset({"bin/run"}))
    archive = pack(other, tmp_path / "a.zip")
    with pytest.raises(IntegrityError, match=r"function:App is not reproducible: .* the first difference is in bin/run\."):
        check_reproducible(staged, archive, workspace=tmp_path / "again")


def test_a_file_that_changed_since_then_is_not_taken_for_a_difference(staged: StagedTree, tmp_path: Path) -> None:
    archive = pack(staged, tmp_path / "a.zip")
    (staged.root / "app.py").write_bytes(b"y = 1\n" * 100)
    with pytest.raises(IncompleteError, match=r"could not be packed a second time: .*app\.py changed between"):
        check_reproducible(staged, archive, workspace=tmp_path / "again")


def test_the_same_zip_with_another_content_digest_is_refused(staged: StagedTree, tmp_path: Path) -> None:
    archive = replace(pack(staged, tmp_path / "a.zip"), content_digest=f"sha256:{'0' * 64}")
    with pytest.raises(IntegrityError):
        check_reproducible(staged, archive, workspace=tmp_path / "again")
