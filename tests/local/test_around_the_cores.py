"""Nothing reaches moto's own Lambda or Signer by another way, and what moto cannot do is said loudly."""

import json
import sys
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from tests.local_endpoint import client

STACK = {
    "Resources": {
        "Orders": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": "arn:aws:iam::123456789012:role/r",
                "Runtime": "python3.13",
                "Handler": "index.main",
                "Code": {"ZipFile": "def main(*_): pass"},
            },
        }
    }
}


@pytest.mark.usefixtures("local_aws")
def test_a_stack_cannot_put_a_function_where_no_signature_is_checked() -> None:
    with closing(client("cloudformation")) as stacks, pytest.raises(ClientError) as refused:
        stacks.create_stack(StackName="orders", TemplateBody=json.dumps(STACK))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "does not reproduce cloudformation" in str(refused.value)


@pytest.mark.usefixtures("local_aws")
def test_a_service_that_moto_cannot_load_is_501(monkeypatch: pytest.MonkeyPatch) -> None:
    """`moto[s3]` is what the extra installs; its API Gateway needs one package more."""
    monkeypatch.setitem(sys.modules, "openapi_spec_validator", None)
    with closing(client("apigateway")) as gateway, pytest.raises(ClientError) as refused:
        gateway.get_rest_apis()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "moto needs the package openapi_spec_validator" in str(refused.value)
