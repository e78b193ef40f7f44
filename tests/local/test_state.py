"""`--state`: what was there is there again, after a stop and after kill -9, under the same names."""

import http.client
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.local.endpoint import Endpoint, start
from shipsafe.local.pki import LocalRoot
from shipsafe.local.state import State
from tests.local_endpoint import ACCOUNT, REGION, client, set_environment

_PLATFORM = "AWSLambda-SHA384-ECDSA"


@contextmanager
def _endpoint(state: Path, root: LocalRoot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Endpoint]:
    with start(state=state, delay=timedelta(), root=root) as endpoint:
        endpoint.functions.configure({"creating": 0, "updating": 0})
        set_environment(monkeypatch, endpoint, tmp_path)
        yield endpoint


def _http(method: str, url: str, body: bytes = b"") -> tuple[int, bytes]:
    place = urlsplit(url)
    with closing(http.client.HTTPConnection(place.netloc, timeout=120)) as connection:
        connection.request(method, f"{place.path}?{place.query}", body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(e, c): return 1")
    return buffer.getvalue()


def _fill() -> dict[str, Any]:
    """Make something of everything, and tell what AWS would tell of it."""
    s3, signer, functions, iam = client("s3"), client("signer"), client("lambda"), client("iam")
    s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="releases", Key="a.zip", Body=_zip(), Metadata={"who": "me"})["VersionId"]
    s3.put_object(Bucket="releases", Key="a.zip", Body=b"another")
    upload = s3.create_multipart_upload(Bucket="releases", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="releases", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket="releases", Key="parts", UploadId=upload, MultipartUpload=parts)
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument="{}")
    signer.put_signing_profile(profileName="prod", platformId=_PLATFORM)
    source = {"s3": {"bucketName": "releases", "key": "a.zip", "version": version}}
    destination = {"s3": {"bucketName": "releases", "prefix": "signed/"}}
    job = signer.start_signing_job(source=source, destination=destination, profileName="prod")["jobId"]
    key = signer.describe_signing_job(jobId=job)["signedObject"]["s3"]["key"]
    functions.create_function(
        FunctionName="orders", Runtime="python3.13", Handler="app.handler", Role=f"arn:aws:iam::{ACCOUNT}:role/deploy", Publish=True,
        Code={"S3Bucket": "releases", "S3Key": key},
    )  # fmt: skip
    return _told(job)


def _told(job: str) -> dict[str, Any]:
    s3, signer, functions, iam = client("s3"), client("signer"), client("lambda"), client("iam")
    versions = s3.list_object_versions(Bucket="releases")["Versions"]
    bodies = {
        version["VersionId"]: s3.get_object(Bucket="releases", Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        for version in versions
    }
    function = functions.get_function(FunctionName="orders", Qualifier="1")
    location = function["Code"].pop("Location")
    described = signer.describe_signing_job(jobId=job)
    described.pop("ResponseMetadata")
    return {
        "bodies": bodies,
        "role": iam.get_role(RoleName="deploy")["Role"]["RoleId"],
        "job": described,
        "function": function["Configuration"],
        "package": location.rpartition("/")[2],
    }


def test_a_restart_finds_everything_under_the_same_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot) -> None:
    """Versions of objects, ids, jobs, functions and their code."""
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path) as endpoint:
        before = _fill()
        endpoint.advance(timedelta(days=3))
        endpoint.keep()
    for _ in range(2):
        with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path) as endpoint:
            assert _told(before["job"]["jobId"]) == before
            assert endpoint.clock.moved == timedelta(days=3)
            status, package = _http("GET", client("lambda").get_function(FunctionName="orders")["Code"]["Location"])
            assert status == 200
            assert package in before["bodies"].values()


def test_the_state_holds_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot) -> None:
    secret, key, token = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE", "FwoGZXIvYXdzEXAMPLETOKEN"
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        s3 = boto3.session.Session(region_name="us-east-1").client("s3")
        s3.create_bucket(Bucket="bucket")
        presigned = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "k"})
        assert _http("PUT", presigned, b"x")[0] == 200
        boto3.session.Session(region_name="us-east-1").client("signer").put_signing_profile(profileName="prod", platformId=_PLATFORM)
        with pytest.raises(ClientError, match="not a valid JWT"):
            boto3.client("sts").assume_role_with_web_identity(
                RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x", RoleSessionName="session", WebIdentityToken="eyJ.token.secret"
            )
    text = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"prod" in text
    for hidden in (secret, key, token, "Signature=", "eyJ.token.secret"):
        assert hidden.encode() not in text
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_folder_has_one_endpoint_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot) -> None:
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path), pytest.raises(ConfigError, match="Another endpoint"):
        State(tmp_path / "state")


def test_a_line_that_was_being_written_is_dropped_and_a_damaged_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot
) -> None:
    log = tmp_path / "state" / "moto.jsonl"
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        client("s3", region="us-east-1").create_bucket(Bucket="bucket")
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"seed": 1, "meth')
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        assert len(client("s3").list_buckets()["Buckets"]) == 1
    assert log.read_bytes() == whole
    log.write_bytes(b"{}\n" + whole)
    with pytest.raises(IncompleteError, match="damaged"):
        start(state=tmp_path / "state", root=local_root)
    log.write_bytes(whole)
    (tmp_path / "state" / "cores.json").write_text("[1]")
    with pytest.raises(IncompleteError, match="damaged"):
        start(state=tmp_path / "state", root=local_root)


def test_moto_that_answers_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot) -> None:
    """A version of an object that is another one now would be signed, or deployed, in its place."""
    log = tmp_path / "state" / "moto.jsonl"
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        s3 = client("s3", region="us-east-1")
        s3.create_bucket(Bucket="bucket")
        s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket="bucket", Key="k", Body=b"1")
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    entries[-1]["seed"] += 1
    log.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with pytest.raises(IncompleteError, match="answered otherwise"):
        start(state=tmp_path / "state", root=local_root)


def test_reset_leaves_nothing_for_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot) -> None:
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path) as endpoint:
        _fill()
        endpoint.reset()
        assert client("s3").list_buckets()["Buckets"] == []
        assert client("signer").list_signing_profiles()["profiles"] == []
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        assert client("s3").list_buckets()["Buckets"] == []
        assert client("lambda").list_functions()["Functions"] == []


_SERVE = """
import sys, time
from datetime import timedelta
from pathlib import Path
from shipsafe.local.endpoint import start
print(start(state=Path(sys.argv[1]), delay=timedelta()).url, flush=True)
time.sleep(600)
"""


def test_kill_9_leaves_a_state_that_can_be_taken_up(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot
) -> None:
    """Whatever was answered is there; what was being done is there or not."""
    answered: list[str] = []
    for round_ in range(3):
        arguments = [sys.executable, "-c", _SERVE, str(tmp_path / "state")]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(repository)}) as child:
            assert child.stdout is not None
            try:
                monkeypatch.setenv("AWS_ENDPOINT_URL", child.stdout.readline().decode().strip())
                with closing(client("s3", region="us-east-1")) as s3, closing(client("signer")) as signer:
                    if not round_:
                        s3.create_bucket(Bucket="bucket")
                        s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
                    answered += [s3.put_object(Bucket="bucket", Key="k", Body=b"%d" % index)["VersionId"] for index in range(5)]
                    signer.put_signing_profile(profileName=f"profile{round_}", platformId=_PLATFORM)
            finally:
                child.kill()
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        versions = client("s3").list_object_versions(Bucket="bucket")["Versions"]
        assert {version["VersionId"] for version in versions} == set(answered)
        assert len(client("signer").list_signing_profiles()["profiles"]) == 3


def test_what_cannot_be_kept_is_not_answered_as_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_root: LocalRoot) -> None:
    """A disk that refuses is an error of the server, with a sentence; the next call is answered."""
    once = Config(retries={"total_max_attempts": 1})
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        (tmp_path / "state" / "bodies").write_text("in the way")
        (tmp_path / "state" / "cores.json").mkdir()
        with (
            closing(client("s3", region="us-east-1", config=once)) as s3,
            pytest.raises(ClientError, match=r"InternalFailure.*Cannot be written"),
        ):
            s3.create_bucket(Bucket="bucket")
        with closing(client("signer", config=once)) as signer, pytest.raises(ClientError, match=r"InternalFailure.*Cannot be written"):
            signer.put_signing_profile(profileName="prod", platformId=_PLATFORM)
        (tmp_path / "state" / "bodies").unlink()
        (tmp_path / "state" / "cores.json").rmdir()
        client("s3", region="us-east-1").create_bucket(Bucket="bucket")
    with _endpoint(tmp_path / "state", local_root, monkeypatch, tmp_path):
        assert [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]] == ["bucket"]


def test_an_endpoint_is_alone_in_its_process_and_may_be_stopped_twice(local_root: LocalRoot) -> None:
    with start(root=local_root) as endpoint:
        with pytest.raises(ConfigError, match="in this process already"):
            start(root=local_root)
        endpoint.stop()
    start(root=local_root).stop()
