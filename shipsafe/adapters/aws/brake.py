"""The reserved concurrency of a function, and its tags: what stops it, and what remembers how it was.

Source: AWS Lambda API Reference, PutFunctionConcurrency: 0 stops the function; one that has none reserved takes what the account has left.
"""

from collections.abc import Mapping, Sequence

from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError


def _name(function: str) -> str:
    return function.rpartition(":")[2]


def reserved(aws: Aws, function: str) -> int | None:
    """What is reserved for a function (its ARN), None where nothing is.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"look at the reserved concurrency of {function}"):
        told = aws.client("lambda").get_function_concurrency(FunctionName=_name(function)).get("ReservedConcurrentExecutions")
        return None if told is None else int(told)


def reserve(aws: Aws, function: str, number: int | None) -> None:
    """Reserve so much, or nothing (None).

    Raises:
        IncompleteError: Lambda refused, gave no answer, or reserved something else.
    """
    client = aws.client("lambda")
    with aws_errors(f"reserve concurrency {'none' if number is None else number} for {function}"):
        if number is None:
            client.delete_function_concurrency(FunctionName=_name(function))
            return
        told = client.put_function_concurrency(FunctionName=_name(function), ReservedConcurrentExecutions=number)
        answered = told.get("ReservedConcurrentExecutions")
    if answered != number:
        raise IncompleteError(f"Lambda was to reserve {number} for {function}, and says {answered}.", remedy="Run this again.")


def tags(aws: Aws, function: str) -> dict[str, str]:
    """The tags of a function (its ARN).

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"read the tags of {function}"):
        return {str(name): str(value) for name, value in (aws.client("lambda").list_tags(Resource=function).get("Tags") or {}).items()}


def tag(aws: Aws, function: str, values: Mapping[str, str]) -> None:
    """Add tags, over those of the same name.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"tag {function}"):
        aws.client("lambda").tag_resource(Resource=function, Tags=dict(values))


def untag(aws: Aws, function: str, names: Sequence[str]) -> None:
    """Remove tags; one that is not there is no error.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    with aws_errors(f"remove tags of {function}"):
        aws.client("lambda").untag_resource(Resource=function, TagKeys=list(names))
