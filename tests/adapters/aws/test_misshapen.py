"""An answer that is none of AWS's (a proxy's page, somebody who sits in between) ends in a sentence, and forges no line of ours."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.s3 import keys_below
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.aws.signer import describe_job, find_profile
from shipsafe.errors import IncompleteError

JOB = "6bc1c1d3-0000-4000-8000-000000000000"
WHO = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u{more}</Arn>"
    "<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
IDENTITY = WHO.format(more="", account="123456789012")


class _Answers(ThreadingHTTPServer):
    """Answers every POST with `identity`, and every GET with `body`."""

    daemon_threads = True
    identity = IDENTITY
    body = ""


class _Handler(BaseHTTPRequestHandler):
    server: _Answers

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(self.server.identity)

    def do_GET(self) -> None:
        self._answer(self.server.body)

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args: Any) -> None:
        """Nothing."""


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Answers]:
    with _Answers(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        yield server
        server.shutdown()


def opened() -> Aws:
    return open_aws(Place(region="eu-west-1"))


@pytest.mark.parametrize("identity", ["garbage", "<a/>", "<html></html>", WHO.format(more="", account="not one")])
def test_who_we_are_is_known_or_nothing_is_done(between: _Answers, identity: str) -> None:
    between.identity = identity
    with pytest.raises(IncompleteError) as caught:
        opened()
    assert "\n" not in str(caught.value)


def test_the_caller_is_one_line(between: _Answers) -> None:
    between.identity = WHO.format(more="\n::error::forged", account="123456789012")
    assert opened().caller == "arn:aws:iam::123456789012:user/u ::error::forged"


LISTED = "<ListBucketResult><Contents><Key>a</Key>{}</Contents></ListBucketResult>"


@pytest.mark.parametrize(
    ("body", "ask"),
    [
        ("[1]", lambda aws: describe_job(aws, JOB)),
        (json.dumps({"source": "x", "signedObject": [1]}), lambda aws: describe_job(aws, JOB)),
        (json.dumps({"createdAt": 1e300}), lambda aws: describe_job(aws, JOB)),
        (json.dumps({"createdAt": "soon"}), lambda aws: describe_job(aws, JOB)),
        (json.dumps({"createdAt": "9999-12-31T23:59:59-01:00"}), lambda aws: describe_job(aws, JOB)),
        (json.dumps({"revocationRecord": "x"}), lambda aws: find_profile(aws, "orders", None)),
        (LISTED.format(""), lambda aws: keys_below(aws, "bucket", "a", most=10)),
        (LISTED.format("<LastModified>soon</LastModified>"), lambda aws: keys_below(aws, "bucket", "a", most=10)),
    ],
)
def test_an_answer_of_another_shape_is_no_bug_of_ours(between: _Answers, body: str, ask: Callable[[Aws], object]) -> None:
    between.body = body
    with pytest.raises(IncompleteError, match="has not the shape of one of AWS's") as caught:
        ask(opened())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("zone", ["PST8", "NZDT-13"])
def test_days_are_those_of_utc_wherever_this_machine_is(between: _Answers, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Signer tells seconds, of which botocore makes a time of this machine's zone, where it may be another day."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for hour in (1, 12, 23):
            moment = datetime(2026, 3, 1, hour, tzinfo=UTC)
            between.body = json.dumps({"status": "Succeeded", "createdAt": moment.timestamp()})
            job = describe_job(opened(), JOB)
            assert job is not None
            assert job.created is not None
            assert (str(job.created), job.created.date()) == (str(moment), moment.date())
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_signer_says_of_a_profile_and_a_job_is_one_line(between: _Answers) -> None:
    told = "\x1b[2J\nFORGED\n::error::x"
    between.body = json.dumps({"status": told, "statusReason": told, "profileVersionArn": told, "revocationRecord": {"reason": told}})
    job, profile = describe_job(opened(), JOB), find_profile(opened(), "orders", None)
    assert job is not None
    assert profile is not None
    assert "\n" not in f"{job.status}{job.reason}{job.revoked}{profile.status}"


def test_what_aws_says_of_a_refusal_is_one_line_that_ends() -> None:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - boto3, for those tests that use it

    told = {"Error": {"Code": "Access\nFORGED" + "A" * 5000, "Message": "b\n" * 5000}}
    with pytest.raises(AwsRefusal) as caught, aws_errors("look"):
        raise ClientError(told, "PutObject")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1500
