"""The fleet, and a project's folder to run in."""

from pathlib import Path

import pytest

from shipsafe.cli.app import run as run_command
from shipsafe.local.endpoint import Endpoint
from tests.signing.revoke.fleet import Fleet, Run


@pytest.fixture
def fleet(local_aws: Endpoint) -> Fleet:
    return Fleet(local_aws)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `shipsafe revoke` in an empty project; its exit code and what it wrote to standard output, without LOCAL."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)

    def run(*words: str) -> tuple[int, str]:
        code = run_command(["revoke", *words])
        lines = capsys.readouterr().out.splitlines()
        assert all(line.startswith("LOCAL") for line in lines)
        return code, "\n".join(line.removeprefix("LOCAL").removeprefix(" ") for line in lines)

    return run
