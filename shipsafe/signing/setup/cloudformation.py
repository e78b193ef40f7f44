"""What `bootstrap` makes, as a CloudFormation template. It is deployed in the account and Region of the target; nothing is asked of AWS."""

import json
import re
from collections.abc import Iterator

from shipsafe.model.signing import SignTarget
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.publisher import existing_profile
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


def cloudformation(target: SignTarget, *, configuration: bool) -> str:
    """The template as YAML; `configuration` says whether a code-signing configuration is made.

    Raises:
        ConfigError: see `existing_profile`.
    """
    there = existing_profile(target, partition="${AWS::Partition}", region="${AWS::Region}", account="${AWS::AccountId}")
    parts = [_head(target), _bucket(target), _bucket_policy()]
    if there is None:
        parts.append(_profile(target))
    if configuration:
        parts.append(_configuration(target, there))
    parts.append(_outputs(made=there is None, configuration=configuration))
    return "\n".join(parts)


def _head(target: SignTarget) -> str:
    where = f" --region {target.region}" if target.region else ""
    stack = re.sub(r"[^A-Za-z0-9]", "-", target.name)
    return f"""\
# What `shipsafe sign --target {target.name}` needs on AWS. Written by `shipsafe bootstrap --print cloudformation`.
#
#   aws cloudformation deploy --stack-name shipsafe-{stack}{where} --template-file FILE
AWSTemplateFormatVersion: "2010-09-09"
Description: {json.dumps(f"Bucket, signing profile and code-signing configuration of shipsafe target {target.name}")}
Resources:"""


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


def _outputs(*, made: bool, configuration: bool) -> str:
    lines = ["Outputs:", "  Bucket:", "    Value: !Ref Bucket"]
    if made:
        lines += ["  ProfileVersionArn:", "    Value: !GetAtt Profile.ProfileVersionArn"]
    if configuration:
        lines += ["  CodeSigningConfigArn:", "    Value: !GetAtt CodeSigningConfig.CodeSigningConfigArn"]
    return "\n".join([*lines, ""])
