"""What a template leaves open is asked of the policy, and never guessed."""

from datetime import timedelta

import pytest

from shipsafe.deploy.unclear import check_clear, open_questions
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.model.deployment import CodeDeployGroup, FunctionDeploy, SmokeTest, Strategy
from shipsafe.model.preference import Preference
from shipsafe.packing.manifest import Told

GROUP = CodeDeployGroup(application="a", group="g")
SMOKE = SmokeTest(payload="/p.json")


@pytest.mark.parametrize(
    ("unclear", "answer"),
    [
        ("name: it depends on AWS::StackName", FunctionDeploy(name="orders")),
        ("alias: parameter Live has no value", FunctionDeploy(alias="live")),
        ("preference: Mine is a deployment configuration of your own", FunctionDeploy(strategy=Strategy(), strategy_stated=True)),
        ("preference: Mine is a deployment configuration of your own", FunctionDeploy(codedeploy=GROUP)),
        ("alarms: CloudFormation makes up the name of Errors", FunctionDeploy(alarms=("mine",))),
        ("hook PreTraffic: CloudFormation makes up the name of Check", FunctionDeploy(smoke=SMOKE)),
    ],
)
def test_what_is_open_is_refused_until_the_policy_says_it(unclear: str, answer: FunctionDeploy) -> None:
    told = Told(alias=None if unclear.startswith("alias") else "live", unclear=(unclear,))
    with pytest.raises(ConfigError, match="does not say for certain how Orders goes live") as caught:
        check_clear("Orders", told, FunctionDeploy())
    assert caught.value.exit_code is ExitCode.USAGE
    assert unclear in caught.value.what
    assert '[[deploy.function]] function = "Orders"' in caught.value.remedy
    check_clear("Orders", told, answer)


def test_without_an_alias_nobody_needs_to_know_how_one_moves() -> None:
    assert open_questions(Told(unclear=("alarms: x", "preference: y", "hook PreTraffic: z")), FunctionDeploy()) == ()


def test_a_group_that_nobody_can_name_is_no_question() -> None:
    """Then the alias is moved from here, as the preference says."""
    assert (
        open_questions(Told(alias="live", unclear=("CodeDeploy's group: CloudFormation makes up the name of Group",)), FunctionDeploy())
        == ()
    )


def test_a_hook_that_nobody_would_call_is_one() -> None:
    told = Told(alias="live", preference=Preference(before_hook="check-it"))
    assert open_questions(told, FunctionDeploy()) == (
        "hook check-it: CodeDeploy alone calls it, and the template does not name its application and group",
    )
    named = Told(alias="live", preference=Preference(before_hook="check-it", codedeploy=GROUP))
    for clear, policy in ((named, FunctionDeploy()), (told, FunctionDeploy(codedeploy=GROUP)), (told, FunctionDeploy(smoke=SMOKE))):
        assert open_questions(clear, policy) == ()


def test_what_is_certain_is_no_question() -> None:
    preference = Preference(strategy=Strategy(every=timedelta(minutes=1)), alarms=("a",))
    assert open_questions(Told(function_name="orders", alias="live", preference=preference), FunctionDeploy()) == ()
    assert open_questions(Told(), FunctionDeploy()) == ()
