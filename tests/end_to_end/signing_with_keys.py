"""A project, keys, and the program against the local endpoint: for tests of what `sign` states."""

import base64
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipsafe.evidence.key_file import make
from shipsafe.evidence.public_key import PublicKey
from shipsafe.flows.keys import table
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.attestation import Role
from tests.end_to_end.program import Ended, shipsafe
from tests.end_to_end.test_sign import BUCKET, POLICY, project
from tests.local_endpoint import client, local_aws, local_root  # noqa: F401 - fixtures

PASSWORD = "correct horse battery staple"
Run = Callable[..., Ended]
__all__ = ["ALL", "PASSWORD", "Run", "bundle", "jobs", "keys", "kinds", "manifest", "project", "run", "stated", "trusting"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, PublicKey]]:
    """Key files, by name."""
    folder = tmp_path_factory.mktemp("keys")
    return {name: (folder / f"{name}.pem", make(folder / f"{name}.pem", password=PASSWORD.encode())) for name in ("ci", "release", "eve")}


@pytest.fixture
def run(project: Path, tmp_path: Path, local_aws: Endpoint) -> Run:  # noqa: F811, ARG001 - fixtures, which set the environment
    """The program in the project, against the local endpoint with bucket and profile, and with the password of the keys."""
    with closing(client("s3")) as s3, closing(client("signer")) as signer:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        signer.put_signing_profile(profileName="pay_dev", platformId="AWSLambda-SHA384-ECDSA")
    aws = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_LOCAL"))}
    env = {"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), "SHIPSAFE_KEY_PASSWORD": PASSWORD, **aws}
    return lambda *words: shipsafe(*words, cwd=project, env=env)


def trusting(project: Path, extends: str = "baseline", **keys: PublicKey) -> None:
    """Write a policy that trusts the keys `ci` as a builder's and every other one as a signer's."""
    tables = "\n".join(table(key, name=name, roles=[Role.BUILDER if name == "ci" else Role.SIGNER]) for name, key in keys.items())
    (project / "shipsafe.toml").write_text(f'extends = "{extends}"\nevidence = "kept"\n{POLICY}\n{tables}\n')


def bundle(project: Path, name: str = "Pay") -> list[Any]:
    """The envelopes of an artifact."""
    return [json.loads(line) for line in (project / "dist" / f"{name}.intoto.jsonl").read_bytes().splitlines()]


def stated(envelope: Any) -> Any:
    return json.loads(base64.b64decode(envelope["payload"]))


def kinds(project: Path, name: str = "Pay") -> list[str]:
    """What is stated, in the order of the bundle."""
    statements = [stated(one) for one in bundle(project, name)]
    return [one["predicateType"].rpartition("/")[2] + (one["predicate"].get("askedBy", "")) for one in statements]


def manifest(project: Path) -> Any:
    return json.loads((project / "dist" / "shipsafe.json").read_text())


def jobs() -> int:
    with closing(client("signer")) as signer:
        return len(signer.list_signing_jobs()["jobs"])


ALL = ["v1", "bom", "urn:shipsafe:gates:v1builder", "urn:shipsafe:gates:v1signer", "urn:shipsafe:signing:v1"]
