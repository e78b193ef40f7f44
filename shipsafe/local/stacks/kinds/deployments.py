"""Applications, deployment groups and deployment configurations of CodeDeploy, which lead aliases from one version to the next."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from shipsafe.local.stacks.kinds.kind import Acting, Kind, Properties, Todo
from shipsafe.local.stacks.kinds.properties import fitted, small

_LONGEST = 100
_APPLICATION, _GROUP = "ApplicationName", "DeploymentGroupName"


def _members(operation: str, properties: Properties, *names: str) -> dict[str, Any]:
    return fitted(
        operation, small(properties), without=frozenset((*(name[:1].lower() + name[1:] for name in names), "tags")), service="codedeploy"
    )


def _create_application(acting: Acting, properties: Properties) -> str:
    name = str(properties.get(_APPLICATION) or acting.name(_LONGEST))
    acting.ask_of("codedeploy", "CreateApplication", applicationName=name, **_members("CreateApplication", properties, _APPLICATION))
    return name


def _delete_application(acting: Acting, physical: str, _properties: Properties) -> None:
    acting.ask_of("codedeploy", "DeleteApplication", applicationName=physical)


def _create_group(acting: Acting, properties: Properties) -> str:
    name = str(properties.get(_GROUP) or acting.name(_LONGEST))
    acting.ask_of("codedeploy", "CreateDeploymentGroup", deploymentGroupName=name, **_members("CreateDeploymentGroup", properties, _GROUP))
    return name


def _update_group(acting: Acting, physical: str, _old: Properties, new: Properties) -> Sequence[Todo]:
    members = _members("UpdateDeploymentGroup", new, _GROUP)
    return [partial(acting.ask_of, "codedeploy", "UpdateDeploymentGroup", currentDeploymentGroupName=physical, **members)]


def _delete_group(acting: Acting, physical: str, properties: Properties) -> None:
    application = str(properties.get(_APPLICATION, ""))
    acting.ask_of("codedeploy", "DeleteDeploymentGroup", applicationName=application, deploymentGroupName=physical)


APPLICATION = Kind(create=_create_application, delete=_delete_application, replaced_by=None)
GROUP = Kind(create=_create_group, delete=_delete_group, replaced_by=frozenset((_APPLICATION, _GROUP)), update=_update_group)
