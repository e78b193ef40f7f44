"""What Lambda says of functions, their aliases and their layers: what runs, whose signature it has seen, and where calls go.

Source: AWS Lambda API Reference (2015-03-31): GetFunction, GetAlias, ListAliases, ListVersionsByFunction, GetFunctionCodeSigningConfig,
GetLayerVersionByArn. GetFunction may be asked a hundred times a second, all others together fifteen times ("Lambda quotas").
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import ConfigError

LATEST = "$LATEST"
# Members of FunctionConfiguration that say which version it is, or what its code is, and not how it is configured.
_PASSING = frozenset((
    "FunctionArn", "Version", "MasterArn", "RevisionId", "LastModified", "Description", "CodeSha256", "CodeSize", "ConfigSha256",
    "SigningJobArn", "SigningProfileVersionArn", "RuntimeVersionConfig", "ResponseMetadata",
))  # fmt: skip
_MOST_PAGES = 10_000  # of 50: versions are kept until somebody deletes them
# Lambda's own pattern of FunctionName, with the two parts that we need.
_NAME = re.compile(
    r"(?:arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName:
    """A function as somebody named it: a name or an ARN, with or without a version or alias. None where it says nothing."""

    text: str
    name: str
    qualifier: str | None = None
    account: str | None = None
    region: str | None = None

    @classmethod
    def parse(cls, text: str) -> "FunctionName":
        """Read `NAME`, `NAME:ALIAS`, `NAME:VERSION`, `ACCOUNT:function:NAME` or an ARN.

        Raises:
            ConfigError: it is none of these.
        """
        found = _NAME.fullmatch(text)
        if found is None or (found["region"] and not found["account"]):
            raise ConfigError(
                f"{text[:200]!r} cannot be the name of a function.", remedy="Write NAME, NAME:ALIAS, NAME:VERSION or a function's ARN."
            )
        return cls(text=text, name=found["name"], qualifier=found["qualifier"], account=found["account"], region=found["region"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningLayer:
    """A layer as it is attached; `profile_version` and `job` are ARNs, "" where Lambda saw no signature."""

    arn: str
    profile_version: str
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One version of a function, as GetFunction tells of it.

    Attributes:
        arn: with the version: `...:function:NAME:3`, `...:function:NAME:$LATEST`.
        version: `$LATEST` or a number.
        code_sha256: base64, of the zip that runs.
        runtime, handler: "" for an image.
        package: Zip or Image.
        profile_version, job: ARNs; "" where Lambda saw no signature.
        state, update: `State` and `LastUpdateStatus`, "" where it does not say.
        kept_in: the S3 object that it runs from, where the code stays in a bucket of the account's own, else "".
        variables: names of its environment variables, sorted. Their values may be secrets, and are dropped at once.
        revision: RevisionId, "" where it does not say. role: the ARN of the execution role. description: as somebody wrote it.
        reason: why its state or update is what it is, in Lambda's words.
        settings: hex SHA-256 of its configuration without code, description, state and revision, so that two versions can be compared.
    """

    arn: str
    name: str
    version: str
    code_sha256: str
    runtime: str
    handler: str
    architectures: tuple[str, ...]
    package: str
    layers: tuple[RunningLayer, ...]
    profile_version: str
    job: str
    state: str
    update: str
    kept_in: str
    variables: tuple[str, ...] = ()
    revision: str = ""
    role: str = ""
    description: str = ""
    reason: str = ""
    settings: str = ""

    @property
    def function(self) -> str:
        """The ARN of the function, without a version."""
        return self.arn.removesuffix(f":{self.version}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """An alias. `weights`: the share of calls that go to a version other than `version`, 0 to 1, by version. `revision`: RevisionId."""

    name: str
    version: str
    weights: Mapping[str, float]
    revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """A version of a layer; `code_sha256` is base64; the ARNs are "" where it has no signature that holds."""

    arn: str
    code_sha256: str
    profile_version: str
    job: str


def find_function(aws: Aws, name: str, qualifier: str) -> Running | None:
    """What a version or alias of a function runs; None where there is none.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    try:
        with aws_errors(f"look at function {name}:{qualifier}"):
            found = running_of(aws.client("lambda").get_function(FunctionName=name, Qualifier=qualifier))
            if found.name != name or (found.version != qualifier and (qualifier == LATEST or qualifier.isdigit())):
                raise ValueError(found.arn)  # what is told of another version is no answer
            return found
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def list_functions(aws: Aws, *, versions: bool = True) -> Iterator[Running]:
    """Every version of every function of the account and region, `$LATEST` too (or that alone), as ListFunctions has them.

    Its reference names what a list leaves out (State, LastUpdateStatus, RuntimeVersionConfig). The members of the signature are not among
    them, but nothing promises them either: ask `find_function` where they are empty and it matters.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    doing = f"list the functions of account {aws.account} in {aws.region}"
    with aws_errors(doing):
        words = {"FunctionVersion": "ALL"} if versions else {}
        found = pages(doing, aws.client("lambda").list_functions, "Marker", "NextMarker", most=_MOST_PAGES, **words)
        for page in found:
            for one in page["Functions"]:
                yield running_of({"Configuration": one})


def find_alias(aws: Aws, name: str, alias: str) -> Alias | None:
    """Where an alias leads; None where there is none.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    try:
        with aws_errors(f"look at alias {alias} of function {name}"):
            return alias_of(aws.client("lambda").get_alias(FunctionName=name, Name=alias))
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def list_aliases(aws: Aws, name: str) -> tuple[Alias, ...]:
    """All aliases of a function.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    doing = f"list the aliases of function {name}"
    with aws_errors(doing):
        found = pages(doing, aws.client("lambda").list_aliases, "Marker", "NextMarker", FunctionName=name)
        return tuple(alias_of(one) for page in found for one in page["Aliases"])


def attached_configuration(aws: Aws, name: str) -> str | None:
    """The ARN of the code-signing configuration of a function; None where it has none, which Lambda answers with an empty success.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"look at the code-signing configuration of function {name}"):
        told = aws.client("lambda").get_function_code_signing_config(FunctionName=name)
        return str(told["CodeSigningConfigArn"]) if told.get("CodeSigningConfigArn") else None


def find_layer(aws: Aws, arn: str) -> LayerVersion | None:
    """A version of a layer, of whichever account; None where there is none (any more).

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    try:
        with aws_errors(f"look at layer {arn}"):
            told = aws.client("lambda").get_layer_version_by_arn(Arn=arn)
            content = told["Content"]
            return LayerVersion(
                arn=str(told["LayerVersionArn"]),
                code_sha256=str(content["CodeSha256"]),
                profile_version=str(content.get("SigningProfileVersionArn") or ""),
                job=str(content.get("SigningJobArn") or ""),
            )
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def running_of(told: Any) -> Running:
    """A version, from an answer of GetFunction, or a FunctionConfiguration as its member `Configuration`."""
    one, kept = told["Configuration"], told.get("Code", {}).get("ResolvedS3Object")
    arn, version = str(one["FunctionArn"]), str(one["Version"])
    name = str(one["FunctionName"])
    base = arn[: arn.index(f":function:{name}") + len(f":function:{name}")]
    return Running(
        arn=f"{base}:{version}",
        name=name,
        version=version,
        code_sha256=str(one["CodeSha256"]),
        runtime=str(one.get("Runtime") or ""),
        handler=str(one.get("Handler") or ""),
        architectures=tuple(str(name) for name in one.get("Architectures") or ("x86_64",)),
        package=str(one.get("PackageType") or "Zip"),
        layers=tuple(_layer(layer) for layer in one.get("Layers") or ()),
        profile_version=str(one.get("SigningProfileVersionArn") or ""),
        job=str(one.get("SigningJobArn") or ""),
        state=str(one.get("State") or ""),
        update=str(one.get("LastUpdateStatus") or ""),
        kept_in=f"s3://{kept.get('S3Bucket', '')}/{kept.get('S3Key', '')}" if kept else "",
        variables=tuple(sorted(map(str, (one.get("Environment") or {}).get("Variables") or ()))),
        revision=str(one.get("RevisionId") or ""),
        role=str(one.get("Role") or ""),
        description=str(one.get("Description") or ""),
        reason=str(one.get("StateReason") or one.get("LastUpdateStatusReason") or ""),
        settings=_settings(one),
    )


def _settings(one: Mapping[str, Any]) -> str:
    kept = {name: one[name] for name in sorted(one) if name not in _PASSING and not name.startswith(("State", "LastUpdateStatus"))}
    if "SnapStart" in kept:
        kept["SnapStart"] = one["SnapStart"].get("ApplyOn")
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def _layer(told: Any) -> RunningLayer:
    return RunningLayer(
        arn=str(told["Arn"]), profile_version=str(told.get("SigningProfileVersionArn") or ""), job=str(told.get("SigningJobArn") or "")
    )


def alias_of(told: Any) -> Alias:
    """An alias, from an AliasConfiguration."""
    weights = (told.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return Alias(
        name=str(told["Name"]),
        version=str(told["FunctionVersion"]),
        weights={str(version): float(weight) for version, weight in weights.items()},
        revision=str(told.get("RevisionId") or ""),
    )
