"""Control calls over HTTP, and who may make them."""

import http.client
import io
import json
import zipfile
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from shipsafe.local.endpoint import Endpoint
from tests.local_endpoint import ACCOUNT, REGION, client


def _control(endpoint: Endpoint, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=120)) as connection:
        body = value if isinstance(value, bytes) else json.dumps(value).encode() if value is not None else b""
        connection.request(method, f"/_shipsafe/{path}", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def test_health_tells_the_root_and_whether_moto_is_loaded(local_aws: Endpoint) -> None:
    status, told = _control(local_aws, "GET", "health")
    assert (status, told["status"], told["root"], told["moto"]) == (200, "ready", local_aws.fingerprint, False)
    client("s3").list_buckets()
    assert _control(local_aws, "GET", "health")[1]["moto"] is True


def test_jobs_are_slowed_failed_hung_and_lost(local_aws: Endpoint) -> None:
    s3, signer = client("s3"), client("signer")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="bucket", Key="k", Body=b"PK\5\6" + bytes(18))["VersionId"]
    signer.put_signing_profile(profileName="prod", platformId="AWSLambda-SHA384-ECDSA")

    def start() -> Any:
        source = {"s3": {"bucketName": "bucket", "key": "k", "version": version}}
        return signer.start_signing_job(source=source, destination={"s3": {"bucketName": "bucket"}}, profileName="prod")["jobId"]

    assert _control(local_aws, "POST", "jobs/fail", {"reason": "because"})[0] == 200
    failed = signer.describe_signing_job(jobId=start())
    assert (failed["status"], failed["statusReason"]) == ("Failed", "because")
    _control(local_aws, "POST", "jobs/lose")
    lost = start()
    with pytest.raises(signer.exceptions.ResourceNotFoundException):
        signer.describe_signing_job(jobId=lost)
    _control(local_aws, "POST", "jobs/hang")
    hung = start()
    assert _control(local_aws, "POST", "delay", {"seconds": 3600})[0] == 200
    slow = start()
    assert signer.describe_signing_job(jobId=slow)["status"] == "InProgress"
    assert _control(local_aws, "POST", "clock", {"seconds": 3601})[0] == 200
    assert signer.describe_signing_job(jobId=slow)["status"] != "InProgress"
    assert signer.describe_signing_job(jobId=hung)["status"] == "InProgress"


def test_invoke_answers_what_was_set(local_aws: Endpoint) -> None:
    functions = client("lambda")
    assert _control(local_aws, "POST", "functions/settings", {"creating": 0, "updating": 0})[0] == 200
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "")
    functions.create_function(
        FunctionName="f", Runtime="python3.13", Handler="app.h", Role=f"arn:aws:iam::{ACCOUNT}:role/r", Code={"ZipFile": buffer.getvalue()}
    )
    answer = {"account": ACCOUNT, "region": REGION, "function": "f", "payload": {"ok": 1}}
    assert _control(local_aws, "POST", "functions/answer", answer) == (200, {})
    with closing(functions.invoke(FunctionName="f")["Payload"]) as payload:
        assert json.loads(payload.read()) == {"ok": 1}
    assert _control(local_aws, "GET", "invocations")[1][0]["function"] == "f"


def test_the_log_tells_who_asked_what_and_no_parameters_that_may_be_secret(local_aws: Endpoint) -> None:
    client("signer", account="111122223333").put_signing_profile(
        profileName="prod", platformId="AWSLambda-SHA384-ECDSA", tags={"k": "hidden"}
    )
    signer = client("signer")
    with pytest.raises(signer.exceptions.ResourceNotFoundException):
        signer.get_signing_profile(profileName="nobody")
    status, told = _control(local_aws, "GET", "log")
    first, second = told["calls"]
    assert status == 200
    assert (first["eventSource"], first["eventName"], first["errorCode"]) == ("signer.amazonaws.com", "PutSigningProfile", None)
    assert first["userIdentity"]["accountId"] == "111122223333"
    assert first["requestParameters"] == {"profileName": "prod"}
    assert (second["errorCode"], second["httpStatus"]) == ("ResourceNotFoundException", 404)
    assert "hidden" not in json.dumps(told)


def test_faults_throttle_and_reset_over_http(local_aws: Endpoint) -> None:
    client("signer").put_signing_profile(profileName="prod", platformId="AWSLambda-SHA384-ECDSA")
    assert _control(local_aws, "POST", "faults", {"service": "signer", "status": 503}) == (200, {})
    assert _control(local_aws, "GET", "faults")[1][0]["status"] == 503
    assert _control(local_aws, "DELETE", "faults") == (200, {})
    assert local_aws.faults.waiting() == []
    assert _control(local_aws, "POST", "throttle", {"on": True}) == (200, {})
    assert local_aws.front.throttle is not None
    assert _control(local_aws, "POST", "reset") == (200, {})
    assert client("signer").list_signing_profiles()["profiles"] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("delay", {"seconds": -1}),
        ("delay", {"seconds": "1"}),
        ("clock", {}),
        ("clock", {"seconds": 1e300}),
        ("faults", {"kind": "fire"}),
        ("functions/settings", {"nothing": 1}),
        ("functions/answer", {"account": 1}),
        ("functions/fail", {"account": ACCOUNT, "region": REGION, "function": "nobody"}),
        ("throttle", {"on": "yes"}),
        ("jobs/fail", {"reason": 1}),
        ("jobs/fail", [1]),
        ("jobs/fail", b"{"),
        ("jobs/fail", b"[" * 100_000),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(local_aws: Endpoint, path: str, value: Any) -> None:
    status, told = _control(local_aws, "POST", path, value)
    assert status == 400
    assert told["error"]


def test_an_unknown_control_call_lists_those_there_are(local_aws: Endpoint) -> None:
    status, told = _control(local_aws, "POST", "nothing")
    assert status == 404
    assert "POST faults" in told["known"]


def test_a_page_in_a_browser_cannot_steer_it(local_aws: Endpoint) -> None:
    """Neither across origins, nor by a name that was bound to this machine."""
    assert _control(local_aws, "POST", "reset", {}, Origin="https://example.org")[0] == 403
    assert _control(local_aws, "GET", "health", None, Host="rebound.example.org")[0] == 403
