"""What goes wrong on the way: callers reach what they reached, the exit code is 6, and the next run ends what was begun."""

import json
from typing import Any

import pytest

from shipsafe.deploy import apply
from shipsafe.deploy import latest as latest_steps
from shipsafe.deploy.marks import Phase
from shipsafe.errors import ConfigError
from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene, only
from tests.local_endpoint import ACCOUNT, REGION

LIVE = '[deploy]\nalias = "live"'
SMOKE = '[[deploy.function]]\nfunction = "Pay"\nsmoke-payload = "smoke.json"\nsmoke-expect = "answer.json"'


def smoke(scene: Scene, *, answer: Any, expect: Any = None) -> None:
    """A function under a smoke test that answers so."""
    (scene.desk.project / "smoke.json").write_text('{"order": 1}')
    (scene.desk.project / "answer.json").write_text(json.dumps({"ok": True} if expect is None else expect))
    scene.endpoint.functions.set_answer(ACCOUNT, REGION, "Pay", payload=json.dumps(answer).encode())


def latest(scene: Scene) -> str:
    return str(scene.lambda_.get_function_configuration(FunctionName="Pay")["CodeSha256"])


def test_a_smoke_test_that_is_answered_as_expected_lets_it_through(scene: Scene) -> None:
    """Members that are not expected may be anything; the new version alone was invoked, once."""
    scene.function()
    scene.add(f"{LIVE}\n{SMOKE}")
    smoke(scene, answer={"ok": True, "at": 7})
    assert only(scene.deploy()).ending is Ending.DEPLOYED
    assert [one["qualifier"] for one in scene.endpoint.functions.invocations()] == ["2"]


@pytest.mark.parametrize(("answer", "why"), [({"ok": False}, "['ok'] is not the one"), ({}, "has no 'ok'"), (7, "is not the one")])
def test_a_smoke_test_that_fails_keeps_the_alias_where_it_is(scene: Scene, answer: Any, why: str) -> None:
    scene.function()
    scene.add(f"{LIVE}\n{SMOKE}")
    smoke(scene, answer=answer)
    done = scene.deploy()
    one = only(done)
    assert (one.ending, done.exit_code, scene.alias()) == (Ending.ROLLED_BACK, 6, ("1", {}))
    assert why in one.reason
    assert scene.tags()["shipsafe:step"] == "restored 2"


def test_a_missing_file_of_a_smoke_test_is_said_before_anything(scene: Scene) -> None:
    scene.function()
    scene.add(f"{LIVE}\n{SMOKE}")
    with pytest.raises(ConfigError, match=r"smoke\.json"):
        scene.plan()


def test_without_an_alias_latest_gets_back_the_code_that_it_had(scene: Scene) -> None:
    """Where evidence says which signed object that was."""
    older = scene.older
    scene.function(alias="", code=older, Runtime="python3.12")
    scene.remember(older)
    before = latest(scene)
    scene.add(SMOKE)
    smoke(scene, answer={"ok": False})
    done = scene.deploy()
    assert (only(done).ending, done.exit_code) == (Ending.ROLLED_BACK, 6), only(done)
    told = scene.lambda_.get_function_configuration(FunctionName="Pay")
    assert (told["CodeSha256"], told["Runtime"]) == (before, "python3.12")
    assert scene.versions() == ["1", "2"], "what was tried is there, and nobody calls it"


def test_without_an_alias_and_without_evidence_nobody_can_go_back(scene: Scene) -> None:
    """It is said, with what to run."""
    scene.function(alias="")
    scene.add(SMOKE)
    smoke(scene, answer={"ok": False})
    done = scene.deploy()
    assert (only(done).ending, done.exit_code) == (Ending.UNFINISHED, 6)
    assert "Run: shipsafe deploy" in only(done).reason


def test_an_interrupt_takes_back_what_was_begun_and_the_next_run_ends_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.function()
    scene.add(LIVE)
    publish = latest_steps.published

    def interrupted(*words: Any) -> str:
        scene.interrupt()
        return publish(*words)

    monkeypatch.setattr(apply, "published", interrupted)
    done = scene.deploy()
    assert (only(done).ending, done.exit_code, scene.alias()) == (Ending.ROLLED_BACK, 6, ("1", {}))
    assert "interrupted" in only(done).reason
    monkeypatch.setattr(apply, "published", publish)
    again = scene.deploy()
    assert (only(again).ending, only(again).version, scene.versions()) == (Ending.DEPLOYED, "2", ["1", "2"])


def test_a_change_in_the_console_after_the_plan_is_never_overwritten(scene: Scene) -> None:
    """With the story of RevisionId; and nothing is left of the marks."""
    scene.function()
    scene.add(LIVE)
    done = scene.deploy(between=lambda: scene.lambda_.update_function_configuration(FunctionName="Pay", MemorySize=1024))
    one = only(done)
    assert (one.ending, done.exit_code) == (Ending.REFUSED, 4)
    assert "RevisionId" in one.reason
    assert "shipsafe:deploy" not in scene.tags()
    assert (scene.alias(), scene.lambda_.get_function_configuration(FunctionName="Pay")["MemorySize"]) == (("1", {}), 1024)
    assert scene.deploy().exit_code == 0


def test_what_a_dead_run_has_left_is_ended_by_the_next(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is gone after the code, before the version: one version is made, and marks are settled."""
    scene.function()
    scene.add(LIVE)

    def die(*_words: object) -> str:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(apply, "published", die)
        with pytest.raises(Died):
            scene.deploy()
    assert scene.tags()["shipsafe:step"] == str(Phase.CODE)
    plan = scene.plan()
    assert "was not ended" in plan.places[0].functions[0].steps[0].why
    assert only(scene.deploy()).ending is Ending.DEPLOYED
    assert (scene.alias(), scene.versions(), scene.tags()["shipsafe:step"]) == (("2", {}), ["1", "2"], "done 2")


class Died(BaseException):
    """As a process that is killed."""


def test_of_two_deployments_at_once_the_first_wins_and_the_other_says_so(scene: Scene) -> None:
    """Both were planned on the same function, from two folders; the second one leaves the first one's marks alone."""
    scene.function()
    scene.add(LIVE)
    twin = scene.twin()
    late = scene.deploy(between=twin.deploy)
    one = only(late)
    assert (one.ending, late.exit_code) == (Ending.REFUSED, 4)
    assert "has begun since this one was planned" in one.reason
    assert (scene.alias(), scene.versions(), scene.tags()["shipsafe:step"]) == (("2", {}), ["1", "2"], "done 2")
