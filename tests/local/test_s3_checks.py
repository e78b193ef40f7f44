"""What the front asks of S3 before moto does, each held to a page of AWS's documentation."""

import base64
import hashlib
import http.client
import socket
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from shipsafe.local.endpoint import Endpoint
from shipsafe.local.objects import MotoObjects
from tests.local_endpoint import ACCOUNT, REGION, client

_SCOPE = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261121/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture
def s3(local_aws: Endpoint) -> Iterator[Any]:
    assert local_aws.url
    with closing(client("s3")) as made:
        made.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield made


def _versioning(s3: Any, status: str) -> None:
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": status})


def _send(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """A request as no SDK would send it."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    with closing(connection):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers={"Authorization": _SCOPE} | named)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def test_a_body_that_is_not_what_its_sha256_says_is_refused(s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html."""
    with pytest.raises(ClientError, match="BadDigest") as caught:
        s3.put_object(Bucket="bucket", Key="k", Body=b"tampered", ChecksumSHA256=_sha256(b"meant"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")


def test_a_sha256_that_came_with_the_object_is_told_by_head(s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-checksum-mode)."""
    assert s3.put_object(Bucket="bucket", Key="k", Body=b"meant", ChecksumSHA256=_sha256(b"meant"))["ChecksumSHA256"] == _sha256(b"meant")
    assert s3.head_object(Bucket="bucket", Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"] == _sha256(b"meant")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("x_amz_checksum_crc32", base64.b64encode(zlib.crc32(b"other").to_bytes(4)).decode(), b"BadDigest"),
        ("x_amz_checksum_sha1", base64.b64encode(hashlib.sha1(b"other", usedforsecurity=False).digest()).decode(), b"BadDigest"),
        ("x_amz_checksum_sha256", "c2hvcnQ=", b"InvalidRequest"),
        ("x_amz_checksum_sha256", "not base64", b"InvalidRequest"),
        ("content_md5", base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode(), b"BadDigest"),
        ("content_md5", "c2hvcnQ=", b"InvalidDigest"),
        ("x_amz_content_sha256", hashlib.sha256(b"other").hexdigest(), b"XAmzContentSHA256Mismatch"),
    ],
)
def test_every_digest_that_a_request_names_is_compared(s3: Any, local_aws: Endpoint, name: str, value: str, code: bytes) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""
    status, answer = _send(local_aws.url, "PUT", "/bucket/k", b"meant", **{name: value})
    assert status == 400
    assert b"<Code>%b</Code>" % code in answer
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")


def _chunked(body: bytes, trailer: str) -> bytes:
    return b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(body), body, trailer.encode())


@pytest.mark.usefixtures("s3")
def test_the_checksum_in_a_trailer_is_compared(local_aws: Endpoint) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html."""
    headers = {
        "x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "content_encoding": "aws-chunked",
        "x_amz_trailer": "x-amz-checksum-sha256",
        "x_amz_decoded_content_length": "5",
        "x_amz_sdk_checksum_algorithm": "SHA256",
    }
    wrong = _chunked(b"hello", f"x-amz-checksum-sha256:{_sha256(b'other')}")
    status, answer = _send(local_aws.url, "PUT", "/bucket/k", wrong, **headers)
    assert (status, b"BadDigest" in answer) == (400, True)
    status, answer = _send(local_aws.url, "PUT", "/bucket/k", b"zz\r\n" + wrong, **headers)
    assert (status, b"IncompleteBody" in answer) == (400, True)
    right = _chunked(b"hello", f"x-amz-checksum-sha256:{_sha256(b'hello')}")
    assert _send(local_aws.url, "PUT", "/bucket/k", right, **headers)[0] == 200
    assert _send(local_aws.url, "GET", "/bucket/k") == (200, b"hello")


def test_a_write_under_if_none_match_fails_where_the_key_is_taken(s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html."""
    _versioning(s3, "Enabled")
    s3.put_object(Bucket="bucket", Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed") as caught:
        s3.put_object(Bucket="bucket", Key="k", Body=b"2", IfNoneMatch="*")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    s3.delete_object(Bucket="bucket", Key="k")
    s3.put_object(Bucket="bucket", Key="k", Body=b"3", IfNoneMatch="*")  # a delete marker is no object
    assert len(s3.list_object_versions(Bucket="bucket")["Versions"]) == 2


def test_of_several_conditional_writes_at_once_one_succeeds(s3: Any) -> None:
    """The same page: "the first write operation to finish succeeds"."""
    ended: list[str] = []

    def write(index: int) -> None:
        try:
            s3.put_object(Bucket="bucket", Key="k", Body=b"%d" % index, IfNoneMatch="*")
            ended.append("written")
        except ClientError as error:
            ended.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=write, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["PreconditionFailed"] * 7 + ["written"]


def test_several_writes_of_a_key_at_once_are_all_versions_of_it(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto looks which versions there are, and puts its own behind them a moment later; here that moment is long."""
    from moto.s3.utils import _VersionedKeyStore  # noqa: PLC0415 - moto is loaded by the first that needs it

    looked = _VersionedKeyStore.getlist

    def slowly(store: Any, key: str, default: Any = None) -> Any:
        found = looked(store, key, default)
        time.sleep(0.2)
        return found

    _versioning(s3, "Enabled")
    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(_VersionedKeyStore, "getlist", slowly)
        threads = [
            threading.Thread(target=lambda: told.append(s3.put_object(Bucket="bucket", Key="k", Body=b"1")["VersionId"])) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(told) == 4
    assert {one["VersionId"] for one in s3.list_object_versions(Bucket="bucket")["Versions"]} == set(told)


def test_while_moto_s3_is_being_imported_nobody_owns_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first requests may come together: one of them imports it, and the others must not find half of it."""
    monkeypatch.setitem(sys.modules, "moto.s3.models", ModuleType("moto.s3.models"))
    assert MotoObjects(lambda asked: pytest.fail(asked.path)).owner("bucket") is None


@pytest.mark.usefixtures("s3")
def test_a_delete_while_a_conditional_write_comes_in_is_a_conflict(local_aws: Endpoint) -> None:
    """The same page: 409 "if a delete request to an object succeeds before a conditional write operation on that object completes"."""
    head = f"PUT /bucket/k HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_SCOPE}\r\nIf-None-Match: *\r\nContent-Length: 4\r\n"
    with socket.create_connection(("127.0.0.1", local_aws.listener.port), timeout=120) as connection:
        connection.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
        assert b"100 Continue" in connection.recv(4096)  # the head is read
        assert _send(local_aws.url, "DELETE", "/bucket/k")[0] == 204
        connection.sendall(b"half")
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 409 ")


@pytest.mark.usefixtures("s3")
def test_a_condition_that_s3_does_not_know_is_not_passed_over(local_aws: Endpoint) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html: If-None-Match "Expects the '*' (asterisk) character"."""
    status, answer = _send(local_aws.url, "PUT", "/bucket/k", b"1", if_none_match='"etag"')
    assert (status, b"NotImplemented" in answer) == (501, True)


def test_a_bucket_of_another_owner_than_is_expected_is_refused(s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html."""
    s3.put_object(Bucket="bucket", Key="key", Body=b"", ExpectedBucketOwner=ACCOUNT)
    s3.head_bucket(Bucket="bucket", ExpectedBucketOwner=ACCOUNT)
    for call, words in (("put_object", {"Key": "key", "Body": b""}), ("get_object", {"Key": "key"}), ("head_bucket", {})):
        with pytest.raises(ClientError) as caught:
            getattr(s3, call)(Bucket="bucket", ExpectedBucketOwner="444455556666", **words)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket="no-such-bucket", ExpectedBucketOwner=ACCOUNT)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_suspended_bucket_answers_the_version_null(s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html."""
    assert "VersionId" not in s3.put_object(Bucket="bucket", Key="k", Body=b"1")
    _versioning(s3, "Suspended")
    assert s3.put_object(Bucket="bucket", Key="k", Body=b"2")["VersionId"] == "null"
    assert s3.get_object(Bucket="bucket", Key="k", VersionId="null")["Body"].read() == b"2"
    assert s3.head_object(Bucket="bucket", Key="k", VersionId="null")["ContentLength"] == 1


@pytest.mark.parametrize("status", ["", "Suspended", "Enabled"])
def test_a_version_that_never_was_is_not_found(s3: Any, status: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (NoSuchVersion)."""
    if status:
        _versioning(s3, status)
    s3.put_object(Bucket="bucket", Key="k", Body=b"1")
    with pytest.raises(ClientError, match="NoSuchVersion"):
        s3.get_object(Bucket="bucket", Key="k", VersionId="3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="bucket", Key="k", VersionId="3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/bucket/k?encryption"),
        ("PUT", "/bucket/k?renameObject"),
        ("PUT", "/bucket/k?invented"),
        ("PUT", "/bucket/k?uploadId=x"),
        ("PUT", "/bucket/k?tagging&invented=1"),
        ("DELETE", "/bucket/k?invented"),
        ("DELETE", "/bucket?metrics&id=x"),
        ("DELETE", "/bucket?invented"),
        ("PUT", "/bucket?requestPayment"),
        ("PUT", "/other?analytics&id=x"),
        ("PUT", "/other?invented"),
        ("GET", "/bucket?requestPayment"),
        ("GET", "/bucket?invented"),
        ("GET", "/bucket/k?retention"),
        ("GET", "/bucket/k?torrent"),
        ("POST", "/bucket/k?invented"),
        ("POST", "/bucket?metadataTable"),
        ("PATCH", "/bucket/k"),
    ],
)
def test_a_sub_resource_that_is_not_known_is_never_taken_for_the_object(s3: Any, local_aws: Endpoint, method: str, path: str) -> None:
    """An emulator must be loud: moto would overwrite the object, delete the bucket, or list it."""
    s3.put_object(Bucket="bucket", Key="k", Body=b"kept")
    status, answer = _send(local_aws.url, method, path, b"<X/>")
    assert (status, b"<Code>NotImplemented</Code>" in answer) == (501, True), answer
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"kept"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["bucket"]


def test_a_presigned_url_names_no_sub_resource(s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html."""
    s3.put_object(Bucket="bucket", Key="a b/ü+k", Body=b"kept")
    url = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a b/ü+k"}))
    with closing(http.client.HTTPConnection(url.netloc, timeout=120)) as connection:
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"kept")
