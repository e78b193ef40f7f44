"""IAM as far as our guardrails use it: what a document denies of a call that was really made.

A call stands for the action of its name; condition keys are filled from its parameters by `[[condition]]` of configs/iam/actions.toml.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shipsafe.enforce.guardrails import DEPLOY, SCP, SIGN, guardrails
from shipsafe.model.policy import Policy
from tests.iam.rights import TABLE

ROLES = {name: f"arn:aws:iam::123456789012:role/{name}" for name in ("sign", "deploy", "guard", "somebody")}
_WHO = {"sign": "sign", "layers": "sign", "deploy": "deploy", "deploy-codedeploy": "deploy", "bootstrap": "guard", "enforce": "guard",
        "rotate": "guard"}  # fmt: skip
_OWN = {"sign": SIGN, "deploy": DEPLOY}  # role -> the document for it


def denied(document: Mapping[str, Any], call: str, parameters: Mapping[str, Any], *, by: str) -> list[str]:
    """The Sids of the statements that deny a call (`lambda:CreateFunction`) to a role's session."""
    context = {"aws:PrincipalArn": by} | {
        row["key"]: parameters[row["parameter"]] for row in TABLE["condition"] if call in row["calls"] and row["parameter"] in parameters
    }
    return [one["Sid"] for one in document["Statement"] if call in _many(one["Action"]) and _all(one.get("Condition", {}), context)]


def denied_of(calls: Iterable[tuple[str, str, Mapping[str, Any]]], command: str, policy: Policy) -> set[tuple[str, str]]:
    """Which calls of a command, made by the role that is to make them, the guardrails of a policy deny, and by which statement."""
    role, documents = _WHO.get(command, "somebody"), guardrails(policy).documents
    return {
        (f"{service}:{operation}", sid)
        for service, operation, parameters in calls
        for document in (documents[SCP], *([documents[_OWN[role]]] if role in _OWN else []))
        for sid in denied(document, f"{service}:{operation}", parameters, by=ROLES[role])
    }


def _all(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(_holds(operator, key, value, context) for operator, keys in condition.items() for key, value in keys.items())


def _holds(operator: str, key: str, value: Any, context: Mapping[str, str]) -> bool:
    """A key that is missing: false, and true of a negated operator."""
    positive = operator in ("StringEquals", "ArnEquals")
    assert positive or operator in ("StringNotEquals", "ArnNotEquals"), operator
    return (context.get(key) in _many(value)) == positive


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
