"""Applications, deployment groups and deployment configurations: what a deployment is made of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from shipsafe.local.call import Call
from shipsafe.local.codedeploy.state import Config, Group, Place
from shipsafe.local.codedeploy.world import Operation, World, application, group, not_reproduced, refusal

_LAMBDA = "Lambda"
_PREFIX = "CodeDeployDefault.Lambda"
ALL_AT_ONCE = f"{_PREFIX}AllAtOnce"
# "Predefined deployment configurations for an AWS Lambda compute platform"
_CANARY = {f"{_PREFIX}Canary10Percent{minutes}Minutes": (10, minutes) for minutes in (5, 10, 15, 30)}
_LINEAR = {f"{_PREFIX}Linear10PercentEvery{minutes}Minute{'s' if minutes > 1 else ''}": (10, minutes) for minutes in (1, 2, 3, 10)}
_UNSUPPORTED = (
    *("ec2TagFilters", "onPremisesInstanceTagFilters", "autoScalingGroups", "triggerConfigurations", "ecsServices", "loadBalancerInfo"),
    *("ec2TagSet", "onPremisesTagSet", "terminationHookEnabled"),
)


def create_application(world: World, call: Call) -> dict[str, Any]:
    """CreateApplication, of the compute platform Lambda."""
    name, place = call.parameters["applicationName"], world.place(call)
    if call.parameters.get("computePlatform") != _LAMBDA:
        raise not_reproduced("CodeDeploy for instances and containers: its applications have the computePlatform Lambda")
    if name in place["applications"]:
        raise refusal("ApplicationAlreadyExistsException", f"Application already exists: {name}")
    made = str(uuid4())
    place["applications"][name] = {"id": made, "name": name, "created": world.now(), "groups": {}}
    return {"applicationId": made}


def get_application(world: World, call: Call) -> dict[str, Any]:
    """GetApplication."""
    it = application(world.place(call), call.parameters)
    told = {"applicationId": it["id"], "applicationName": it["name"], "createTime": _time(it["created"])}
    return {"application": told | {"linkedToGitHub": False, "computePlatform": _LAMBDA}}


def list_applications(world: World, call: Call) -> dict[str, Any]:
    """ListApplications, all on one page."""
    return {"applications": sorted(world.place(call)["applications"])}


def delete_application(world: World, call: Call) -> dict[str, Any]:
    """DeleteApplication with its groups; one that is not there is no error."""
    world.place(call)["applications"].pop(call.parameters["applicationName"], None)
    return {}


def create_deployment_group(world: World, call: Call) -> dict[str, Any]:
    """CreateDeploymentGroup."""
    given, place = call.parameters, world.place(call)
    it, name = application(place, given), given["deploymentGroupName"]
    if name in it["groups"]:
        raise refusal("DeploymentGroupAlreadyExistsException", f"Deployment group {name} already exists for application {it['name']}.")
    made: Group = {"id": str(uuid4()), "name": name, "role": "", "config": ALL_AT_ONCE, "rollback": [], "alarms": [], "given": {}}
    _change(place, made, given)
    it["groups"][name] = made
    return {"deploymentGroupId": made["id"]}


def update_deployment_group(world: World, call: Call) -> dict[str, Any]:
    """UpdateDeploymentGroup."""
    given, place = call.parameters, world.place(call)
    if given.get("newDeploymentGroupName"):
        raise not_reproduced("a new name for a deployment group")
    _change(place, group(application(place, given), given["currentDeploymentGroupName"]), given)
    return {"hooksNotCleanedUp": []}


def get_deployment_group(world: World, call: Call) -> dict[str, Any]:
    """GetDeploymentGroup."""
    it = application(world.place(call), call.parameters)
    found = group(it, call.parameters["deploymentGroupName"])
    told = {
        "applicationName": it["name"],
        "deploymentGroupId": found["id"],
        "deploymentGroupName": found["name"],
        "deploymentConfigName": found["config"],
        "serviceRoleArn": found["role"],
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        "computePlatform": _LAMBDA,
        **found["given"],
    }
    return {"deploymentGroupInfo": told}


def list_deployment_groups(world: World, call: Call) -> dict[str, Any]:
    """ListDeploymentGroups, all on one page."""
    it = application(world.place(call), call.parameters)
    return {"applicationName": it["name"], "deploymentGroups": sorted(it["groups"])}


def delete_deployment_group(world: World, call: Call) -> dict[str, Any]:
    """DeleteDeploymentGroup; one that is not there is no error."""
    it = application(world.place(call), call.parameters)
    it["groups"].pop(call.parameters["deploymentGroupName"], None)
    return {"hooksNotCleanedUp": []}


def create_deployment_config(world: World, call: Call) -> dict[str, Any]:
    """CreateDeploymentConfig, of the compute platform Lambda."""
    given, place = call.parameters, world.place(call)
    name, routing = given["deploymentConfigName"], given.get("trafficRoutingConfig")
    if given.get("computePlatform") != _LAMBDA:
        raise not_reproduced("CodeDeploy for instances and containers: its configurations have the computePlatform Lambda")
    if name in place["configs"] or name.startswith("CodeDeployDefault."):
        raise refusal("DeploymentConfigAlreadyExistsException", f"Deployment Configuration {name} already exists")
    if routing is None:
        raise refusal("InvalidTrafficRoutingConfigurationException", "Traffic routing configuration must be specified for Lambda.")
    made: Config = {"id": str(uuid4()), "name": name, "created": world.now(), "routing": dict(routing)}
    shares_of(made, 60.0)
    place["configs"][name] = made
    return {"deploymentConfigId": made["id"]}


def get_deployment_config(world: World, call: Call) -> dict[str, Any]:
    """GetDeploymentConfig."""
    found = config(world.place(call), call.parameters["deploymentConfigName"])
    told = {"deploymentConfigId": found["id"], "deploymentConfigName": found["name"], "createTime": _time(found["created"])}
    return {"deploymentConfigInfo": told | {"computePlatform": _LAMBDA, "trafficRoutingConfig": found["routing"]}}


def config(place: Place, name: str) -> Config:
    """A deployment configuration: one that was made, or one of AWS's own.

    Raises:
        ApiError: there is none.
    """
    if name in place["configs"]:
        return place["configs"][name]
    routing: dict[str, Any]
    if name == ALL_AT_ONCE:
        routing = {"type": "AllAtOnce"}
    elif name in _CANARY:
        percent, minutes = _CANARY[name]
        routing = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": percent, "canaryInterval": minutes}}
    elif name in _LINEAR:
        percent, minutes = _LINEAR[name]
        routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": percent, "linearInterval": minutes}}
    else:
        raise refusal("DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}")
    return {"id": "00000000-0000-0000-0000-000000000000", "name": name, "created": 0.0, "routing": routing}


def shares_of(it: Config, minute: float) -> list[list[float]]:
    """The shifts of a configuration: seconds after the beginning, and percent. The last is 100.

    Raises:
        ApiError: InvalidTrafficRoutingConfigurationException.
    """
    routing = it["routing"]
    if routing.get("type") == "AllAtOnce":
        return [[0.0, 100.0]]
    canary, linear = routing.get("timeBasedCanary") or {}, routing.get("timeBasedLinear") or {}
    percent = canary.get("canaryPercentage") or linear.get("linearPercentage") or 0
    interval = canary.get("canaryInterval") or linear.get("linearInterval") or 0
    if not 1 <= percent <= 99 or interval < 1:  # noqa: PLR2004 - percent; CodeDeploy's own limits
        raise refusal("InvalidTrafficRoutingConfigurationException", "A percentage is between 1 and 99, an interval at least one minute.")
    if canary:
        return [[0.0, float(percent)], [interval * minute, 100.0]]
    steps = [float(share) for share in range(percent, 100, percent)]
    return [[number * interval * minute, share] for number, share in enumerate([*steps, 100.0])]


def _change(place: Place, it: Group, given: Mapping[str, Any]) -> None:
    for name in _UNSUPPORTED:
        if given.get(name):
            raise not_reproduced(f"a deployment group's {name}")
    if given.get("deploymentConfigName"):
        it["config"] = config(place, given["deploymentConfigName"])["name"]
    if given.get("serviceRoleArn"):
        it["role"] = given["serviceRoleArn"]
    alarms, rollback = given.get("alarmConfiguration"), given.get("autoRollbackConfiguration")
    if alarms is not None:
        it["alarms"] = [alarm["name"] for alarm in alarms.get("alarms") or ()] if alarms.get("enabled") else []
        it["given"]["alarmConfiguration"] = alarms
    if rollback is not None:
        it["rollback"] = list(rollback.get("events") or ()) if rollback.get("enabled") else []
        it["given"]["autoRollbackConfiguration"] = rollback


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


OPERATIONS = {
    "CreateApplication": Operation(create_application, "Lambda's platform alone; others 501"),
    "GetApplication": Operation(get_application),
    "ListApplications": Operation(list_applications, "one page"),
    "DeleteApplication": Operation(delete_application),
    "CreateDeploymentGroup": Operation(create_deployment_group, "Lambda's platform alone; the role is not looked up"),
    "UpdateDeploymentGroup": Operation(update_deployment_group, "as CreateDeploymentGroup"),
    "GetDeploymentGroup": Operation(get_deployment_group, "without the last deployments"),
    "ListDeploymentGroups": Operation(list_deployment_groups, "one page"),
    "DeleteDeploymentGroup": Operation(delete_deployment_group),
    "CreateDeploymentConfig": Operation(create_deployment_config, "Lambda's platform alone; others 501"),
    "GetDeploymentConfig": Operation(get_deployment_config, "AWS's own have no id"),
}
