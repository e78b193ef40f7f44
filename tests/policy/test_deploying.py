"""`[deploy]`, `[enforce]` and `[break-glass]`: what they say, and what is refused with its place."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from shipsafe.model.deployment import CodeDeployGroup, Rollout, SmokeTest, Strategy
from shipsafe.model.policy import Policy
from shipsafe.policy import load

TARGET = '[[sign.target]]\nname = "dev"\nprofile = "orders"\nbucket = "orders-zips"\n'
ONE = '[[deploy.function]]\nfunction = "Pay"\n'


def _never(url: str) -> bytes:
    pytest.fail(f"{url} was fetched")


def _load(folder: Path, text: str) -> Policy:
    (folder / "shipsafe.toml").write_text(text)
    return load(folder, offline=True, cache=folder / "cache", fetch=_never, today=date(2026, 11, 21))


def test_the_last_rule_that_fits_wins_and_alarms_add_up(tmp_path: Path) -> None:
    policy = _load(
        tmp_path,
        '[deploy]\nalias = "live"\nrollout = "canary"\nevery = "90s"\nalarms = ["all"]\n'
        '[[deploy.function]]\nfunction = "P*"\nrollout = "linear"\npercent = 40\nalarms = ["some"]\n'
        '[[deploy.function]]\nfunction = "Pay"\nname = "pay-prod"\nalias = "prod"\nalarms = ["pay"]\n'
        'codedeploy-application = "shop"\ncodedeploy-group = "pay"\nsmoke-payload = "smoke/pay.json"\n',
    )
    pay, orders = policy.deploy.of("Pay"), policy.deploy.of("Orders")
    assert (pay.name, pay.alias, pay.alarms) == ("pay-prod", "prod", ("all", "some", "pay"))
    assert pay.strategy == Strategy(rollout=Rollout.LINEAR, percent=40, every=timedelta(seconds=90))
    assert pay.strategy.shares == (40, 80, 100)
    assert pay.codedeploy == CodeDeployGroup(application="shop", group="pay")
    assert pay.smoke == SmokeTest(payload=str(tmp_path / "smoke/pay.json"))
    assert (orders.name, orders.alias, orders.alarms, orders.smoke) == (None, "live", ("all",), None)
    assert orders.strategy.shares == (10, 100)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('[deploy]\nalias = "7"\n', 2, "cannot be the `alias`"),
        ("[deploy]\npercent = 100\n", 2, "from 1 to 99"),
        ('[deploy]\nevery = "0s"\n', 2, "watched for no time"),
        ('[deploy]\nevery = "5 minutes"\n', 2, "is not a duration"),
        (ONE + 'smoke-expect = "a.json"\n', 3, "needs `smoke-payload`"),
        (ONE + 'codedeploy-group = "a"\n', 3, "needs `codedeploy-application`"),
        (ONE + 'smoke-payload = "/etc/hostname"\n', 3, "leads out of the policy's folder"),
        (ONE + 'smoke-payload = "a.json"\nsmoke-expect = "b/../../secret.json"\n', 4, "leads out of the policy's folder"),
        (TARGET + '[[deploy.stage]]\nname = "dev"\ntarget = "prod"\n', 7, "There is no [[sign.target]] 'prod'"),
        (TARGET + '[[deploy.stage]]\nname = "dev"\ntarget = "dev"\nafter = "test"\n', 8, "No stage before this one"),
        (TARGET + '[[deploy.stage]]\nname = "dev"\ntarget = "dev"\nsoak = "1h"\n', 8, "soaks after another"),
        (
            TARGET + "".join(f'[[deploy.stage]]\nname = "{name}"\ntarget = "dev"\nstack = "shop"\n' for name in ("dev", "prod")),
            12,
            "Stages dev and prod are the same stack",
        ),
        ('[[enforce.ring]]\nname = "a"\n[[enforce.ring]]\nname = "a"\n', 3, "Two rings"),
        ('[[enforce.ring]]\nname = "a"\naccounts = ["12"]\n', 3, "cannot be the `account`"),
        ('[break-glass]\nlongest = "25h"\n', 2, "at most 24 hours"),
    ],
)
def test_what_cannot_be_is_refused_at_its_line(text: str, line: int, what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, text)
    assert what in refused.value.what
    assert (refused.value.path, refused.value.line) == ("shipsafe.toml", line)
    assert refused.value.remedy


def test_two_stages_may_be_stacks_of_one_name_in_two_accounts(tmp_path: Path) -> None:
    stages = [f'[[deploy.stage]]\nname = "{name}"\ntarget = "dev"\naccount = "{name}"\nstack = "shop"\n' for name in ("1" * 12, "2" * 12)]
    assert [one.stack for one in _load(tmp_path, TARGET + "".join(stages)).deploy.stages] == ["shop", "shop"]


def test_a_link_leads_no_smoke_test_out_of_the_folder(tmp_path: Path) -> None:
    outside, project = tmp_path / "secret.json", tmp_path / "project"
    outside.write_text("{}")
    project.mkdir()
    (project / "smoke.json").symlink_to(outside)
    with pytest.raises(ConfigError, match="leads out of"):
        _load(project, ONE + 'smoke-payload = "smoke.json"\n')
