"""CodeDeploy of Lambda's platform: what a deployment group says, and deployments that are begun, looked at and stopped.

Source: AWS CodeDeploy API Reference (2014-10-06): GetDeploymentGroup, CreateDeployment, GetDeployment, BatchGetDeployments,
ListDeployments, StopDeployment; User Guide, "AppSpec File structure for AWS Lambda deployments". CreateDeployment takes no token that would
make a second call harmless, so that it is called once, and whoever calls looks with `find_running` before trying again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.model.deployment import CodeDeployGroup

RUNNING = ("Created", "Queued", "InProgress", "Baking", "Ready")
SUCCEEDED = "Succeeded"
BUSY = "DeploymentLimitExceededException"  # the group has a deployment that is running
_OVER = "DeploymentAlreadyCompletedException"
_ABSENT = ("ApplicationDoesNotExistException", "DeploymentGroupDoesNotExistException")
_LAMBDA = "Lambda"
_LONGEST = 64 * 1024  # characters of an AppSpec that is read
_MOST = 25  # deployments of one answer of BatchGetDeployments
_EVENTS = ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A deployment group: `config` names how its calls move, `alarms` what stops it, `platform` what it deploys to."""

    config: str
    alarms: tuple[str, ...]
    platform: str

    @property
    def is_lambda(self) -> bool:
        """Whether it deploys functions."""
        return self.platform == _LAMBDA


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """One alias, from the version that it leads to now to another; and the functions that are called before and after, or None."""

    function: str
    alias: str
    current: str
    target: str
    before_hook: str | None = None
    after_hook: str | None = None

    @classmethod
    def of(cls, text: str) -> "AppSpec | None":
        """Read one back that `str` wrote, without its hooks; None for every other."""
        try:
            [resource] = json.loads(text[:_LONGEST])["Resources"]
            [told] = [one["Properties"] for one in resource.values()]
            found = (told["Name"], told["Alias"], told["CurrentVersion"], told["TargetVersion"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return cls(function=found[0], alias=found[1], current=found[2], target=found[3]) if all(type(one) is str for one in found) else None

    def __str__(self) -> str:
        """As CodeDeploy takes it, in JSON."""
        properties = {"Name": self.function, "Alias": self.alias, "CurrentVersion": self.current, "TargetVersion": self.target}
        resource = {self.function: {"Type": "AWS::Lambda::Function", "Properties": properties}}
        named = (("BeforeAllowTraffic", self.before_hook), ("AfterAllowTraffic", self.after_hook))
        hooks = [{event: name} for event, name in named if name]
        return json.dumps({"version": 0.0, "Resources": [resource], **({"Hooks": hooks} if hooks else {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploying:
    """A deployment as it is.

    `error` says in CodeDeploy's words why it failed or was stopped; `back` is the id of the one that undoes it.
    """

    id: str
    status: str
    error: str = ""
    back: str = ""

    @property
    def running(self) -> bool:
        """Whether it may still move the alias."""
        return self.status in RUNNING


def find_group(aws: Aws, group: CodeDeployGroup) -> Group | None:
    """What a deployment group says; None where there is none.

    Raises:
        IncompleteError: CodeDeploy refused or gave no answer.
    """
    try:
        with aws_errors(f"look at deployment group {group.group} of CodeDeploy application {group.application}"):
            told = aws.client("codedeploy").get_deployment_group(applicationName=group.application, deploymentGroupName=group.group)
            one = told["deploymentGroupInfo"]
            alarms = one.get("alarmConfiguration") or {}
            named = alarms.get("alarms") or () if alarms.get("enabled") else ()
            return Group(
                config=str(one.get("deploymentConfigName") or ""),
                alarms=tuple(str(alarm["name"]) for alarm in named),
                platform=str(one.get("computePlatform") or ""),
            )
    except AwsRefusal as refusal:
        if refusal.code in _ABSENT:
            return None
        raise


def begin(aws: Aws, group: CodeDeployGroup, spec: AppSpec, *, config: str | None, alarms: Sequence[str], description: str) -> str:
    """Let CodeDeploy move an alias, and back by itself when it fails, an alarm goes off or it is stopped; gives the deployment's id.

    Args:
        aws: the account and Region.
        group: whose role and rights it has.
        spec: from where to where.
        config: the deployment configuration, None for the group's own.
        alarms: all that stop it, those of the group among them.
        description: for people.

    Raises:
        AwsRefusal: CodeDeploy refused; `BUSY` where the group has a deployment that is running.
        IncompleteError: it gave no answer.
    """
    words: dict[str, Any] = {"deploymentConfigName": config} if config else {}
    if alarms:
        words["overrideAlarmConfiguration"] = {"enabled": True, "alarms": [{"name": name} for name in alarms]}
    with aws_errors(f"begin a deployment of {spec.function}:{spec.alias} in deployment group {group.group}"):
        told = aws.client("codedeploy", once=True).create_deployment(
            applicationName=group.application,
            deploymentGroupName=group.group,
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": str(spec)}},
            description=description,
            autoRollbackConfiguration={"enabled": True, "events": list(_EVENTS)},
            **words,
        )
        return str(told["deploymentId"])


def find_running(aws: Aws, group: CodeDeployGroup) -> tuple[Deploying, AppSpec | None] | None:
    """The deployment of a group that is running, and what it moves (None: it is none of ours).

    None where none is running, or there is no such group.

    Raises:
        IncompleteError: CodeDeploy refused or gave no answer.
    """
    try:
        return _running(aws, group)
    except AwsRefusal as refusal:
        if refusal.code in _ABSENT:
            return None
        raise


def _running(aws: Aws, group: CodeDeployGroup) -> tuple[Deploying, AppSpec | None] | None:
    doing = f"list the deployments of deployment group {group.group}"
    client, ids = aws.client("codedeploy"), list[str]()
    with aws_errors(doing):
        words: dict[str, Any] = {"applicationName": group.application, "deploymentGroupName": group.group}
        words["includeOnlyStatuses"] = list(RUNNING)
        for page in pages(doing, client.list_deployments, "nextToken", "nextToken", **words):
            ids += map(str, page["deployments"])
        if not ids:
            return None
        for one in client.batch_get_deployments(deploymentIds=ids[:_MOST])["deploymentsInfo"]:
            found = _deploying(one)
            if found.running:
                content = (one.get("revision") or {}).get("appSpecContent") or {}
                return found, AppSpec.of(str(content.get("content") or ""))
    return None


def find_deployment(aws: Aws, deployment: str) -> Deploying:
    """A deployment as it is.

    Raises:
        IncompleteError: CodeDeploy refused or gave no answer.
    """
    with aws_errors(f"look at deployment {deployment} of CodeDeploy"):
        return _deploying(aws.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"])


def stop(aws: Aws, deployment: str) -> None:
    """Stop a deployment and let CodeDeploy take the alias back; one that is over is left as it is.

    Raises:
        IncompleteError: CodeDeploy refused or gave no answer.
    """
    try:
        with aws_errors(f"stop deployment {deployment} of CodeDeploy"):
            aws.client("codedeploy").stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    except AwsRefusal as refusal:
        if refusal.code != _OVER:
            raise


def _deploying(told: Mapping[str, Any]) -> Deploying:
    error = told.get("errorInformation") or {}
    words = " ".join(str(error.get(name) or "") for name in ("code", "message")).split()
    return Deploying(
        id=str(told["deploymentId"]),
        status=str(told["status"]),
        error=" ".join(words)[:500],
        back=str((told.get("rollbackInfo") or {}).get("rollbackDeploymentId") or ""),
    )
