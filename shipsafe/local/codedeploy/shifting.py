"""How a deployment goes on: each shift when its time has come, the alarms looked at before it, and the way back.

Nothing runs between two calls. Whoever asks Lambda, CloudWatch or CodeDeploy first lets the deployments go on that are due.
"""

from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.codedeploy.state import Deployment, Place
from shipsafe.local.codedeploy.world import World

ACTIVE = ("Created", "InProgress")
_WHOLE = 100.0


def settle(world: World) -> None:
    """Let every deployment go on until now."""
    for key, place in world.state["places"].items():
        account, _, region = key.partition("/")
        for it in list(place["deployments"].values()):
            if it["status"] in ACTIVE:
                _go_on(world, place, it, account, region)


def stop(world: World, place: Place, it: Deployment, call: Call, *, back: bool) -> None:
    """End a deployment on request; `back`: lead the alias back, too."""
    _end(world, it, "Stopped", "MANUAL_STOP", "The deployment was stopped on request.")
    if back:
        _roll_back(world, place, it, call.account, call.region)


def _go_on(world: World, place: Place, it: Deployment, account: str, region: str) -> None:
    now = world.now()
    if it["status"] == "Created":
        it["status"], it["started"] = "InProgress", now
        if wrong := _wrong(world, it, account, region):
            _end(world, it, "Failed", "INVALID_LAMBDA_CONFIGURATION", wrong)
            return
    if alarms := world.alarming(account, region, it["alarms"]):
        told = f"One or more alarms have been activated, and the affected deployments have been stopped: {', '.join(alarms)}"
        _end(world, it, "Stopped", "ALARM_ACTIVE", told)
        if "DEPLOYMENT_STOP_ON_ALARM" in it["rollback"]:
            _roll_back(world, place, it, account, region)
        return
    while it["status"] == "InProgress" and now >= it["started"] + it["shares"][it["done"]][0]:
        after, percent = it["shares"][it["done"]]
        try:
            _shift(world, it, account, region, percent)
        except ApiError as error:
            _end(world, it, "Failed", "INVALID_LAMBDA_FUNCTION", error.message)
            if "DEPLOYMENT_FAILURE" in it["rollback"]:
                _roll_back(world, place, it, account, region)
            return
        it["done"] += 1
        if it["done"] == len(it["shares"]):
            it["status"], it["completed"] = "Succeeded", it["started"] + after


def _wrong(world: World, it: Deployment, account: str, region: str) -> str:
    """Why a deployment cannot begin, or ""."""
    try:
        alias = _ask(world, account, region, "GetAlias", {"FunctionName": it["function"], "Name": it["alias"]})
        _ask(world, account, region, "GetFunctionConfiguration", {"FunctionName": it["function"], "Qualifier": it["target"]})
    except ApiError as error:
        return error.message
    if alias["FunctionVersion"] not in (it["current"], it["target"]):
        return (
            f"The alias {it['alias']} of the function {it['function']} points to version {alias['FunctionVersion']}, "
            f"not to the CurrentVersion {it['current']} of the AppSpec."
        )
    return ""


def _shift(world: World, it: Deployment, account: str, region: str, percent: float) -> None:
    names = {"FunctionName": it["function"], "Name": it["alias"]}
    if percent >= _WHOLE:
        there: dict[str, Any] = {"FunctionVersion": it["target"], "RoutingConfig": {"AdditionalVersionWeights": {}}}
    else:
        there = {"FunctionVersion": it["current"], "RoutingConfig": {"AdditionalVersionWeights": {it["target"]: percent / _WHOLE}}}
    _ask(world, account, region, "UpdateAlias", names | there)


def _roll_back(world: World, place: Place, it: Deployment, account: str, region: str) -> None:
    """A deployment of its own, all at once, from the new version to the one before."""
    back = world.deployment_id()
    now = world.now()
    it["related"] = {"rollbackDeploymentId": back, "rollbackMessage": it["error"].get("message", "")}
    made: Deployment = {
        **it,
        "id": back,
        "config": "CodeDeployDefault.LambdaAllAtOnce",
        "current": it["target"],
        "target": it["current"],
        "status": "InProgress",
        "error": {},
        "creator": "codeDeployRollback",
        "created": now,
        "started": now,
        "completed": 0.0,
        "shares": [[0.0, _WHOLE]],
        "done": 0,
        "alarms": [],
        "rollback": [],
        "related": {"rollbackTriggeringDeploymentId": it["id"]},
    }
    place["deployments"][back] = made
    _go_on(world, place, made, account, region)


def _end(world: World, it: Deployment, status: str, code: str, message: str) -> None:
    it["status"], it["completed"], it["error"] = status, world.now(), {"code": code, "message": message}


def _ask(world: World, account: str, region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return world.ask_lambda(
        Call(
            service="lambda", operation=operation, parameters=parameters, account=account, region=region, caller="codedeploy.amazonaws.com"
        )
    )
