"""A build is proven file by file: the source's, or a wheel's that the lock's hashes admit; nothing else counts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.model.tree import ProblemKind, Source, StagedTree
from tests.packing.builds import APP, build, installed, problems
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import distribution, function, policy

LIB = wheel("lib", "1.0", {"lib.py": b"version = '1.0'\n", "lib_more.py": b"more = 1\n"})
FILES = {"lib.py": b"version = '1.0'\n", "lib_more.py": b"more = 1\n"}
Stage = Callable[..., StagedTree]


@pytest.fixture
def proving(tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Stage a build under `prebuilt = "prove"`, with an index that has the wheel of the lock."""
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))

    def stage(files: Mapping[str, str | bytes], *, digest: str = sha256(LIB[1])) -> StagedTree:
        with index(LIB) as url:
            rules = replace(policy(index=url), proves_prebuilt=True)
            source = {"app.py": APP, "requirements.txt": f"lib==1.0 --hash={digest}\n"}
            return build(tmp_path, {"app.py": APP, **files}, source=source, policy=rules, subject=function("built"))

    return stage


def test_equal_files_are_proven_with_index_and_hash(proving: Stage) -> None:
    tree = proving({**installed("lib", files=FILES), "lib-1.0.dist-info/INSTALLER": b"pip\n"})
    found = distribution(tree, "lib")
    assert (found.source, found.hashes) == (Source.INDEX, (sha256(LIB[1]),))
    assert tree.notes == ()
    assert found.index is not None
    assert (tree.unproven, tree.problems) == ((), ())


def test_a_record_that_was_written_to_fit_is_found(proving: Stage) -> None:
    """Whoever changes a file can change RECORD with it; the wheel they cannot change."""
    tree = proving(installed("lib", files={**FILES, "lib.py": b"import os\n"}))
    [problem] = problems(tree, ProblemKind.MODIFIED)
    assert problem.message == "lib 1.0 is not the wheel of the lock, and its RECORD was written to fit: lib.py."
    assert distribution(tree, "lib").source is Source.PREBUILT
    assert "lib.py" in tree.unproven


def test_a_file_that_is_added_to_a_distribution_is_found(proving: Stage) -> None:
    tree = proving(installed("lib", files={**FILES, "lib_hook.pth": b"import os\n"}))
    assert "lib_hook.pth" in problems(tree, ProblemKind.MODIFIED)[0].message


def test_slimmed_wheels_are_proven_and_launchers_and_stray_files_are_not(proving: Stage) -> None:
    files = installed("lib", files={**FILES, "bin/lib": b"#!/usr/bin/python\n"})
    del files["lib_more.py"]
    tree = proving({**files, "stray.py": b"x = 1\n"})
    assert distribution(tree, "lib").source is Source.INDEX
    assert tree.unproven == ("bin/lib", "stray.py")


def test_another_wheel_accuses_nobody_and_proves_nothing(proving: Stage) -> None:
    """A tool may take a wheel for another platform; its files differ, and so does WHEEL."""
    files = installed("lib", files={**FILES, "lib.py": b"other = 1\n"})
    record = files["lib-1.0.dist-info/RECORD"].replace(b"lib-1.0.dist-info/WHEEL,", b"lib-1.0.dist-info/OTHER,")
    tree = proving({**files, "lib-1.0.dist-info/RECORD": record, "lib-1.0.dist-info/WHEEL": b"Tag: cp313-cp313-win_amd64\n"})
    assert problems(tree, ProblemKind.MODIFIED) == []
    assert distribution(tree, "lib").source is Source.PREBUILT


def test_without_the_wheels_nothing_is_proven_and_the_reason_is_told(proving: Stage) -> None:
    tree = proving(installed("lib", files=FILES), digest=f"sha256:{'f' * 64}")
    assert distribution(tree, "lib").source is Source.PREBUILT
    assert any(note.startswith("The build was not compared with the wheels of its lock: ") for note in tree.notes)
    assert "lib.py" in tree.unproven
    assert "app.py" not in tree.unproven
