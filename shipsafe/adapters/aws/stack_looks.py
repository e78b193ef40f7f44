"""A stack of CloudFormation as it is, and what has happened to it.

Source: AWS CloudFormation API Reference (2010-05-15), DescribeStacks and DescribeStackEvents; User Guide, "Stack status codes". The events
of one operation carry the token that it was called with. They come newest first.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws

_REVIEW = "REVIEW_IN_PROGRESS"
_GOING_ON = "_IN_PROGRESS"
_FAILED = "_FAILED"
_BACK = "ROLLBACK_"
_UPDATABLE = (
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "UPDATE_FAILED"
)  # fmt: skip
_STACK = "AWS::CloudFormation::Stack"
_LONGEST = 500  # characters of AWS's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack.

    Attributes:
        id: its ARN. status: as CloudFormation calls it. reason: its words on it.
        changed: when it was changed last, UTC, as text.
        parameters: values by name, `****` for what is hidden. role: ARN of its service role, "" for none.
        besides: its tags, who is notified, and which alarms roll it back.
    """

    id: str
    name: str
    status: str
    reason: str
    changed: str
    parameters: Mapping[str, str]
    role: str
    besides: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether it holds nothing, and waits for its first change set to be carried out."""
        return self.status == _REVIEW

    @property
    def going_on(self) -> bool:
        """Whether it is being changed."""
        return self.status.endswith(_GOING_ON) and not self.empty

    @property
    def updatable(self) -> bool:
        """Whether CloudFormation takes an update of it."""
        return self.status in _UPDATABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """What happened to one resource, or to the stack itself. `token` is that of the call that caused it, "" for none."""

    id: str
    at: datetime
    logical_id: str
    kind: str
    status: str
    reason: str
    token: str
    own: bool

    @property
    def last(self) -> bool:
        """Whether the stack has come to rest with it."""
        return self.own and not self.status.endswith(_GOING_ON)

    @property
    def failed(self) -> bool:
        """Whether something could not be done."""
        return self.status.endswith(_FAILED)

    @property
    def back(self) -> bool:
        """Whether the stack has come to rest, or could not, on the way back to what it was."""
        return self.last and _BACK in self.status


def is_absent(refusal: AwsRefusal) -> bool:
    """Whether CloudFormation knows no such stack: it has no code of its own for that."""
    return refusal.code == "ValidationError" and "does not exist" in refusal.said


def find_stack(aws: Aws, name: str) -> Stack | None:
    """The stack of that name or ARN; None where there is none.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    try:
        with aws_errors(f"look at stack {name}"):
            [told] = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
            changed: datetime = told.get("LastUpdatedTime") or told["CreationTime"]
            return Stack(
                id=str(told["StackId"]),
                name=str(told["StackName"]),
                status=str(told["StackStatus"]),
                reason=_words(told.get("StackStatusReason")),
                changed=changed.isoformat(),
                parameters={str(one["ParameterKey"]): str(one.get("ParameterValue", "")) for one in told.get("Parameters", ())},
                role=str(told.get("RoleARN") or ""),
                besides=besides(told),
            )
    except AwsRefusal as refusal:
        if is_absent(refusal):
            return None
        raise


def besides(told: Any) -> frozenset[str]:
    """What belongs to a stack beside its template: a text for each tag, topic that is notified, and alarm that rolls it back."""
    alarms = (told.get("RollbackConfiguration") or {}).get("RollbackTriggers") or ()
    found = [f"tag {one['Key']}={one['Value']}" for one in told.get("Tags") or ()]
    found += [f"topic {arn}" for arn in told.get("NotificationARNs") or ()]
    return frozenset((*found, *(f"alarm {one['Arn']}" for one in alarms)))


def last_event(aws: Aws, stack: str) -> StackEvent | None:
    """The newest event of a stack, None where it has none.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    with aws_errors(f"look at the events of stack {stack}"):
        told = aws.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        return _event(told[0]) if told else None


def new_events(aws: Aws, stack: str, token: str, *, since: datetime, seen: Collection[str]) -> tuple[StackEvent, ...]:
    """Events that a call with that token has caused, the oldest first.

    Args:
        aws: where.
        stack: its name.
        token: of the call.
        since: UTC; what happened before is not read.
        seen: ids of those that are known.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    doing = f"look at the events of stack {stack}"
    found: list[StackEvent] = []
    with aws_errors(doing):
        for page in pages(doing, aws.client("cloudformation").describe_stack_events, "NextToken", "NextToken", StackName=stack):
            for told in page.get("StackEvents", ()):
                one = _event(told)
                if one.id in seen or one.at < since:
                    return tuple(reversed(found))
                if one.token == token:
                    found.append(one)
    return tuple(reversed(found))


def _event(told: Any) -> StackEvent:
    at: datetime = told["Timestamp"]
    kind = str(told["ResourceType"])
    return StackEvent(
        id=str(told["EventId"]),
        at=at,
        logical_id=str(told["LogicalResourceId"]),
        kind=kind,
        status=str(told.get("ResourceStatus") or ""),
        reason=_words(told.get("ResourceStatusReason")),
        token=str(told.get("ClientRequestToken") or ""),
        # A nested stack's own events are its parent's resources, with an ARN of their own.
        own=kind == _STACK and told.get("PhysicalResourceId") == told["StackId"],
    )


def _words(text: Any) -> str:
    return " ".join(str(text or "").split())[:_LONGEST]
