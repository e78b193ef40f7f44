"""A release goes live in steps, and back by itself: the whole line of `deploy`, with a clock that passes when somebody sleeps."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipsafe.adapters.aws.session import Place
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.deploy import Deployed, DeployPlan, deployed, deploying, planned
from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene, only, wrong

CANARY = '[deploy]\nalias = "live"\nrollout = "canary"\npercent = 10\nevery = "5m"'


class KilledError(BaseException):
    """As `kill -9`: nothing of ours catches it."""


@dataclass
class Clock:
    """Real time, and what was slept on top of it; something may happen after a while."""

    slept: float = 0.0
    then: list[tuple[float, Callable[[], Any]]] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        due = [what for when, what in self.then if when <= self.slept]
        self.then = [one for one in self.then if one[0] > self.slept]
        for what in due:
            what()

    def monotonic(self) -> float:
        return time.monotonic() + self.slept


def run(scene: Scene, clock: Clock, **words: Any) -> tuple[DeployPlan, Deployed]:
    with deploying(
        scene.request(**words), scene.lines.append, connect=scene.connect, now=clock.now, clock=clock.monotonic, sleep=clock.sleep
    ) as case:
        plan = planned(case)
        assert plan.exit_code == 0, wrong(plan)
        return plan, deployed(case, plan, scene.lines.append)


def errors(scene: Scene, number: int, at: datetime) -> None:
    """As CloudWatch has counted calls of the alias."""
    dimensions = {"FunctionName": "Pay", "Resource": "Pay:live", "ExecutedVersion": "2"}
    said = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    data = [{"MetricName": name, "Dimensions": said, "Value": number, "Timestamp": at} for name in ("Invocations", "Errors")]
    scene.connect(Place()).client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=data)


def killed() -> None:
    raise KilledError


@pytest.fixture
def canary(scene: Scene) -> Scene:
    """A function behind an alias, and a policy that lets a new version have a tenth of its calls for five minutes."""
    scene.function()
    scene.add(CANARY)
    return scene


def test_a_canary_goes_live(canary: Scene) -> None:
    clock, seen = Clock(), list[Any]()
    clock.then = [(60, lambda: seen.append((canary.alias(), canary.tags())))]
    _, done = run(canary, clock)
    one = only(done)
    assert (one.ending, done.exit_code, [shift.percent for shift in one.shifts]) == (Ending.DEPLOYED, 0, [10, 100]), one
    [(during, tags)] = seen
    assert during == ("1", {"2": 0.1})
    assert (tags["shipsafe:before"], tags["shipsafe:step"]) == ("live=1", "shifting 2")
    assert canary.alias() == ("2", {})
    assert canary.tags()["shipsafe:step"] == "done 2"


def test_a_bad_one_goes_back_with_6(canary: Scene) -> None:
    clock = Clock()
    clock.then = [(60, lambda: errors(canary, 5, clock.now()))]
    _, done = run(canary, clock)
    one = only(done)
    assert (one.ending, done.exit_code, canary.alias()) == (Ending.ROLLED_BACK, ExitCode.ROLLED_BACK, ("1", {}))
    assert one.reason == "Version 2 of function Pay had 5 errors in 5 invocations."
    assert canary.tags()["shipsafe:step"] == "restored 2"


@pytest.mark.parametrize("bad", [False, True])
def test_one_that_was_killed_is_finished_or_taken_back_by_the_next(canary: Scene, *, bad: bool) -> None:
    """With the alias at a tenth. What the first run remembers is where the second one goes back to, and no version is made twice."""
    clock = Clock()
    clock.then = [(60, killed)]
    with pytest.raises(KilledError):
        run(canary, clock)
    assert canary.alias() == ("1", {"2": 0.1})

    if bad:  # while nobody watched
        errors(canary, 5, clock.now() - timedelta(seconds=30))
    plan, done = run(canary, clock)

    assert plan.changes
    one = only(done)
    if bad:
        assert (one.ending, done.exit_code, canary.alias()) == (Ending.ROLLED_BACK, ExitCode.ROLLED_BACK, ("1", {}))
    else:
        assert (one.ending, done.exit_code, canary.alias()) == (Ending.DEPLOYED, 0, ("2", {}))
    assert canary.versions() == ["1", "2"]


def test_one_that_is_killed_twice_still_knows_where_callers_went(canary: Scene) -> None:
    """The second run is killed before it moves anything."""
    clock = Clock()
    clock.then = [(60, killed)]
    with pytest.raises(KilledError):
        run(canary, clock)
    clock.then = [(clock.slept + 1, killed)]
    with pytest.raises(KilledError):
        run(canary, clock)
    clock.then = [(clock.slept + 60, lambda: errors(canary, 5, clock.now()))]
    _, done = run(canary, clock)
    assert (only(done).ending, canary.alias()) == (Ending.ROLLED_BACK, ("1", {}))


def test_tags_that_say_it_begins_tomorrow_blind_nobody(canary: Scene) -> None:
    """Calls count from when a killed run began; whoever may tag the function could say that this is still to come."""
    clock = Clock()
    clock.then = [(60, killed)]
    with pytest.raises(KilledError):
        run(canary, clock)
    tags, tomorrow = canary.tags(), clock.now() + timedelta(days=1)
    identity, _, deadline = tags["shipsafe:deploy"].split()
    arn = canary.lambda_.get_function_configuration(FunctionName="Pay")["FunctionArn"]
    canary.lambda_.tag_resource(Resource=arn, Tags={"shipsafe:deploy": f"{identity} {tomorrow:%Y-%m-%dT%H:%M:%SZ} {deadline}"})
    clock.then = [(clock.slept + 60, lambda: errors(canary, 5, clock.now()))]
    _, done = run(canary, clock)
    one = only(done)
    assert (one.ending, one.reason) == (Ending.ROLLED_BACK, "Version 2 of function Pay had 5 errors in 5 invocations.")
    assert canary.alias() == ("1", {})


def test_an_alarm_that_is_not_there_is_said_before_anything_changes(canary: Scene) -> None:
    canary.add('alarms = ["checkout-errors"]')
    with pytest.raises(ConfigError, match="There is no CloudWatch alarm 'checkout-errors'"):
        run(canary, Clock())
    assert canary.versions() == ["1"]
    assert not [name for name in canary.tags() if name.startswith("shipsafe:")]


def test_an_alarm_that_is_on_already_could_tell_nothing(canary: Scene) -> None:
    canary.add('alarms = ["checkout-errors"]')
    cloudwatch = canary.connect(Place()).client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="checkout-errors", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1,
                                MetricName="Errors", Namespace="AWS/Lambda", Period=60, Statistic="Sum", Threshold=1)  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="checkout-errors", StateValue="ALARM", StateReason="it burns")
    plan = canary.plan()
    assert plan.exit_code is ExitCode.INCOMPLETE
    [link] = [one for chain in plan.verification.chains for one in chain.links if one.id == "watch"]
    assert "in ALARM before anything has changed" in link.sentence
    assert "it burns" in link.remedy


def test_a_roll_out_that_proves_nothing_is_said_before_anything_changes(canary: Scene) -> None:
    """One that cannot end in time, one that nothing watches, and one without a way back."""
    text = canary.policy.read_text()
    canary.add('deadline = "5m"')
    with pytest.raises(ConfigError, match="is watched for 5 minutes, and its deadline is 5 minutes"):
        run(canary, Clock())
    canary.policy.write_text(text)
    canary.add('default-alarm = "off"')
    with pytest.raises(ConfigError, match="goes live in steps, and nothing watches them"):
        run(canary, Clock())
    canary.policy.write_text(text)
    canary.lambda_.update_alias(FunctionName="Pay", Name="live", FunctionVersion="$LATEST")
    plan = canary.plan()
    assert plan.exit_code is ExitCode.INCOMPLETE
    [link] = [one for chain in plan.verification.chains for one in chain.links if one.id == "watch"]
    assert "leads to $LATEST, which this deployment changes: there is no way back" in link.sentence
    assert "aws lambda publish-version --function-name Pay" in link.remedy
    assert canary.versions() == ["1"]
