"""`[sign]` and `[[sign.target]]` of a policy: where artifacts are signed, with every name that AWS would refuse refused here.

[[sign.target]]
name = "prod"
account = "111122223333"
region = "eu-central-1"
profile = "orders_2026"
bucket = "orders-artifacts-${AWS::AccountId}-${AWS::Region}"
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.model.signing import ProfileVersion, SignPolicy, SignTarget
from shipsafe.policy.document import Document

_PSEUDO = {"${AWS::AccountId}": "123456789012", "${AWS::Region}": "eu-central-1"}  # a value of the shape, to look at the rest
_KMS = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+|[A-Za-z0-9-]{36}"
SHAPES = {  # key: shape, and what to write instead
    "name": (r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "Use letters, digits, dots and dashes."),
    "account": (r"\d{12}", "An account has twelve digits."),
    "region": (r"[a-z]{2}(?:-[a-z]+)+-\d", "Write eu-central-1, for example."),
    # signer PutSigningProfile, profileName.
    "profile": (r"[A-Za-z0-9_]{2,64}", "A signing profile's name has 2 to 64 letters, digits and underscores; AWS takes no hyphens."),
    "profile-owner": (r"\d{12}", "An account has twelve digits."),
    "profile-version": (r"[A-Za-z0-9]{10}", "A profile version has ten letters and digits; `shipsafe doctor` shows it."),
    "role": (r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", "Write the role's ARN."),
    "external-id": (r"[\w+=,.@:/-]{2,1224}", "Write what the role's trust policy asks for."),
    "aws-profile": (r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,127}", "Name a profile of ~/.aws/config."),
    "kms-key": (_KMS, "Write the key's ARN."),
    # Keys come back in XML and in URLs: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html, "Safe characters".
    "prefix": (r"(?:[A-Za-z0-9!_.*'()-]+/)*", 'End it with "/", and begin it without: "shipsafe/", for example.'),
    "code-signing-config": (r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:code-signing-config:csc-[a-z0-9]{17}", "Write its ARN."),
}  # fmt: skip
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!\d{1,3}(?:\.\d{1,3}){3}$)(?!xn--)(?!.*\.\.)(?!.*-s3alias$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TAG = re.compile(r"[\w\s+=.:/@-]{1,128}")
_MOST_TAGS = 10  # of an object


def sign_policy(document: Document, values: Mapping[str, Any]) -> SignPolicy:
    """What the merged policy says of signing; `document` is the project's own, for places.

    Raises:
        ConfigError: a name is one that AWS would refuse, two targets have one name, or a root is not a SHA-256.
    """
    table = values.get("sign", {})
    entries = table.get("target", ())
    targets = tuple(_target(document, number, entry) for number, entry in enumerate(entries))
    for number, target in enumerate(targets):
        if any(one.name == target.name for one in targets[:number]):
            raise document.error(f"sign.target.{number}", f"Two targets are called {target.name!r}.", "Give each a name of its own.")
    return SignPolicy(
        targets=targets,
        attested_builder=table.get("builder") == "attested",
        roots=tuple(_roots(document, table.get("roots", ()))),
        publishers=tuple(_publishers(document, table.get("publishers", ()))),
    )


def _roots(document: Document, fingerprints: list[str]) -> Iterator[str]:
    for one in fingerprints:
        plain = one.removeprefix("sha256:").replace(":", "").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", plain):
            raise document.error("sign.roots", f"{one[:80]!r} is not the SHA-256 of a certificate.", "Write its 64 hexadecimal digits.")
        yield plain


def _publishers(document: Document, arns: list[str]) -> Iterator[ProfileVersion]:
    for arn in arns:
        try:
            yield ProfileVersion.parse(arn)
        except ConfigError as error:
            raise document.error("sign.publishers", error.what, error.remedy) from error


def _target(document: Document, number: int, entry: Mapping[str, Any]) -> SignTarget:
    place = f"sign.target.{number}"
    for key, (shape, remedy) in SHAPES.items():
        if key in entry and not re.fullmatch(shape, entry[key], re.ASCII):
            raise document.error(f"{place}.{key}", f"{entry[key][:120]!r} cannot be the `{key}` of a signing target.", remedy)
    bucket = entry["bucket"]
    for pseudo, value in _PSEUDO.items():
        bucket = bucket.replace(pseudo, value)
    if not _BUCKET.fullmatch(bucket):
        remedy = "A bucket has 3 to 63 lower-case letters, digits, dots and hyphens; ${AWS::AccountId} and ${AWS::Region} may stand in it."
        raise document.error(f"{place}.bucket", f"{entry['bucket'][:120]!r} cannot be the name of a bucket.", remedy)
    return SignTarget(
        name=entry["name"],
        profile=entry["profile"],
        bucket=entry["bucket"],
        region=entry.get("region"),
        account=entry.get("account"),
        role=entry.get("role"),
        external_id=entry.get("external-id"),
        aws_profile=entry.get("aws-profile"),
        profile_owner=entry.get("profile-owner"),
        profile_version=entry.get("profile-version"),
        prefix=entry.get("prefix", ""),
        kms_key=entry.get("kms-key"),
        tags=_tags(document, place, entry.get("tags", {})),
        code_signing_config=entry.get("code-signing-config"),
    )


def _tags(document: Document, place: str, table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    tags = tuple((name, str(value)) for name, value in sorted(table.items()))
    wrong = next((name for name, value in tags if not _TAG.fullmatch(name) or (value and not _TAG.fullmatch(value))), None)
    problem: ConfigError | None = None
    if wrong is not None:
        problem = document.error(
            f"{place}.tags", f"{wrong[:80]!r} cannot be a tag of an object.", "Use letters, digits and + - = . _ : / @."
        )
    elif len(tags) > _MOST_TAGS:
        problem = document.error(f"{place}.tags", f"An object has at most {_MOST_TAGS} tags.", "Leave some out.")
    if problem:
        raise problem
    return tags
