"""Statements of resource policies, as AddPermission and AddLayerVersionPermission make them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.refusals import refusal

_NO_POLICY = "No policy is associated with the given resource."


def statement(call: Call, action: str, resource: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    """A statement that lets the call's Principal do something: an account, an ARN, a service, or everybody."""
    principal: str | dict[str, str] = call.parameters["Principal"]
    if isinstance(principal, str) and principal != "*":
        if principal.isdigit():
            principal = {"AWS": f"arn:{call.partition}:iam::{principal}:root"}
        else:
            principal = {"AWS" if principal.startswith("arn:") else "Service": principal}
    made = {"Sid": call.parameters["StatementId"], "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return {**made, "Condition": dict(condition)} if condition else made


def add(statements: list[dict[str, Any]], new: dict[str, Any]) -> None:
    """Add a statement.

    Raises:
        ApiError: ResourceConflictException: its Sid is there already.
    """
    if any(one["Sid"] == new["Sid"] for one in statements):
        raise refusal(
            "ResourceConflictException",
            f"The statement id ({new['Sid']}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement.",
        )
    statements.append(new)


def without(statements: Sequence[dict[str, Any]], sid: str) -> list[dict[str, Any]]:
    """The statements but one.

    Raises:
        ApiError: ResourceNotFoundException: it is not there.
    """
    if not statements:
        raise refusal("ResourceNotFoundException", _NO_POLICY)
    rest = [one for one in statements if one["Sid"] != sid]
    if len(rest) == len(statements):
        raise refusal("ResourceNotFoundException", f"Statement {sid} is not found in resource policy.")
    return rest


def document(statements: Sequence[dict[str, Any]]) -> str:
    """The policy as JSON.

    Raises:
        ApiError: ResourceNotFoundException: there is none.
    """
    if not statements:
        raise refusal("ResourceNotFoundException", _NO_POLICY)
    return text({"Version": "2012-10-17", "Id": "default", "Statement": list(statements)})


def text(value: Mapping[str, Any]) -> str:
    """JSON as Lambda writes it, without spaces."""
    return json.dumps(value, separators=(",", ":"))
