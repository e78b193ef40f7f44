"""On other systems than GitHub's `init` writes the file of that system, from the same source as `configs/ci`."""

from pathlib import Path

import pytest
import yaml

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError
from shipsafe.model.pipeline import HOME
from tests.starting.repositories import SAM, SHA, files_of, init, repository

GITLAB = "https://gitlab.com/acme/orders.git"
OURS = Path(__file__).resolve().parents[2] / "configs/ci"
AWS = ("--account", "111122223333", "--region", "eu-central-1")


def test_gitlab_includes_ours_at_a_commit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM, remote=GITLAB)
    init(folder, capsys, "--ref", SHA, *AWS)
    assert files_of(folder).keys() - SAM.keys() == {"shipsafe.toml", ".gitlab-ci.yml"}
    (include,) = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["include"]
    assert include == {
        "remote": f"https://raw.githubusercontent.com/{HOME}/{SHA}/configs/ci/gitlab.yml",
        "inputs": {"shipsafe": SHA, "path": ".", "policy": "shipsafe.toml", "region": "eu-central-1"},
    }
    assert "nothing was changed" in init(folder, capsys, "--offline")


def test_the_template_for_gitlab_has_the_inputs_that_are_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", {f"app/{name}": text for name, text in SAM.items()}, remote=GITLAB)
    init(folder, capsys, "--ref", SHA)
    text = (folder / ".gitlab-ci.yml").read_text()
    (include,) = yaml.safe_load(text)["include"]
    spec = next(yaml.safe_load_all((OURS / "gitlab.yml").read_text()))["spec"]["inputs"]
    commented = {line.split("# ")[1].split(":")[0] for line in text.splitlines() if "-role:" in line}
    assert include["inputs"].keys() | commented <= spec.keys()
    assert (include["inputs"]["path"], include["inputs"]["policy"]) == ("app", "app/shipsafe.toml")


@pytest.mark.parametrize(
    ("remote", "key", "says"),
    [
        (GITLAB, "sigstore:", "on github.com alone"),
        ("https://github.example.com/acme/orders", "sigstore:", "on github.com alone"),
        ("https://bitbucket.org/acme/orders", "awskms:alias/x", "Set SHIPSAFE_KEY there"),
    ],
)
def test_a_key_that_could_not_be_used_there_is_refused(remote: str, key: str, says: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", SAM, remote=remote)
    with pytest.raises(ConfigError, match=says):
        run(["init", str(folder), "--yes", "--ref", SHA, "--key", key])


def test_gitlab_is_told_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM, remote=GITLAB)
    init(folder, capsys, "--ref", SHA, "--key", "awskms:alias/x")
    (include,) = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["include"]
    assert include["inputs"]["key"] == "awskms:alias/x"


def test_a_gitlab_ci_that_is_there_stays_and_the_lines_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", {**SAM, ".gitlab-ci.yml": "test: {script: [make]}\n"}, remote=GITLAB)
    out = init(folder, capsys, "--offline")
    assert "add to it, with the commit of a release:" in out
    assert f"  - remote: https://raw.githubusercontent.com/{HOME}/SHA/configs/ci/gitlab.yml" in out
    assert (folder / ".gitlab-ci.yml").read_text() == "test: {script: [make]}\n"
    (folder / ".gitlab-ci.yml").write_text(f"include: [{{remote: https://raw.githubusercontent.com/{HOME}/{SHA}/configs/ci/gitlab.yml}}]\n")
    assert "add to it" not in init(folder, capsys, "--offline")


@pytest.mark.parametrize(
    ("remote", "written", "source", "branch"),
    [
        ("https://bitbucket.org/acme/orders", "bitbucket-pipelines.yml", "bitbucket-pipelines.yml", '    "trunk":\n'),
        (
            "https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/orders",
            "buildspec-shipsafe.yml",
            "codebuild.yml",
            'SHIPSAFE_PATH: "app"',
        ),
    ],
)
def test_bitbucket_and_codebuild_get_a_copy_for_branch_and_folder(
    remote: str, written: str, source: str, branch: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"app/{name}": text for name, text in SAM.items()}
    folder = repository(tmp_path / "orders", files, remote=remote, branch="trunk")
    init(folder, capsys, "--offline")
    text = (folder / written).read_text()
    ours = (OURS / source).read_text()
    assert branch in text
    assert text.splitlines()[0] == ours.splitlines()[0]
    assert yaml.safe_load(text).keys() == yaml.safe_load(ours).keys()
    assert "nothing was changed" in init(folder, capsys, "--offline")
