"""Parameters against botocore's model: every kind of constraint, in AWS's words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shipsafe.local.call import ApiError, Call
from shipsafe.local.validation import validate

ARN = "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/prod/0123456789"


def refusal(service: str, operation: str, **parameters: Any) -> str:
    with pytest.raises(ApiError) as caught:
        validate(Call(service=service, operation=operation, parameters=parameters, account="111122223333", region="eu-west-1"))
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)
    return caught.value.message


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "said"),
    [
        ("signer", "GetSigningProfile", {}, "Value null at 'profileName' failed to satisfy constraint: Member must not be null"),
        (
            "signer",
            "GetSigningProfile",
            {"profileName": "my-profile"},
            "Value 'my-profile' at 'profileName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA",
        ),
        ("signer", "ListSigningJobs", {"maxResults": 26}, "Member must have value less than or equal to 25"),
        ("signer", "ListSigningJobs", {"maxResults": 0}, "Member must have value greater than or equal to 1"),
        ("signer", "ListSigningJobs", {"maxResults": True}, "Member must be of type integer"),
        ("signer", "ListSigningJobs", {"status": "Done"}, "Member must satisfy enum value set: [InProgress, Failed, Succeeded]"),
        ("signer", "ListSigningJobs", {"signatureExpiresBefore": "soon"}, "Member must be of type timestamp"),
        ("signer", "ListSigningProfiles", {"statuses": "Active"}, "Member must be of type list"),
        ("signer", "ListSigningProfiles", {"statuses": ["Active", "Gone"]}, "at 'statuses.2.member'"),
        ("signer", "StartSigningJob", {"source": {"s3": {"bucketName": "b", "key": "k"}}}, "Value null at 'source.s3.version'"),
        ("signer", "RevokeSignature", {"jobId": "x", "reason": ""}, "Member must have length greater than or equal to 1"),
        ("signer", "SignPayload", {"payload": b"x" * 4097}, "at 'payload' failed to satisfy constraint: Member must have length less than"),
        (
            "signer",
            "TagResource",
            {"resourceArn": ARN, "tags": {}},
            "at 'tags' failed to satisfy constraint: Member must have length greater",
        ),
        ("signer", "TagResource", {"resourceArn": ARN, "tags": {"a": "x" * 257}}, "at 'tags.a.member'"),
        (
            "lambda",
            "GetFunction",
            {"FunctionName": "my function"},
            "at 'functionName' failed to satisfy constraint: Member must satisfy regular",
        ),
        (
            "lambda",
            "CreateCodeSigningConfig",
            {"AllowedPublishers": {"SigningProfileVersionArns": []}},
            "'allowedPublishers.signingProfileVersionArns'",
        ),
    ],
)
def test_a_violation_is_told_as_aws_tells_it(service: str, operation: str, parameters: dict[str, Any], said: str) -> None:
    message = refusal(service, operation, **parameters)
    assert message.split(" detected: ")[0].endswith(("validation error", "validation errors"))
    assert said in message


def test_all_violations_are_counted() -> None:
    assert refusal("signer", "PutSigningProfile", profileName="-").startswith("3 validation errors detected: ")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("signer", "ListSigningPlatforms", {}),
        ("signer", "ListSigningJobs", {"maxResults": 25, "signatureExpiresBefore": datetime(2026, 1, 1, tzinfo=UTC), "isRevoked": False}),
        ("signer", "GetSigningProfile", {"profileName": "x" * 64, "profileOwner": None}),
        ("lambda", "TagResource", {"Resource": "arn:aws:lambda:eu-west-1:111122223333:function:orders", "Tags": {"größe": "zwölf ½"}}),
    ],
)
def test_what_the_model_allows_passes(service: str, operation: str, parameters: dict[str, Any]) -> None:
    validate(Call(service=service, operation=operation, parameters=parameters, account="111122223333", region="eu-west-1"))


def test_endless_nesting_ends() -> None:
    """Tags are no such thing, but hostile JSON may be; the model itself bounds the depth."""
    deep: Any = "x"
    for _ in range(10_000):
        deep = {"s3": deep}
    assert "Member must not be null" in refusal("signer", "StartSigningJob", source=deep)
    assert "at 'tags.a.member'" in refusal("signer", "TagResource", resourceArn=ARN, tags={"a": deep})


def test_a_long_value_is_not_repeated_in_full() -> None:
    assert len(refusal("signer", "GetSigningProfile", profileName="-" * 1_000_000)) < 1000


def test_a_hundred_violations_are_enough() -> None:
    message = refusal("signer", "ListSigningProfiles", statuses=["Gone"] * 100_000)
    assert message.startswith("100 validation errors detected: ")
