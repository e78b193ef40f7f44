"""Names and ARNs of functions: Lambda takes a name, a partial ARN or a whole one, with or without a qualifier.

orders      orders:live      123456789012:function:orders      arn:aws:lambda:eu-west-1:123456789012:function:orders:3
"""

import re
from typing import NamedTuple

from shipsafe.local.call import Call
from shipsafe.local.functions.refusals import invalid, refusal
from shipsafe.local.functions.state import Alias, Function, Version
from shipsafe.local.functions.world import World

LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:)?(?:(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?",
    re.ASCII,
)


class Named(NamedTuple):
    """A function as a call names it; `qualifier` "" for none."""

    name: str
    qualifier: str


class Found(NamedTuple):
    """The version that a qualifier leads to; `alias` where it went through one; `qualifier` as it was given, "" for none."""

    function: Function
    version: Version
    qualifier: str
    alias: Alias | None


def function_arn(call: Call, name: str, qualifier: str = "") -> str:
    """The ARN of a function, a version or an alias of the caller's account."""
    arn = f"arn:{call.partition}:lambda:{call.region}:{call.account}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def named(call: Call, text: str, qualifier: str | None = None) -> Named:
    """Read `FunctionName` and `Qualifier`.

    Raises:
        ApiError: the name is malformed, of another region or account, or the two disagree about the qualifier.
    """
    found = _NAME.fullmatch(text)
    if found is None:
        raise refusal(
            "ValidationException",
            f"1 validation error detected: Value '{text[:200]}' at 'functionName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_NAME.pattern}",
        )
    inside = found["qualifier"] or ""
    if inside and qualifier and inside != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    if found["region"] and found["region"] != call.region:
        raise refusal("ResourceNotFoundException", f"Functions from '{found['region']}' are not reachable in this region ('{call.region}')")
    if found["account"] and found["account"] != call.account:
        raise refusal(
            "AccessDeniedException",
            f"User: {call.caller or call.account} is not authorized to perform: lambda:{call.operation} on resource: {text} "
            f"because no resource-based policy allows the lambda:{call.operation} action",
        )
    return Named(found["name"], inside or qualifier or "")


def function(world: World, call: Call, text: str) -> Function:
    """The function that a call is about, where a qualifier has no meaning and is not asked for.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    name = named(call, text).name
    if (it := world.place(call)["functions"].get(name)) is None:
        raise refusal("ResourceNotFoundException", f"Function not found: {function_arn(call, name)}")
    return it


def unqualified(world: World, call: Call, text: str) -> Function:
    """The function that a call is about, where a version or an alias cannot be meant.

    Raises:
        ApiError: ResourceNotFoundException, or InvalidParameterValueException for a qualifier.
    """
    if named(call, text).qualifier:
        raise invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return function(world, call, text)


def qualified(world: World, call: Call, text: str, qualifier: str | None = None) -> Found:
    """The version that a name and a qualifier lead to: `$LATEST`, a number or an alias.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    name, given = named(call, text, qualifier)
    it = world.place(call)["functions"].get(name)
    if it is None:
        raise refusal("ResourceNotFoundException", f"Function not found: {function_arn(call, name, given)}")
    if given in ("", LATEST):
        return Found(it, it["latest"], given, None)
    alias = it["aliases"].get(given)
    version = it["versions"].get(alias["version"] if alias else given)
    if alias and alias["version"] == LATEST:
        version = it["latest"]
    if version is None:
        raise refusal("ResourceNotFoundException", f"Function not found: {function_arn(call, name, given)}")
    return Found(it, version, given, alias)
