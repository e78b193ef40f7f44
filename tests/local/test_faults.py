"""Faults on request: what clients see, and whether the call took effect."""

import threading
import time
from contextlib import closing
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, HTTPClientError, ReadTimeoutError

from shipsafe.errors import ConfigError
from shipsafe.local.call import ApiError
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault, fault_of
from shipsafe.local.throttle import Throttle
from tests.local_endpoint import REGION, client

_ONCE = Config(retries={"total_max_attempts": 1})
_HASTY = _ONCE.merge(Config(read_timeout=0.5))
_CUT = (ConnectionClosedError, EndpointConnectionError, HTTPClientError)


def _buckets() -> list[str]:
    return [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]


def _create(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["error", "timeout", "reset"])
def test_a_fault_befalls_one_call_before_or_after_it_took_effect(local_aws: Endpoint, kind: str, when: str) -> None:
    local_aws.faults.add(Fault(service="s3", operation="CreateBucket", kind=kind, when=when, code="SlowDown", status=503, seconds=1))
    with closing(client("s3", config=_HASTY if kind == "timeout" else _ONCE)) as s3, closing(client("s3", config=_ONCE)) as patient:
        with pytest.raises((ClientError, ReadTimeoutError, *_CUT)) as caught:
            _create(s3, "bucket")
        if kind == "error":
            assert isinstance(caught.value, ClientError)
            assert caught.value.response["Error"]["Code"] == "SlowDown"
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        while when == "after" and not local_aws.trail.events(service="s3", operation="CreateBucket"):
            time.sleep(0.01)  # a client that does not wait may be faster than what it asked for
        assert _buckets() == (["bucket"] if when == "after" else [])
        _create(patient, "other")


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("s3", "ListBuckets", "list_buckets"),
        ("sts", "GetCallerIdentity", "get_caller_identity"),
        ("iam", "ListRoles", "list_roles"),
        ("kms", "ListKeys", "list_keys"),
        ("signer", "ListSigningProfiles", "list_signing_profiles"),
        ("lambda", "ListFunctions", "list_functions"),
    ],
)
def test_every_protocol_has_its_own_words_for_a_refusal(local_aws: Endpoint, service: str, operation: str, call: str) -> None:
    local_aws.faults.add(Fault(service=service, operation=operation, code="ExpiredTokenException", message="It is over.", status=403))
    with closing(client(service, config=_ONCE)) as made:
        with pytest.raises(ClientError) as caught:
            getattr(made, call)()
        assert caught.value.response["Error"]["Code"] == "ExpiredTokenException"
        assert caught.value.response["Error"]["Message"] == "It is over."
        getattr(made, call)()


def test_a_client_that_tries_again_gets_over_it(local_aws: Endpoint) -> None:
    """boto3's own retries: two errors of the server, a reset, and then an answer."""
    local_aws.faults.add(Fault(service="signer", times=2, status=500))
    local_aws.faults.add(Fault(service="signer", kind="reset"))
    with closing(client("signer", config=Config(retries={"total_max_attempts": 5, "mode": "standard"}))) as signer:
        assert signer.list_signing_profiles()["profiles"] == []
    assert local_aws.faults.waiting() == []


def test_the_first_calls_may_go_well(local_aws: Endpoint) -> None:
    local_aws.faults.add(Fault(service="lambda", operation="ListFunctions", skip=2, times=0, status=400, code="Late"))
    with closing(client("lambda", config=_ONCE)) as functions:
        functions.list_functions()
        functions.list_functions()
        for _ in range(3):
            with pytest.raises(ClientError, match="Late"):
                functions.list_functions()
        local_aws.faults.clear()
        functions.list_functions()


def test_an_endpoint_that_stops_lets_go_of_calls_that_wait(local_aws: Endpoint) -> None:
    """The client itself would wait for ten minutes."""
    local_aws.faults.add(Fault(kind="timeout", seconds=600))
    signer = client("signer", config=_ONCE.merge(Config(read_timeout=600)))
    waiting = threading.Thread(target=lambda: _swallow(signer.list_signing_jobs))
    waiting.start()
    while local_aws.faults.waiting() and waiting.is_alive():
        time.sleep(0.01)
    local_aws.faults.stop()
    waiting.join(timeout=120)
    assert not waiting.is_alive()


def _swallow(call: Any) -> None:
    with pytest.raises(_CUT):
        call()


@pytest.mark.parametrize("value", [{"kind": "fire"}, {"times": "1"}, {"status": 200}, {"unknown": 1}, {"times": -1}, {"when": "during"}])
def test_a_fault_that_cannot_be_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        fault_of(value)


def test_lambda_takes_fifteen_calls_a_second_together_and_signer_ten_of_each() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
    now = [0.0]
    throttle = Throttle(now=lambda: now[0])

    def passed(service: str, operation: str, calls: int) -> int:
        refused = []
        for _ in range(calls):
            try:
                throttle.check(service, operation, "1", "r")
            except ApiError as error:
                refused.append((error.status, error.code))
        assert set(refused) <= {(429, "ThrottlingException" if service == "signer" else "TooManyRequestsException")}
        return calls - len(refused)

    assert passed("lambda", "ListFunctions", 10) + passed("lambda", "CreateFunction", 10) == 15
    assert passed("lambda", "GetFunction", 200) == 100
    assert passed("lambda", "Invoke", 200) == 200
    assert passed("signer", "StartSigningJob", 20) == 10
    assert passed("signer", "DescribeSigningJob", 20) == 10
    assert passed("s3", "PutObject", 100) == 100
    now[0] += 1 / 3
    assert passed("lambda", "UpdateFunctionCode", 20) == 5


def test_a_throttled_call_is_read_by_boto3_as_what_it_is(local_aws: Endpoint) -> None:
    local_aws.front.throttle = Throttle(now=lambda: 0.0)
    with closing(client("lambda", config=_ONCE)) as functions, closing(client("signer", config=_ONCE)) as signer:
        for _ in range(15):
            functions.list_functions()
        with pytest.raises(functions.exceptions.TooManyRequestsException) as lambda_says:
            functions.list_functions()
        assert lambda_says.value.response["Reason"] == "CallerRateLimitExceeded"
        for _ in range(10):
            signer.list_signing_jobs()
        with pytest.raises(signer.exceptions.ThrottlingException):
            signer.list_signing_jobs()
