"""What is sent to a real endpoint, over TLS: one request with the file as its body, and a checksum that S3 holds it against."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.aws.s3 import Upload, put_new
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError, IntegrityError
from tests.signing.zips import unsigned, zip_bytes


@dataclass
class Answer:
    """What S3 would answer, with the headers that are given."""

    headers: dict[str, str]
    status_code: int = 200
    content: bytes = b""
    raw: Any = None
    url: str = ""


@pytest.fixture
def aws() -> Aws:
    import boto3  # noqa: PLC0415 - for those tests that use it

    session = boto3.session.Session(aws_access_key_id="123456789012", aws_secret_access_key="local", region_name="eu-west-1")
    return Aws(session=session, account="123456789012", region="eu-west-1", partition="aws", caller="", local=False)


def _put(aws: Aws, folder: Path, answer: dict[str, str]) -> tuple[Any, Any]:
    """Put a zip, with an answer instead of a network; gives the request and what came of it."""
    work = unsigned(folder, "orders", zip_bytes({"app.py": b"pass\n"}))
    sent: list[Any] = []

    def send(request: Any, **_: Any) -> Answer:
        sent.append((request.method, request.url, dict(request.headers.items()), request.body.name, request.body.tell()))
        return Answer(headers=answer, raw=BytesIO())

    aws.client("s3").meta.events.register("before-send.s3.PutObject", send)
    what = Upload(path=work.path, sha256=work.sha256, size=work.size, kms_key=None, tags=())
    place = put_new(aws, "artifacts", f"unsigned/{work.sha256}.zip", what)
    [one] = sent
    return one, place


def test_over_tls_the_file_itself_is_the_body(aws: Aws, tmp_path: Path) -> None:
    (method, url, headers, body, position), place = _put(aws, tmp_path, {"x-amz-version-id": "v1"})
    sha256 = url.rpartition("/")[2].removesuffix(".zip")
    told = {name.lower(): value if isinstance(value, str) else value.decode() for name, value in headers.items()}
    assert (method, body, position) == ("PUT", str(tmp_path / "orders.zip"), 0)
    assert url.startswith("https://artifacts.s3.eu-west-1.amazonaws.com/unsigned/")
    assert told["content-length"] == str((tmp_path / "orders.zip").stat().st_size)
    assert told["if-none-match"] == "*"
    assert base64.b64decode(told["x-amz-checksum-sha256"]).hex() == sha256
    assert told["x-amz-expected-bucket-owner"] == "123456789012"
    assert told["content-type"] == "application/zip"
    assert told["x-amz-content-sha256"] == sha256  # the request is signed with the body, and not in chunks
    assert "aws-chunked" not in told.get("content-encoding", "")
    assert place.version == "v1"


@pytest.mark.parametrize("version", [None, "null"])
def test_an_answer_without_a_version_is_refused(aws: Aws, tmp_path: Path, version: str | None) -> None:
    with pytest.raises(IncompleteError, match="Versioning is off on bucket artifacts"):
        _put(aws, tmp_path, {"x-amz-version-id": version} if version else {})


def test_an_answer_that_tells_of_other_bytes_is_refused(aws: Aws, tmp_path: Path) -> None:
    other = base64.b64encode(bytes(32)).decode()
    with pytest.raises(IntegrityError, match="S3 stored other bytes than were sent"):
        _put(aws, tmp_path, {"x-amz-version-id": "v1", "x-amz-checksum-sha256": other})
