"""CodeDeploy over HTTP: it shifts an alias over its own time, stops on an alarm or on request, and leads the alias back."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shipsafe.local.endpoint import Endpoint, start
from shipsafe.local.pki import LocalRoot
from tests.local_endpoint import ACCOUNT, REGION, client, set_environment

ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
GROUP = {"applicationName": "orders", "deploymentGroupName": "live"}
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"


def zipped(text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("app.py", text)
    return stream.getvalue()


@pytest.fixture
def deploying(local_aws: Endpoint) -> Any:
    """The client of CodeDeploy beside a function of two versions whose alias leads to the first."""
    local_aws.functions.configure({"creating": 0, "updating": 0})
    functions = client("lambda")
    functions.create_function(FunctionName="orders", Runtime="python3.13", Handler="app.main", Role=ROLE, Code={"ZipFile": zipped("1")})
    functions.publish_version(FunctionName="orders")
    functions.update_function_code(FunctionName="orders", ZipFile=zipped("2"))
    functions.publish_version(FunctionName="orders")
    functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    codedeploy = client("codedeploy")
    codedeploy.create_application(applicationName="orders", computePlatform="Lambda")
    codedeploy.create_deployment_group(
        **GROUP,
        serviceRoleArn=ROLE,
        deploymentConfigName=CANARY,
        alarmConfiguration={"enabled": True, "alarms": [{"name": "too-bad"}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_FAILURE"]},
    )
    return codedeploy


def spec(current: str = "1", target: str = "2", **more: Any) -> dict[str, Any]:
    properties = {"Name": "orders", "Alias": "live", "CurrentVersion": current, "TargetVersion": target}
    content = {"version": 0.0, "Resources": [{"orders": {"Type": "AWS::Lambda::Function", "Properties": properties}}], **more}
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}}


def alias() -> tuple[str, dict[str, float]]:
    told = client("lambda").get_alias(FunctionName="orders", Name="live")
    return told["FunctionVersion"], told.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def begun(deploying: Any, **more: Any) -> str:
    made: str = deploying.create_deployment(**{**GROUP, "revision": spec(), **more})["deploymentId"]
    return made


def info(deploying: Any, made: str) -> dict[str, Any]:
    told: dict[str, Any] = deploying.get_deployment(deploymentId=made)["deploymentInfo"]
    return told


def test_a_canary_shifts_a_part_and_after_its_time_all(deploying: Any, local_aws: Endpoint) -> None:
    made = begun(deploying)
    assert alias() == ("1", {"2": 0.1})
    assert info(deploying, made)["status"] == "InProgress"
    local_aws.advance(timedelta(minutes=5))
    assert alias() == ("2", {})
    told = info(deploying, made)
    assert (told["status"], told["deploymentConfigName"], told["computePlatform"]) == ("Succeeded", CANARY, "Lambda")
    assert told["completeTime"] - told["startTime"] == timedelta(minutes=5)
    target = deploying.get_deployment_target(deploymentId=made, targetId="orders:live")["deploymentTarget"]["lambdaTarget"]
    assert target["lambdaFunctionInfo"]["targetVersionWeight"] == 1.0
    assert deploying.list_deployments(**GROUP)["deployments"] == [made]


def test_a_linear_one_takes_a_step_at_a_time(deploying: Any, local_aws: Endpoint) -> None:
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 2}}
    deploying.create_deployment_config(deploymentConfigName="forty", computePlatform="Lambda", trafficRoutingConfig=routing)
    assert deploying.get_deployment_config(deploymentConfigName="forty")["deploymentConfigInfo"]["trafficRoutingConfig"] == routing
    local_aws.codedeploy.configure({"minute": 600})
    begun(deploying, deploymentConfigName="forty")
    seen = []
    for _ in range(3):
        seen.append(alias())
        local_aws.advance(timedelta(minutes=20))
    assert seen == [("1", {"2": 0.4}), ("1", {"2": 0.8}), ("2", {})]


def test_an_alarm_stops_it_and_the_alias_goes_back(deploying: Any) -> None:
    made = begun(deploying)
    assert alias() == ("1", {"2": 0.1})
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="too-bad",
        Namespace="Shop",
        MetricName="Lost",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="too-bad", StateValue="ALARM", StateReason="seeded")
    told = info(deploying, made)
    assert alias() == ("1", {})
    assert (told["status"], told["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert "too-bad" in told["errorInformation"]["message"]
    back = info(deploying, told["rollbackInfo"]["rollbackDeploymentId"])
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == made


@pytest.mark.parametrize(("back", "there"), [(True, ("1", {})), (False, ("1", {"2": 0.1}))])
def test_it_is_stopped_on_request_and_taken_back_if_asked(deploying: Any, *, back: bool, there: tuple[str, dict[str, float]]) -> None:
    made = begun(deploying)
    assert deploying.stop_deployment(deploymentId=made, autoRollbackEnabled=back)["status"] == "Succeeded"
    assert info(deploying, made)["errorInformation"]["code"] == "MANUAL_STOP"
    assert alias() == there
    with pytest.raises(deploying.exceptions.DeploymentAlreadyCompletedException):
        deploying.stop_deployment(deploymentId=made)


def test_a_group_has_one_deployment_at_a_time(deploying: Any) -> None:
    made = begun(deploying)
    with pytest.raises(deploying.exceptions.DeploymentLimitExceededException, match=f"already has an active Deployment '{made}'"):
        begun(deploying)


def test_an_alias_that_somebody_moved_is_not_shifted(deploying: Any) -> None:
    client("lambda").update_function_code(FunctionName="orders", ZipFile=zipped("3"), Publish=True)
    client("lambda").update_alias(FunctionName="orders", Name="live", FunctionVersion="3")
    told = info(deploying, begun(deploying))
    assert (told["status"], told["errorInformation"]["code"]) == ("Failed", "INVALID_LAMBDA_CONFIGURATION")
    assert alias() == ("3", {})


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda it: begun(it, applicationName="nobody"), "ApplicationDoesNotExistException"),
        (lambda it: begun(it, deploymentGroupName="nobody"), "DeploymentGroupDoesNotExistException"),
        (lambda it: begun(it, deploymentConfigName="nobody"), "DeploymentConfigDoesNotExistException"),
        (lambda it: begun(it, revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": "["}}), "InvalidRevisionException"),
        (lambda it: begun(it, revision=spec(target="")), "InvalidRevisionException"),
        (lambda it: begun(it, revision=spec(Hooks=[{"BeforeAllowTraffic": "check"}])), "NotImplemented"),
        (lambda it: begun(it, revision={"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k"}}), "NotImplemented"),
        (lambda it: it.create_application(applicationName="web", computePlatform="Server"), "NotImplemented"),
        (lambda it: it.get_deployment(deploymentId="d-NOBODY"), "DeploymentDoesNotExistException"),
        (lambda it: it.batch_get_applications(applicationNames=["orders"]), "UnknownOperationException"),
    ],
)
def test_what_cannot_be_is_refused_by_name(deploying: Any, ask: Callable[[Any], Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        ask(deploying)
    assert caught.value.response["Error"]["Code"] == code


def test_it_goes_on_after_a_restart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, local_root: LocalRoot) -> None:
    """And a folder that an older version wrote, without CodeDeploy, is taken up too."""
    state = tmp_path / "state"
    with start(state=state, root=local_root) as endpoint:
        set_environment(monkeypatch, endpoint, tmp_path)
        client("codedeploy").create_application(applicationName="orders", computePlatform="Lambda")
    with start(state=state, root=local_root) as endpoint:
        set_environment(monkeypatch, endpoint, tmp_path)
        assert client("codedeploy").list_applications()["applications"] == ["orders"]
    cores = json.loads((state / "cores.json").read_text())
    del cores["cores"]["codedeploy"]
    (state / "cores.json").write_text(json.dumps(cores))
    with start(state=state, root=local_root) as endpoint:
        set_environment(monkeypatch, endpoint, tmp_path)
        assert client("codedeploy").list_applications()["applications"] == []
        assert client("lambda", region=REGION).list_functions()["Functions"] == []
