"""Bucket policies on an endpoint without TLS."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.local_endpoint import client

BUCKET = "guarded"


def _statement(**words: object) -> dict[str, object]:
    everything = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything, **words}


@pytest.mark.usefixtures("local_aws")
def test_a_bucket_that_refuses_what_comes_without_tls_can_be_used() -> None:
    """The policy is answered as it was put, and nothing on this machine is refused by it."""
    s3 = client("s3", region="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    text = json.dumps({"Version": "2012-10-17", "Statement": [_statement(Condition={"Bool": {"aws:SecureTransport": "false"}})]})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=text)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"a")
    s3.head_object(Bucket=BUCKET, Key="a")
    assert s3.get_bucket_policy(Bucket=BUCKET)["Policy"] == text


@pytest.mark.usefixtures("local_aws")
def test_what_a_policy_refuses_otherwise_is_refused() -> None:
    """A Deny without that condition still holds, beside one with it."""
    s3 = client("s3", region="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    statements = [_statement(Condition={"Bool": {"aws:SecureTransport": "false"}}), _statement(Action="s3:PutObject")]
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"a")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
