"""`advisories pull` in a pipeline: one snapshot for all machines, and none where the policy asks somebody else."""

from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError
from tests.advisories.writing import export, record

ONE = record("demo", {"introduced": "0"}, id="PYSEC-2026-1")
FOLDER = '{path = "advisories", date = 2026-11-01}'


@pytest.fixture(autouse=True)
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and the file that `GITHUB_OUTPUT` names."""
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "told"))
    return tmp_path / "told"


def project(folder: Path, source: str) -> Path:
    """A project whose policy asks there."""
    (folder / "project").mkdir()
    (folder / "project/shipsafe.toml").write_text(f"[advisories]\nsource = {source}\n" if source else "")
    return folder / "project"


@pytest.mark.parametrize("source", ["", '"snapshot"'])
def test_what_the_policy_asks_is_pulled_and_kept_for_others(tmp_path: Path, told: Path, source: str) -> None:
    """Where it says nothing, it asks the snapshot."""
    zipped, kept = export(tmp_path / "all.zip", ONE), tmp_path / "kept/advisories.zip"
    words = ["--from", str(zipped), "--for", str(project(tmp_path, source)), "--keep", str(kept)]
    assert run(["advisories", "pull", *words]) == 0
    assert kept.read_bytes() == zipped.read_bytes()
    assert "\ntrue\n" in told.read_text()


@pytest.mark.parametrize(
    ("source", "asked"), [(FOLDER, "a folder or zip of records"), ('"pypi"', "service `pypi`"), ('"osv"', "service `osv`")]
)
def test_nothing_is_pulled_where_the_policy_asks_somebody_else(
    tmp_path: Path, told: Path, capsys: pytest.CaptureFixture[str], source: str, asked: str
) -> None:
    """Also where nothing could be: there is no such zip."""
    folder = project(tmp_path, source)
    (folder / "advisories").mkdir()
    kept = tmp_path / "kept.zip"
    assert run(["advisories", "pull", "--from", str(tmp_path / "none.zip"), "--for", str(folder), "--keep", str(kept)]) == 0
    assert asked in capsys.readouterr().out
    assert not kept.exists()
    assert "\nfalse\n" in told.read_text()


def test_a_policy_is_that_of_a_project(tmp_path: Path) -> None:
    """It is not looked for."""
    with pytest.raises(ConfigError, match="--policy is that of a project"):
        run(["advisories", "pull", "--policy", str(tmp_path / "shipsafe.toml")])
