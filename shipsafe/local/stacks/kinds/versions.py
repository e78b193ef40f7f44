"""AWS::Lambda::Version and AWS::Lambda::Alias, which CodeDeploy leads to its next version where an UpdatePolicy says so."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shipsafe.local.call import ApiError
from shipsafe.local.stacks.kinds.functions import condition
from shipsafe.local.stacks.kinds.kind import INVALID, Acting, Condition, Kind, Properties, Todo, if_there
from shipsafe.local.stacks.kinds.properties import fitted

_PROVISIONED = "ProvisionedConcurrencyConfig"


def _publish(acting: Acting, properties: Properties) -> str:
    given = fitted("PublishVersion", properties, without=frozenset((_PROVISIONED,)))
    name = str(given.get("FunctionName", ""))
    before = {one["Version"] for one in acting.ask("ListVersionsByFunction", FunctionName=name)["Versions"]}
    told = acting.ask("PublishVersion", **given)
    if told["Version"] in before:
        words = f"A version for this Lambda function exists ( {told['Version']} ). Modify the function to create a new version."
        raise ApiError("AlreadyExists", words)
    return str(told["FunctionArn"])


def _version_attributes(_acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {"Version": physical.rpartition(":")[2], "FunctionArn": physical}


def _unpublish(acting: Acting, physical: str, _properties: Properties) -> None:
    if_there(partial(acting.ask, "DeleteFunction", FunctionName=physical))


def _create_alias(acting: Acting, properties: Properties) -> str:
    return str(acting.ask("CreateAlias", **fitted("CreateAlias", _alias(properties)))["AliasArn"])


def _update_alias(acting: Acting, physical: str, old: Properties, new: Properties) -> Sequence[Todo]:
    todo: list[Todo] = []
    shift = acting.policy.get("CodeDeployLambdaAliasUpdate")
    current, target = str(old.get("FunctionVersion")), str(new.get("FunctionVersion"))
    if shift and current != target:
        todo.append(partial(_shift, acting, physical, shift, current, target))
        new = {**new, "FunctionVersion": current}
    if _alias(old) != _alias(new):
        members = {"RoutingConfig": {}, "Description": "", **_alias(new)}
        if shift:
            members = {name: value for name, value in members.items() if name not in ("FunctionVersion", "RoutingConfig")}  # CodeDeploy's
        todo.append(partial(acting.ask, "UpdateAlias", **fitted("UpdateAlias", members)))
    return [*todo, *_provisioned(acting, physical, old, new)]


def _shift(acting: Acting, physical: str, shift: Mapping[str, Any], current: str, target: str) -> None:
    """Let CodeDeploy lead an alias from one version to another."""
    function, alias = physical.split(":")[-2:]
    properties = {"Name": function, "Alias": alias, "CurrentVersion": current, "TargetVersion": target}
    hooks = [{name.removesuffix("Hook"): shift[name]} for name in ("BeforeAllowTrafficHook", "AfterAllowTrafficHook") if shift.get(name)]
    spec = {"version": 0.0, "Resources": [{alias: {"Type": "AWS::Lambda::Function", "Properties": properties}}], "Hooks": hooks}
    acting.ask_of(
        "codedeploy",
        "CreateDeployment",
        applicationName=str(shift.get("ApplicationName")),
        deploymentGroupName=str(shift.get("DeploymentGroupName")),
        description=acting.occasion,
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(spec)}},
    )


def _shifting(acting: Acting, _physical: str) -> Condition:
    """Whether CodeDeploy still leads an alias to its new version. The words for a deployment that has stopped are ours."""
    shift = acting.policy.get("CodeDeployLambdaAliasUpdate")
    if not shift:
        return Condition()
    named = {"applicationName": str(shift.get("ApplicationName")), "deploymentGroupName": str(shift.get("DeploymentGroupName"))}
    newest = acting.ask_of("codedeploy", "ListDeployments", **named)["deployments"]
    told = acting.ask_of("codedeploy", "BatchGetDeployments", deploymentIds=newest)["deploymentsInfo"] if newest else []
    own = [one for one in told if one.get("description") == acting.occasion]
    for one in own:
        if one["status"] in ("Failed", "Stopped"):
            return Condition(trouble=f"The CodeDeploy deployment {one['deploymentId']} did not succeed.")
    return Condition(busy=any(one["status"] != "Succeeded" for one in own))


def _alias(properties: Properties) -> dict[str, Any]:
    """An alias as Lambda takes it: its weights are a mapping there."""
    members = {name: value for name, value in properties.items() if name != _PROVISIONED}
    routing = members.get("RoutingConfig")
    if routing is not None:
        try:
            weights = {str(one["FunctionVersion"]): one["FunctionWeight"] for one in routing["AdditionalVersionWeights"]}
        except (KeyError, TypeError) as error:
            raise ApiError(INVALID, "#/RoutingConfig: expected a list of AdditionalVersionWeights") from error
        members["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    return members


def _finish(acting: Acting, physical: str, properties: Properties) -> Sequence[Todo]:
    return _provisioned(acting, physical, {}, properties)


def _provisioned(acting: Acting, physical: str, old: Properties, new: Properties) -> list[Todo]:
    """Provisioned concurrency of a version or an alias."""
    if old.get(_PROVISIONED) == new.get(_PROVISIONED):
        return []
    function, _, qualifier = physical.rpartition(":")
    ask = partial(acting.ask, FunctionName=function, Qualifier=qualifier)
    if new.get(_PROVISIONED):
        return [partial(ask, "PutProvisionedConcurrencyConfig", **fitted("PutProvisionedConcurrencyConfig", new[_PROVISIONED]))]
    return [partial(ask, "DeleteProvisionedConcurrencyConfig")]


def _delete_alias(acting: Acting, physical: str, _properties: Properties) -> None:
    function, _, name = physical.rpartition(":")
    if_there(partial(acting.ask, "DeleteAlias", FunctionName=function, Name=name))


def _alias_attributes(_acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {"AliasArn": physical}


VERSION = Kind(
    create=_publish,
    delete=_unpublish,
    replaced_by=frozenset(("FunctionName", "CodeSha256", "Description")),
    finish=_finish,
    update=_provisioned,
    attributes=_version_attributes,
    condition=condition,
)
ALIAS = Kind(
    create=_create_alias,
    delete=_delete_alias,
    replaced_by=frozenset(("FunctionName", "Name")),
    finish=_finish,
    update=_update_alias,
    attributes=_alias_attributes,
    condition=_shifting,
)
