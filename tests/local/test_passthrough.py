"""What is moto's to answer comes back through the front byte for byte as moto alone answers it."""

import http.client
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from shipsafe.local.endpoint import start
from shipsafe.local.pki import LocalRoot
from tests.local_endpoint import ACCOUNT, REGION, client

_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_DATE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT|\d{10}\.\d+")
_REQUEST_ID = re.compile(rb"<(RequestId|RequestID|HostId)>[^<]*</|\"RequestId\": ?\"[^\"]*\"")
_ROLE = '{"Version":"2012-10-17","Statement":[]}'


class Sent(NamedTuple):
    """A request: for which service, and what is sent."""

    service: str
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


def _query(service: str, action: str, version: str, **more: str) -> Sent:
    return Sent(service, "POST", "/", urlencode({"Action": action, "Version": version, **more}).encode(), _FORM)


def _json(service: str, target: str, body: str) -> Sent:
    return Sent(service, "POST", "/", body.encode(), {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"})


_LOCATION = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>".encode()
_ENABLED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
_TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
REQUESTS = (
    Sent("s3", "GET", "/"),
    Sent("s3", "PUT", "/bucket", _LOCATION),
    Sent("s3", "PUT", "/bucket", _LOCATION),
    Sent("s3", "PUT", "/bucket?versioning", _ENABLED),
    Sent("s3", "GET", "/bucket?versioning"),
    Sent("s3", "PUT", "/bucket/a%20b/%C3%BC%2B.txt", b"hello" * 1000, {"x-amz-meta-with_underscore": "1", "x-amz-meta-With-Dash": "2"}),
    Sent("s3", "HEAD", "/bucket/a%20b/%C3%BC%2B.txt"),
    Sent("s3", "GET", "/bucket/a%20b/%C3%BC%2B.txt"),
    Sent("s3", "GET", "/bucket/a%20b/%C3%BC%2B.txt", b"", {"Range": "bytes=10-19"}),
    Sent("s3", "PUT", "/bucket/a%20b/%C3%BC%2B.txt?tagging", _TAGS),
    Sent("s3", "GET", "/bucket/a%20b/%C3%BC%2B.txt?tagging"),
    Sent("s3", "PUT", "/bucket/copy", b"", {"x-amz-copy-source": "/bucket/a%20b/%C3%BC%2B.txt"}),
    Sent("s3", "GET", "/bucket?list-type=2&prefix=a"),
    Sent("s3", "GET", "/bucket?versions"),
    Sent("s3", "GET", "/bucket/nothing"),
    Sent("s3", "DELETE", "/bucket/copy"),
    Sent("s3", "PUT", "/bucket?policy", b'{"Version":"2012-10-17","Statement":[]}'),
    Sent("s3", "GET", "/bucket?policy"),
    Sent("s3", "GET", "/nowhere/key"),
    _query("sts", "GetCallerIdentity", "2011-06-15"),
    _query("sts", "AssumeRole", "2011-06-15", RoleArn="not an arn", RoleSessionName="x" * 80),
    _query("iam", "CreateRole", "2010-05-08", RoleName="deploy", AssumeRolePolicyDocument=_ROLE),
    _query("iam", "GetRole", "2010-05-08", RoleName="deploy"),
    _query("iam", "GetRole", "2010-05-08", RoleName="nobody"),
    _json("kms", "TrentService.CreateKey", '{"Description": "k"}'),
    _json("kms", "TrentService.ListKeys", "{}"),
    _json("kms", "TrentService.DescribeKey", '{"KeyId": "nothing"}'),
    _query(
        "monitoring",
        "PutMetricData",
        "2010-08-01",
        Namespace="n",
        **{"MetricData.member.1.MetricName": "m", "MetricData.member.1.Value": "1"},
    ),
    _query("monitoring", "ListMetrics", "2010-08-01"),
    _json("secretsmanager", "secretsmanager.CreateSecret", '{"Name": "s", "SecretString": "x", "ClientRequestToken": "' + "t" * 36 + '"}'),
    _json("dynamodb", "DynamoDB_20120810.ListTables", "{}"),
)


def _ask(port: int) -> Iterator[tuple[int, list[tuple[str, str]], bytes]]:
    from moto.moto_api._internal import mock_random  # noqa: PLC0415 - moto is loaded by the first that needs it

    for sent in REQUESTS:
        mock_random.seed(f"{sent.method} {sent.path} {sent.body!r}")
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
            scope = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261121/{REGION}/{sent.service}/aws4_request, SignedHeaders=host, Signature=0"
            connection.request(sent.method, sent.path, sent.body, {"Authorization": scope, "Host": "localhost"} | sent.headers)
            answer = connection.getresponse()
            yield answer.status, answer.getheaders(), answer.read()


@contextmanager
def _moto_alone() -> Iterator[int]:
    """moto's own server, as `moto_server` runs it."""
    from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415 - likewise
    from moto.moto_server import werkzeug_app  # noqa: PLC0415 - likewise
    from werkzeug.serving import make_server  # noqa: PLC0415 - likewise

    moto_api_backend.reset()
    application = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=werkzeug_app.MotoRequestHandler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()


def _plain(answer: tuple[int, list[tuple[str, str]], bytes]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Without what no two answers share: times and ids of requests, and what a server says of itself and its connection."""
    status, headers, body = answer
    own = {"content-length", "date", "connection", "x-amzn-requestid", "x-amz-request-id", "x-amz-id-2", "last-modified"}
    told = [value for name, value in headers if name.lower() == "content-length"]  # a time in the body may be a digit shorter
    assert not body or told in ([], [str(len(body))])
    kept = [(name, value) for name, value in headers if name.lower() not in own and not value.startswith("Werkzeug/")]
    return status, sorted(kept), _REQUEST_ID.sub(b"ID", _DATE.sub(b"DATE", body))


def test_everything_else_passes_byte_for_byte(local_root: LocalRoot) -> None:
    """Each of moto's answers, status, headers and body, against the same request through the front."""
    with _moto_alone() as port:
        alone = [_plain(answer) for answer in _ask(port)]
    with start(delay=timedelta(), root=local_root) as endpoint:
        through = [_plain(answer) for answer in _ask(endpoint.listener.port)]
    for sent, expected, got in zip(REQUESTS, alone, through, strict=True):
        assert got == expected, sent
    assert {status for status, _, _ in alone} >= {200, 204, 206, 400, 404, 409}


@pytest.mark.parametrize(
    ("service", "call", "parameters"),
    [
        ("kms", "connect_custom_key_store", {"CustomKeyStoreId": "x"}),  # JSON
        ("iam", "generate_organizations_access_report", {"EntityPath": "o-1234567890/r-12345678/ou-1234"}),  # query
        ("cloudwatch", "list_metric_streams", {}),
        ("ec2", "describe_fast_launch_images", {}),
        ("route53", "list_traffic_policies", {}),  # a path that nothing of moto answers
        ("braket", "search_jobs", {"filters": []}),  # a service that moto has not
    ],
)
@pytest.mark.usefixtures("local_aws")
def test_what_moto_does_not_have_is_501(service: str, call: str, parameters: dict[str, object], capfd: pytest.CaptureFixture[str]) -> None:
    """Never an empty answer, never an error of the server that a client would try again."""
    with closing(client(service, region="us-east-1", config=Config(retries={"total_max_attempts": 1}))) as made:
        with pytest.raises(ClientError, match="does not reproduce") as caught:
            getattr(made, call)(**parameters)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("local_aws")
def test_what_moto_says_is_not_there_is_404() -> None:
    with closing(client("route53")) as route53, pytest.raises(ClientError, match="NoSuchHostedZone"):
        route53.get_hosted_zone(Id="Z0123456789ABC")
    with closing(client("iam")) as iam, pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="nobody")
