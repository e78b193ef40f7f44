"""A connection that breaks in the middle of an object: botocore does not try that again, and we do."""

import hashlib
import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from shipsafe.adapters.aws.s3 import download
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.signing import S3Object

BODY = bytes(range(256)) * 8192
PLACE = S3Object(bucket="artifacts", key="signed/ab.zip", version="v1")


class Server(ThreadingHTTPServer):
    """Cuts the first `cuts` answers in the middle; `version` is what it says that it gives.

    Its end waits for all answers, and says nothing of a client that has hung up: else another test would find that on its standard error.
    """

    daemon_threads = False
    cuts = 0
    version = "v1"
    asked = 0

    def handle_error(self, *_: object) -> None:
        pass


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("x-amz-version-id", self.server.version)
        self.end_headers()
        if self.server.asked <= self.server.cuts:
            self.wfile.write(BODY[: len(BODY) // 2])
            self.close_connection = True
        else:
            self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def aws(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    import boto3  # noqa: PLC0415 - for those tests that use it

    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    session = boto3.session.Session(aws_access_key_id="123456789012", aws_secret_access_key="local", region_name="eu-west-1")
    aws = Aws(session=session, account="123456789012", region="eu-west-1", partition="aws", caller="", local=True)
    yield aws
    aws.client("s3").close()


def _nothing() -> None:
    pass


def test_a_broken_connection_is_made_again_and_the_file_holds_the_object_once(server: Server, aws: Aws) -> None:
    server.cuts = 3
    file = io.BytesIO()
    came = download(aws, PLACE, file, largest=len(BODY), check=_nothing)
    assert file.getvalue() == BODY
    assert (came.sha256, came.size, server.asked) == (hashlib.sha256(BODY).hexdigest(), len(BODY), 4)


def test_one_that_breaks_again_and_again_is_told(server: Server, aws: Aws) -> None:
    server.cuts = 99
    with pytest.raises(IncompleteError, match=r"Could not read s3://artifacts/signed/ab.zip\?versionId=v1 back: AWS gave no answer"):
        download(aws, PLACE, io.BytesIO(), largest=len(BODY), check=_nothing)
    assert server.asked == 4


def test_after_the_deadline_it_is_not_made_again(server: Server, aws: Aws) -> None:
    server.cuts = 99

    def check() -> None:
        raise IncompleteError("The time is over.")

    with pytest.raises(IncompleteError, match="The time is over"):
        download(aws, PLACE, io.BytesIO(), largest=len(BODY), check=check)
    assert server.asked == 1


def test_more_than_there_may_be_is_not_read(aws: Aws) -> None:
    with pytest.raises(IntegrityError, match="is larger than"):
        download(aws, PLACE, io.BytesIO(), largest=len(BODY) - 1, check=_nothing)


def test_another_version_than_was_asked_for_is_refused(server: Server, aws: Aws) -> None:
    server.version = "v2"
    with pytest.raises(IntegrityError, match="another version"):
        download(aws, PLACE, io.BytesIO(), largest=len(BODY), check=_nothing)
