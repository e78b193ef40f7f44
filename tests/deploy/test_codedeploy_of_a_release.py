"""A release whose alias CodeDeploy moves, from the plan to the record; and what an interrupted one leaves to whoever comes next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from shipsafe.flows.rollback_case import RollbackRequest, planned_rollback, rolled_back, rolling_back
from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene, only
from tests.local_endpoint import client

FIVE = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
POLICY = """
[deploy]
alias = "live"
[[deploy.function]]
function = "Pay"
codedeploy-application = "shop"
codedeploy-group = "pay"
"""


@pytest.fixture
def grouped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A function and its deployment group; the endpoint's time passes while we sleep."""
    scene.function()
    scene.add(POLICY)
    codedeploy = client("codedeploy")
    codedeploy.create_application(applicationName="shop", computePlatform="Lambda")
    codedeploy.create_deployment_group(applicationName="shop", deploymentGroupName="pay", deploymentConfigName=FIVE,
                                       serviceRoleArn="arn:aws:iam::123456789012:role/deploys")  # fmt: skip
    monkeypatch.setattr(scene, "sleep", partial(passing, scene))
    return scene


def passing(scene: Scene, seconds: float) -> None:
    scene.endpoint.advance(timedelta(seconds=seconds))


def deployments() -> list[dict[str, Any]]:
    told = client("codedeploy")
    ids = told.list_deployments(applicationName="shop", deploymentGroupName="pay")["deployments"]
    return [told.get_deployment(deploymentId=one)["deploymentInfo"] for one in ids]


def test_a_release_goes_live_by_codedeploy(grouped: Scene) -> None:
    """The plan says so, and made again it is empty."""
    (place,) = grouped.plan().places
    (step,) = [step for step in place.functions[0].steps if step.api.startswith("codedeploy:")]
    assert (step.parameters["applicationName"], step.parameters["deploymentGroupName"]) == ("shop", "pay")
    done = grouped.deploy()
    one = only(done)
    assert (one.ending, one.version, one.before, done.exit_code) == (Ending.DEPLOYED, "2", "1", 0), one
    assert ([shift.percent for shift in one.shifts], one.strategy.percent) == ([10, 100], 10)
    assert grouped.alias("Pay") == ("2", {})
    assert [one["status"] for one in deployments()] == ["Succeeded"]
    assert not grouped.plan().changes


def test_who_comes_after_a_kill_goes_on_with_what_codedeploy_does(grouped: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody begins a second one; and --rollback stops the first before it takes the alias back."""

    def kill(seconds: float) -> None:
        if deployments():
            raise KeyboardInterrupt  # as if the process were gone: nothing is taken back
        passing(grouped, seconds)

    monkeypatch.setattr(grouped, "sleep", kill)
    with pytest.raises(KeyboardInterrupt):
        grouped.deploy()
    assert grouped.alias("Pay") == ("1", {"2": 0.1})
    request = RollbackRequest(function="Pay:live", release=grouped.desk.dist, policy=grouped.policy, offline=True,
                              local_root=grouped.endpoint.fingerprint)  # fmt: skip
    sleep = partial(passing, grouped)
    with rolling_back(request, grouped.lines.append, connect=grouped.connect, now=lambda: datetime.now(UTC), sleep=sleep) as case:
        done = rolled_back(case, planned_rollback(case))
    assert grouped.alias("Pay") == ("1", {}), done
    assert "Stopped" in [one["status"] for one in deployments()]
    monkeypatch.setattr(grouped, "sleep", sleep)
    again = grouped.deploy()
    assert (only(again).ending, again.exit_code) == (Ending.DEPLOYED, 0), only(again)
    assert replace(only(again), shifts=()).version == "2", "no version is made twice"
