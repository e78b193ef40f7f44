"""A stack of CloudFormation that the pipeline is to change: named by somebody, or by SAM's settings where somebody says yes."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError
from shipsafe.starting.samconfig import SamSettings, sam_settings
from tests.starting.repositories import APP, SAM, SHA, init, repository

ACCOUNT = ("--account", "111122223333")
AWS = ("--ref", SHA, *ACCOUNT, "--region", "eu-central-1")
ROLE = "arn:aws:iam::111122223333:role/shop-cloudformation"
STAGE = {"name": "prod", "target": "prod", "stack": "shop", "stack-role": ROLE}
SETTINGS = f"""
version = 0.1
[default.deploy.parameters]
stack_name = "shop"
region = "eu-west-1"
role_arn = "{ROLE}"
"""


def policy_of(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "shipsafe.toml").read_text())


def refused(folder: Path, *words: str) -> str:
    with pytest.raises(ConfigError) as caught:
        run(["init", str(folder), "--yes", *AWS, *words])
    return str(caught.value)


def test_a_stack_that_is_named_is_a_stage_of_the_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    out = init(folder, capsys, *AWS, "--stack", "shop", "--stack-role", ROLE)
    assert policy_of(folder)["deploy"] == {"stage": [STAGE]}
    assert f"change sets of stack shop, which CloudFormation carries out\n    as {ROLE}" in out
    assert "nothing was changed" in init(folder, capsys, "--offline")
    assert run(["policy", "pipeline", str(folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["stage"], told["deploy"], told["stack"]) == ("prod", True, "shop")


def test_what_the_policy_proposes_fits_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its comment sign it deploys: a template's stack by a stage, and handlers of a plain folder by `[deploy]`."""
    folder = repository(tmp_path / "orders", SAM)
    init(folder, capsys, *AWS)
    text = (folder / "shipsafe.toml").read_text()
    assert "rollout" not in text
    commented = text[text.index("# [[deploy.stage]]") :].partition("\n\n")[0]
    (folder / "shipsafe.toml").write_text(text + commented.replace("# ", "", 5))
    assert run(["policy", "pipeline", str(folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["stage"], told["deploy"], told["stack"]) == ("prod", True, "orders")
    plain = repository(tmp_path / "plain", {"app.py": APP})
    init(plain, capsys, *AWS)
    assert '# rollout = "canary"' in (plain / "shipsafe.toml").read_text()


def test_without_a_role_for_it_that_is_said_in_the_policy_and_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    assert "Name a role for it, `stack-role`" in init(folder, capsys, *AWS, "--stack", "shop")
    assert policy_of(folder)["deploy"] == {"stage": [{key: value for key, value in STAGE.items() if key != "stack-role"}]}
    assert "# MISSING: without it CloudFormation has only the rights" in (folder / "shipsafe.toml").read_text()


def test_sams_settings_are_used_where_somebody_says_that_it_deploys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", {**SAM, "samconfig.toml": SETTINGS})
    out = init(folder, capsys, "--ref", SHA, *ACCOUNT)
    assert "stack       shop in eu-west-1, from samconfig.toml" in out
    assert "names its stack (--stack shop)" in out
    policy = policy_of(folder)
    assert policy["sign"]["target"][0]["region"] == "eu-west-1", "Lambda takes code from its own Region"
    assert "deploy" not in policy, "nothing goes live unasked"
    folder = repository(tmp_path / "yes", {**SAM, "samconfig.toml": SETTINGS})
    init(folder, capsys, "--ref", SHA, *ACCOUNT, "--deploy")
    assert policy_of(folder)["deploy"] == {"stage": [STAGE]}
    folder = repository(tmp_path / "other", {**SAM, "samconfig.toml": SETTINGS})
    init(folder, capsys, *AWS, "--stack", "another")
    assert policy_of(folder)["deploy"]["stage"][0] == {"name": "prod", "target": "prod", "stack": "another"}, "the role is of shop"


def test_other_systems_are_told_the_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "gitlab", SAM, remote="https://gitlab.com/acme/orders")
    init(folder, capsys, *AWS, "--stack", "shop", "--stack-role", ROLE)
    assert '      stage: "prod"\n' in (folder / ".gitlab-ci.yml").read_text()
    folder = repository(tmp_path / "bitbucket", SAM, remote="https://bitbucket.org/acme/orders")
    out = init(folder, capsys, "--account", ACCOUNT[1], "--region", "eu-central-1", "--stack", "shop", "--stack-role", ROLE)
    assert "Set SHIPSAFE_STAGE to `prod`" in out


def test_a_policy_that_is_there_is_left_and_the_lines_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f'[[sign.target]]\nname = "live"\naccount = "{ACCOUNT[1]}"\nregion = "eu-central-1"\nprofile = "shop"\nbucket = "shop"\n'
    folder = repository(tmp_path / "orders", {**SAM, "shipsafe.toml": text})
    out = init(folder, capsys, *AWS, "--stack", "shop", "--stack-role", ROLE)
    assert f'[[deploy.stage]]\nname = "live"\ntarget = "live"\nstack = "shop"\nstack-role = "{ROLE}"\n' in out
    assert (folder / "shipsafe.toml").read_text() == text
    (folder / "shipsafe.toml").write_text(f'{text}[[deploy.stage]]\nname = "live"\ntarget = "live"\nstack = "shop"\n')
    assert "[[deploy.stage]]" not in init(folder, capsys, *AWS, "--stack", "shop")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--stack", "1shop"), "A stack's name begins with a letter"),
        (("--stack", "shop${x}"), "A stack's name begins with a letter"),
        (("--stack", "shop", "--stack-role", "shop"), "Write the role's ARN"),
        (("--stack-role", ROLE), "Add --stack"),
        (("--stack", "shop", "--no-deploy"), "Leave out one of them"),
        (("--stack", "shop", "--stack-role", "arn:aws:iam::999988887777:role/x"), "a role of the stack's own account, 111122223333"),
    ],
)
def test_what_cannot_be_used_is_refused(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", SAM)
    assert says in refused(folder, *words)
    assert not (folder / "shipsafe.toml").exists()


def test_a_stack_needs_an_account_and_a_template(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    folder = repository(tmp_path / "orders", SAM)
    with pytest.raises(ConfigError, match="or leave out --stack"):
        run(["init", str(folder), "--yes", "--ref", SHA, "--stack", "shop"])
    plan = (pytestconfig.rootpath / "examples/orders-terraform/plan.json").read_text()
    for name, files in (("plain", {"app.py": APP}), ("terraform", {"plan.json": plan})):
        folder = repository(tmp_path / name, files)
        for words in (("--stack", "shop"), ("--stack-role", ROLE)):
            assert "a stack is changed through its template" in refused(folder, *words)


def test_a_role_for_a_stack_that_nobody_wants_changed_is_not_forgotten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", {**SAM, "samconfig.toml": SETTINGS})
    assert "Add --stack shop, or --deploy." in refused(folder, "--stack-role", ROLE)
    init(folder, capsys, *AWS, "--deploy", "--stack-role", f"{ROLE}-2")
    assert policy_of(folder)["deploy"]["stage"][0]["stack-role"] == f"{ROLE}-2", "what somebody says wins over settings"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", SamSettings()),
        (SETTINGS, SamSettings(stack="shop", region="eu-west-1", role=ROLE)),
        (SETTINGS.replace("default", "prod"), SamSettings(stack="shop", region="eu-west-1", role=ROLE)),
        ('[default.global.parameters]\nstack_name = "shop"\n[default.deploy]\n', SamSettings(stack="shop")),
        ('[default.deploy.parameters]\nstack_name = "a b"\nregion = "x"\n', SamSettings()),
        ('[default.deploy.parameters]\nstack_name = ["shop"]\n', SamSettings()),
        ("default = 1\n[x]\ndeploy = []\n[y.deploy]\nparameters = 3\n", SamSettings()),
        (
            (
                '[a.deploy.parameters]\nstack_name = "shop"\nregion = "eu-west-1"\n'
                '[b.deploy.parameters]\nstack_name = "shop"\nregion = "us-east-1"\n'
            ),
            SamSettings(stack="shop"),
        ),
        (
            '[default.deploy.parameters]\nstack_name = "shop-dev"\n[prod.deploy.parameters]\nstack_name = "shop"\n',
            SamSettings(remark="samconfig.toml names several stacks: shop-dev (default), shop (prod). Say which with --stack."),
        ),
        ("[", SamSettings(remark="samconfig.toml cannot be read: name the stack with --stack.")),
        (f"{'[' * 5000}", SamSettings(remark="samconfig.toml cannot be read: name the stack with --stack.")),
        (f"a = {'[' * 5000}", SamSettings(remark="samconfig.toml cannot be read: name the stack with --stack.")),
        ("#" * 300_000, SamSettings(remark="samconfig.toml cannot be read: name the stack with --stack.")),
    ],
)
def test_what_settings_of_sam_say(text: str, settings: SamSettings, tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(text)
    assert sam_settings(tmp_path) == settings


def test_settings_in_yaml_are_said_and_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "samconfig.yaml").write_text("version: 0.1\n")
    assert sam_settings(tmp_path) == SamSettings(remark="samconfig.yaml is not read: name the stack with --stack.")
    (tmp_path / "two").mkdir()
    assert sam_settings(tmp_path / "two") == SamSettings()
