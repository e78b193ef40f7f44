"""Where callers of a function go: the calls that make, move and remove an alias, each under the revision that was seen.

Source: AWS Lambda API Reference (2015-03-31): CreateAlias, UpdateAlias, DeleteAlias. An alias leads to one published version, or to two
with a weight for the second; both must have the same execution role and dead-letter queue ("Configuring alias routing"). botocore makes
none of these calls a second time by itself: whoever calls looks first whether it was done.
"""

from shipsafe.adapters.aws.functions import Alias, alias_of
from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws

CHANGED = "PreconditionFailedException"  # the RevisionId is another one now
EXISTS = "ResourceConflictException"  # CreateAlias of one that is there


def create_alias(aws: Aws, name: str, alias: str, version: str) -> Alias:
    """Make an alias of function `name` that leads to a version.

    Raises:
        AwsRefusal: Lambda refused; its code is `EXISTS` where there is one already.
        IncompleteError: no answer came.
    """
    with aws_errors(f"create alias {alias} of function {name}"):
        return alias_of(aws.client("lambda", once=True).create_alias(FunctionName=name, Name=alias, FunctionVersion=version))


def update_alias(aws: Aws, name: str, wanted: Alias, revision: str) -> Alias:
    """Let an alias lead where `wanted` says, if it is still at that revision.

    Raises:
        AwsRefusal: Lambda refused; its code is `CHANGED` where the alias is at another revision.
        IncompleteError: no answer came.
    """
    with aws_errors(f"move alias {wanted.name} of function {name} to version {wanted.version}"):
        told = aws.client("lambda", once=True).update_alias(
            FunctionName=name,
            Name=wanted.name,
            FunctionVersion=wanted.version,
            RoutingConfig={"AdditionalVersionWeights": dict(wanted.weights)},  # an empty one takes weights away, none leaves them
            RevisionId=revision,
        )
        return alias_of(told)


def delete_alias(aws: Aws, name: str, alias: str) -> None:
    """Remove an alias; one that is not there is no error.

    Raises:
        AwsRefusal: Lambda refused.
        IncompleteError: no answer came.
    """
    with aws_errors(f"delete alias {alias} of function {name}"):
        aws.client("lambda", once=True).delete_alias(FunctionName=name, Name=alias)
