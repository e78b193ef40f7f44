"""The role as which a stack is changed: where IAM has it, its trust policy must let CloudFormation in.

A role that is not there is taken as it is, as everywhere here: STS gives it out, too, and Lambda runs as it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import unquote

from shipsafe.local.call import ApiError, Call
from shipsafe.local.stacks.world import World, invalid

_SERVICE = "cloudformation.amazonaws.com"
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[\w+=,.@-]+)", re.ASCII)
_TRUST = re.compile(r"<AssumeRolePolicyDocument>(.*?)</AssumeRolePolicyDocument>", re.DOTALL)


def check_role(world: World, call: Call, arn: str) -> None:
    """Look whether CloudFormation may be a role.

    Raises:
        ApiError: ValidationError: it is of another account, or does not trust CloudFormation.
    """
    words = f"Role {arn} is invalid or cannot be assumed"
    found = _ROLE.fullmatch(arn)
    if found is None or found["account"] != call.account:
        raise invalid(words)
    form = {"Action": "GetRole", "Version": "2010-05-08", "RoleName": found["name"]}
    try:
        body = world.ask_moto("iam", call.account, call.region, form).decode()
    except ApiError as error:
        if error.code == "NoSuchEntity":
            return
        raise
    trust = _TRUST.search(body)
    if trust is None or not any(_lets_in(one) for one in _statements(json.loads(unquote(unescape(trust[1]))))):  # moto has parsed it
        raise invalid(words)


def _statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    told = document.get("Statement") or []
    yield from told if isinstance(told, list) else [told]


def _lets_in(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = _listed(principal.get("Service")) if isinstance(principal, dict) else _listed(principal)
    actions = _listed(statement.get("Action"))
    allowed = statement.get("Effect") == "Allow" and bool({"sts:AssumeRole", "sts:*", "*"} & set(actions))
    return allowed and (_SERVICE in services or "*" in services)


def _listed(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value] if value else [])]
