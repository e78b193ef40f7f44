"""Functions of the local endpoint that run signed code: in several regions, through layers, behind aliases."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shipsafe.adapters.aws.pace import Pace
from shipsafe.local.endpoint import Endpoint
from tests.local.functions.world import zipped
from tests.local_endpoint import ACCOUNT, REGION, client

ELSEWHERE = "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"
PLATFORM = "AWSLambda-SHA384-ECDSA"


def function_arn(name: str, region: str = REGION) -> str:
    return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"


@dataclass
class Fleet:
    """An account with a bucket and profile. Clients are made once: each takes 0.1 s."""

    endpoint: Endpoint
    profile: str = ""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.endpoint.functions.configure({"creating": 0, "updating": 0})
        s3 = self.client("s3")
        s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
        self.profile = self.new_profile("orders")

    def client(self, service: str, region: str = REGION) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = client(service, region=region)
        return self._clients[service, region]

    def new_profile(self, name: str) -> str:
        made = self.client("signer").put_signing_profile(profileName=name, platformId=PLATFORM)
        return str(made["profileVersionArn"])

    def sign(self, text: str = "pass", profile: str = "orders") -> tuple[str, bytes]:
        """The ARN of a job, and the zip that it signed."""
        s3, signer = self.client("s3"), self.client("signer")
        version = s3.put_object(Bucket="releases", Key="unsigned.zip", Body=zipped({"app.py": text.encode()}))["VersionId"]
        job = signer.start_signing_job(
            source={"s3": {"bucketName": "releases", "key": "unsigned.zip", "version": version}},
            destination={"s3": {"bucketName": "releases", "prefix": "signed/"}},
            profileName=profile,
        )["jobId"]
        where = signer.describe_signing_job(jobId=job)["signedObject"]["s3"]
        body = s3.get_object(Bucket=where["bucketName"], Key=where["key"])["Body"].read()
        return f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/{job}", bytes(body)

    def create(self, name: str, code: bytes | None = None, region: str = REGION, **more: Any) -> str:
        self.client("lambda", region).create_function(
            FunctionName=name,
            Role=ROLE,
            Runtime="python3.13",
            Handler="app.main",
            Code={"ZipFile": code if code is not None else zipped()},
            **more,
        )
        return function_arn(name, region)

    def layer(self, code: bytes) -> str:
        made = self.client("lambda").publish_layer_version(LayerName="shared", Content={"ZipFile": code})
        return str(made["LayerVersionArn"])

    def reserved(self, name: str, region: str = REGION) -> int | None:
        found = self.client("lambda", region).get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        return None if found is None else int(found)

    def tags(self, name: str, region: str = REGION) -> dict[str, str]:
        return dict(self.client("lambda", region).list_tags(Resource=function_arn(name, region))["Tags"])

    def revoked(self, job: str) -> bool:
        return "revocationRecord" in self.client("signer").describe_signing_job(jobId=job.rpartition("/")[2])

    def deny(self, operation: str, service: str = "lambda", **more: Any) -> None:
        """Refuse the next call of an operation, as IAM does; `times=0` for all."""
        self.fault(service=service, operation=operation, kind="error", code="AccessDeniedException", status=403, message="no", **more)

    def fault(self, **words: Any) -> None:
        from shipsafe.local.faults import fault_of  # noqa: PLC0415 - with the endpoint

        self.endpoint.faults.add(fault_of(words))

    def snapshot(self) -> Any:
        """All that a run could have changed."""
        signer = self.client("signer")
        jobs = [(job["jobId"], job["isRevoked"]) for job in signer.list_signing_jobs()["jobs"]]
        profiles = [(one["profileName"], one["status"]) for one in signer.list_signing_profiles(includeCanceled=True)["profiles"]]
        functions = self.client("lambda").list_functions()["Functions"]
        return (
            jobs,
            profiles,
            [(one["FunctionName"], self.reserved(one["FunctionName"]), self.tags(one["FunctionName"])) for one in functions],
        )


Run = Callable[..., tuple[int, str]]


def pace() -> Pace:
    """No time passes."""
    return Pace(1e6, 100, lambda: 0.0, lambda _seconds: None)
