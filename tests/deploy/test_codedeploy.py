"""CodeDeploy moves the alias: watched from here, stopped and taken back when something is wrong, and begun once, whatever is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from shipsafe.adapters.aws.codedeploy import AppSpec
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy.codedeploy import ByCodeDeploy, config_of, halt, prepared, roll_out
from shipsafe.deploy.marks import Before, Phase
from shipsafe.deploy.shifting import Hands, RolledOut, Shifting
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.pki import LocalRoot
from shipsafe.model.deployment import CodeDeployGroup, Ending, FunctionDeploy, Rollout, Strategy
from tests.deploy.stage import ALIAS, CANARY, NAME, Stage, hasty, make_stage, opened_stage

GROUP = CodeDeployGroup(application="shop", group="orders")
FIVE = "CodeDeployDefault.LambdaCanary10Percent5Minutes"


@dataclass
class Course:
    """A stage, and a deployment group beside it."""

    stage: Stage

    @property
    def hands(self) -> Hands:
        return self.stage.hands

    @property
    def client(self) -> Any:
        return self.stage.aws.client("codedeploy")

    def go(self, to: Shifting | None = None, **by: Any) -> RolledOut:
        return roll_out(to or self.stage.shifting(), self.hands, by=ByCodeDeploy(group=GROUP, **by))

    def begun(self) -> list[str]:
        found: list[str] = self.client.list_deployments(applicationName="shop", deploymentGroupName="orders")["deployments"]
        return found

    def percents(self, out: RolledOut) -> list[int]:
        return [shift.percent for shift in out.shifts]


@pytest.fixture(scope="module")
def opened(local_root: LocalRoot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, Aws]]:
    with opened_stage(local_root, tmp_path_factory.mktemp("codedeploy")) as (endpoint, aws):
        yield endpoint, hasty(aws, ("lambda", "cloudwatch", "codedeploy"))


@pytest.fixture
def course(opened: tuple[Endpoint, Aws]) -> Course:
    course = Course(make_stage(*opened))
    course.client.create_application(applicationName="shop", computePlatform="Lambda")
    course.client.create_deployment_group(
        applicationName="shop", deploymentGroupName="orders", serviceRoleArn="arn:aws:iam::123456789012:role/deploys",
        deploymentConfigName=FIVE, alarmConfiguration={"enabled": True, "alarms": [{"name": "too-slow"}]},
    )  # fmt: skip
    course.stage.alarm("too-slow")
    return course


def test_codedeploy_moves_the_alias_and_is_watched(course: Course) -> None:
    out = course.go()
    assert out.ending is Ending.DEPLOYED, out
    assert course.stage.alias() == ("2", {})
    assert course.percents(out) == [10, 100]
    assert (out.shifts[1].at - out.shifts[0].at) >= timedelta(minutes=5)
    told = course.stage.remembered()
    assert told is not None
    assert (told.phase, told.version) == (Phase.SHIFTING, "2")
    assert not any("updatealias" in name.lower() for name in course.stage.lines)


def test_the_policy_may_choose_the_configuration(course: Course) -> None:
    out = course.go(config="CodeDeployDefault.LambdaAllAtOnce")
    assert (out.ending, course.percents(out)) == (Ending.DEPLOYED, [100])


def test_an_alarm_of_the_group_or_the_policy_stops_it_and_the_alias_goes_back(course: Course) -> None:
    course.stage.alarm()
    course.stage.then = [(timedelta(minutes=2), lambda: course.stage.alarm(state="ALARM"))]
    out = course.go(course.stage.shifting(alarms=("checkout-errors",)), alarms=("too-slow",))
    assert (out.ending, course.stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert "checkout-errors" in out.reason
    told = course.stage.remembered()
    assert told is not None
    assert told.phase is Phase.RESTORED


def test_errors_of_the_new_version_stop_it_although_codedeploy_looks_at_alarms_alone(course: Course) -> None:
    course.stage.then = [(timedelta(minutes=2), lambda: course.stage.calls(50, errors=9))]
    out = course.go()
    assert (out.ending, course.stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert "9 errors in 50 invocations" in out.reason
    info = course.client.get_deployment(deploymentId=course.begun()[-1])["deploymentInfo"]
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_an_interrupt_stops_it(course: Course, signal: str) -> None:
    course.stage.then = [(timedelta(minutes=1), lambda: setattr(course.stage, "signal", signal))]
    out = course.go()
    assert (out.ending, course.stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert out.reason == f"It was interrupted ({signal})."


def test_a_deployment_that_is_stopped_in_the_console_is_taken_back(course: Course) -> None:
    def stopped() -> None:
        course.client.stop_deployment(deploymentId=course.begun()[0], autoRollbackEnabled=False)

    course.stage.then = [(timedelta(minutes=1), stopped)]
    out = course.go()
    assert (out.ending, course.stage.alias()) == (Ending.ROLLED_BACK, ("1", {})), "what CodeDeploy left is taken back by us"
    assert "Stopped, MANUAL_STOP" in out.reason


@pytest.mark.parametrize(("kind", "when"), [("error", "before"), ("error", "after"), ("reset", "after")])
@pytest.mark.parametrize("operation", ["CreateDeployment", "GetDeployment", "ListDeployments"])
def test_a_lost_answer_begins_no_second_deployment(course: Course, operation: str, kind: str, when: str) -> None:
    course.stage.fault(operation, service="codedeploy", kind=kind, when=when, times=1)
    out = course.go()
    assert out.ending is Ending.DEPLOYED, out
    assert len(course.begun()) == 1


def test_a_lost_answer_of_one_all_at_once_is_found_by_the_alias(course: Course) -> None:
    """The deployment is over before anybody could ask the group for it."""
    course.stage.fault("CreateDeployment", service="codedeploy", kind="reset", when="after", times=1)
    out = course.go(config="CodeDeployDefault.LambdaAllAtOnce")
    assert (out.ending, course.stage.alias(), len(course.begun())) == (Ending.DEPLOYED, ("2", {}), 1)


def test_a_lost_answer_of_the_stop_does_not_leave_it_running(course: Course) -> None:
    course.stage.fault("StopDeployment", service="codedeploy", kind="reset", when="after", times=1)
    course.stage.then = [(timedelta(minutes=1), lambda: setattr(course.stage, "signal", "SIGINT"))]
    out = course.go()
    assert (out.ending, course.stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))


def test_one_that_cannot_be_stopped_is_never_told_as_taken_back(course: Course) -> None:
    """It would move the alias again."""
    course.stage.fault("StopDeployment", service="codedeploy", code="AccessDeniedException", status=403, times=0)
    course.stage.then = [(timedelta(minutes=1), lambda: setattr(course.stage, "signal", "SIGINT"))]
    out = course.go()
    assert out.ending is Ending.UNFINISHED
    assert out.error is not None
    assert out.error.exit_code is ExitCode.ROLLED_BACK
    assert f"aws deploy stop-deployment --deployment-id {course.begun()[0]} --auto-rollback-enabled" in out.error.remedy
    assert "shipsafe deploy --rollback" in out.error.remedy


def test_the_next_run_goes_on_with_what_is_running(course: Course) -> None:
    spec = AppSpec(function=NAME, alias=ALIAS, current="1", target="2")
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": str(spec)}}
    course.client.create_deployment(applicationName="shop", deploymentGroupName="orders", revision=revision)
    course.stage.alias()
    out = course.go()
    assert (out.ending, len(course.begun())) == (Ending.DEPLOYED, 1)


def test_a_run_after_the_end_begins_nothing(course: Course) -> None:
    to = course.stage.shifting()
    assert course.go(to).ending is Ending.DEPLOYED
    assert (course.go(to).ending, len(course.begun())) == (Ending.DEPLOYED, 1)


def test_a_group_that_is_busy_with_something_else_is_left_alone(course: Course) -> None:
    course.stage.publish("3")
    spec = AppSpec(function=NAME, alias=ALIAS, current="1", target="3")
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": str(spec)}}
    course.client.create_deployment(applicationName="shop", deploymentGroupName="orders", revision=revision)
    out = course.go()
    assert out.ending is not Ending.DEPLOYED
    assert "is busy with deployment" in out.reason
    assert course.stage.alias() == ("1", {"3": 0.1}), "what they do goes on"


def test_an_alias_that_splits_its_calls_already_is_not_begun_with(course: Course) -> None:
    course.stage.publish("3")
    course.stage.move("1", {"3": 0.5})
    out = course.go(course.stage.shifting(before=Before(alias=ALIAS, version="1", weights={"3": 0.5})))
    assert (out.ending, course.begun(), course.stage.alias()) == (Ending.ROLLED_BACK, [], ("1", {"3": 0.5}))
    assert "splits its calls already" in out.reason


def test_a_right_that_is_missing_changes_nothing(course: Course) -> None:
    course.stage.fault("CreateDeployment", service="codedeploy", code="AccessDeniedException", status=403, times=0)
    out = course.go()
    assert (out.ending, course.stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert "AccessDenied" in out.reason


def test_a_fault_of_ours_leaves_nothing_on_its_way(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("shipsafe.deploy.codedeploy.look", broken)
    with pytest.raises(ZeroDivisionError):
        course.go()
    assert course.stage.alias() == ("1", {})
    assert course.client.get_deployment(deploymentId=course.begun()[-1])["deploymentInfo"]["status"] == "Stopped"


def test_a_new_alias_is_created_by_us(course: Course) -> None:
    out = course.go(course.stage.shifting(before=Before(alias="blue")))
    assert (out.ending, course.stage.alias("blue"), course.begun()) == (Ending.DEPLOYED, ("2", {}), [])


def test_halt_stops_what_moves_this_alias_and_nothing_else(course: Course) -> None:
    to = course.stage.shifting()
    for group in (GROUP, replace(GROUP, group="no"), replace(GROUP, application="no")):
        halt(to, course.hands, group)
    spec = AppSpec(function=NAME, alias=ALIAS, current="1", target="2")
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": str(spec)}}
    begun = course.client.create_deployment(applicationName="shop", deploymentGroupName="orders", revision=revision)["deploymentId"]
    assert course.stage.alias() == ("1", {"2": 0.1})
    halt(to, course.hands, GROUP)
    assert course.client.get_deployment(deploymentId=begun)["deploymentInfo"]["status"] == "Stopped"
    assert course.stage.alias() == ("1", {})


def test_the_group_is_looked_at_before_anything_changes(course: Course) -> None:
    look = partial(prepared, course.stage.aws)
    by, strategy = look(FunctionDeploy(codedeploy=GROUP), before_hook="check-it")
    assert (by.alarms, by.config, by.before_hook, strategy) == (("too-slow",), None, "check-it", CANARY)
    by, strategy = look(FunctionDeploy(codedeploy=GROUP, strategy=Strategy(), strategy_stated=True))
    assert (by.config, strategy) == ("CodeDeployDefault.LambdaAllAtOnce", Strategy())
    for wrong in (replace(GROUP, group="no"), replace(GROUP, application="no")):
        with pytest.raises(ConfigError, match="cannot move an alias: there is none") as caught:
            look(FunctionDeploy(codedeploy=wrong))
        assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("strategy", "name"),
    [
        (Strategy(percent=20), "CodeDeployDefault.LambdaAllAtOnce"),
        (CANARY, FIVE),
        (Strategy(rollout=Rollout.LINEAR, every=timedelta(minutes=1)), "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"),
        (Strategy(rollout=Rollout.LINEAR, every=timedelta(minutes=2)), "CodeDeployDefault.LambdaLinear10PercentEvery2Minutes"),
        (Strategy(rollout=Rollout.LINEAR, every=timedelta(seconds=90)), None),
        (Strategy(rollout=Rollout.CANARY, percent=20), None),
    ],
)
def test_what_the_policy_says_is_a_configuration_of_awss_or_refused(strategy: Strategy, name: str | None) -> None:
    how = FunctionDeploy(strategy=strategy, strategy_stated=True)
    if name is None:
        with pytest.raises(ConfigError, match="no deployment configuration"):
            config_of(how)
    else:
        assert config_of(how) == name
    assert config_of(replace(how, strategy_stated=False)) is None


def test_an_appspec_is_read_back_and_a_strangers_is_none() -> None:
    spec = AppSpec(function="orders", alias="live", current="1", target="2", before_hook="check")
    assert AppSpec.of(str(spec)) == replace(spec, before_hook=None)
    assert '"Hooks": [{"BeforeAllowTraffic": "check"}]' in str(spec)
    for text in ("", "[]", "version: 0.0", '{"Resources": [{"a": 1}]}', '{"Resources": []}', "[" * 100_000):
        assert AppSpec.of(text) is None
