"""HTTP as clients that are broken, slow or hostile speak it: one answer, and the next request is heard."""

import http.client
import socket
import struct
import threading
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from shipsafe.local.call import Call
from shipsafe.local.endpoint import Endpoint
from tests.local_endpoint import ACCOUNT, REGION, client

_HEALTH = b"GET /_shipsafe/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
_SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261121/{REGION}/{{}}/aws4_request, SignedHeaders=host, Signature=0"


def _connect(endpoint: Endpoint) -> socket.socket:
    return socket.create_connection(("127.0.0.1", endpoint.listener.port), timeout=120)


def _answers(connection: socket.socket, count: int) -> list[int]:
    """The status of so many answers on one connection."""
    statuses = []
    with connection.makefile("rb") as stream:
        for _ in range(count):
            statuses.append(int(stream.readline().split()[1]))
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            stream.read(length)
    return statuses


def test_a_connection_is_kept_and_requests_may_come_together(local_aws: Endpoint) -> None:
    with _connect(local_aws) as connection:
        connection.sendall(_HEALTH * 3)
        assert _answers(connection, 3) == [200] * 3
    with closing(http.client.HTTPConnection(urlsplit(local_aws.url).netloc, timeout=120)) as kept:
        ports = set()
        for _ in range(50):
            kept.request("GET", "/_shipsafe/health")
            answer = kept.getresponse()
            answer.read()
            assert answer.getheader("Connection") is None
            ports.add(kept.sock.getsockname())
        assert len(ports) == 1


@pytest.mark.parametrize("length", [b"abc", b"-5", b"1e3", b"99999999999999999999x"])
def test_a_length_that_is_none_is_refused(local_aws: Endpoint, length: bytes) -> None:
    with _connect(local_aws) as connection:
        connection.sendall(b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\n")
        assert _answers(connection, 1) == [400]
    _still_there(local_aws)


@pytest.mark.parametrize("line", [b"garbage\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_not_http_ends_its_own_connection_alone(local_aws: Endpoint, line: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with _connect(local_aws) as connection:
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    _still_there(local_aws)
    assert capfd.readouterr().err == ""


def test_a_client_that_hangs_up_in_its_body_leaves_nothing(local_aws: Endpoint, capfd: pytest.CaptureFixture[str]) -> None:
    client("s3", region="us-east-1").create_bucket(Bucket="bucket")
    for service in ("s3", "signer"):
        with _connect(local_aws) as connection:
            head = f"PUT /bucket/k HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_SIGNED.format(service)}\r\nContent-Length: 100\r\n\r\n"
            connection.sendall(head.encode() + b"half")
    _still_there(local_aws)
    assert "Contents" not in client("s3").list_objects_v2(Bucket="bucket")
    assert capfd.readouterr().err == ""


def test_a_client_that_is_gone_before_its_answer_leaves_nothing(
    local_aws: Endpoint, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Such as one that was interrupted, or that does not wait for so long."""
    asked, gone = threading.Event(), threading.Event()
    handle = local_aws.signer.handle

    def late(call: Call) -> Any:
        asked.set()
        gone.wait(timeout=120)
        return handle(call)

    monkeypatch.setattr(local_aws.signer, "handle", late)
    with _connect(local_aws) as connection:
        connection.sendall(f"GET /signing-jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_SIGNED.format('signer')}\r\n\r\n".encode())
        assert asked.wait(timeout=120)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its end is a reset
    gone.set()
    local_aws.stop()
    assert capfd.readouterr().err == ""


def test_a_chunked_body_arrives_whole(local_aws: Endpoint) -> None:
    """HTTP's own chunks, which are not those of S3."""
    client("s3", region="us-east-1").create_bucket(Bucket="bucket")
    with closing(http.client.HTTPConnection(urlsplit(local_aws.url).netloc, timeout=120)) as connection:
        parts = iter([b"a" * 70_000, b"b" * 3, b"c"])
        connection.request("PUT", "/bucket/k", parts, {"Authorization": _SIGNED.format("s3")}, encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        connection.request("GET", "/bucket/k", headers={"Authorization": _SIGNED.format("s3")})
        assert connection.getresponse().read() == b"a" * 70_000 + b"bbbc"


def test_chunks_that_are_none_end_their_own_connection_alone(local_aws: Endpoint, capfd: pytest.CaptureFixture[str]) -> None:
    with _connect(local_aws) as connection:
        head = f"PUT /bucket/k HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_SIGNED.format('s3')}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"zz\r\nhello\r\n0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    _still_there(local_aws)
    assert capfd.readouterr().err == ""


def test_an_expectation_is_met_once(local_aws: Endpoint) -> None:
    """A second 100 would be read as the answer to the next request."""
    client("s3", region="us-east-1").create_bucket(Bucket="bucket")
    with _connect(local_aws) as connection:
        head = f"PUT /bucket/k HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_SIGNED.format('s3')}\r\nContent-Length: 4\r\n"
        connection.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert _answers(connection, 1) == [200]


def test_a_package_is_fetched_by_digest_alone(local_aws: Endpoint) -> None:
    with closing(http.client.HTTPConnection(urlsplit(local_aws.url).netloc, timeout=120)) as connection:
        for path in ("../../etc/passwd", "%2e%2e/root.pem", "0" * 64, ""):
            connection.request("GET", f"/_shipsafe/packages/{path}")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (404, b"")


@pytest.mark.usefixtures("local_aws")
def test_many_clients_at_once() -> None:
    client("s3", region="us-east-1").create_bucket(Bucket="bucket")
    failed: list[object] = []

    def work(index: int, s3: Any, signer: Any) -> None:
        with closing(s3), closing(signer):
            for turn in range(5):
                s3.put_object(Bucket="bucket", Key=f"{index}/{turn}", Body=b"%d" % turn)
                if s3.get_object(Bucket="bucket", Key=f"{index}/{turn}")["Body"].read() != b"%d" % turn:
                    failed.append((index, turn))
            signer.put_signing_profile(profileName=f"p{index}", platformId="AWSLambda-SHA384-ECDSA")

    threads = [threading.Thread(target=work, args=(index, client("s3"), client("signer"))) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert client("s3").list_objects_v2(Bucket="bucket")["KeyCount"] == 60
    assert len(client("signer").list_signing_profiles()["profiles"]) == 12


def test_a_failure_of_ours_is_one_answer_of_500(
    local_aws: Endpoint, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The client must see that something failed, and the next call be answered."""

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(local_aws.signer, "handle", fail)
        with closing(http.client.HTTPConnection(urlsplit(local_aws.url).netloc, timeout=120)) as connection:
            connection.request("GET", "/signing-jobs", headers={"Authorization": _SIGNED.format("signer")})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 500
    assert "RuntimeError: a bug" in capfd.readouterr().err
    client("signer").list_signing_jobs()


def _still_there(endpoint: Endpoint) -> None:
    with _connect(endpoint) as connection:
        connection.sendall(_HEALTH)
        assert _answers(connection, 1) == [200]
