"""A stack called `shop` on a local endpoint, and the ways to change it over HTTP."""

import io
import json
import zipfile
from typing import Any

from shipsafe.local.endpoint import Endpoint
from tests.local_endpoint import ACCOUNT, client

BUCKET = "releases"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
IAM = ["CAPABILITY_IAM"]


def zipped(text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("app.py", text)
    return stream.getvalue()


def function(version: str, **more: Any) -> dict[str, Any]:
    """A function whose code lies in the bucket."""
    code = {"S3Bucket": BUCKET, "S3Key": "app.zip", "S3ObjectVersion": version}
    properties = {"Code": code, "Runtime": "python3.13", "Handler": "app.main", "Role": ROLE, **more}
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


class Shop:
    """The stack, with clients. Nothing takes time unless a test says so."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.stacks, self.functions, self.iam = client("cloudformation"), client("lambda"), client("iam")
        self._s3, self._count = client("s3"), 0
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self._s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.functions_take(0)
        endpoint.stacks.configure({"making": 0})

    def functions_take(self, seconds: float) -> None:
        """How long functions take to be made and changed."""
        self.endpoint.functions.configure({"creating": seconds, "updating": seconds})

    def put(self, body: bytes) -> str:
        """Put a package into the bucket; its version."""
        return str(self._s3.put_object(Bucket=BUCKET, Key="app.zip", Body=body)["VersionId"])

    def make(self, body: dict[str, Any] | str, *, kind: str = "", name: str = "", **more: Any) -> dict[str, Any]:
        """Make a change set of the stack; how it is described."""
        self._count += 1
        name = name or f"change-{self._count}"
        text = body if isinstance(body, str) else json.dumps(body)
        kind = kind or ("UPDATE" if self.exists() else "CREATE")
        self.stacks.create_change_set(StackName="shop", ChangeSetName=name, ChangeSetType=kind, TemplateBody=text, **more)
        described: dict[str, Any] = self.stacks.describe_change_set(StackName="shop", ChangeSetName=name)
        return described

    def change(self, body: dict[str, Any] | str, **more: Any) -> str:
        """Make a change set and execute it; the stack's status then."""
        made = self.make(body, **more)
        assert made["ExecutionStatus"] == "AVAILABLE", made.get("StatusReason")
        self.stacks.execute_change_set(ChangeSetName=made["ChangeSetId"])
        return self.status

    def exists(self) -> bool:
        return any(
            one["StackName"] == "shop" and one["StackStatus"] != "REVIEW_IN_PROGRESS" for one in self.stacks.describe_stacks()["Stacks"]
        )

    @property
    def described(self) -> dict[str, Any]:
        told: dict[str, Any] = self.stacks.describe_stacks(StackName="shop")["Stacks"][0]
        return told

    @property
    def status(self) -> str:
        return str(self.described["StackStatus"])

    @property
    def resources(self) -> dict[str, str]:
        """Physical ids by logical ids."""
        told = self.stacks.get_paginator("list_stack_resources").paginate(StackName="shop").build_full_result()
        return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in told["StackResourceSummaries"]}

    def events(self, logical: str = "shop") -> list[str]:
        """The statuses that the stack, or a resource, has had, the oldest first."""
        told = self.stacks.get_paginator("describe_stack_events").paginate(StackName=self.described["StackId"]).build_full_result()
        return [one["ResourceStatus"] for one in reversed(told["StackEvents"]) if one["LogicalResourceId"] == logical]

    def failures(self) -> list[tuple[str, str]]:
        """Logical ids and reasons of what failed, the first first."""
        told = self.stacks.describe_stack_events(StackName=self.described["StackId"])["StackEvents"]
        return [(one["LogicalResourceId"], one["ResourceStatusReason"]) for one in reversed(told) if "FAILED" in one["ResourceStatus"]]

    def code(self, name: str) -> str:
        """The digest of the code that a function has."""
        return str(self.functions.get_function(FunctionName=name)["Configuration"]["CodeSha256"])

    def signed(self, body: bytes) -> str:
        """Sign a package with the profile `prod`; the version of what was signed, at `app.zip`."""
        signer, source = client("signer"), {"bucketName": BUCKET, "key": "app.zip", "version": self.put(body)}
        told = signer.start_signing_job(
            source={"s3": source}, destination={"s3": {"bucketName": BUCKET, "prefix": "signed/"}}, profileName="prod"
        )
        where = signer.describe_signing_job(jobId=told["jobId"])["signedObject"]["s3"]
        return self.put(self._s3.get_object(Bucket=where["bucketName"], Key=where["key"])["Body"].read())

    def code_signing(self, policy: str = "Enforce") -> str:
        """A code-signing configuration that takes what the profile `prod` signs; its ARN."""
        made = client("signer").put_signing_profile(profileName="prod", platformId="AWSLambda-SHA384-ECDSA")
        told = self.functions.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [made["profileVersionArn"]]},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
        )
        return str(told["CodeSigningConfig"]["CodeSigningConfigArn"])
