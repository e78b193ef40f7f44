"""The page that lists every operation of our services and of S3, and how it is answered: as AWS, simplified, or 501."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from shipsafe.local.asked import Answered, Asked
from shipsafe.local.blobs import MemoryBlobs
from shipsafe.local.call import Clock
from shipsafe.local.codedeploy.core import REPRODUCED as CODEDEPLOY
from shipsafe.local.functions.core import Lambda
from shipsafe.local.objects import MotoObjects
from shipsafe.local.routes import service_model
from shipsafe.local.s3_checks import KNOWN_TO_MOTO
from shipsafe.local.signer import REPRODUCED, SERVICES
from shipsafe.local.stacks.core import REPRODUCED as STACKS
from shipsafe.local.stacks.kinds.table import KINDS

AS_AWS = "as AWS"
_HEAD = """\
# What the local AWS endpoint answers

Generated from the code and botocore's service models. "As AWS" is as far as AWS documents it, its service model tells it or it was seen;
"simplified" says how; "501" is a refusal that nobody can take for an answer. How to use it: [the guide](local.md).
"""
_CODEDEPLOY = """\
A deployment shifts its alias when Lambda, CloudWatch or CodeDeploy is next asked after the time of a shift. It looks at its alarms then,
and leads the alias back with a deployment of its own.
"""
_CLOUDFORMATION = """\
A stack is changed by a change set, and goes on when CloudFormation, Lambda, CodeDeploy or IAM is next asked. Templates of SAM are expanded
by aws-sam-translator, which CloudFormation itself uses. Of these types resources are made: {kinds}. Every other
type is written down with a physical id, and its attributes are made up.
"""
_S3 = """\
S3 is moto's, byte for byte, after checks of our own of what moto lets through:

| what | answered |
|---|---|
| a body that is not what `x-amz-checksum-sha256`, `-sha1` or `-crc32` says, in a header or a trailer, or `Content-MD5` | 400 `BadDigest` |
| a body that is not what `x-amz-content-sha256` says | 400 `XAmzContentSHA256Mismatch` |
| `ChecksumSHA256` without an algorithm | kept, and told by HeadObject |
| `If-None-Match: *` where the key is taken, or by several at once | 412 `PreconditionFailed` for all but one |
| `If-None-Match: *`, and the key is deleted while the body comes in | 409 `ConditionalRequestConflict` |
| `If-None-Match` with anything else | 501 `NotImplemented`, as AWS |
| a write into a bucket whose versioning is suspended | the version `null`; simplified: moto drops the key's older versions |
| a version that never was | 404 `NoSuchVersion`, also for HeadObject |
| `x-amz-expected-bucket-owner` that is not the bucket's | 403 `AccessDenied` |
| a sub-resource that moto does not know | 501, never a write or a delete of the object |
| a bucket policy's Deny for requests without TLS | kept, and without effect: nothing leaves the machine |

CRC-32C and CRC-64/NVME are taken as they come. A bucket is answered in every Region; Signer refuses one of another.
"""
_OTHERS = """\
## Everything else

IAM, STS, KMS, CloudWatch and whatever else [moto](https://docs.getmoto.org/en/latest/docs/services/index.html) has are answered by moto,
unchanged, but that KMS signs a digest (`MessageType=DIGEST`, ECC keys) as one, and that AssumeRoleWithWebIdentity verifies the token and
gives a role to nobody whom its trust policy does not let in. A service or an operation that moto does not have is answered
501. So is Cloud Control: its functions would be moto's, where no signature is checked.

CloudWatch's metrics of Lambda have the endpoint's time. An alarm over one metric that has data follows it; another keeps the state that
`SetAlarmState` gave it.
"""


def operations_markdown() -> str:
    """The whole page."""
    functions = Lambda(clock=Clock(), objects=MotoObjects(_nobody), blobs=MemoryBlobs(), revoked=_never, roots=frozenset())
    data = {name: REPRODUCED[name] for name in SERVICES["signer-data"]}
    known = dict.fromkeys(KNOWN_TO_MOTO, "as moto") | dict.fromkeys(_older("s3"), "as moto, under its newer name")
    parts = [
        _HEAD,
        *_section("Signer", "signer", REPRODUCED),
        *_section("Signer, data endpoint", "signer-data", data),
        *_section("Lambda", "lambda", functions.reproduced()),
        *_section("CodeDeploy", "codedeploy", CODEDEPLOY, intro=_CODEDEPLOY),
        *_section("CloudFormation", "cloudformation", STACKS, intro=_CLOUDFORMATION.format(kinds=", ".join(f"`{kind}`" for kind in KINDS))),
        *_section("S3", "s3", known, intro=_S3),
        _OTHERS,
    ]
    return "\n".join(parts)


def _older(service: str) -> Iterator[str]:
    """Operations that are another's older name: the same requests."""
    model = service_model(service)
    return (name for name in model.operation_names if model.operation_model(name).deprecated)


def _section(title: str, service: str, reproduced: Mapping[str, str], intro: str = "") -> Iterator[str]:
    names = service_model(service).operation_names
    yield f"## {title}\n"
    answered = sum(name in reproduced for name in names)
    yield f"{answered} of {len(names)} operation{'' if len(names) == 1 else 's'}.\n"
    if intro:
        yield intro
    yield "| operation | |\n|---|---|"
    yield from _rows(names, reproduced)
    yield ""


def _rows(names: Iterable[str], reproduced: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        note = reproduced.get(name, "501")
        plain = note.startswith((AS_AWS, "as moto", "501", "simplified"))
        yield f"| {name} | {note if plain else f'simplified: {note}'} |"


def _nobody(asked: Asked) -> Answered:
    raise LookupError(asked.path)


def _never(*, job_arn: str, profile_version_arn: str, signed_at: datetime) -> bool:  # noqa: ARG001 - the shape of a question nobody asks here
    return False
