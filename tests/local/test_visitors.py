"""What a browser may be led to send to this machine is not answered, whichever service it is for; programs are."""

import http.client
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shipsafe.local.endpoint import Endpoint
from tests.local_endpoint import REGION, client

PATHS = ("/bucket?list-type=2", "/", "/2015-03-31/functions", "/signing-profiles", "/?Action=ListUsers&Version=2010-05-08")


def status(endpoint: Endpoint, method: str, path: str, **headers: str) -> int:
    with closing(http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=120)) as connection:
        connection.request(method, path, b"", {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer.status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1.example.org"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "rebound.example.org:4580"},
        {"Host": "127.0.0.1.example.org"},
        {"Host": "localhost.example.org"},
    ],
    ids=str,
)
def test_a_page_of_somebody_else_is_answered_nothing(local_aws: Endpoint, path: str, headers: dict[str, str]) -> None:
    assert status(local_aws, "GET", path, **headers) == 403
    assert status(local_aws, "POST", path, **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:4580"},
        {"Host": "[::1]:4580"},
        {"Host": "host.docker.internal:4580"},
        {"Host": "aws:4580"},
        {"Host": "s3.eu-west-1.amazonaws.com"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:8080", "Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_programs_of_this_machine_and_pages_that_it_serves_are(local_aws: Endpoint, headers: dict[str, str]) -> None:
    assert status(local_aws, "GET", "/signing-profiles", **headers) == 200


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/recorder/start-recording", "/%6doto-api/reset"])
def test_nobody_empties_it_or_writes_files_by_calls_of_moto_s_own(
    local_aws: Endpoint, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert status(local_aws, "POST", path) == 501
    assert status(local_aws, "POST", "/moto-api/recorder/upload-recording") == 501
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["bucket"]
    assert not list(tmp_path.glob("moto*"))
