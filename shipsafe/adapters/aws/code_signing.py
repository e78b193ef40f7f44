"""Code-signing configurations of Lambda, and what Signer lists: what is there, and the calls that make one.

Source: AWS Lambda API Reference (2015-03-31) and AWS Signer API Reference (2017-08-25). Signer has no upsert: PutSigningProfile of a name
that was ever used in the account and Region is refused, also after the profile was cancelled.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws

_TAKEN = "ValidationException"
_MOST_PUBLISHERS = 100  # Lambda takes twenty
ENFORCE = "Enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A code-signing configuration. `publishers` are ARNs as they stand there; `policy` is Enforce or Warn."""

    arn: str
    description: str
    publishers: tuple[str, ...]
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProfile:
    """A signing profile as ListSigningProfiles has it; `validity` of its signatures, such as `135 MONTHS`."""

    name: str
    version: str
    arn: str
    status: str
    platform: str
    validity: str


def list_configurations(aws: Aws) -> tuple[Configuration, ...]:
    """All code-signing configurations of the account and Region.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    doing = "list code-signing configurations"
    with aws_errors(doing):
        found = pages(doing, aws.client("lambda").list_code_signing_configs, "Marker", "NextMarker")
        return tuple(_configuration(one) for page in found for one in page.get("CodeSigningConfigs", ()))


def find_configuration(aws: Aws, arn: str) -> Configuration | None:
    """One of them; None where there is none of that ARN.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    try:
        with aws_errors(f"look at {arn}"):
            return _configuration(aws.client("lambda").get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"])
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def make_configuration(aws: Aws, description: str, publisher: str, *others: str, policy: str = ENFORCE) -> Configuration:
    """Create one that lets only these publishers (ARNs of profile versions) through.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"create a code-signing configuration for {', '.join((publisher, *others))}"):
        told = aws.client("lambda").create_code_signing_config(
            Description=description,
            AllowedPublishers={"SigningProfileVersionArns": [publisher, *others]},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},  # Lambda's own default is Warn
        )
        return _configuration(told["CodeSigningConfig"])


def change_configuration(aws: Aws, arn: str, publishers: Sequence[str], policy: str, description: str | None = None) -> Configuration:
    """Let in these publishers and no others, under this policy; it holds from the next deployment of each function on.

    `description`: None for the one that it has.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"change {arn}"):
        told = aws.client("lambda").update_code_signing_config(
            CodeSigningConfigArn=arn,
            AllowedPublishers={"SigningProfileVersionArns": list(publishers)},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
            **({} if description is None else {"Description": description}),
        )
        return _configuration(told["CodeSigningConfig"])


def attach_configuration(aws: Aws, function: str, arn: str) -> str:
    """Attach a configuration to a function, in the place of the one it has; gives the ARN that Lambda says is attached now.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"attach {arn} to function {function}"):
        told = aws.client("lambda").put_function_code_signing_config(FunctionName=function, CodeSigningConfigArn=arn)
        return str(told["CodeSigningConfigArn"])


def functions_under(aws: Aws, arn: str) -> tuple[str, ...]:
    """ARNs of the functions that a configuration is attached to.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    doing, call = f"list the functions of {arn}", aws.client("lambda").list_functions_by_code_signing_config
    with aws_errors(doing):
        found = pages(doing, call, "Marker", "NextMarker", CodeSigningConfigArn=arn)
        return tuple(str(one) for page in found for one in page["FunctionArns"])


def list_profiles(aws: Aws) -> tuple[ListedProfile, ...]:
    """All signing profiles of the account and Region, for every platform, cancelled and revoked ones too.

    Raises:
        IncompleteError: Signer refused or gave no answer.
    """
    call = aws.client("signer").list_signing_profiles
    states = ["Active", "Canceled", "Revoked"]
    found = pages("list signing profiles", call, "nextToken", "nextToken", statuses=states, includeCanceled=True)
    return tuple(_listed(one) for page in found for one in page.get("profiles", ()))


def make_profile(aws: Aws, name: str, platform: str) -> None:
    """Create a signing profile for a platform, with Signer's own validity of 135 months. One that is there is left as it is.

    Raises:
        IncompleteError: Signer refused or gave no answer.
    """
    try:
        with aws_errors(f"create signing profile {name}"):
            aws.client("signer").put_signing_profile(profileName=name, platformId=platform)
    except AwsRefusal as refusal:
        # Also what a call is told whose answer was lost and which botocore has made again.
        if not (refusal.code == _TAKEN and "already exists" in refusal.said):
            raise


def signatures_that_expire(aws: Aws, platform: str, *, after: datetime, before: datetime) -> Counter[str]:
    """How many signatures expire between two times, by the name of their profile. Revoked ones do not count.

    Raises:
        IncompleteError: Signer refused or gave no answer.
    """
    call = aws.client("signer").list_signing_jobs
    words: dict[str, Any] = {"platformId": platform, "status": "Succeeded", "isRevoked": False}
    found = pages("list signing jobs", call, "nextToken", "nextToken", signatureExpiresAfter=after, signatureExpiresBefore=before, **words)
    return Counter(str(one.get("profileName", "")) for page in found for one in page.get("jobs", ()))


def _configuration(told: Any) -> Configuration:
    publishers = tuple(str(one) for one in told.get("AllowedPublishers", {}).get("SigningProfileVersionArns", ()))
    if len(publishers) > _MOST_PUBLISHERS:
        raise ValueError("more publishers than Lambda lets in")
    return Configuration(
        arn=str(told["CodeSigningConfigArn"]),
        description=str(told.get("Description", "")),
        publishers=publishers,
        policy=str(told.get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment", "")),
    )


def _listed(told: Any) -> ListedProfile:
    period = told.get("signatureValidityPeriod", {})
    return ListedProfile(
        name=told.get("profileName", ""),
        version=told.get("profileVersion", ""),
        arn=told.get("profileVersionArn", ""),
        status=told.get("status", ""),
        platform=told.get("platformId", ""),
        validity=f"{period['value']} {period['type']}" if period else "",
    )
