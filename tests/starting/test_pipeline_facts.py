"""What `shipsafe policy pipeline` tells the jobs of a pipeline: where they go, as whom, and which of them do not run."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError

_SHA = "0123456789012345678901234567890123456789"
_PIPELINE = f"""
[pipeline]
repository = "acme/orders"
workflow = "OWNER/shipsafe/.github/workflows/pipeline.yml@{_SHA}"
roles = "shipsafe-orders"
key = "sigstore:"
"""
_TARGET = """
[[sign.target]]
name = "{name}"
account = "{account}"
region = "eu-central-1"
profile = "orders_{name}"
bucket = "orders-{name}"
"""
_DEV, _PROD = _TARGET.format(name="dev", account="111122223333"), _TARGET.format(name="prod", account="444455556666")
_DEPLOY = '[deploy]\nrollout = "canary"\n'
_STAGES = """
[[deploy.stage]]
name = "test"
target = "dev"
[[deploy.stage]]
name = "live"
target = "prod"
account = "777788889999"
after = "test"
"""


def facts(folder: Path, capsys: pytest.CaptureFixture[str], policy: str, *options: str) -> dict[str, object]:
    (folder / "shipsafe.toml").write_text(policy)
    assert run(["policy", "pipeline", str(folder), *options]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def refused(folder: Path, policy: str, *options: str) -> str:
    (folder / "shipsafe.toml").write_text(policy)
    with pytest.raises(ConfigError) as caught:
        run(["policy", "pipeline", str(folder), *options])
    return str(caught.value)


def outputs(file: Path) -> dict[str, str]:
    """What GitHub reads in a file of outputs in its heredoc form, and in no other."""
    found, text = {}, file.read_text()
    while text:
        match = re.match(r"([\w-]+)<<(\S+)\n((?:.*\n)*?)\2\n", text)
        assert match, text
        found[match[1]] = match[3].removesuffix("\n")
        text = text[match.end() :]
    return found


def test_one_target_needs_no_name_and_every_job_has_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = facts(tmp_path, capsys, _PIPELINE + _PROD + _DEPLOY)
    assert {name: told[name] for name in ("attest", "sign", "deploy", "verify")} == dict.fromkeys(
        ("attest", "sign", "deploy", "verify"), True
    )
    assert told["left-out"] == []
    assert told["sign-role"] == "arn:aws:iam::444455556666:role/shipsafe-orders-sign"
    assert told["verify-role"] == "arn:aws:iam::444455556666:role/shipsafe-orders-verify"
    assert (told["target"], told["stage"], told["region"]) == ("prod", "", "eu-central-1")
    assert (told["sign-environment"], told["deploy-environment"], told["branch"]) == ("release", "production", "")


def test_a_branch_is_told_only_where_the_policy_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else it is the default branch, whatever that is called: a name that nobody said is one that anybody may push."""
    (tmp_path / "base.toml").write_text('[pipeline]\nbranch = "trunk"\n')
    digest = hashlib.sha256((tmp_path / "base.toml").read_bytes()).hexdigest()
    assert facts(tmp_path, capsys, "")["branch"] == ""
    assert facts(tmp_path, capsys, _PIPELINE)["branch"] == ""
    assert facts(tmp_path, capsys, _PIPELINE + 'branch = "main"\n')["branch"] == "main"
    extends = f'extends = {{ path = "base.toml", sha256 = "{digest}" }}\n'
    assert facts(tmp_path, capsys, extends + _PIPELINE)["branch"] == "trunk"


def test_a_stage_signs_at_its_target_and_deploys_in_its_own_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = facts(tmp_path, capsys, _PIPELINE + _DEV + _PROD + _DEPLOY + _STAGES, "--stage", "live")
    assert told["sign-role"] == "arn:aws:iam::444455556666:role/shipsafe-orders-sign"
    assert told["deploy-role"] == "arn:aws:iam::777788889999:role/shipsafe-orders-deploy"
    assert told["verify-role"] == "arn:aws:iam::777788889999:role/shipsafe-orders-verify"
    assert told["doctor-role"] == "arn:aws:iam::444455556666:role/shipsafe-orders-verify"
    assert (told["stage"], told["target"], told["deploy-account"]) == ("live", "prod", "777788889999")


@pytest.mark.parametrize(
    ("policy", "options", "says"),
    [
        (_DEV + _PROD, (), "Add a [[deploy.stage]] for each"),
        (_DEV + _PROD + _STAGES, (), "has the stages test, live"),
        (_DEV, ("--target", "prod"), "has no [[sign.target]] 'prod'"),
        (_DEV, ("--stage", "live"), "has no [[deploy.stage]] 'live'"),
        (_DEV + _PROD + _STAGES, ("--stage", "live", "--target", "dev"), "were both given"),
        ("", ("--target", "prod"), "names no place to sign"),
    ],
)
def test_nothing_is_guessed_where_several_could_be_meant(tmp_path: Path, policy: str, options: tuple[str, ...], says: str) -> None:
    assert says in refused(tmp_path, policy, *options)


@pytest.mark.parametrize(
    ("policy", "off", "says"),
    [
        ("", {"attest", "sign", "deploy", "verify"}, "the policy names no [[sign.target]]"),
        (_PROD + _DEPLOY, {"attest", "sign", "deploy", "verify"}, "[pipeline] names no `roles`"),
        (_PIPELINE + _PROD, {"deploy", "verify"}, "the policy has no [deploy]"),
        (_PIPELINE.replace('key = "sigstore:"', "") + _PROD + _DEPLOY, {"attest"}, "[pipeline] names no key"),
        (_PIPELINE.replace("sigstore:", "awskms:alias/orders") + _DEPLOY, {"attest", "sign", "deploy", "verify"}, "no [[sign.target]]"),
        (_PIPELINE + _PROD.replace('region = "eu-central-1"', "") + _DEPLOY, {"sign", "deploy", "verify"}, "prod names no region"),
        (_PIPELINE + _PROD.replace('account = "444455556666"', "") + _DEPLOY, {"sign", "deploy", "verify"}, "prod names no account"),
    ],
)
def test_a_job_that_lacks_something_does_not_run_and_it_is_said_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str, off: set[str], says: str
) -> None:
    told = facts(tmp_path, capsys, policy)
    assert {name for name in ("attest", "sign", "deploy", "verify") if told[name] is False} == off
    assert says in "\n".join(told["left-out"])  # type: ignore[arg-type]  # a list of texts, as JSON


def test_the_file_is_named_from_where_the_command_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "protected" / "services" / "orders"
    inner.mkdir(parents=True)
    (tmp_path / "protected" / ".git").mkdir()
    (inner / "plan.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert run(["policy", "pipeline", "protected/services/orders/plan.json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"] == ""
    (tmp_path / "protected" / "shipsafe.toml").write_text(_PROD)
    for path in ("protected/services/orders/plan.json", "protected/services/orders", "protected"):
        assert run(["policy", "pipeline", path]) == 0
        assert json.loads(capsys.readouterr().out)["policy"] == "protected/shipsafe.toml"
    assert run(["policy", "pipeline", "protected/services", "--policy", "protected/shipsafe.toml"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"] == "protected/shipsafe.toml"


def test_on_github_each_fact_is_an_output_of_the_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "output"
    file.write_text("earlier<<X\nkept\nX\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    told = facts(tmp_path, capsys, _PIPELINE + _PROD)
    written = outputs(file)
    assert written.pop("earlier") == "kept"
    assert written.keys() == told.keys()
    assert (written["sign"], written["deploy"]) == ("true", "false")
    assert written["left-out"].split("\n") == told["left-out"]
    assert written["sign-role"] == told["sign-role"]
    assert written["transport"] == ""


_NUMBERS = {"GITHUB_REPOSITORY_OWNER_ID": "42", "GITHUB_REPOSITORY_ID": "7001"}


@pytest.mark.parametrize(
    ("lines", "here", "says"),
    [
        ("", _NUMBERS, 'lacks. Add `owner-id = "42"` and `repository-id = "7001"`, and run `shipsafe bootstrap`'),
        (
            'owner-id = "42"\nrepository-id = "7002"\n',
            _NUMBERS,
            'another repository. This one has `owner-id = "42"` and `repository-id = "7001"`',
        ),
        ('owner-id = "42"\nrepository-id = "7001"\n', _NUMBERS, None),
        ('issuer = "https://github.example.com/_services/token"\n', _NUMBERS, None),
        ("", {}, None),
        ("", {**_NUMBERS, "GITHUB_REPOSITORY_ID": "7001\nforged=1"}, None),
    ],
)
def test_a_job_is_told_where_aws_would_refuse_its_repository(
    lines: str, here: dict[str, str], says: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in _NUMBERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in here.items():
        monkeypatch.setenv(name, value)
    told = facts(tmp_path, capsys, _PIPELINE + lines + _PROD + _DEPLOY)
    assert told["sign"] is True
    left_out = told["left-out"]
    assert isinstance(left_out, list)
    assert (left_out == []) if says is None else (len(left_out) == 1 and says in left_out[0])
    assert facts(tmp_path, capsys, _PIPELINE + lines + _DEPLOY)["sign"] is False, "where nothing is signed, nobody takes a role"
