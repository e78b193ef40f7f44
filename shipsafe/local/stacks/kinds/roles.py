"""AWS::IAM::Role: moto's IAM has it, with its policies.

A managed policy of AWS's own is not attached: moto does not know them, and nothing here looks at what a role may do.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shipsafe.local.call import ApiError
from shipsafe.local.stacks.kinds.kind import INVALID, Acting, Kind, Properties, Todo, if_there
from shipsafe.local.stacks.kinds.properties import tags_of

_LONGEST = 64
_OWN = ":iam::aws:policy/"  # in ARNs of AWS's own policies


def _create(acting: Acting, properties: Properties) -> str:
    name = str(properties.get("RoleName") or acting.name(_LONGEST))
    form = {"RoleName": name, "AssumeRolePolicyDocument": _policy(properties, "AssumeRolePolicyDocument"), **_settings(properties)}
    for key in ("Path", "PermissionsBoundary"):
        if properties.get(key):
            form[key] = str(properties[key])
    acting.ask_iam("CreateRole", **form, **_tag_form(tags_of(acting, properties)))
    return name


def _settings(properties: Properties) -> dict[str, str]:
    return {key: str(properties[key]) for key in ("Description", "MaxSessionDuration") if properties.get(key) is not None}


def _finish(acting: Acting, physical: str, properties: Properties) -> Sequence[Todo]:
    return _policies(acting, physical, {}, properties)


def _update(acting: Acting, physical: str, old: Properties, new: Properties) -> Sequence[Todo]:
    ask, todo = partial(acting.ask_iam, RoleName=physical), list[Todo]()
    if old.get("AssumeRolePolicyDocument") != new.get("AssumeRolePolicyDocument"):
        todo.append(partial(ask, "UpdateAssumeRolePolicy", PolicyDocument=_policy(new, "AssumeRolePolicyDocument")))
    if _settings(old) != _settings(new):
        todo.append(partial(ask, "UpdateRole", **{"Description": "", "MaxSessionDuration": "3600", **_settings(new)}))
    if old.get("PermissionsBoundary") != new.get("PermissionsBoundary"):
        boundary = new.get("PermissionsBoundary")
        todo.append(
            partial(ask, "PutRolePermissionsBoundary", PermissionsBoundary=str(boundary))
            if boundary
            else partial(ask, "DeleteRolePermissionsBoundary")
        )
    return [*todo, *_policies(acting, physical, old, new)]


def _policies(acting: Acting, physical: str, old: Properties, new: Properties) -> list[Todo]:
    """The calls that lead from one set of policies of a role to another."""
    ask = partial(acting.ask_iam, RoleName=physical)
    before, after = _attached(old), _attached(new)
    had, has = _inline(old), _inline(new)
    return [
        *(partial(ask, "DetachRolePolicy", PolicyArn=arn) for arn in before if arn not in after),
        *(partial(ask, "AttachRolePolicy", PolicyArn=arn) for arn in after if arn not in before),
        *(partial(ask, "DeleteRolePolicy", PolicyName=name) for name in had if name not in has),
        *(partial(ask, "PutRolePolicy", PolicyName=name, PolicyDocument=text) for name, text in has.items() if had.get(name) != text),
    ]


def _attached(properties: Properties) -> list[str]:
    arns = properties.get("ManagedPolicyArns") or []
    if not isinstance(arns, list):
        raise ApiError(INVALID, "#/ManagedPolicyArns: expected a list")
    return [str(arn) for arn in arns if _OWN not in str(arn)]


def _inline(properties: Properties) -> dict[str, str]:
    try:
        return {str(one["PolicyName"]): _policy(one, "PolicyDocument") for one in properties.get("Policies") or ()}
    except (KeyError, TypeError) as error:
        raise ApiError(INVALID, "#/Policies: expected a list of PolicyName and PolicyDocument") from error


def _policy(properties: Properties, name: str) -> str:
    """A policy document as IAM takes it."""
    value = properties.get(name)
    if not isinstance(value, dict):
        raise ApiError(INVALID, f"#: required key [{name}] not found" if value is None else f"#/{name}: expected an object")
    return json.dumps(value)


def _tag_form(tags: Mapping[str, str]) -> dict[str, str]:
    return {
        f"Tags.member.{number}.{part}": text
        for number, (key, value) in enumerate(tags.items(), 1)
        for part, text in (("Key", key), ("Value", value))
    }


def _attributes(acting: Acting, physical: str, properties: Properties) -> Mapping[str, Any]:
    return {
        "Arn": acting.arn("iam", f"role{properties.get('Path') or '/'}{physical}", region=False),
        "RoleId": f"AROA{physical[-17:].upper()}",
    }


def _delete(acting: Acting, physical: str, properties: Properties) -> None:
    for todo in _policies(acting, physical, properties, {}):
        if_there(todo)
    if_there(partial(acting.ask_iam, "DeleteRole", RoleName=physical))


ROLE = Kind(
    create=_create,
    delete=_delete,
    replaced_by=frozenset(("RoleName", "Path")),
    finish=_finish,
    update=_update,
    attributes=_attributes,
)
