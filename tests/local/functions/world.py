"""A local Lambda in process, with everything around it in memory, and zips signed under a root of its own."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.local.blobs import MemoryBlobs
from shipsafe.local.call import ApiError, Call
from shipsafe.local.cms import write_signature
from shipsafe.local.functions.core import Lambda
from shipsafe.local.pki import LocalRoot, open_root
from shipsafe.local.sign_zip import sign_zip
from shipsafe.local.validation import service_model
from tests.local.stores import HandClock

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"
PROFILE = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/orders_prod/abcdefghij"
STRANGER = f"arn:aws:signer:{REGION}:{OTHER}:/signing-profiles/somebody/0123456789"
JOB = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/8f0c9c6a-4f0b-4f8e-9f0a-3d2b1c0a9e8f"
FILES = {"handler.py": b"def main(event, context):\n    return 1\n", "lib/data.txt": b"data" * 100}


@dataclass
class Bucket:
    region: str = REGION
    versioning: str = "Enabled"
    versions: dict[tuple[str, str], bytes] = field(default_factory=dict)
    current: dict[str, str] = field(default_factory=dict)


class Memory:
    """The Objects of a test."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {"code": Bucket(), "far": Bucket(region="us-west-2"), "plain": Bucket(versioning="")}

    def put(self, bucket: str, key: str, body: bytes) -> str:
        version = hashlib.sha256(body).hexdigest()[:32]
        self.buckets[bucket].versions[key, version] = body
        self.buckets[bucket].current[key] = version
        return version

    def write(self, bucket: str, key: str, body: bytes) -> str | None:
        return self.put(bucket, key, body)

    def read(self, bucket: str, key: str, version: str) -> bytes:
        found = self.buckets[bucket]
        if key not in found.current:
            raise ApiError("NoSuchKey", "The specified key does not exist.", 404)
        if (key, version or found.current[key]) not in found.versions:
            raise ApiError("NoSuchVersion", "The specified version does not exist.", 404)
        return found.versions[key, version or found.current[key]]

    def region(self, bucket: str) -> str:
        if bucket not in self.buckets:
            raise ApiError("NoSuchBucket", "The specified bucket does not exist", 404)
        return self.buckets[bucket].region

    def versioning(self, bucket: str) -> str:
        return self.buckets[bucket].versioning


def zipped(files: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = FILES.items(), compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these entries, in this order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, body in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(zipfile.ZipInfo(name), body, compression)
    return out.getvalue()


def entries(archive: bytes) -> list[tuple[str, bytes]]:
    """The entries of a zip, in its order."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return [(info.filename, file.read(info)) for info in file.infolist()]


class Local:
    """A Lambda, its clock and its neighbours."""

    def __init__(self, root: LocalRoot, **arguments: Any) -> None:
        self.root = root
        self.clock = HandClock()
        self.objects = Memory()
        self.blobs = MemoryBlobs()
        self.revoked: set[str] = set()
        self.metrics: list[tuple[str, float, dict[str, str]]] = []
        self.core = self.new(**arguments)

    def new(self, **arguments: Any) -> Lambda:
        """Another Lambda among the same neighbours."""
        return Lambda(
            clock=self.clock,
            objects=self.objects,
            blobs=self.blobs,
            revoked=self._is_revoked,
            roots=frozenset({self.root.fingerprint}),
            metric=lambda _, points: self.metrics.extend((name, value, dict(dimensions)) for name, value, dimensions in points),
            **arguments,
        )

    def _is_revoked(self, *, job_arn: str, profile_version_arn: str, signed_at: datetime) -> bool:
        assert signed_at.tzinfo is not None
        return job_arn in self.revoked or profile_version_arn in self.revoked

    def __call__(self, operation: str, *, account: str = ACCOUNT, region: str = REGION, **parameters: Any) -> dict[str, Any]:
        """Call an operation."""
        call = Call(
            service="lambda", operation=operation, parameters=parameters, account=account, region=region, caller="arn:aws:iam::1:user/me"
        )
        answer = self.core.handle(call)
        check_shape(service_model("lambda").operation_model(operation).output_shape, answer, operation)
        return answer

    def settle(self) -> None:
        """Let the time pass that AWS would take; no other does."""
        self.clock.pass_time(seconds=5)

    def sign(
        self,
        archive: bytes,
        *,
        profile: str = PROFILE,
        job: str = JOB,
        root: LocalRoot | None = None,
        valid: timedelta = timedelta(days=365),
    ) -> bytes:
        """Sign as the local Signer does."""
        now = self.clock.now().astimezone(UTC)
        leaf = (root or self.root).issue(now)

        def text(content: bytes) -> bytes:
            return write_signature(content, leaf, job=job, profile_version=profile, signed_at=now, expires=now + valid)

        return sign_zip(archive, text)

    def refused(self, code: str, status: int, operation: str, **parameters: Any) -> str:
        """The message of a call that must be refused."""
        with pytest.raises(ApiError) as caught:
            self(operation, **parameters)
        assert (caught.value.code, caught.value.status) == (code, status)
        return caught.value.message

    def config(self, policy: str = "Enforce", publishers: Iterable[str] = (PROFILE,)) -> str:
        """A code-signing configuration; its ARN."""
        answer = self(
            "CreateCodeSigningConfig",
            AllowedPublishers={"SigningProfileVersionArns": list(publishers)},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
        )
        return str(answer["CodeSigningConfig"]["CodeSigningConfigArn"])

    def create(self, name: str = "orders", code: bytes | None = None, **more: Any) -> dict[str, Any]:
        """A function, and the time that it takes."""
        answer = self(
            "CreateFunction",
            **{
                "FunctionName": name,
                "Role": ROLE,
                "Runtime": "python3.13",
                "Handler": "handler.main",
                "Code": {"ZipFile": code or zipped()},
                **more,
            },
        )
        self.settle()
        return answer

    def configured(self, name: str = "orders", **more: Any) -> dict[str, Any]:
        """GetFunctionConfiguration."""
        return self("GetFunctionConfiguration", FunctionName=name, **more)


def check_shape(shape: Any, value: Any, path: str) -> None:
    """An answer has members of botocore's model alone, of their types."""
    if shape is None:
        assert value == {}, path
        return
    members: list[tuple[Any, Any, str]] = []
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members), f"{path} has {set(value) - set(shape.members)}"
        members = [(shape.members[name], member, f"{path}.{name}") for name, member in value.items()]
    elif shape.type_name == "list":
        members = [(shape.member, member, path) for member in value]
    elif shape.type_name == "map":
        members = [(shape.value, member, f"{path}.{name}") for name, member in value.items()]
    else:
        assert type(value) is _TYPES[shape.type_name], f"{path} is {value!r}"
    for member in members:
        check_shape(*member)


_TYPES = {"string": str, "integer": int, "long": int, "boolean": bool, "blob": bytes, "timestamp": datetime, "double": float}


def a_root(folder: Path) -> LocalRoot:
    """A root, kept in a folder."""
    return open_root(folder)
