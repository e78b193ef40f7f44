"""The endpoint as a whole, over HTTP, with boto3."""

import io
import zipfile

import pytest

from tests.local_endpoint import ACCOUNT, REGION, client


def _zip(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return buffer.getvalue()


@pytest.mark.usefixtures("local_aws")
def test_an_object_version_is_signed_and_deployed_under_enforcement() -> None:
    """The whole way: bucket, profile, job, code-signing configuration, function."""
    s3, signer, functions = client("s3"), client("signer"), client("lambda")
    s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="releases", Key="a.zip", Body=_zip(app__py="def handler(e, c): return 1"))["VersionId"]
    s3.put_object(Bucket="releases", Key="a.zip", Body=b"overwritten")
    profile = signer.put_signing_profile(profileName="prod", platformId="AWSLambda-SHA384-ECDSA")
    job = signer.start_signing_job(
        source={"s3": {"bucketName": "releases", "key": "a.zip", "version": version}},
        destination={"s3": {"bucketName": "releases", "prefix": "signed/"}},
        profileName="prod",
    )
    told = signer.describe_signing_job(jobId=job["jobId"])
    assert told["status"] == "Succeeded", told
    assert told["signedObject"]["s3"]["key"] == f"signed/{job['jobId']}.zip"
    signed = s3.head_object(Bucket="releases", Key=told["signedObject"]["s3"]["key"])
    configuration = functions.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile["profileVersionArn"]]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )["CodeSigningConfig"]
    function = functions.create_function(
        FunctionName="orders",
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/orders",
        Handler="app.handler",
        Code={"S3Bucket": "releases", "S3Key": told["signedObject"]["s3"]["key"], "S3ObjectVersion": signed["VersionId"]},
        CodeSigningConfigArn=configuration["CodeSigningConfigArn"],
    )
    assert function["SigningProfileVersionArn"] == profile["profileVersionArn"]
    assert function["SigningJobArn"].endswith(job["jobId"])
