"""The same over HTTP with boto3, its exceptions and its waiters."""

import base64
import hashlib
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.local.functions.test_admission import changed, renamed, reordered
from tests.local.functions.world import entries, zipped
from tests.local_endpoint import ACCOUNT, REGION, client

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"


class Aws(NamedTuple):
    """Clients of the running endpoint."""

    endpoint: "Endpoint"
    s3: Any
    signer: Any
    functions: Any

    def sign(self, body: bytes, profile: str = "prod") -> bytes:
        """A signed zip, by a signing job."""
        version = self.s3.put_object(Bucket="releases", Key="unsigned.zip", Body=body)["VersionId"]
        job = self.signer.start_signing_job(
            source={"s3": {"bucketName": "releases", "key": "unsigned.zip", "version": version}},
            destination={"s3": {"bucketName": "releases", "prefix": "signed/"}},
            profileName=profile,
        )["jobId"]
        where = self.signer.describe_signing_job(jobId=job)["signedObject"]["s3"]
        return bytes(self.s3.get_object(Bucket=where["bucketName"], Key=where["key"])["Body"].read())

    def wait(self, waiter: str, **parameters: str) -> None:
        """Let a waiter look twice, and the window end between its looks."""
        looks: list[str] = []

        def looked(*, model: Any, **_: object) -> None:
            looks.append(model.name)
            self.endpoint.advance(timedelta(hours=1))

        self.functions.meta.events.register("after-call.lambda", looked)
        self.functions.get_waiter(waiter).wait(**parameters, WaiterConfig={"Delay": 0, "MaxAttempts": 5})
        self.functions.meta.events.unregister("after-call.lambda", looked)
        assert len(looks) == 2

    def profile(self, name: str = "prod") -> str:
        """A profile; the ARN of its version."""
        made = self.signer.put_signing_profile(
            profileName=name, platformId="AWSLambda-SHA384-ECDSA", signatureValidityPeriod={"value": 1, "type": "DAYS"}
        )
        return str(made["profileVersionArn"])

    def create(self, code: bytes, publisher: str, policy: str = "Enforce") -> str:
        """A function that is bound to a configuration; the configuration's ARN."""
        config = self.functions.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [publisher]}, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}
        )["CodeSigningConfig"]["CodeSigningConfigArn"]
        self.functions.create_function(
            FunctionName="orders",
            Role=ROLE,
            Runtime="python3.13",
            Handler="handler.main",
            Code={"ZipFile": code},
            CodeSigningConfigArn=config,
        )
        return str(config)


@pytest.fixture
def aws(local_aws: "Endpoint") -> Iterator[Aws]:
    local_aws.functions.configure({"creating": 0, "updating": 0})
    with ExitStack() as stack:
        s3, signer, functions = (client(name) for name in ("s3", "signer", "lambda"))
        for one in (s3, signer, functions):
            stack.callback(one.close)
        s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
        yield Aws(local_aws, s3, signer, functions)


def test_every_row_of_the_admission_table(aws: Aws) -> None:
    publisher, _ = aws.profile(), aws.profile("stranger")
    good = aws.sign(zipped())
    stranger = aws.sign(zipped(), "stranger")
    config = aws.create(good, publisher)
    refused = aws.functions.exceptions.CodeVerificationFailedException
    deploy = aws.functions.update_function_code
    tampered = [tamper(good) for tamper in (changed, renamed, reordered)]
    for policy in ("Enforce", "Warn"):
        aws.functions.update_code_signing_config(CodeSigningConfigArn=config, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy})
        assert deploy(FunctionName="orders", ZipFile=good)["SigningProfileVersionArn"] == publisher
        assert deploy(FunctionName="orders", ZipFile=zipped(entries(good)))["SigningProfileVersionArn"] == publisher
        for code in tampered:
            with pytest.raises(refused, match="code is not properly signed"):
                deploy(FunctionName="orders", ZipFile=code)
        for code in (zipped(), stranger):
            for dry_run in (True, False):
                if policy == "Enforce":
                    with pytest.raises(refused, match="not configured to accept"):
                        deploy(FunctionName="orders", ZipFile=code, DryRun=dry_run)
                else:
                    answer = deploy(FunctionName="orders", ZipFile=code, DryRun=dry_run)
                    assert answer["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert [event["additionalEventData"] for event in aws.endpoint.functions.events()][-1]["signatureStatus"] == "MISMATCH"


def test_a_revoked_signature_and_an_expired_one_are_refused(aws: Aws) -> None:
    publisher = aws.profile()
    good = aws.sign(zipped())
    aws.create(good, publisher)
    job = aws.functions.get_function_configuration(FunctionName="orders")["SigningJobArn"].rpartition("/")[2]
    fresh = aws.sign(zipped())
    aws.signer.revoke_signature(jobId=job, reason="leaked")
    refused = aws.functions.exceptions.CodeVerificationFailedException
    with pytest.raises(refused):
        aws.functions.update_function_code(FunctionName="orders", ZipFile=good)
    aws.functions.update_function_code(FunctionName="orders", ZipFile=fresh)
    aws.endpoint.clock.moved += timedelta(days=2)
    with pytest.raises(refused):
        aws.functions.update_function_code(FunctionName="orders", ZipFile=fresh)


def test_the_waiters_of_botocore_see_the_windows_end(aws: Aws) -> None:
    aws.endpoint.functions.configure({"creating": 3600, "updating": 3600})
    aws.create(zipped(), aws.profile(), "Warn")
    functions = aws.functions
    with pytest.raises(functions.exceptions.ResourceConflictException, match="currently in the following state: Pending"):
        functions.update_function_code(FunctionName="orders", ZipFile=zipped())
    aws.wait("function_active_v2", FunctionName="orders")
    answer = functions.update_function_code(FunctionName="orders", ZipFile=zipped())
    assert answer["LastUpdateStatus"] == "InProgress"
    with pytest.raises(functions.exceptions.ResourceConflictException, match="An update is in progress"):
        functions.publish_version(FunctionName="orders")
    aws.wait("function_updated_v2", FunctionName="orders")
    known = functions.get_function_configuration(FunctionName="orders")
    with pytest.raises(functions.exceptions.PreconditionFailedException):
        functions.publish_version(FunctionName="orders", RevisionId=answer["RevisionId"])
    published = functions.publish_version(FunctionName="orders", RevisionId=known["RevisionId"], CodeSha256=known["CodeSha256"])
    assert published["State"] == "Pending"
    aws.wait("published_version_active", FunctionName="orders", Qualifier=published["Version"])


def test_a_canary_over_http(aws: Aws) -> None:
    publisher = aws.profile()
    config = aws.create(aws.sign(zipped()), publisher)
    functions = aws.functions
    assert functions.get_function_code_signing_config(FunctionName="orders")["CodeSigningConfigArn"] == config
    functions.delete_function_code_signing_config(FunctionName="orders")
    assert "CodeSigningConfigArn" not in functions.get_function_code_signing_config(FunctionName="orders")
    functions.put_function_code_signing_config(FunctionName="orders", CodeSigningConfigArn=config)
    first = functions.publish_version(FunctionName="orders")["Version"]
    alias = functions.create_alias(FunctionName="orders", Name="live", FunctionVersion=first)
    second = functions.update_function_code(FunctionName="orders", ZipFile=aws.sign(zipped({"handler.py": b"2"})), Publish=True)["Version"]
    canary = functions.update_alias(
        FunctionName="orders", Name="live", RoutingConfig={"AdditionalVersionWeights": {second: 0.1}}, RevisionId=alias["RevisionId"]
    )
    assert canary["RoutingConfig"]["AdditionalVersionWeights"] == {second: 0.1}
    with pytest.raises(functions.exceptions.PreconditionFailedException):
        functions.update_alias(FunctionName="orders", Name="live", FunctionVersion=second, RevisionId=alias["RevisionId"])
    aws.endpoint.functions.set_answer(ACCOUNT, REGION, "orders", payload=b'{"ok": true}')
    answer = functions.invoke(FunctionName="orders", Qualifier=second)
    assert (answer["StatusCode"], answer["ExecutedVersion"], answer["Payload"].read()) == (200, second, b'{"ok": true}')
    assert aws.endpoint.functions.invocations()[-1]["version"] == second


def test_deployed_bytes_can_be_fetched_and_are_those_of_the_object_version(aws: Aws) -> None:
    old = aws.s3.put_object(Bucket="releases", Key="k.zip", Body=zipped())["VersionId"]
    aws.s3.put_object(Bucket="releases", Key="k.zip", Body=zipped({"handler.py": b"other"}))
    code = {"S3Bucket": "releases", "S3Key": "k.zip", "S3ObjectVersion": old}
    aws.functions.create_function(FunctionName="f", Role=ROLE, Runtime="python3.13", Handler="h.m", Code=code)
    location = aws.functions.get_function(FunctionName="f")["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=120) as answer:  # noqa: S310 - the endpoint of this test
        assert answer.read() == zipped()
    with pytest.raises(aws.functions.exceptions.InvalidParameterValueException, match="S3 Error Code: NoSuchVersion"):
        aws.functions.update_function_code(FunctionName="f", S3Bucket="releases", S3Key="k.zip", S3ObjectVersion="bogus")
    far = client("s3", region="us-west-2")
    far.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    far.close()
    with pytest.raises(aws.functions.exceptions.InvalidParameterValueException, match="The bucket is in this region: us-west-2"):
        aws.functions.update_function_code(FunctionName="f", S3Bucket="far", S3Key="k.zip")


def test_what_warn_lets_through_is_counted_in_cloudwatch(aws: Aws) -> None:
    aws.create(zipped(), aws.profile(), "Warn")
    now = datetime.now(UTC)
    cloudwatch = client("cloudwatch")
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="SignatureValidationErrors",
        Dimensions=[{"Name": "FunctionName", "Value": "orders"}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    cloudwatch.close()
    assert sum(point["Sum"] for point in points) == 1.0


def test_layers_of_another_account(aws: Aws) -> None:
    arn = aws.functions.publish_layer_version(LayerName="shared", Content={"ZipFile": zipped()})["LayerVersionArn"]
    other = client("lambda", account="999988887777")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        other.get_layer_version_by_arn(Arn=arn)
    aws.functions.add_layer_version_permission(
        LayerName="shared", VersionNumber=1, StatementId="them", Action="lambda:GetLayerVersion", Principal="999988887777"
    )
    assert other.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
    other.close()


def test_operations_that_are_not_reproduced_are_501(aws: Aws) -> None:
    with pytest.raises(ClientError) as refused:
        aws.functions.list_capacity_providers()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
