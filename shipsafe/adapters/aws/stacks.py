"""Which functions a CloudFormation stack holds: logical ids, as templates have them, to the names that Lambda knows.

Source: AWS CloudFormation API Reference (2010-05-15), ListStackResources. A nested stack is asked too; its functions are called
`Nested.Function`, as the readers of templates call them.
"""

from collections.abc import Iterator
from typing import Any

from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError

_DEEPEST = 8
_FUNCTION, _STACK = "AWS::Lambda::Function", "AWS::CloudFormation::Stack"
_DELETED = "DELETE_COMPLETE"


def functions_of_stack(aws: Aws, stack: str, *, prefix: str = "", depth: int = 0) -> dict[str, str]:
    """Physical names of the functions of a stack (name or ARN), by logical id.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer, or the stacks are nested too deep.
    """
    if depth > _DEEPEST:
        raise IncompleteError(f"The stacks in {stack} are nested more than {_DEEPEST} deep.", remedy="Name the inner stack with --stack.")
    found: dict[str, str] = {}
    for one in _resources(aws, stack):
        name, physical = f"{prefix}{one['LogicalResourceId']}", str(one.get("PhysicalResourceId") or "")
        if physical and one["ResourceType"] == _FUNCTION:
            found[name] = physical
        elif physical and one["ResourceType"] == _STACK:
            found |= functions_of_stack(aws, physical, prefix=f"{name}.", depth=depth + 1)
    return found


def resources_of_stack(aws: Aws, stack: str) -> frozenset[str]:
    """Logical ids of what a stack has, without what is deleted.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    return frozenset(str(one["LogicalResourceId"]) for one in _resources(aws, stack) if one["ResourceStatus"] != _DELETED)


def _resources(aws: Aws, stack: str) -> Iterator[Any]:
    doing = f"list the resources of stack {stack}"
    with aws_errors(doing):
        for page in pages(doing, aws.client("cloudformation").list_stack_resources, "NextToken", "NextToken", StackName=stack):
            yield from page.get("StackResourceSummaries", ())
