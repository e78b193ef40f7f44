"""Deployments: made, looked at and stopped. How they go on is in `shifting`."""

from datetime import UTC, datetime
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.codedeploy import appspec
from shipsafe.local.codedeploy.groups import config, shares_of
from shipsafe.local.codedeploy.shifting import ACTIVE, stop
from shipsafe.local.codedeploy.state import Deployment
from shipsafe.local.codedeploy.world import Operation, World, application, deployment, group, not_reproduced, refusal


def create_deployment(world: World, call: Call) -> dict[str, Any]:
    """CreateDeployment; the first shift is made when somebody next asks for anything."""
    given, place = call.parameters, world.place(call)
    it = application(place, given)
    if not given.get("deploymentGroupName"):
        raise refusal("DeploymentGroupNameRequiredException", "Deployment Group name is missing")
    to = group(it, given["deploymentGroupName"])
    if given.get("revision") is None:
        raise refusal("RevisionRequiredException", "Revision is missing")
    spec, revision = appspec.read(given["revision"])
    for other in place["deployments"].values():
        if other["application"] == it["name"] and other["group"] == to["name"] and other["status"] in ACTIVE:
            told = f"The Deployment Group '{to['name']}' already has an active Deployment '{other['id']}'"
            raise refusal("DeploymentLimitExceededException", told)
    chosen = config(place, given.get("deploymentConfigName") or to["config"])
    override, rollback = given.get("overrideAlarmConfiguration"), given.get("autoRollbackConfiguration")
    made: Deployment = {
        "id": world.deployment_id(),
        "application": it["name"],
        "group": to["name"],
        "config": chosen["name"],
        "description": given.get("description") or "",
        "revision": revision,
        "function": spec.function,
        "alias": spec.alias,
        "current": spec.current,
        "target": spec.target,
        "status": "Created",
        "error": {},
        "creator": "user",
        "created": world.now(),
        "started": 0.0,
        "completed": 0.0,
        "shares": shares_of(chosen, world.minute),
        "done": 0,
        "alarms": [alarm["name"] for alarm in override.get("alarms") or () if override.get("enabled")] if override else to["alarms"],
        "rollback": [event for event in rollback.get("events") or () if rollback.get("enabled")] if rollback else to["rollback"],
        "related": {},
    }
    place["deployments"][made["id"]] = made
    return {"deploymentId": made["id"]}


def get_deployment(world: World, call: Call) -> dict[str, Any]:
    """GetDeployment."""
    return {"deploymentInfo": _describe(deployment(world.place(call), call.parameters))}


def batch_get_deployments(world: World, call: Call) -> dict[str, Any]:
    """BatchGetDeployments; those that are not there are left out."""
    place = world.place(call)
    found = (place["deployments"].get(name) for name in call.parameters["deploymentIds"])
    return {"deploymentsInfo": [_describe(it) for it in found if it is not None]}


def list_deployments(world: World, call: Call) -> dict[str, Any]:
    """ListDeployments, newest first, all on one page."""
    given = call.parameters
    for name in ("createTimeRange", "externalId"):
        if given.get(name):
            raise not_reproduced(f"ListDeployments with {name}")
    wanted = {"application": given.get("applicationName"), "group": given.get("deploymentGroupName")}
    statuses = given.get("includeOnlyStatuses") or ()
    found = [
        it
        for it in world.place(call)["deployments"].values()
        if all(value is None or it[key] == value for key, value in wanted.items())  # type: ignore[literal-required]  # names of Deployment
        and (not statuses or it["status"] in statuses)
    ]
    return {"deployments": [it["id"] for it in reversed(found)]}


def stop_deployment(world: World, call: Call) -> dict[str, Any]:
    """StopDeployment."""
    given, place = call.parameters, world.place(call)
    it = deployment(place, given)
    if it["status"] not in ACTIVE:
        raise refusal("DeploymentAlreadyCompletedException", f"The deployment {it['id']} is already in a final state: {it['status']}")
    asked = given.get("autoRollbackEnabled")
    stop(world, place, it, call, back=bool(asked) if asked is not None else "DEPLOYMENT_STOP_ON_REQUEST" in it["rollback"])
    return {"status": "Succeeded", "statusMessage": "The deployment was stopped."}


def list_deployment_targets(world: World, call: Call) -> dict[str, Any]:
    """ListDeploymentTargets: the one function."""
    it = deployment(world.place(call), call.parameters)
    return {"targetIds": [_target_id(it)]}


def get_deployment_target(world: World, call: Call) -> dict[str, Any]:
    """GetDeploymentTarget."""
    it = deployment(world.place(call), call.parameters)
    if call.parameters.get("targetId") != _target_id(it):
        raise refusal("DeploymentTargetDoesNotExistException", "The deployment target could not be found")
    statuses = {"Created": "Pending", "Stopped": "Failed"}
    target = {
        "deploymentId": it["id"],
        "targetId": _target_id(it),
        "status": statuses.get(it["status"], it["status"]),
        "lifecycleEvents": [],
        "lambdaFunctionInfo": {
            "functionName": it["function"],
            "functionAlias": it["alias"],
            "currentVersion": it["current"],
            "targetVersion": it["target"],
            "targetVersionWeight": it["shares"][it["done"] - 1][1] / 100 if it["done"] else 0.0,
        },
    }
    return {"deploymentTarget": {"deploymentTargetType": "LambdaTarget", "lambdaTarget": target}}


def _target_id(it: Deployment) -> str:
    return f"{it['function']}:{it['alias']}"


def _describe(it: Deployment) -> dict[str, Any]:
    counted = {"Created": "Pending", "InProgress": "InProgress", "Succeeded": "Succeeded"}.get(it["status"], "Failed")
    told: dict[str, Any] = {
        "applicationName": it["application"],
        "deploymentGroupName": it["group"],
        "deploymentConfigName": it["config"],
        "deploymentId": it["id"],
        "revision": {"revisionType": "AppSpecContent", "appSpecContent": it["revision"]},
        "status": it["status"],
        "createTime": _time(it["created"]),
        "deploymentOverview": {name: int(name == counted) for name in ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")},
        "creator": it["creator"],
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        "computePlatform": "Lambda",
    }
    optional = {
        "description": it["description"],
        "errorInformation": it["error"],
        "startTime": _time(it["started"]) if it["started"] else None,
        "completeTime": _time(it["completed"]) if it["completed"] else None,
        "rollbackInfo": it["related"],
    }
    return told | {name: value for name, value in optional.items() if value}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


OPERATIONS = {
    "CreateDeployment": Operation(
        create_deployment, "Lambda's platform alone; an AppSpec in S3 or GitHub and hooks 501; the group's role is not assumed"
    ),
    "GetDeployment": Operation(get_deployment),
    "BatchGetDeployments": Operation(batch_get_deployments),
    "ListDeployments": Operation(list_deployments, "one page; ranges of time 501"),
    "StopDeployment": Operation(stop_deployment, "stopped at once"),
    "ListDeploymentTargets": Operation(list_deployment_targets),
    "GetDeploymentTarget": Operation(get_deployment_target, "its id and its lifecycle events are not AWS's"),
}
