"""Roll-outs: the calls move step by step, watched all the while, and a bad release goes back by itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy.alarms import Seen, look
from shipsafe.deploy.marks import Before, Phase
from shipsafe.deploy.rollout import check_time, roll_out
from shipsafe.deploy.shifting import Shifting, unbroken
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.pki import LocalRoot
from shipsafe.model.deployment import Ending, Rollout, Strategy
from tests.deploy.stage import ALIAS, CANARY, Stage, make_stage, opened_stage

LINEAR = Strategy(rollout=Rollout.LINEAR, percent=40, every=timedelta(minutes=1))


@pytest.fixture(scope="module")
def opened(local_root: LocalRoot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, Aws]]:
    with opened_stage(local_root, tmp_path_factory.mktemp("rollout")) as both:
        yield both


@pytest.fixture
def stage(opened: tuple[Endpoint, Aws]) -> Stage:
    return make_stage(*opened)


def test_a_canary_is_watched_and_then_gets_all(stage: Stage) -> None:
    """Ten percent, five minutes, all; the marks say how far it is."""
    seen = []
    stage.then = [(timedelta(minutes=4), lambda: seen.append((stage.alias(), stage.remembered())))]
    stage.calls(20)

    out = roll_out(stage.shifting(), stage.hands)

    assert out.ending is Ending.DEPLOYED
    assert [(shift.percent, (shift.at - stage.began).total_seconds()) for shift in out.shifts] == [(10, 0), (100, 300)]
    assert stage.alias() == ("2", {})
    [(during, remembered)] = seen
    assert during == ("1", {"2": 0.1})
    assert remembered is not None
    assert (remembered.phase, remembered.version, str(remembered.before)) == (Phase.SHIFTING, "2", "live=1")
    assert out.notes == ()


def test_a_canary_that_nobody_called_says_so(stage: Stage) -> None:
    out = roll_out(stage.shifting(), stage.hands)
    assert out.ending is Ending.DEPLOYED
    assert "counted no call of version 2" in out.notes[0]


def test_linear_steps_are_each_watched(stage: Stage) -> None:
    out = roll_out(stage.shifting(LINEAR), stage.hands)
    assert [(shift.percent, (shift.at - stage.began).total_seconds()) for shift in out.shifts] == [(40, 0), (80, 60), (100, 120)]


def test_a_new_alias_gets_all_at_once(stage: Stage) -> None:
    out = roll_out(stage.shifting(before=Before(alias="blue")), stage.hands)
    assert [shift.percent for shift in out.shifts] == [100]
    assert stage.alias("blue") == ("2", {})
    assert out.notes == ()  # nobody has watched it


def test_errors_of_the_new_version_take_it_back(stage: Stage) -> None:
    """Five errors and more than a percent of its calls: the default, without any alarm."""
    stage.then = [(timedelta(minutes=2), lambda: stage.calls(5, errors=5))]

    out = roll_out(stage.shifting(), stage.hands)

    assert out.ending is Ending.ROLLED_BACK
    assert out.reason == "Version 2 of function orders had 5 errors in 5 invocations."
    assert stage.alias() == ("1", {})
    assert [shift.percent for shift in out.shifts] == [10, 0]
    told = stage.remembered()
    assert told is not None
    assert told.phase is Phase.RESTORED
    assert told == out.marks


def test_errors_of_the_old_version_and_few_errors_do_not(stage: Stage) -> None:
    stage.then = [
        (timedelta(minutes=1), lambda: stage.calls(9, "1", errors=9)),
        (timedelta(minutes=2), lambda: stage.calls(4, errors=4)),
    ]
    assert roll_out(stage.shifting(), stage.hands).ending is Ending.DEPLOYED


def test_one_throttle_takes_it_back(stage: Stage) -> None:
    stage.then = [(timedelta(minutes=1), lambda: stage.calls(900, throttles=1))]
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, out.reason) == (Ending.ROLLED_BACK, "Version 2 of function orders had 1 throttle.")


def test_errors_of_the_last_step_take_it_back_too(stage: Stage) -> None:
    """There is a look after all calls were moved. These errors were counted by the endpoint's Lambda."""
    stage.invoke(5, error="Unhandled")
    out = roll_out(stage.shifting(Strategy()), stage.hands)
    assert out.ending is Ending.ROLLED_BACK
    assert [shift.percent for shift in out.shifts] == [100, 0]
    assert stage.alias() == ("1", {})


def test_an_alarm_of_the_policy_takes_it_back(stage: Stage) -> None:
    stage.alarm()
    stage.then = [(timedelta(minutes=3), lambda: stage.alarm(state="ALARM"))]
    out = roll_out(stage.shifting(alarms=("checkout-errors",), default_alarm=None), stage.hands)
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert out.reason == "CloudWatch alarm checkout-errors is in ALARM: 5 datapoints were too high."


def test_an_alarm_that_is_deleted_meanwhile_takes_it_back(stage: Stage) -> None:
    """Nobody watches any more: that is no silence."""
    stage.alarm()
    stage.then = [(timedelta(minutes=3), lambda: stage.aws.client("cloudwatch").delete_alarms(AlarmNames=["checkout-errors"]))]
    out = roll_out(stage.shifting(alarms=("checkout-errors",)), stage.hands)
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert "There is no CloudWatch alarm 'checkout-errors'" in out.reason


def test_an_interrupt_takes_it_back(stage: Stage) -> None:
    stage.then = [(timedelta(minutes=1), lambda: setattr(stage, "signal", "SIGTERM"))]
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, out.reason) == (Ending.ROLLED_BACK, "It was interrupted (SIGTERM).")
    assert stage.alias() == ("1", {})
    assert (stage.time - stage.began) < timedelta(seconds=63)


def test_a_fault_of_ours_takes_it_back_and_is_raised(stage: Stage) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    stage.then = [(timedelta(minutes=1), fail)]
    with pytest.raises(ZeroDivisionError):
        roll_out(stage.shifting(), stage.hands)
    assert stage.alias() == ("1", {})
    told = stage.remembered()
    assert told is not None
    assert told.phase is Phase.RESTORED


def test_a_terminal_that_is_closed_keeps_nothing_from_going_back(stage: Stage) -> None:
    def say(_line: str) -> None:
        raise BrokenPipeError

    stage.then = [(timedelta(minutes=1), lambda: setattr(stage, "signal", "SIGHUP"))]
    out = roll_out(stage.shifting(), replace(stage.hands, say=unbroken(say)))
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))


def test_who_cannot_watch_for_a_while_waits(stage: Stage) -> None:
    """The calls stay where they are while CloudWatch does not answer."""
    stage.then = [
        (timedelta(minutes=2), lambda: stage.fault("GetMetricData", service="monitoring", times=0)),
        (timedelta(minutes=9), stage.endpoint.faults.clear),
    ]
    out = roll_out(stage.shifting(), stage.hands)
    assert out.ending is Ending.DEPLOYED
    assert (out.shifts[-1].at - stage.began) >= timedelta(minutes=9)
    assert sum("nobody can watch" in line for line in stage.lines) == 1


def test_who_was_held_up_looks_at_what_came_meanwhile(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that sleeps, or is stopped, right after a look: the calls go no further before there was one at the end."""

    def held_up(to: Shifting, now: datetime) -> Seen:
        seen = look(to, now)
        if now == stage.began:
            stage.sleep(600)
            stage.calls(5, errors=5)
        return seen

    monkeypatch.setattr("shipsafe.deploy.watch.look", held_up)
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, [shift.percent for shift in out.shifts]) == (Ending.ROLLED_BACK, [10, 0])


def test_who_cannot_watch_until_the_deadline_goes_back(stage: Stage) -> None:
    stage.then = [(timedelta(minutes=2), lambda: stage.fault("GetMetricData", service="monitoring", times=0))]
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert "did not end before its deadline" in out.reason
    assert "nobody could watch it since" in out.reason


def test_who_may_not_watch_goes_back_at_once(stage: Stage) -> None:
    stage.then = [
        (timedelta(minutes=2), lambda: stage.fault("GetMetricData", service="monitoring", code="AccessDenied", status=403, times=0))
    ]
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert (stage.time - stage.began) < timedelta(minutes=3)


def test_a_connection_that_is_lost_for_good_ends_with_the_command(stage: Stage) -> None:
    """Neither watched nor taken back: 6, and what to run as soon as AWS answers again. It was tried until the deadline."""
    stage.then = [(timedelta(minutes=2), lambda: stage.fault("*", service="*", kind="reset", times=0))]
    out = roll_out(stage.shifting(), stage.hands)
    assert out.ending is Ending.UNFINISHED
    assert out.error is not None
    assert out.error.exit_code is ExitCode.ROLLED_BACK
    assert out.error.remedy.endswith(f"shipsafe deploy --rollback arn:aws:lambda:eu-west-1:123456789012:function:orders:{ALIAS}")
    assert out.reason.endswith(out.error.remedy)
    assert (stage.time - stage.began) >= timedelta(minutes=30)
    stage.endpoint.faults.clear()
    told = stage.remembered()
    assert told is not None
    assert told.phase is Phase.SHIFTING


@pytest.mark.parametrize("kind", ["error", "reset"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["UpdateAlias", "GetAlias", "TagResource"])
def test_a_fault_on_the_way_changes_nothing(stage: Stage, operation: str, when: str, kind: str) -> None:
    """Also when the change was made and the answer was lost: it is never made twice."""
    to = stage.shifting()
    stage.fault(operation, when=when, kind=kind)
    out = roll_out(to, stage.hands)
    assert (out.ending, stage.alias()) == (Ending.DEPLOYED, ("2", {}))
    assert stage.asked("UpdateAlias") == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fault_on_the_way_back_changes_nothing(stage: Stage, when: str) -> None:
    stage.fault("UpdateAlias", when=when, kind="reset", skip=1)
    stage.then = [(timedelta(minutes=1), lambda: setattr(stage, "signal", "SIGINT"))]
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert stage.asked("UpdateAlias") == 2


def test_a_right_that_is_missing_leaves_the_alias_where_it_was(stage: Stage) -> None:
    stage.fault("UpdateAlias", code="AccessDeniedException", status=403, times=0)
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))
    assert "AccessDenied" in out.reason


def test_an_alias_that_somebody_else_moves_is_theirs(stage: Stage) -> None:
    """Neither the next step nor the way back overwrites it."""
    third = stage.publish("3")
    stage.then = [(timedelta(minutes=1), lambda: stage.move(third))]
    out = roll_out(stage.shifting(), stage.hands)
    assert stage.alias() == (third, {})
    assert out.ending is Ending.UNFINISHED
    assert out.error is not None
    assert out.error.exit_code is ExitCode.INCOMPLETE
    assert "Somebody else has moved alias live" in out.error.what
    told = stage.remembered()
    assert told is not None
    assert told.phase is Phase.LEFT


def test_one_that_is_moved_and_then_alarms_is_theirs_too(stage: Stage) -> None:
    third = stage.publish("3")
    stage.then = [(timedelta(minutes=1), lambda: stage.calls(5, errors=5)), (timedelta(minutes=1), lambda: stage.move(third))]
    out = roll_out(stage.shifting(), stage.hands)
    assert stage.alias() == (third, {})
    assert out.ending is Ending.UNFINISHED


def test_a_new_revision_of_the_same_alias_does_not_keep_a_bad_release(stage: Stage) -> None:
    """Somebody edits the alias's description while the canary runs bad: it goes back all the same."""

    def edit() -> None:
        stage.lambda_.update_alias(FunctionName="orders", Name=ALIAS, Description="do not touch")
        stage.signal = "SIGINT"

    stage.then = [(timedelta(minutes=1), edit)]
    out = roll_out(stage.shifting(), stage.hands)
    assert (out.ending, stage.alias()) == (Ending.ROLLED_BACK, ("1", {}))


def test_one_that_was_left_half_way_goes_on_there(stage: Stage) -> None:
    """The process was killed at 40 %: the next one goes on from 40 %, and watches it again."""
    to = stage.shifting(LINEAR)
    stage.move("1", {"2": 0.4})
    out = roll_out(to, stage.hands)
    assert [(shift.percent, (shift.at - stage.began).total_seconds()) for shift in out.shifts] == [(40, 0), (80, 60), (100, 120)]
    assert stage.asked("UpdateAlias") == 3


def test_one_that_was_left_under_another_strategy_goes_on_from_there(stage: Stage) -> None:
    """Or by hand, at a share that no strategy has: it never gets less before it gets more."""
    to = stage.shifting(LINEAR)
    stage.move("1", {"2": 0.55})
    out = roll_out(to, stage.hands)
    assert (out.ending, [shift.percent for shift in out.shifts], stage.alias()) == (Ending.DEPLOYED, [80, 100], ("2", {}))


def test_an_alias_that_leads_there_already_loses_its_other_version(stage: Stage) -> None:
    stage.move("2", {"1": 0.5})
    before = Before(alias=ALIAS, version="2", weights={"1": 0.5})
    assert roll_out(stage.shifting(before=before), stage.hands).ending is Ending.DEPLOYED
    assert stage.alias() == ("2", {})


def test_one_that_was_through_already_changes_nothing(stage: Stage) -> None:
    to = stage.shifting()
    stage.move("2")
    out = roll_out(to, stage.hands)
    assert (out.ending, [shift.percent for shift in out.shifts]) == (Ending.DEPLOYED, [100])
    assert stage.asked("UpdateAlias") == 1


def test_the_weights_of_before_come_back(stage: Stage) -> None:
    """Somebody had a canary of their own."""
    third = stage.publish("3")
    stage.move("1", {"2": 0.125})
    before = Before(alias=ALIAS, version="1", weights={"2": 0.125})
    stage.then = [(timedelta(minutes=1), lambda: setattr(stage, "signal", "SIGINT"))]
    assert roll_out(stage.shifting(version=third, before=before), stage.hands).ending is Ending.ROLLED_BACK
    assert stage.alias() == ("1", {"2": 0.125})


def test_a_new_alias_is_removed_again(stage: Stage) -> None:
    stage.calls(1)
    to = replace(stage.shifting(before=Before(alias="blue")), alarms=("not-there",))
    assert roll_out(to, stage.hands).ending is Ending.ROLLED_BACK
    assert [one["Name"] for one in stage.lambda_.list_aliases(FunctionName="orders")["Aliases"]] == [ALIAS]


def test_a_roll_out_that_cannot_end_in_time_is_refused() -> None:
    check_time(CANARY, timedelta(minutes=30))
    with pytest.raises(ConfigError, match="watched for 5 minutes, and its deadline is 5 minutes"):
        check_time(CANARY, timedelta(minutes=5))
