"""The local AWS endpoint as a fixture: a fresh one for each test, with the environment of a user who exported what it printed.

    def test_something(local_aws: Endpoint) -> None:
        client("s3").list_buckets()

tests/conftest.py makes the fixtures known everywhere; nothing is imported before a test asks for one. moto is
imported once a process (0.6 s), when the first test uses S3 or the like.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from shipsafe.local.pki import LocalRoot

REGION = "eu-west-1"
ACCOUNT = "123456789012"
_PATIENCE = 300  # seconds


@pytest.fixture(scope="session")
def local_root(tmp_path_factory: pytest.TempPathFactory) -> "LocalRoot":
    """One root for all tests: three P-384 keys need not be made for each."""
    from shipsafe.local.pki import open_root  # noqa: PLC0415 - see above

    return open_root(tmp_path_factory.mktemp("local-root"))


def set_environment(monkeypatch: pytest.MonkeyPatch, endpoint: "Endpoint", folder: Path) -> None:
    """What `shipsafe local run` sets for its command."""
    nothing = folder / "no-aws-config"
    nothing.touch()
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(nothing),
        "AWS_SHARED_CREDENTIALS_FILE": str(nothing),
        "SHIPSAFE_LOCAL_ROOT": endpoint.fingerprint,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def local_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, local_root: "LocalRoot") -> "Iterator[Endpoint]":
    """A running endpoint whose signing jobs take no time; `AWS_*` and `SHIPSAFE_LOCAL_ROOT` lead to it."""
    from shipsafe.local.endpoint import start  # noqa: PLC0415 - see above

    with start(delay=timedelta(), root=local_root) as endpoint:
        set_environment(monkeypatch, endpoint, tmp_path)
        yield endpoint


@cache
def _session() -> Any:
    """One for all: it keeps the service models, which take 100 ms to read; endpoint and region are looked up for each client."""
    import boto3  # noqa: PLC0415 - tests that need no client need no boto3

    return boto3.session.Session()


def client(service: str, *, account: str = ACCOUNT, region: str = REGION, config: Any = None, **options: Any) -> Any:
    """A boto3 client for an account; close it (`with closing(client("s3"))`) or let the test end. To be called in one thread.

    It waits for longer than boto3: who asks again because a busy machine was slow to answer finds what the first call made.
    """
    from botocore.config import Config  # noqa: PLC0415 - see above

    patient = Config(read_timeout=_PATIENCE, connect_timeout=_PATIENCE).merge(config or Config())
    return _session().client(
        service, aws_access_key_id=account, aws_secret_access_key="local", region_name=region, config=patient, **options
    )
