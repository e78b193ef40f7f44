"""The calls of Lambda that change a function: each makes one change, and gives what Lambda answered.

Every change of what is there names the `RevisionId` that it rests on, so that nobody's change is overwritten unseen (412,
PreconditionFailedException). What a second call would do twice is called once, and whoever calls looks before trying again.
Source: AWS Lambda API Reference (2015-03-31). Waiting is the caller's (`shipsafe.deploy.settle`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipsafe.adapters.aws.functions import LATEST, Running, running_of
from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError
from shipsafe.model.signing import S3Object

_LONGEST = 500  # characters of AWS's own words
_TAGS = "Give these credentials the right lambda:ListTags: tags say whether it was stopped, and what a deployment has left."
_MOST_PAGES = 10_000  # of 50: versions are kept until somebody deletes them
_LARGEST_ANSWER = 6_291_556  # bytes of a synchronous answer ("Lambda quotas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """`$LATEST` of a function with what hangs on the function: its tags, and what is reserved for it (None: nothing)."""

    latest: Running
    tags: Mapping[str, str] = field(default_factory=dict)
    reserved: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an invocation came to. `error` is FunctionError, "" where there was none."""

    payload: bytes
    error: str
    version: str


def find_whole(aws: Aws, name: str) -> Whole | None:
    """A function as it is now; None where there is none of that name.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    try:
        with aws_errors(f"look at function {name}"):
            told = aws.client("lambda").get_function(FunctionName=name)
            latest = running_of(told)
            if (latest.name, latest.version) != (name, LATEST):
                raise ValueError(latest.arn)  # what is told of another function is no answer
            reserved = (told.get("Concurrency") or {}).get("ReservedConcurrentExecutions")
            if unread := told.get("TagsError"):  # without a right to ListTags the function is told all the same, and no tag of it
                said = f"{unread.get('ErrorCode', '')} {unread.get('Message', '')}"[:_LONGEST]
                raise IncompleteError(f"Could not read the tags of function {name}: GetFunction answered {said.strip()}.", remedy=_TAGS)
            tags = {str(key): str(value) for key, value in (told.get("Tags") or {}).items()}
            return Whole(latest=latest, tags=tags, reserved=None if reserved is None else int(reserved))
    except AwsRefusal as refusal:
        if refusal.absent:
            return None
        raise


def list_versions(aws: Aws, name: str) -> tuple[Running, ...]:
    """The published versions of a function, in Lambda's order; as `list_every_version`."""
    return tuple(one for one in list_every_version(aws, name) if one.version != LATEST)


def list_every_version(aws: Aws, name: str) -> tuple[Running, ...]:
    """`$LATEST` and the published versions of a function, in Lambda's order. Lists say nothing of a version's state.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    doing = f"list the versions of function {name}"
    with aws_errors(doing):
        found = pages(doing, aws.client("lambda").list_versions_by_function, "Marker", "NextMarker", most=_MOST_PAGES, FunctionName=name)
        return tuple(running_of({"Configuration": one}) for page in found for one in page["Versions"])


def update_code(
    aws: Aws, name: str, code: S3Object, *, revision: str, architectures: Sequence[str] = (), dry_run: bool = False
) -> Running:  # fmt: skip
    """Give `$LATEST` the code of one version of one object; with `dry_run` Lambda checks it, its signature too, and changes nothing.

    Raises:
        AwsRefusal: Lambda refused, for example CodeVerificationFailedException, or PreconditionFailedException.
        IncompleteError: it gave no answer.
    """
    doing = f"{'try the code' if dry_run else 'update the code'} of function {name} with {code}"
    with aws_errors(doing):
        told = aws.client("lambda", once=not dry_run).update_function_code(
            FunctionName=name, S3Bucket=code.bucket, S3Key=code.key, S3ObjectVersion=code.version, RevisionId=revision,
            DryRun=dry_run, Publish=False, **({"Architectures": list(architectures)} if architectures else {}),
        )  # fmt: skip
        return running_of({"Configuration": told})


def update_configuration(aws: Aws, name: str, changes: Mapping[str, Any], *, revision: str) -> Running:
    """Change members of the configuration of `$LATEST`: Runtime, Handler, Layers.

    Raises:
        AwsRefusal: Lambda refused, for example a layer that the code-signing configuration does not allow.
        IncompleteError: it gave no answer.
    """
    with aws_errors(f"update the configuration of function {name}"):
        told = aws.client("lambda", once=True).update_function_configuration(FunctionName=name, RevisionId=revision, **changes)
        return running_of({"Configuration": told})


def create_function(aws: Aws, name: str, code: S3Object, settings: Mapping[str, Any]) -> Running:
    """Create a function from one version of one object. `settings` are members of CreateFunction beside its name and code.

    Raises:
        AwsRefusal: Lambda refused, for example because there is one of that name.
        IncompleteError: it gave no answer.
    """
    with aws_errors(f"create function {name}"):
        told = aws.client("lambda").create_function(
            FunctionName=name, Code={"S3Bucket": code.bucket, "S3Key": code.key, "S3ObjectVersion": code.version}, Publish=False, **settings
        )
        return running_of({"Configuration": told})


def publish_version(aws: Aws, name: str, *, code_sha256: str, revision: str, description: str) -> Running:
    """Publish `$LATEST`, if its code is that; Lambda gives the last version where nothing has changed since.

    Raises:
        AwsRefusal: Lambda refused: it has other code by now, or another revision.
        IncompleteError: it gave no answer.
    """
    with aws_errors(f"publish function {name}"):
        told = aws.client("lambda", once=True).publish_version(
            FunctionName=name, CodeSha256=code_sha256, RevisionId=revision, Description=description
        )
        return running_of({"Configuration": told})


def invoke_once(aws: Aws, name: str, version: str, payload: bytes) -> Answer:
    """Invoke one version and wait for its answer; never a second time, because nobody knows what the first has done.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"invoke {name}:{version}"):
        told = aws.client("lambda", once=True).invoke(
            FunctionName=name, Qualifier=version, InvocationType="RequestResponse", Payload=payload
        )
        return Answer(
            payload=bytes(told["Payload"].read(_LARGEST_ANSWER)),
            error=str(told.get("FunctionError") or ""),
            version=str(told.get("ExecutedVersion") or ""),
        )
