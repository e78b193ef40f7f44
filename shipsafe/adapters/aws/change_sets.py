"""Change sets of CloudFormation: created, looked at, executed, deleted.

    arn = create(aws, Wanted(stack="shop", name="shipsafe-0123", template=text, ...))
    found = find_change_set(aws, "shop", arn)       # what it would change
    execute(aws, found)

Source: AWS CloudFormation API Reference (2010-05-15): CreateChangeSet, DescribeChangeSet, GetTemplate, ExecuteChangeSet, DeleteChangeSet.
A name is used once at a stack. What is asked for a second time with the same token, because an answer was lost, is the same change set or
the same update; the token of an update is the name of its change set, and events of the stack say the token that caused them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.stack_looks import besides, is_absent

LARGEST = 51_200  # bytes of TemplateBody
EXISTS = "AlreadyExistsException"
NOT_NOW = "InvalidChangeSetStatus"  # it is being executed, was executed, or the stack is another by now
GONE = "ChangeSetNotFound"  # another one was executed, or somebody has deleted it
_MAKING = ("CREATE_PENDING", "CREATE_IN_PROGRESS")
_MADE, _FAILED = "CREATE_COMPLETE", "FAILED"
# What the reason of a failed one says where there is nothing to change: of a plain template, and of one with a transform.
_EMPTY = ("didn't contain changes", "No updates are to be performed")
_LONGEST = 500  # characters of AWS's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A change set that is to be made.

    Attributes:
        stack: its name. name: of the change set.
        token: two calls with the same one ask for the same change set once.
        template: its text, at most `LARGEST` bytes.
        parameters: values by name; None for the value that the stack has. hidden: names of those that nobody is shown.
        capabilities: `CAPABILITY_IAM` and the like.
        role: ARN of the service role as which CloudFormation works; None for the one that the stack has, or the caller's own rights.
        new: whether the stack is made by it.
        description: for people.
    """

    stack: str
    name: str
    token: str
    template: str
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    capabilities: tuple[str, ...] = ()
    role: str | None = None
    new: bool = False
    description: str = ""

    @property
    def shown(self) -> dict[str, str]:
        """Parameters whose values are given and no secret."""
        return {name: value for name, value in self.parameters.items() if value is not None and name not in self.hidden}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one resource: `action` in CloudFormation's words, `replacement` `True`, `False`, `Conditional` or "".

    `scope` says what of it changes. `retained`: what is taken out of the stack stays as it is.
    """

    action: str
    logical_id: str
    kind: str
    replacement: str = ""
    scope: tuple[str, ...] = ()
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """A change set as it is.

    Attributes:
        id: its ARN. name, stack: names.
        status: of its making. execution: of its execution. reason: why it could not be made.
        made: UTC.
        parameters: values by name, `****` for what is hidden. capabilities: as asked for.
        changes: one for each resource that changes.
        besides: what else is to become of the stack, as `Stack.besides` says it, in words of CloudFormation's.
    """

    id: str
    name: str
    stack: str
    status: str
    execution: str
    reason: str
    made: datetime
    parameters: Mapping[str, str]
    capabilities: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    besides: frozenset[str] = frozenset()

    @property
    def in_the_making(self) -> bool:
        """Whether CloudFormation is still working it out."""
        return self.status in _MAKING

    @property
    def ready(self) -> bool:
        """Whether it can be executed."""
        return self.status == _MADE and self.execution == "AVAILABLE"

    @property
    def begun(self) -> bool:
        """Whether somebody has begun to execute it."""
        return self.execution.startswith("EXECUTE_")

    @property
    def failed(self) -> bool:
        """Whether it could not be made, although there is something to change."""
        return not (self.in_the_making or self.ready or self.begun or self.empty)

    @property
    def empty(self) -> bool:
        """Whether it was not made because the stack is as it says already."""
        return self.status == _FAILED and any(words in self.reason for words in _EMPTY)


def create(aws: Aws, wanted: Wanted) -> str:
    """Ask for a change set, which CloudFormation then works out; gives its ARN.

    Raises:
        AwsRefusal: CloudFormation refused; `EXISTS` where the stack has one of that name.
        IncompleteError: it gave no answer.
    """
    words: dict[str, Any] = {"RoleARN": wanted.role} if wanted.role else {}
    parameters = [
        {"ParameterKey": name, "UsePreviousValue": True} if value is None else {"ParameterKey": name, "ParameterValue": value}
        for name, value in wanted.parameters.items()
    ]
    with aws_errors(f"create change set {wanted.name} of stack {wanted.stack}"):
        told = aws.client("cloudformation").create_change_set(
            StackName=wanted.stack,
            ChangeSetName=wanted.name,
            ClientToken=wanted.token,
            ChangeSetType="CREATE" if wanted.new else "UPDATE",
            TemplateBody=wanted.template,
            Parameters=parameters,
            Capabilities=list(wanted.capabilities),
            Description=wanted.description,
            **words,
        )
        return str(told["Id"])


def find_change_set(aws: Aws, stack: str, name: str) -> ChangeSet | None:
    """A change set by its name or ARN, with all of its changes; None where the stack has none such, or there is no such stack.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    doing = f"look at change set {name.rpartition('changeSet/')[2].partition('/')[0]} of stack {stack}"
    found: list[Any] = []
    changes: list[Change] = []
    try:
        with aws_errors(doing):
            call = aws.client("cloudformation").describe_change_set
            for page in pages(doing, call, "NextToken", "NextToken", StackName=stack, ChangeSetName=name):
                found.append(page)
                changes += [_change(one["ResourceChange"]) for one in page.get("Changes", ()) if one.get("ResourceChange")]
            return _change_set(found[0], tuple(changes))
    except AwsRefusal as refusal:
        if refusal.code == GONE or is_absent(refusal):
            return None
        raise


def template_of(aws: Aws, stack: str, change_set: str) -> Any:
    """The template that a change set was made of, as CloudFormation keeps it: its text, or what its JSON holds.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    with aws_errors(f"read the template of the change set of stack {stack} again"):
        told = aws.client("cloudformation").get_template(StackName=stack, ChangeSetName=change_set, TemplateStage="Original")
        return told["TemplateBody"]


def execute(aws: Aws, change_set: ChangeSet) -> None:
    """Let CloudFormation execute a change set; it has only begun when this comes back.

    Raises:
        AwsRefusal: CloudFormation refused; `NOT_NOW` where it was begun already, or fits the stack no more.
        IncompleteError: it gave no answer.
    """
    with aws_errors(f"execute change set {change_set.name}"):
        aws.client("cloudformation").execute_change_set(
            StackName=change_set.stack, ChangeSetName=change_set.id, ClientRequestToken=change_set.name
        )


def delete(aws: Aws, stack: str, change_set: str) -> None:
    """Delete a change set of a stack, by its ARN; one that is gone is no error.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    try:
        with aws_errors("delete the change set"):
            aws.client("cloudformation").delete_change_set(StackName=stack, ChangeSetName=change_set)
    except AwsRefusal as refusal:
        if refusal.code != GONE and not is_absent(refusal):
            raise


def _change_set(told: Any, changes: tuple[Change, ...]) -> ChangeSet:
    made: datetime = told["CreationTime"]
    return ChangeSet(
        id=str(told["ChangeSetId"]),
        name=str(told["ChangeSetName"]),
        stack=str(told["StackName"]),
        status=str(told["Status"]),
        execution=str(told.get("ExecutionStatus") or ""),
        reason=" ".join(str(told.get("StatusReason") or "").split())[:_LONGEST],
        made=made,
        parameters={str(one["ParameterKey"]): str(one.get("ParameterValue", "")) for one in told.get("Parameters", ())},
        capabilities=tuple(map(str, told.get("Capabilities", ()))),
        changes=changes,
        besides=besides(told) | {f"OnStackFailure {told['OnStackFailure']}" if told.get("OnStackFailure") else ""} - {""},
    )


def _change(told: Any) -> Change:
    return Change(
        action=str(told["Action"]),
        logical_id=str(told["LogicalResourceId"]),
        kind=str(told["ResourceType"]),
        replacement=str(told.get("Replacement") or ""),
        scope=tuple(map(str, told.get("Scope", ()))),
        retained=told.get("PolicyAction") == "Retain",
    )
