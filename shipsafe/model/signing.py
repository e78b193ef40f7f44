"""Where code is signed, and what came of it: objects in buckets, profile versions, targets and signed artifacts.

Shapes of names and ARNs: the botocore model of Signer (2017-08-25) and "AWS Signer", Service Authorization Reference.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from shipsafe.errors import ConfigError, IncompleteError

_ACCOUNT = r"(?P<account>\d{12})"
_PROFILE_ARN = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):signer:(?P<region>[a-z0-9-]+):{_ACCOUNT}:/signing-profiles/(?P<name>\w{{2,64}})/(?P<version>[A-Za-z0-9]{{10}})",
    re.ASCII,
)
_JOB_ARN = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):signer:(?P<region>[a-z0-9-]+):{_ACCOUNT}:/signing-jobs/(?P<id>[0-9a-f-]{{36}})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Object:
    """One version of one object. `version` is what S3 answered; an object without one could be another tomorrow.

    Raises:
        IncompleteError: the version is missing, or is S3's literal `null` (versioning is off or suspended).
    """

    bucket: str
    key: str
    version: str

    def __post_init__(self) -> None:
        if not self.version or self.version == "null":
            raise IncompleteError(
                f"Versioning is off on bucket {self.bucket}: s3://{self.bucket}/{self.key} has no version that could be pinned.",
                remedy="Turn versioning on (`shipsafe bootstrap` shows how), then sign again.",
            )

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}?versionId={self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileVersion:
    """The ARN of one version of a signing profile, as code-signing configurations list it."""

    arn: str
    partition: str
    region: str
    account: str
    name: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ARN.

        Raises:
            ConfigError: it is another ARN; one without the version, too, which a code-signing configuration cannot use.
        """
        found = _PROFILE_ARN.fullmatch(text)
        if found is None:
            raise ConfigError(
                f"{text[:120]!r} is not the ARN of a signing profile's version.",
                remedy="It ends in /signing-profiles/NAME/VERSION, with a version of ten characters; `shipsafe doctor` lists them.",
            )
        return cls(arn=text, **found.groupdict())


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningJob:
    """The ARN of one signing job."""

    arn: str
    partition: str
    region: str
    account: str
    id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ARN.

        Raises:
            ConfigError: it is another ARN.
        """
        found = _JOB_ARN.fullmatch(text)
        if found is None:
            raise ConfigError(f"{text[:120]!r} is not the ARN of a signing job.", remedy="It ends in /signing-jobs/ID.")
        return cls(arn=text, **found.groupdict())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTarget:
    """A `[[sign.target]]` of the policy: one account and region where artifacts are signed.

    Attributes:
        name: as the command line names it.
        region: None for the one that AWS's configuration names.
        profile: the name of the signing profile; `profile_owner` the account that owns it, where that is another; `profile_version` the
            ten characters that it must have, where that is pinned.
        bucket: may hold `${AWS::AccountId}` and `${AWS::Region}`; `prefix` of the keys in it, "" or ending in "/".
        account: the twelve digits that the credentials must belong to (after `role` was assumed), or None.
        role: the ARN of a role to assume; `external_id` what its trust policy asks for.
        aws_profile: a named profile of AWS's configuration files.
        kms_key: encrypts what is uploaded, instead of the bucket's default.
        tags: of the uploaded objects.
        code_signing_config: the ARN that `--rewrite` gives to functions, or None.
    """

    name: str
    profile: str
    bucket: str
    region: str | None = None
    account: str | None = None
    role: str | None = None
    external_id: str | None = None
    aws_profile: str | None = None
    profile_owner: str | None = None
    profile_version: str | None = None
    prefix: str = ""
    kms_key: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    code_signing_config: str | None = None

    def bucket_in(self, account: str, region: str) -> str:
        """The name of its bucket there; in a template `account` and `region` are what stands for them."""
        return self.bucket.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignPolicy:
    """What the policy says of signing.

    `attested_builder` (strict): what no builder's attestation vouches for is not signed. `roots`: hex SHA-256 of further root certificates
    that a signature's chain may end in, beside those that are pinned. `publishers`: profile versions of others whose signatures are
    trusted, beside those of the targets (layers that are not ours). `emergency`: the profile of `[break-glass]`, which stands in for that
    of every target; None where there is none.
    """

    targets: tuple[SignTarget, ...] = ()
    attested_builder: bool = False
    roots: tuple[str, ...] = ()
    publishers: tuple[ProfileVersion, ...] = ()
    emergency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedArtifact:
    """One artifact as one target has signed it. Digests of the signed zip are hex (`sha256`) and base64 (`code_sha256`, as Lambda has it).

    Attributes:
        artifact: the name in the release manifest; `unsigned_sha256` hex, of the zip that was audited.
        target: the target's name; `account` and `region` where it was signed.
        source: the unsigned object, exactly as it was uploaded. `object`: the signed one, exactly as it was read back.
        size: bytes of the signed zip.
        job: ARN of the signing job. `profile_version`: ARN of the profile's version that signed.
        signed_at, expires: from the signature itself, UTC.
        root: hex SHA-256 of the root certificate of its chain; `trust` says who vouches for it: `aws`, `policy` or `local`.
    """

    artifact: str
    target: str
    account: str
    region: str
    unsigned_sha256: str
    source: S3Object
    object: S3Object
    size: int
    sha256: str
    code_sha256: str
    job: str
    profile_version: str
    signed_at: datetime
    expires: datetime
    root: str
    trust: str
    notes: tuple[str, ...] = field(default=())
