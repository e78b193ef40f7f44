"""Versions of layers: what one holds and where its zip can be had, which ones a layer of ours has, and a new one.

Source: AWS Lambda API Reference (2015-03-31): GetLayerVersionByArn, ListLayerVersions, PublishLayerVersion. The URL of the zip is good for
ten minutes, and whoever has it has the zip: it is never shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.model.signing import S3Object

LONGEST_DESCRIPTION = 256  # characters, as Lambda takes them
_MOST_PAGES = 1000  # of 50: versions are kept until somebody deletes them


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerContent:
    """A version of a layer, with all that another one of the same content has to say.

    Attributes:
        code_sha256: base64; size: bytes of the zip.
        profile_version, job: ARNs; "" where Lambda saw no signature that holds.
        runtimes, architectures: that it says it is compatible with; empty where it does not.
        licence: "" where it says none.
        url: where the zip can be had.
    """

    arn: str
    code_sha256: str
    size: int
    profile_version: str
    job: str
    description: str
    runtimes: tuple[str, ...]
    architectures: tuple[str, ...]
    licence: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLayer:
    """A version of a layer as ListLayerVersions has it, which names no digest."""

    arn: str
    number: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLayer:
    """What is to be published: `object` the zip, exactly; the rest as in `LayerContent`."""

    name: str
    object: S3Object
    description: str = ""
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    licence: str = ""


def read_layer(aws: Aws, arn: str) -> LayerContent | None:
    """A version of a layer, of whichever account that lets us; None where there is none (any more).

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    try:
        with aws_errors(f"look at layer {arn}"):
            told = _content(aws.client("lambda").get_layer_version_by_arn(Arn=arn))
            if told.arn != arn:
                raise ValueError(told.arn)  # what is told of another layer is no answer
            return told
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def list_layer_versions(aws: Aws, name: str) -> Iterator[ListedLayer]:
    """The versions of a layer of ours, the newest first; none where there is no such layer.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    doing = f"list the versions of layer {name}"
    try:
        with aws_errors(doing):
            found = pages(doing, aws.client("lambda").list_layer_versions, "Marker", "NextMarker", most=_MOST_PAGES, LayerName=name)
            for page in found:
                for one in page["LayerVersions"]:
                    yield ListedLayer(
                        arn=str(one["LayerVersionArn"]), number=int(one["Version"]), description=_line(one.get("Description"))
                    )
    except AwsRefusal as refusal:
        if not refusal.absent:
            raise


def publish_layer(aws: Aws, new: NewLayer) -> LayerContent:
    """Publish a version, with a call that is made once: a second one would make a second version.

    Raises:
        IncompleteError: Lambda refused or gave no answer, and the version may be there all the same.
    """
    words: dict[str, Any] = {
        "Description": new.description[:LONGEST_DESCRIPTION],
        "CompatibleRuntimes": list(new.runtimes),
        "CompatibleArchitectures": list(new.architectures),
        "LicenseInfo": new.licence,
    }
    place = {"S3Bucket": new.object.bucket, "S3Key": new.object.key, "S3ObjectVersion": new.object.version}
    with aws_errors(f"publish a version of layer {new.name}"):
        call = aws.client("lambda", once=True).publish_layer_version
        return _content(call(LayerName=new.name, Content=place, **{word: value for word, value in words.items() if value}))


def _content(told: Any) -> LayerContent:
    content = told["Content"]
    return LayerContent(
        arn=str(told["LayerVersionArn"]),
        code_sha256=str(content["CodeSha256"]),
        size=int(content["CodeSize"]),
        profile_version=str(content.get("SigningProfileVersionArn") or ""),
        job=str(content.get("SigningJobArn") or ""),
        description=_line(told.get("Description")),
        runtimes=tuple(str(one) for one in told.get("CompatibleRuntimes") or ()),
        architectures=tuple(str(one) for one in told.get("CompatibleArchitectures") or ()),
        licence=_line(told.get("LicenseInfo")),
        url=str(content.get("Location") or ""),
    )


def _line(text: object) -> str:
    """What a publisher wrote, on one line: a line break in it would forge one of ours. Lambda takes 512 characters of a licence."""
    return " ".join(str(text or "").split())[:512]
