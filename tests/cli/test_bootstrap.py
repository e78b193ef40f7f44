"""What `shipsafe bootstrap` prints and how it ends, against the local endpoint."""

from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode, IncompleteError
from tests.local_endpoint import ACCOUNT, client

POLICY = """
[[sign.target]]
name = "dev"
region = "eu-west-1"
profile = "orders"
bucket = "orders-${AWS::AccountId}"
"""
SECOND = POLICY.replace("dev", "prod").replace('"orders"', '"orders_prod"').replace("orders-", "orders-prod-")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shipsafe.toml").write_text(POLICY)
    return tmp_path


@pytest.mark.usefixtures("local_aws")
def test_the_plan_is_shown_carried_out_and_pinned(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line says that it is about the local endpoint. The lines to add are a policy that a second run finds nothing to pin in."""
    assert run(["bootstrap", "--yes", str(project)]) == ExitCode.PASS
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("LOCAL") for line in lines)
    plain = [line.removeprefix("LOCAL ") for line in lines]
    assert plain[0].startswith(f"target dev: account {ACCOUNT}, eu-west-1, as arn:aws:sts::{ACCOUNT}:")
    planned = [line.partition(" (")[0].removeprefix("  dev: ") for line in plain if line.startswith("  dev: ")]
    done = [line.removeprefix("  done: ") for line in plain if line.startswith("  done: ")]
    assert planned == done
    assert done[0] == f"create bucket orders-{ACCOUNT} in eu-west-1"
    assert plain[-3] == 'Pin it: add to the [[sign.target]] with name = "dev":'
    (project / "shipsafe.toml").write_text(POLICY + "\n".join(line.strip() for line in plain[-2:]) + "\n")
    assert run(["bootstrap", str(project)]) == ExitCode.PASS
    again = capsys.readouterr().out
    assert "Everything that bootstrap makes is there: nothing was changed." in again
    assert "Pin it" not in again


@pytest.mark.usefixtures("local_aws")
def test_a_dry_run_makes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bootstrap", "--dry-run", str(project)]) == ExitCode.PASS
    assert capsys.readouterr().out.endswith("Nothing was changed: --dry-run stops after the plan.\n")
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("signer").list_signing_profiles()["profiles"] == []


@pytest.mark.usefixtures("local_aws")
def test_without_a_terminal_it_stops_after_the_plan(project: Path) -> None:
    with pytest.raises(ConfigError, match="there is no terminal to ask on"):
        run(["bootstrap", str(project)])
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.usefixtures("local_aws")
def test_a_burnt_name_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client("signer").put_signing_profile(profileName="orders", platformId="AWSLambda-SHA384-ECDSA")
    client("signer").cancel_signing_profile(profileName="orders")
    assert run(["bootstrap", "--yes", str(project)]) == ExitCode.INCOMPLETE
    out = capsys.readouterr().out
    assert "Take another name in the policy: orders_2 is free." in out
    assert out.endswith("Nothing was changed.\n")
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.usefixtures("local_aws")
def test_what_is_left_decides_how_it_ends(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All is made, and ownership that somebody chose is told: 4."""
    s3 = client("s3")
    name = f"orders-{ACCOUNT}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert run(["bootstrap", "--yes", str(project)]) == ExitCode.INCOMPLETE
    assert "dev: ownership missing: Objects in bucket" in capsys.readouterr().out


def test_a_policy_without_a_target_shows_one_to_paste(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="The policy names no place to sign") as caught:
        run(["bootstrap", str(tmp_path)])
    assert "[[sign.target]]" in caught.value.remedy


def test_an_unknown_target_is_named(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no .*'stage'") as caught:
        run(["bootstrap", "--target", "stage", str(project)])
    assert caught.value.remedy == "There are: dev."


@pytest.mark.parametrize("form", ["cloudformation", "terraform"])
def test_a_template_is_printed_without_a_look_at_aws(
    project: Path, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert run(["bootstrap", "--print", form, str(project)]) == ExitCode.PASS
    out = capsys.readouterr().out
    assert "orders" in out
    assert "LOCAL" not in out


def test_a_template_is_of_one_target(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "shipsafe.toml").write_text(POLICY + SECOND)
    with pytest.raises(ConfigError, match="A template is of one target"):
        run(["bootstrap", "--print", "terraform", str(project)])
    assert run(["bootstrap", "--print", "terraform", "--target", "prod", str(project)]) == ExitCode.PASS
    assert "orders_prod" in capsys.readouterr().out


def test_without_credentials_it_says_so(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(IncompleteError, match="there are no usable AWS credentials"):
        run(["bootstrap", str(project)])
