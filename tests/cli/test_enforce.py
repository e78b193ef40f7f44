"""`shipsafe enforce` as somebody runs it: what it prints, when it asks, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode, NothingError
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from tests.enforce.shop import Shop

POLICY = """
[[sign.target]]
name = "prod"
region = "eu-west-1"
account = "123456789012"
profile = "orders_2026"
bucket = "artifacts"
[enforce]
quiet = "off"
[[enforce.ring]]
name = "orders"
functions = ["orders*"]
"""


@pytest.fixture
def shop(local_aws: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A function in the policy's ring, and the working directory with that policy."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "shipsafe.toml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    shop = Shop(local_aws)
    shop.function(Code={"ZipFile": shop.signed()})
    return shop


def _document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_check_changes_nothing_and_enforce_makes_it_pass(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["enforce", "--check"]) == ExitCode.INTEGRITY
    out = capsys.readouterr().out
    assert "LOCAL       no-configuration: Function orders has no code-signing configuration: Lambda takes any code for it." in out
    assert out.endswith("LOCAL 1 function: 0 enforce, 1 ready, 0 held back; something is wrong with 1. exit 5\n")
    assert shop.mode() == "none"
    assert run(["enforce", "--yes"]) == ExitCode.PASS
    out = capsys.readouterr().out
    assert (
        "lambda:PutFunctionCodeSigningConfig  FunctionName=orders, CodeSigningConfigArn=(the one made before): nothing holds it back" in out
    )
    assert out.endswith("LOCAL Looked again. 1 function: 1 enforces, 0 held back; nothing is wrong.\n")
    assert shop.mode() == "Enforce"
    assert run(["enforce", "--check"]) == ExitCode.PASS
    capsys.readouterr()
    assert run(["enforce"]) == ExitCode.PASS  # nobody is asked about nothing
    assert "Nothing is to be changed." in capsys.readouterr().out


def test_dry_run_stops_after_the_plan(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["enforce", "--dry-run"]) == ExitCode.PASS
    assert "Nothing was changed" in capsys.readouterr().out
    assert shop.mode() == "none"


def test_without_a_terminal_nothing_is_changed(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="no terminal"):
        run(["enforce"])
    assert shop.mode() == "none"


def test_json_is_for_programs_and_all_else_goes_to_standard_error(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["enforce", "--check", "--format", "json"]) == ExitCode.INTEGRITY
    (place,) = _document(capsys)["places"]
    (one,) = place["functions"]
    assert (one["name"], one["ring"], one["is"], one["becomes"]) == ("orders", "orders", "no configuration", "enforce")
    assert [wrong["what"] for wrong in one["wrongs"]] == ["no-configuration"]
    assert [step["api"] for step in place["steps"]] == ["lambda:CreateCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig"]
    assert run(["enforce", "--yes", "--format", "json"]) == ExitCode.PASS
    assert _document(capsys)["exitCode"] == 0
    assert shop.mode() == "Enforce"


def test_a_ring_that_has_nobody_is_an_error(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "shipsafe.toml").write_text(POLICY.replace("orders*", "billing"))
    with pytest.raises(NothingError, match="No function is meant in account 123456789012, eu-west-1"):
        run(["enforce", "--check"])
    (tmp_path / "shipsafe.toml").write_text(POLICY.partition("[enforce]")[0])
    with pytest.raises(ConfigError, match="Nobody says which functions are meant"):
        run(["enforce", "--check"])
    assert run(["enforce", "--check", "--all"]) == ExitCode.INTEGRITY
    assert run(["enforce", "--check", "nobodys"]) == ExitCode.INCOMPLETE
    assert shop.mode() == "none"


def test_what_could_not_be_done_is_told_and_the_next_run_goes_on(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.endpoint.faults.add(Fault(service="lambda", operation="PutFunctionCodeSigningConfig", code="AccessDeniedException", status=403))
    assert run(["enforce", "--yes"]) == ExitCode.INCOMPLETE
    out = capsys.readouterr().out
    assert "NOT DONE (account 123456789012, eu-west-1): lambda:PutFunctionCodeSigningConfig  FunctionName=orders" in out
    assert shop.mode() == "none"
    assert run(["enforce", "--yes"]) == ExitCode.PASS
    assert shop.mode() == "Enforce"
    assert len(shop.lambda_.list_code_signing_configs()["CodeSigningConfigs"]) == 1
