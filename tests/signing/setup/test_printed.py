"""What is printed for CloudFormation and Terraform is what bootstrap makes.

The template is read as CloudFormation would (its functions resolved), put into the shapes of the calls, and compared with the calls that
were recorded. Terraform is read by a small reader of blocks in this file: it knows names, nesting, strings, numbers and references, which
is all that the text uses, and not the whole of HCL.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from shipsafe.errors import ConfigError
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.cloudformation import cloudformation
from shipsafe.signing.setup.terraform import terraform
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.setup.side import BUCKET, TARGET, Side, target

PSEUDO = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws"}
TARGETS = [
    TARGET,
    target(kms_key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123", prefix="orders/"),
    target(prefix="o'rders!/(1)/"),
    target(bucket=BUCKET),
]


class _Loader(yaml.SafeLoader):
    """Functions of CloudFormation as {name: value}."""


def _function(loader: yaml.Loader, suffix: str, node: yaml.Node) -> Any:
    assert isinstance(node, yaml.ScalarNode)
    return {suffix: loader.construct_scalar(node)}


_Loader.add_multi_constructor("!", _function)


def read(text: str) -> Any:
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader


def resolved(value: Any, attributes: dict[str, str]) -> Any:
    """A template's value as CloudFormation would have it."""
    if isinstance(value, dict):
        if len(value) == 1:
            [(name, given)] = value.items()
            if name in ("Ref", "GetAtt"):
                return attributes[given]
            if name == "Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda found: {**PSEUDO, **attributes}[found[1]], given)
        return {name: resolved(one, attributes) for name, one in value.items()}
    return [resolved(one, attributes) for one in value] if isinstance(value, list) else value


def described(text: str, profile_arn: str) -> dict[str, Any]:
    """The template's resources in the shapes of the calls."""
    template = read(text)
    attributes = {"Bucket": BUCKET, "Bucket.Arn": f"arn:aws:s3:::{BUCKET}", "Profile.ProfileVersionArn": profile_arn}
    kinds = {one["Type"]: resolved(one["Properties"], attributes) for one in template["Resources"].values()}
    bucket = kinds["AWS::S3::Bucket"]
    rules = []
    for rule in bucket["LifecycleConfiguration"]["Rules"]:
        shaped = {"ID": rule.pop("Id"), "Filter": {"Prefix": rule.pop("Prefix")}, "Status": rule.pop("Status")}
        if (days := rule.pop("ExpirationInDays", None)) is not None:
            shaped["Expiration"] = {"Days": days}
        rules.append({**shaped, **rule})
    [encryption] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    encryption["ApplyServerSideEncryptionByDefault"] = encryption.pop("ServerSideEncryptionByDefault")
    signing = kinds.get("AWS::Lambda::CodeSigningConfig")
    assert bucket["BucketName"] == BUCKET
    return {
        "PutPublicAccessBlock": {"PublicAccessBlockConfiguration": bucket["PublicAccessBlockConfiguration"]},
        "PutBucketOwnershipControls": {"OwnershipControls": bucket["OwnershipControls"]},
        "PutBucketVersioning": {"VersioningConfiguration": bucket["VersioningConfiguration"]},
        "PutBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [encryption]}},
        "PutBucketPolicy": {"Policy": kinds["AWS::S3::BucketPolicy"]["PolicyDocument"]},
        "PutBucketLifecycleConfiguration": {"LifecycleConfiguration": {"Rules": rules}},
        "PutSigningProfile": {
            "profileName": kinds["AWS::Signer::SigningProfile"]["ProfileName"],
            "platformId": kinds["AWS::Signer::SigningProfile"]["PlatformId"],
        },
        **({"CreateCodeSigningConfig": signing} if signing else {}),
    }


def made(side: Side) -> dict[str, Any]:
    """The calls that changed something, without what says where."""
    found: dict[str, Any] = {}
    for _, operation, parameters in side.calls:
        if operation in side.changes and operation != "CreateBucket":
            found[operation] = {name: value for name, value in parameters.items() if name not in ("Bucket", "ExpectedBucketOwner")}
    found["PutBucketPolicy"]["Policy"] = json.loads(found["PutBucketPolicy"]["Policy"])
    return found


@pytest.mark.parametrize("one", TARGETS)
def test_cloudformation_describes_what_is_made(side: Side, one: SignTarget) -> None:
    side.make(one)
    arn = side.standing(one).profile
    assert arn is not None
    assert described(cloudformation(one, configuration=True), arn) == made(side)


def test_the_validity_that_is_printed_is_the_one_that_signer_gives(side: Side) -> None:
    """bootstrap leaves it to Signer; the templates name it."""
    from tests.local_endpoint import client  # noqa: PLC0415 - beside its use

    side.make()
    period = client("signer").get_signing_profile(profileName=TARGET.profile)["signatureValidityPeriod"]
    assert read(cloudformation(TARGET, configuration=True))["Resources"]["Profile"]["Properties"]["SignatureValidityPeriod"] == {
        "Type": period["type"],
        "Value": period["value"],
    }


def test_what_must_not_vanish_is_retained() -> None:
    """Deleting the stack deletes no signed code and burns no name."""
    resources = read(cloudformation(TARGET, configuration=True))["Resources"]
    for name in ("Bucket", "Profile"):
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("write", [cloudformation, terraform])
def test_a_profile_that_is_pinned_is_named_and_not_made(write: Any) -> None:
    text = write(target(profile_version="AbCdE12345", profile_owner="999988887777"), configuration=True)
    assert ":999988887777:/signing-profiles/orders_2026/AbCdE12345" in text
    assert "AWS::Signer::SigningProfile" not in text
    assert "aws_signer_signing_profile" not in text


@pytest.mark.parametrize("write", [cloudformation, terraform])
def test_a_profile_of_another_account_must_be_pinned(write: Any) -> None:
    with pytest.raises(ConfigError, match="cannot look up its version"):
        write(target(profile_owner="999988887777"), configuration=True)


@pytest.mark.parametrize("write", [cloudformation, terraform])
def test_without_a_configuration_none_is_printed(write: Any) -> None:
    text = write(TARGET, configuration=False)
    assert "code_signing_config" not in text
    assert "CodeSigningConfig" not in text


# Terraform -----------------------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r'\s+|#[^\n]*|(?P<text>"(?:[^"\\$]|\\.|\$(?!\{)|\$\{[^}]*\})*")|(?P<word>[A-Za-z_][\w.]*)|(?P<number>\d+)|(?P<mark>[{}\[\]()=,])'
)


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        assert match, text[place : place + 60]
        if match.lastgroup:
            found.append(match[0])
        place = match.end()
    return found


def _body(tokens: Iterator[str]) -> dict[str, Any]:
    """Attributes and blocks up to the closing brace; a block is kept under its name and labels."""
    body: dict[str, Any] = {}
    for token in tokens:
        if token == "}":
            return body
        names = [token.strip('"')]
        for following in tokens:
            if following == "{":
                body.setdefault(" ".join(names), []).append(_body(tokens))
                break
            if following == "=":
                body[names[0]] = _value(tokens)
                break
            names.append(following.strip('"'))
    return body


def _value(tokens: Iterator[str]) -> Any:
    token = next(tokens)
    if token == "{":
        return _body(tokens)
    if token == "[":
        return _list(tokens)
    if token.startswith('"'):
        return json.loads(token)
    if token == "jsonencode":
        assert next(tokens) == "("
        inner = _value(tokens)
        assert next(tokens) == ")"
        return inner
    return int(token) if token.isdigit() else {"true": True, "false": False}.get(token, f"${{{token}}}")


def _list(tokens: Iterator[str]) -> list[Any]:
    found: list[Any] = []
    waiting = iter(tokens)
    while True:
        token = next(waiting)
        if token == "]":
            return found
        if token != ",":
            found.append(_value(_again(token, waiting)))


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _resource(body: dict[str, Any], kind: str) -> Any:
    [one] = body[f"resource {kind} shipsafe"]
    return one


@pytest.mark.parametrize("one", TARGETS)
def test_terraform_describes_the_same_as_cloudformation(one: SignTarget) -> None:
    text = terraform(one, configuration=True)
    assert text.count("{") == text.count("}")
    body = _body(iter([*_tokens(text), "}"]))
    cloud = read(cloudformation(one, configuration=True))["Resources"]
    bucket = cloud["Bucket"]["Properties"]
    assert _resource(body, "aws_s3_bucket_versioning")["versioning_configuration"] == [
        {"status": bucket["VersioningConfiguration"]["Status"]}
    ]
    block = _resource(body, "aws_s3_bucket_public_access_block")
    assert [block[name] for name in ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")] == [
        True
    ] * 4
    assert _resource(body, "aws_s3_bucket_ownership_controls")["rule"] == [{"object_ownership": "BucketOwnerEnforced"}]
    [encryption] = _resource(body, "aws_s3_bucket_server_side_encryption_configuration")["rule"]
    [default] = encryption["apply_server_side_encryption_by_default"]
    [wanted] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert default["sse_algorithm"] == wanted["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert default.get("kms_master_key_id") == wanted["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
    assert encryption.get("bucket_key_enabled") == wanted.get("BucketKeyEnabled")
    rules = [
        {
            "Id": rule["id"],
            "Status": rule["status"],
            "Prefix": rule["filter"][0]["prefix"],
            **({"ExpirationInDays": rule["expiration"][0]["days"]} if "expiration" in rule else {}),
            **(
                {"NoncurrentVersionExpiration": {"NoncurrentDays": rule["noncurrent_version_expiration"][0]["noncurrent_days"]}}
                if "noncurrent_version_expiration" in rule
                else {}
            ),
            **(
                {
                    "AbortIncompleteMultipartUpload": {
                        "DaysAfterInitiation": rule["abort_incomplete_multipart_upload"][0]["days_after_initiation"]
                    }
                }
                if "abort_incomplete_multipart_upload" in rule
                else {}
            ),
        }
        for rule in _resource(body, "aws_s3_bucket_lifecycle_configuration")["rule"]
    ]
    assert rules == bucket["LifecycleConfiguration"]["Rules"]
    [statement] = _resource(body, "aws_s3_bucket_policy")["policy"]["Statement"]
    arn = "${aws_s3_bucket.shipsafe.arn}"
    [theirs] = cloud["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {**statement, "Resource": None} == {**theirs, "Resource": None}
    assert statement["Resource"] == [arn, f"{arn}/*"]
    profile = _resource(body, "aws_signer_signing_profile")
    period = cloud["Profile"]["Properties"]["SignatureValidityPeriod"]
    assert (profile["name"], profile["platform_id"]) == (one.profile, cloud["Profile"]["Properties"]["PlatformId"])
    assert profile["signature_validity_period"] == [{"value": period["Value"], "type": period["Type"]}]
    signing = _resource(body, "aws_lambda_code_signing_config")
    assert signing["description"] == cloud["CodeSigningConfig"]["Properties"]["Description"]
    assert signing["policies"] == [{"untrusted_artifact_on_deployment": "Enforce"}]
    assert signing["allowed_publishers"] == [{"signing_profile_version_arns": ["${aws_signer_signing_profile.shipsafe.version_arn}"]}]
    for kept in ("aws_s3_bucket", "aws_signer_signing_profile"):
        assert _resource(body, kept)["lifecycle"] == [{"prevent_destroy": True}]
    name = _resource(body, "aws_s3_bucket")["bucket"]
    filled = name.replace("${data.aws_caller_identity.current.account_id}", ACCOUNT).replace("${data.aws_region.current.name}", REGION)
    assert filled == BUCKET
