"""`shipsafe enforce --rotate` and `--guardrails` as a person sees them, against the local endpoint."""

import json
from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode
from tests.local_endpoint import client

POLICY = """
[[sign.target]]
name = "prod"
region = "eu-west-1"
profile = "orders_2026"
bucket = "orders-${AWS::AccountId}"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shipsafe.toml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("local_aws", "project")
def test_a_rotation_shows_its_plan_and_what_the_policy_has_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bootstrap", "--yes"]) == ExitCode.PASS
    capsys.readouterr()
    with pytest.raises(ConfigError, match="there is no terminal"):
        run(["enforce", "--rotate", "orders_2026=orders_2027"])
    assert [one["profileName"] for one in client("signer").list_signing_profiles()["profiles"]] == ["orders_2026"]
    capsys.readouterr()
    assert run(["enforce", "--rotate", "orders_2026=orders_2027", "--yes"]) == ExitCode.PASS
    out = capsys.readouterr().out
    assert all(line.startswith("LOCAL") for line in out.splitlines())
    assert 'LOCAL   profile = "orders_2027"' in out
    assert out.count("LOCAL done: ") == 2
    assert out.endswith("LOCAL The rotation is not over: both profiles are let in. exit 0\n")
    assert run(["enforce", "--rotate", "orders_2026=orders_2027", "--check"]) == ExitCode.INCOMPLETE


@pytest.mark.usefixtures("project")
def test_a_rotation_is_about_no_functions() -> None:
    with pytest.raises(ConfigError, match="about profiles"):
        run(["enforce", "orders", "--rotate", "orders_2026=orders_2027"])


def test_guardrails_are_json_on_standard_output_and_ask_nobody(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no endpoint and there are no credentials."""
    with pytest.raises(ConfigError, match="names no code-signing configuration"):
        run(["enforce", "--guardrails"])
    arn = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    (project / "shipsafe.toml").write_text(POLICY + f'code-signing-config = "{arn}"\n')
    assert run(["enforce", "--guardrails"]) == ExitCode.PASS
    told = capsys.readouterr()
    assert list(json.loads(told.out)) == ["service-control-policy"]
    assert "nobody may change a configuration" in told.err
