"""Deployments that make every call of theirs: for policies that are held to them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from shipsafe.adapters.aws.codedeploy import AppSpec
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.deploy.codedeploy import prepared, roll_out
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.deployment import CodeDeployGroup, Ending, FunctionDeploy
from tests.deploy.stage import ALIAS, NAME, make_stage
from tests.local_endpoint import REGION, client


def codedeploy_to_the_end(endpoint: Endpoint, connect: Callable[[Place], Aws]) -> None:
    """CodeDeploy moves an alias, and is stopped when it moves the next version."""
    group = CodeDeployGroup(application="shop", group="orders")
    stage = make_stage(endpoint, connect(Place(region=REGION)))
    told = client("codedeploy")
    told.create_application(applicationName=group.application, computePlatform="Lambda")
    told.create_deployment_group(applicationName=group.application, deploymentGroupName=group.group,
                                 serviceRoleArn="arn:aws:iam::123456789012:role/deploys",
                                 deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes")  # fmt: skip
    by, _ = prepared(stage.aws, FunctionDeploy(codedeploy=group))
    assert roll_out(stage.shifting(), stage.hands, by=by).ending is Ending.DEPLOYED
    stage.move("1")
    stage.began = stage.time
    stage.then = [(timedelta(minutes=1), partial(setattr, stage, "signal", "SIGINT"))]
    spec = AppSpec(function=NAME, alias=ALIAS, current="1", target="2")
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": str(spec)}}
    told.create_deployment(applicationName=group.application, deploymentGroupName=group.group, revision=revision)  # by a run that is gone
    stopped = roll_out(stage.shifting(), stage.hands, by=by)
    assert stopped.ending is Ending.ROLLED_BACK, stopped
