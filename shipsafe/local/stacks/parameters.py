"""Parameters of a template: what was given, else what the stack has, else the default; held against the template's constraints.

Source: "Parameters" of the CloudFormation template reference.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.stacks.intrinsics import NO_VALUE, as_text
from shipsafe.local.stacks.state import Source
from shipsafe.local.stacks.world import invalid, not_reproduced

_LISTS = ("CommaDelimitedList", "List<")
_TYPES = ("String", "Number", "CommaDelimitedList", "List<Number>")
HIDDEN = "****"
_URL_SUFFIX = {"aws-cn": "amazonaws.com.cn"}


def values(document: Mapping[str, Any], given: Sequence[Mapping[str, Any]], former: Source | None) -> dict[str, str]:
    """Every parameter's value, as text.

    Args:
        document: the template.
        given: as CreateChangeSet takes them.
        former: what the stack is made from, for UsePreviousValue.

    Raises:
        ApiError: ValidationError, or 501 for a type that is not reproduced.
    """
    declared: Mapping[str, Any] = document.get("Parameters") or {}
    told = {str(one["ParameterKey"]): one for one in given if one.get("ParameterKey")}
    if foreign := sorted(set(told) - set(declared)):
        raise invalid(f"Parameters: [{', '.join(foreign)}] do not exist in the template")
    found: dict[str, str] = {}
    missing: list[str] = []
    for name, shape in declared.items():
        one, before = told.get(name) or {}, former["parameters"] if former else {}
        if one.get("UsePreviousValue"):
            if one.get("ParameterValue") is not None:
                raise invalid(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value")
            if name not in before:
                why = "Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                raise invalid(f"Invalid input for parameter key {name}. {why}")
            found[name] = before[name]
        elif one.get("ParameterValue") is not None:
            found[name] = str(one["ParameterValue"])
        elif shape.get("Default") is not None:
            found[name] = as_text(shape["Default"])
        else:
            missing.append(name)
    if missing:
        raise invalid(f"Parameters: [{', '.join(sorted(missing))}] must have values")
    for name, value in found.items():
        _check(name, value, declared[name])
    return found


def in_scope(
    document: Mapping[str, Any], found: Mapping[str, str], call: Call, stack: str, stack_id: str, notify: Sequence[str]
) -> dict[str, Any]:
    """Parameters and pseudo parameters as expressions see them: a list where the type is one."""
    declared = document.get("Parameters") or {}
    own = {name: [part.strip() for part in value.split(",")] if _is_list(declared[name]) else value for name, value in found.items()}
    return own | {
        "AWS::AccountId": call.account,
        "AWS::NotificationARNs": list(notify),
        "AWS::NoValue": NO_VALUE,
        "AWS::Partition": call.partition,
        "AWS::Region": call.region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack,
        "AWS::URLSuffix": _URL_SUFFIX.get(call.partition, "amazonaws.com"),
    }


def shown(document: Mapping[str, Any], found: Mapping[str, str]) -> list[dict[str, str]]:
    """Parameters as DescribeStacks tells them."""
    declared = document.get("Parameters") or {}
    return [
        {"ParameterKey": name, "ParameterValue": HIDDEN if str(declared.get(name, {}).get("NoEcho")).lower() == "true" else value}
        for name, value in found.items()
    ]


def _is_list(shape: Mapping[str, Any]) -> bool:
    return str(shape.get("Type")).startswith(_LISTS)


def _check(name: str, value: str, shape: Mapping[str, Any]) -> None:
    kind, allowed, pattern = shape.get("Type"), shape.get("AllowedValues") or [], shape.get("AllowedPattern")
    if not isinstance(kind, str) or not isinstance(allowed, list):
        raise invalid(f"Template format error: [/Parameters/{name}] A parameter has a Type, and AllowedValues are a list.")
    if kind not in _TYPES and not kind.startswith(("AWS::EC2::", "AWS::Route53::", "List<AWS::")):
        raise not_reproduced(f"parameters of type {kind}")
    items = [part.strip() for part in value.split(",")] if _is_list(shape) else [value]
    if allowed and not set(items) <= {as_text(one) for one in allowed}:
        raise invalid(f"Parameter '{name}' must be one of AllowedValues")
    if pattern is not None and not _matches(name, str(pattern), value):
        raise invalid(
            str(shape.get("ConstraintDescription") or f"Parameter {name} failed to satisfy constraint: Allowed pattern: {pattern}")
        )
    if "Number" in kind:
        for item in items:
            _within(name, _number(f"Parameter '{name}'", item), shape, ("MinValue", "MaxValue"), "must be a number")
        return
    _within(name, len(value), shape, ("MinLength", "MaxLength"), "must contain characters, in number")


def _matches(name: str, pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error as error:
        raise invalid(f"Template format error: [/Parameters/{name}] AllowedPattern is no regular expression: {error}") from error


def _within(name: str, number: float, shape: Mapping[str, Any], bounds: tuple[str, str], words: str) -> None:
    least, most = (shape.get(bound) for bound in bounds)
    if least is not None and number < _number(f"Template format error: {bounds[0]} of {name}", least):
        raise invalid(f"Parameter '{name}' {words} not less than {least}")
    if most is not None and number > _number(f"Template format error: {bounds[1]} of {name}", most):
        raise invalid(f"Parameter '{name}' {words} not greater than {most}")


def _number(what: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise invalid(f"{what} must be a number") from error
