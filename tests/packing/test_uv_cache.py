"""uv's cache: what lies unpacked there is compared with no hash any more, so it ships only where nobody else can have written it."""

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipsafe.adapters import process
from shipsafe.adapters.cache import open_cache
from shipsafe.adapters.uv import is_cache_believed
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.model.project import Project
from shipsafe.model.tree import StagedTree
from shipsafe.packing.sets import Sets
from shipsafe.packing.stage import stage
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import function, policy, write

LEAF = wheel("leaf", "1.0")


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An index with one wheel, and caches of our own."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SHIPSAFE_UV_CACHE", "trusted")
    with index(LEAF) as url:
        write(tmp_path / "project", {"src/requirements.txt": f"leaf==1.0 --hash={sha256(LEAF[1])}\n", "src/app.py": ""})
        yield url


def build(tmp_path: Path, url: str, *, offline: bool = False) -> StagedTree:
    """One run, with what earlier ones learnt."""
    workspace = Path(tempfile.mkdtemp(dir=tmp_path))
    cache = open_cache(tmp_path / "cache")
    project = Project(root=tmp_path / "project", template="template.yaml")
    tree = stage(function(), project, policy(index=url), workspace=workspace, sets=Sets(workspace / "sets", cache), offline=offline,
                 run=process.run)  # fmt: skip
    cache.flush()
    cache.close()
    return tree


def ships(tree: StagedTree) -> bytes:
    """What is in the one module."""
    tree.materialise()
    return next(entry.source.read_bytes() for entry in tree.entries if entry.path == "leaf.py")


def poison(tmp_path: Path) -> None:
    """What somebody can do who has uv's cache restored from theirs: another release, with a RECORD that fits."""
    evil = zipfile.ZipFile(io.BytesIO(wheel("leaf", "1.0", {"leaf.py": b"evil = True\n"})[1]))
    for name in ("leaf.py", "leaf-1.0.dist-info/RECORD"):
        (file,) = (one for one in (tmp_path / "uv").rglob(name.rpartition("/")[2]) if one.as_posix().endswith(name))
        file.unlink()  # not written into: what was installed from it is a link to the same file
        file.write_bytes(evil.read(name))


def test_in_a_pipeline_what_lies_in_uvs_cache_does_not_ship(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path, address)
    poison(tmp_path)
    shutil.rmtree(tmp_path / "cache")
    assert ships(build(tmp_path, address)) == b"evil = True\n"  # so much for the hash of the lock
    shutil.rmtree(tmp_path / "cache")
    monkeypatch.delenv("SHIPSAFE_UV_CACHE")
    monkeypatch.setenv("CI", "true")
    assert ships(build(tmp_path, address)) == b"version = '1.0'\n"


def test_what_an_earlier_run_installed_for_the_same_hashes_is_compared_however_often(tmp_path: Path, address: str) -> None:
    build(tmp_path, address)
    poison(tmp_path)
    for _ in range(2):
        tree = build(tmp_path, address)
        with pytest.raises(IntegrityError, match="not the files that an earlier run installed"):
            tree.materialise()


def test_offline_in_a_pipeline_it_is_said_why_nothing_can_be_installed(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path, address)
    (tmp_path / "cache" / "answers.sqlite").unlink()
    monkeypatch.setenv("SHIPSAFE_UV_CACHE", "fresh")
    with pytest.raises(IncompleteError, match="set SHIPSAFE_UV_CACHE=trusted if nobody else can write there"):
        build(tmp_path, address, offline=True)


@pytest.mark.parametrize(
    ("environ", "believed"),
    [
        ({}, True),
        ({"CI": ""}, True),
        ({"CI": "false"}, True),
        ({"CI": "1"}, False),
        ({"CI": "true"}, False),
        ({"CI": "true", "SHIPSAFE_UV_CACHE": "trusted"}, True),
        ({"SHIPSAFE_UV_CACHE": "fresh"}, False),
    ],
)
def test_a_pipeline_is_told_by_its_variable(environ: dict[str, str], *, believed: bool) -> None:
    assert is_cache_believed(environ) is believed


def test_another_word_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"SHIPSAFE_UV_CACHE is 'yes'\. Set it to"):
        is_cache_believed({"SHIPSAFE_UV_CACHE": "yes"})
