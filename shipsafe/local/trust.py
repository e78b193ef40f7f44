"""Whether a role's trust policy lets a token in: principal, action and every condition, as IAM decides it.

Nothing is guessed: an operator or a key that is not reproduced here is answered 501, also where another statement would have allowed.

References: IAM User Guide, "IAM JSON policy elements: Condition operators", "Available keys for AWS OIDC federation", "Policy evaluation
logic"; for the claims of GitHub the announcement of January 2026 that STS validates claims of some identity providers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shipsafe.local.call import ApiError

ACTION = "sts:AssumeRoleWithWebIdentity"
_EVERYWHERE = ("aud", "sub", "amr", "oaud")
_GITHUB = re.compile(r"token\.actions\.githubusercontent\.com(/[^/]+)?")
# https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
_OF_GITHUB = ("actor", "actor_id", "job_workflow_ref", "repository", "repository_id", "workflow", "ref", "environment", "enterprise_id")
_PREFIXED = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?")


def lets_in(policy: Any, provider: str, claims: Mapping[str, Any]) -> bool:
    """Whether a trust policy allows AssumeRoleWithWebIdentity to a token.

    Args:
        policy: the document.
        provider: ARN of the identity provider that the token is of.
        claims: of the token.

    Raises:
        ApiError: NotImplemented (501): an element, an operator or a key is not reproduced.
    """
    keys = _keys(provider, claims)
    effects = {one.get("Effect") for one in _listed(policy.get("Statement")) if _applies(one, provider, keys)}
    return "Allow" in effects and "Deny" not in effects


def _keys(provider: str, claims: Mapping[str, Any]) -> dict[str, list[str]]:
    """The condition keys that STS fills from a token, in lower case; a claim that it does not know is no key."""
    url = provider.partition(":oidc-provider/")[2]
    names = (*_EVERYWHERE, *_OF_GITHUB) if _GITHUB.fullmatch(url) else _EVERYWHERE
    return {
        f"{url}:{name}".lower(): [str(one) for one in _listed(claims[name])] for name in names if claims.get(name) not in (None, "", [])
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _applies(statement: Any, provider: str, keys: Mapping[str, list[str]]) -> bool:
    if unknown := statement.keys() & {"NotPrincipal", "NotAction", "Resource", "NotResource"}:
        raise _missing(f"{min(unknown)} in a trust policy")
    if not any(_like(ACTION.lower(), str(one).lower()) for one in _listed(statement.get("Action"))):
        return False
    principal = statement.get("Principal")
    if principal != "*" and not (isinstance(principal, dict) and {provider, "*"} & {*_listed(principal.get("Federated"))}):
        return False
    host = provider.partition(":oidc-provider/")[2].lower()
    return all(
        _holds(operator, key.lower(), [str(one) for one in _listed(wanted)], keys, host)
        for operator, conditions in statement.get("Condition", {}).items()
        for key, wanted in conditions.items()
    )


def _holds(operator: str, key: str, wanted: list[str], keys: Mapping[str, list[str]], host: str) -> bool:
    found = _PREFIXED.fullmatch(operator)
    if not key.startswith(f"{host}:") and not _of_another(key):
        raise _missing(f"the condition key {key}")
    if found is None:
        raise _missing(f"the condition operator {operator}")
    several, name, optional = found.groups()
    values = keys.get(key)
    if name == "Null":
        return (values is None) == (wanted == ["true"])
    compare = _COMPARED.get(name)
    if compare is None:
        raise _missing(f"the condition operator {operator}")
    negative, matches = compare
    if values is None:
        return bool(optional) or several == "ForAllValues" or (negative and several is None)
    judged: Iterator[bool] = (any(matches(value, one) for one in wanted) != negative for value in values)
    # One value, as all keys of GitHub have: the three kinds of condition say the same.
    return all(judged) if several == "ForAllValues" or negative else any(judged)


def _of_another(key: str) -> bool:
    """A key of another provider is one that is not there; `aws:` keys are about the request."""
    return "." in key.partition(":")[0]


def _like(value: str, pattern: str) -> bool:
    shape = "".join(".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.fullmatch(shape, value, re.DOTALL) is not None


def _missing(what: str) -> ApiError:
    return ApiError("NotImplemented", f"The local endpoint does not reproduce {what}.", 501)


_COMPARED = {  # whether it is negative, and whether one value meets one that is wanted
    "StringEquals": (False, str.__eq__),
    "StringNotEquals": (True, str.__eq__),
    "StringEqualsIgnoreCase": (False, lambda value, one: value.lower() == one.lower()),
    "StringNotEqualsIgnoreCase": (True, lambda value, one: value.lower() == one.lower()),
    "StringLike": (False, _like),
    "StringNotLike": (True, _like),
}
