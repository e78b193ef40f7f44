"""What `shipsafe ship` takes, prints and ends with."""

import json
from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.local.endpoint import Endpoint
from tests.flows.line import ROLE, made, project
from tests.local_endpoint import client


@pytest.fixture
def root(tmp_path: Path, local_aws: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = project(tmp_path)
    made(found)
    local_aws.functions.configure({"creating": 0.0, "updating": 0.0})
    monkeypatch.chdir(found)
    return found


def test_a_pipeline_gets_lines_a_report_and_a_summary(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = root / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    words = ["ship", "--yes", "--create", "--role", ROLE, "--report", f"json={root / 'ship.json'}"]
    assert run(words) == ExitCode.PASS
    shown = capsys.readouterr()
    assert all(line.startswith("LOCAL") for line in [*shown.out.splitlines(), *shown.err.splitlines()])
    assert shown.out.splitlines()[-1] == "LOCAL Shipped: 2 functions run what was audited and signed. exit 0"
    assert "LOCAL deploy: pay:live 1: 100 %, all calls" in shown.err
    told = json.loads((root / "ship.json").read_text())
    assert [one["function"] for one in told["functions"]] == ["pay", "Stock"]
    assert told["out"] == "dist"
    lines = summary.read_text().splitlines()
    assert lines[0] == "before"
    assert sum(line.startswith(("| pay:live | 1 |", "| Stock:live | 1 |")) for line in lines) == 2

    assert run(["ship", "--resume", "--format", "markdown", "--quiet"]) == ExitCode.PASS
    again = capsys.readouterr()
    assert again.err == ""
    assert "PASS, unchanged" in again.out


def test_without_a_terminal_it_stops_after_the_plan_and_a_dry_run_does_so_well(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ship", "--quiet"]) == ExitCode.USAGE
    shown = capsys.readouterr().out
    assert "target dev: account 123456789012" in shown
    assert "there is no terminal to ask on. Add --yes" in shown
    assert run(["ship", "--quiet", "--dry-run"]) == ExitCode.PASS
    assert capsys.readouterr().out.splitlines()[-1] == "LOCAL Ended after the plan of sign: nothing more was changed. exit 0"
    assert client("signer").list_signing_jobs()["jobs"] == []
    assert (root / "dist" / "shipsafe.json").is_file()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--seed-alarm"], "--seed-alarm lets a release fail its callers"),
        (["--sandbox", "--resume"], "A sandbox begins empty"),
        (["--sandbox", "--stage", "prod"], "A sandbox begins empty"),
        (["--format", "sarif"], "no format 'sarif'"),
        (["--report", "csv=x"], "no format 'csv'"),
        (["--role", "orders"], "is not the ARN of a role"),
        (["--second", "Anna"], "--second names who agrees"),
        (["nowhere"], "no such file or folder"),
    ],
)
def test_what_cannot_be_meant_is_said_at_once(words: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project(tmp_path))
    with pytest.raises(ConfigError, match=why):
        run(["ship", *words])
    assert not (tmp_path / "orders" / "dist").exists()


def test_its_sandbox_is_gone_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What the gates find stops it there, too; no release is left, and no variable leads anywhere."""
    root = project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_PROFILE", "real")
    (root / "src" / "pay" / "app.py").write_text(
        "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event, shell=True)\n"
    )
    (root / "shipsafe.toml").write_text((root / "shipsafe.toml").read_text() + '\n[gates.lint]\nfail-on = "low"\n')
    assert run(["ship", "--sandbox", "--seed-alarm", "--format", "json", "--quiet", str(root)]) == ExitCode.FINDINGS
    told = json.loads(capsys.readouterr().out)
    assert (told["ended_at"], told["local"]) == ("build", True)
    assert [path.name for path in tmp_path.iterdir()] == ["orders"]
    with pytest.raises(ConfigError, match="profile"):
        run(["bootstrap", "--yes", str(root)])
