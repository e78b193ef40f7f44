"""What `bootstrap` makes, as a CloudFormation template. It is deployed in the account and Region of the target; nothing is asked of AWS."""

import json
import re
from collections.abc import Iterator, Sequence

from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.publisher import existing_profile
from shipsafe.signing.setup.templates import TemplateRole, Verbatim, Words, template_roles, yaml_lines
from shipsafe.signing.setup.trust import AUDIENCE
from shipsafe.signing.setup.wanted import (
    NONCURRENT_DAYS,
    TLS_SID,
    UNSIGNED_DAYS,
    UPLOAD_DAYS,
    VALIDITY_MONTHS,
    abort_rule,
    description,
    unsigned_rule,
)

_WORDS = Words(
    partition="${AWS::Partition}",
    account="${AWS::AccountId}",
    region="${AWS::Region}",
    suffix="${AWS::URLSuffix}",
    version="${Profile.ProfileVersion}",
    provider=Verbatim("!If [MakeIdentityProvider, !GetAtt TokenProvider.Arn, !Ref IdentityProvider]"),
)


def cloudformation(target: SignTarget, *, configuration: bool, policy: Policy | None = None, going: Sequence[SignTarget] = ()) -> str:
    """The template as YAML.

    Args:
        target: what it is for.
        configuration: whether a code-signing configuration is made.
        policy: whose roles are made; None makes none.
        going: where releases go live, as `template_roles` takes it.

    Raises:
        ConfigError: see `existing_profile` and `template_roles`.
    """
    there = existing_profile(target, partition="${AWS::Partition}", region="${AWS::Region}", account="${AWS::AccountId}")
    roles = template_roles(policy, target, going, _WORDS) if policy else ()
    parts = [_head(target, policy if roles else None), _bucket(target), _bucket_policy()]
    if there is None:
        parts.append(_profile(target))
    if configuration:
        parts.append(_configuration(target, there))
    if policy and roles:
        parts += [_provider(policy), *(_role(one) for one in roles)]
    parts.append(_outputs(made=there is None, configuration=configuration))
    return "\n".join(parts)


def _head(target: SignTarget, policy: Policy | None) -> str:
    where = f" --region {target.region}" if target.region else ""
    stack = re.sub(r"[^A-Za-z0-9]", "-", target.name)
    named = " --capabilities CAPABILITY_NAMED_IAM" if policy else ""
    what = (
        "Bucket, signing profile, code-signing configuration and roles"
        if policy
        else "Bucket, signing profile and code-signing configuration"
    )
    return f"""\
# What `shipsafe sign --target {target.name}` needs on AWS. Written by `shipsafe bootstrap --print cloudformation`.
#
#   aws cloudformation deploy --stack-name shipsafe-{stack}{where} --template-file FILE{named}
AWSTemplateFormatVersion: "2010-09-09"
Description: {json.dumps(f"{what} of shipsafe target {target.name}")}
{_parameters(policy) if policy else ""}Resources:"""


def _parameters(policy: Policy) -> str:
    return f"""\
Parameters:
  IdentityProvider:
    Type: String
    Default: ""
    Description: ARN of the identity provider for {policy.pipeline.issuer}, where the account has one already; empty to make it
Conditions:
  MakeIdentityProvider: !Equals [!Ref IdentityProvider, ""]
"""


def _bucket(target: SignTarget) -> str:
    lines = list(_encryption(target))
    return f"""\
  Bucket:
    Type: AWS::S3::Bucket
    # Functions and stacks name the versions in it.
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BucketName: {"!Sub " if "${" in target.bucket else ""}{json.dumps(target.bucket)}
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        IgnorePublicAcls: true
        BlockPublicPolicy: true
        RestrictPublicBuckets: true
      OwnershipControls:
        Rules:
          - ObjectOwnership: BucketOwnerEnforced
      # Signer and Lambda name exact versions.
      VersioningConfiguration:
        Status: Enabled
      BucketEncryption:
        ServerSideEncryptionConfiguration:
{chr(10).join(lines)}
      # What is signed stays for ever: a roll-back needs it.
      LifecycleConfiguration:
        Rules:
          - Id: {abort_rule()["ID"]}
            Status: Enabled
            Prefix: ""
            AbortIncompleteMultipartUpload:
              DaysAfterInitiation: {UPLOAD_DAYS}
          - Id: {unsigned_rule(target.prefix)["ID"]}
            Status: Enabled
            Prefix: {json.dumps(f"{target.prefix}unsigned/")}
            ExpirationInDays: {UNSIGNED_DAYS}
            NoncurrentVersionExpiration:
              NoncurrentDays: {NONCURRENT_DAYS}"""


def _encryption(target: SignTarget) -> Iterator[str]:
    if target.kms_key is None:
        yield "          - ServerSideEncryptionByDefault:"
        yield "              SSEAlgorithm: AES256"
    else:
        yield "          - BucketKeyEnabled: true"
        yield "            ServerSideEncryptionByDefault:"
        yield "              SSEAlgorithm: aws:kms"
        yield f"              KMSMasterKeyID: {json.dumps(target.kms_key)}"


def _bucket_policy() -> str:
    return f"""\
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: {TLS_SID}
            Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource:
              - !GetAtt Bucket.Arn
              - !Sub "${{Bucket.Arn}}/*"
            Condition:
              Bool:
                aws:SecureTransport: "false\""""


def _profile(target: SignTarget) -> str:
    return f"""\
  Profile:
    Type: AWS::Signer::SigningProfile
    # Deleting it would cancel it, and its name is taken for ever.
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      ProfileName: {json.dumps(target.profile)}
      PlatformId: {PLATFORM}
      SignatureValidityPeriod:
        Type: MONTHS
        Value: {VALIDITY_MONTHS}"""


def _configuration(target: SignTarget, there: str | None) -> str:
    trusted = f"!Sub {json.dumps(there)}" if there else "!GetAtt Profile.ProfileVersionArn"
    return f"""\
  CodeSigningConfig:
    Type: AWS::Lambda::CodeSigningConfig
    Properties:
      Description: {json.dumps(description(target.profile))}
      AllowedPublishers:
        SigningProfileVersionArns:
          - {trusted}
      CodeSigningPolicies:
        # Lambda's own default, Warn, runs unsigned code.
        UntrustedArtifactOnDeployment: Enforce"""


def _provider(policy: Policy) -> str:
    return f"""\
  TokenProvider:
    Type: AWS::IAM::OIDCProvider
    Condition: MakeIdentityProvider
    # Other stacks and roles may use it, too.
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      Url: {policy.pipeline.issuer}
      ClientIdList:
        - {AUDIENCE}"""


def _role(one: TemplateRole) -> str:
    """Its logical id is `SignRole`, for example."""
    properties = {
        "RoleName": one.name,
        "Description": one.description,
        "MaxSessionDuration": one.job.session,
        "AssumeRolePolicyDocument": one.trust,
        "Policies": [{"PolicyName": one.policy, "PolicyDocument": one.rights}],
        "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()],
    }
    lines = "\n".join(yaml_lines(properties, 6))
    return f"""\
  {one.job.capitalize()}Role:
    Type: AWS::IAM::Role
    Properties:
{lines}"""


def _outputs(*, made: bool, configuration: bool) -> str:
    lines = ["Outputs:", "  Bucket:", "    Value: !Ref Bucket"]
    if made:
        lines += ["  ProfileVersionArn:", "    Value: !GetAtt Profile.ProfileVersionArn"]
    if configuration:
        lines += ["  CodeSigningConfigArn:", "    Value: !GetAtt CodeSigningConfig.CodeSigningConfigArn"]
    return "\n".join([*lines, ""])
