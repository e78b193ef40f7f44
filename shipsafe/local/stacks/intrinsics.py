"""Intrinsic functions: the value of an expression of a template, from parameters, conditions, mappings and what resources are.

{"Fn::Sub": "${Orders.Arn}:live"}  ->  "arn:aws:lambda:eu-west-1:123456789012:function:shop-Orders-1a2B3c4D5e6F:live"

Source: "Intrinsic function reference" of the CloudFormation template reference. What is not in the table is refused as not reproduced.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipsafe.local.stacks.world import invalid, not_reproduced

NO_VALUE: Any = object()  # what AWS::NoValue leaves: nothing
LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"  # as CloudFormation writes what only an execution can tell
_HOLE = re.compile(r"\$\{(!?)([^{}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:")
_PAIR = 2
_LONGEST = 8_000_000  # characters of all texts that are put together for one look at a template: a few lines of Fn::Sub can double any


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What expressions are evaluated in.

    Attributes:
        parameters: values of parameters and pseudo parameters by name; a list where the type is one.
        conditions: expressions of conditions.
        mappings: the template's.
        reference: what `Ref` gives for a resource.
        attribute: what `Fn::GetAtt` gives.
        exported: what another stack exports under a name.
    """

    parameters: Mapping[str, Any]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any]
    resources: frozenset[str]
    reference: Callable[[str], str]
    attribute: Callable[[str, str], Any]
    exported: Callable[[str], str]
    known: dict[str, bool | None] = field(default_factory=dict)  # conditions that were evaluated; None while one is
    spent: list[int] = field(default_factory=lambda: [0])  # characters

    def value(self, expression: Any) -> Any:
        """The value of an expression; members that have none are left out.

        Raises:
            ApiError: ValidationError, or 501 for a function that is not reproduced.
        """
        match expression:
            case dict() if len(expression) == 1:
                ((name, argument),) = expression.items()
                if name == "Ref":
                    return self._ref(argument)
                if name == "Condition" and isinstance(argument, str) and argument in self.conditions:
                    return self.holds(argument)
                if name.startswith("Fn::"):
                    function = _FUNCTIONS.get(name)
                    if function is None:
                        raise not_reproduced(f"the intrinsic function {name}")
                    return _static(function(self, argument))
        if isinstance(expression, dict):
            told = {str(key): self.value(item) for key, item in expression.items()}
            return {key: item for key, item in told.items() if item is not NO_VALUE}
        if isinstance(expression, list):
            return [item for item in map(self.value, expression) if item is not NO_VALUE]
        return _static(expression)

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true.

        Raises:
            ApiError: there is none, or it goes round in a circle.
        """
        if condition not in self.conditions:
            raise invalid(f"Template format error: Unresolved condition {condition}.")
        if condition not in self.known:
            self.known[condition] = None
            try:
                self.known[condition] = bool(self.value(self.conditions[condition]))
            except RecursionError as error:
                raise invalid(f"Template error: condition {condition} is nested too deeply") from error
        known = self.known[condition]
        if known is None:
            raise invalid(f"Template error: Found circular condition dependency at {condition}")
        return known

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise invalid("Template format error: every Ref object must have a single String value.")
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        if name not in self.resources:
            raise invalid(f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template")
        return self.reference(name)

    def spend(self, characters: int) -> None:
        """Note that a text of that length is put together.

        Raises:
            ApiError: all of them would be longer than any template needs.
        """
        self.spent[0] += characters
        if self.spent[0] > _LONGEST:
            raise invalid(f"Template error: its texts would have more than {_LONGEST} characters.")

    def text(self, expression: Any) -> str:
        """The value of an expression that has to be text.

        Raises:
            ApiError: it is a list or a mapping.
        """
        value = self.value(expression)
        if isinstance(value, dict | list) or value is NO_VALUE or value is None:
            raise invalid("Template error: every value that is joined, replaced or compared must be a string")
        return as_text(value)


def _static(value: Any) -> Any:
    """A value that is no reference to what only the service that gets it could look up."""
    if isinstance(value, str) and _DYNAMIC.search(value):
        raise not_reproduced("dynamic references")
    return value


def as_text(value: Any) -> str:
    """A scalar as CloudFormation writes it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _get_att(scope: Scope, argument: Any) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != _PAIR or not isinstance(parts[0], str):
        raise invalid("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the attribute")
    logical, attribute = parts[0], scope.text(parts[1])
    if logical not in scope.resources:
        raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {logical}")
    return scope.attribute(logical, attribute)


def _sub(scope: Scope, argument: Any) -> str:
    text, given = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1]) if _is_pair(argument) else (None, {})
    if not isinstance(text, str) or not isinstance(given, dict):
        raise invalid("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments.")
    own = {name: scope.text(item) for name, item in given.items()}

    def filled(hole: re.Match[str]) -> str:
        literal, name = hole[1], hole[2].strip()
        if literal:
            return f"${{{hole[2]}}}"
        found = own[name] if name in own else scope.text({"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name})
        scope.spend(len(found))
        return found

    scope.spend(len(text))
    return _HOLE.sub(filled, text)


def _join(scope: Scope, argument: Any) -> str:
    if not _is_pair(argument) or not isinstance(argument[0], str):
        raise invalid("Template error: every Fn::Join object requires two parameters, a string delimiter and a list of strings")
    items = scope.value(argument[1])
    if items == LATER:
        return LATER
    if not isinstance(items, list):
        raise invalid("Template error: every Fn::Join object requires two parameters, a string delimiter and a list of strings")
    texts = [scope.text(item) for item in items]
    scope.spend(sum(map(len, texts)) + len(argument[0]) * len(texts))
    return argument[0].join(texts)


def _split(scope: Scope, argument: Any) -> Any:
    if not _is_pair(argument) or not isinstance(argument[0], str) or not argument[0]:
        raise invalid("Template error: every Fn::Split object requires two parameters, a string delimiter and a string")
    text = scope.text(argument[1])
    return LATER if LATER in text else text.split(argument[0])


def _select(scope: Scope, argument: Any) -> Any:
    if not _is_pair(argument):
        raise invalid("Template error: every Fn::Select object requires two non-null parameters, the index and the list")
    items, index = scope.value(argument[1]), scope.text(argument[0])
    if items == LATER:
        return LATER
    if not isinstance(items, list) or not index.isdigit() or int(index) >= len(items):
        raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def _if(scope: Scope, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != _PAIR + 1 or not isinstance(argument[0], str):
        raise invalid("Template error: Fn::If requires a list argument with three elements")
    return scope.value(argument[1] if scope.holds(argument[0]) else argument[2])


def _equals(scope: Scope, argument: Any) -> bool:
    if not _is_pair(argument):
        raise invalid("Template error: every Fn::Equals object requires a list of 2 string parameters.")
    return scope.text(argument[0]) == scope.text(argument[1])


def _and(scope: Scope, argument: Any) -> bool:
    return all(_each_condition(scope, argument))


def _or(scope: Scope, argument: Any) -> bool:
    return any(_each_condition(scope, argument))


def _not(scope: Scope, argument: Any) -> bool:
    return not all(_each_condition(scope, argument))


def _each_condition(scope: Scope, argument: Any) -> list[bool]:
    if not isinstance(argument, list) or not argument:
        raise invalid("Template error: every Fn::And, Fn::Or and Fn::Not object requires a list of conditions")
    return [bool(scope.value(item)) for item in argument]


def _find_in_map(scope: Scope, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != _PAIR + 1:
        raise invalid("Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute")
    name, first, second = (scope.text(part) for part in argument)
    try:
        return scope.mappings[name][first][second]
    except (KeyError, TypeError) as error:
        raise invalid(f"Template error: Unable to get mapping for {name}::{first}::{second}") from error


def _base64(scope: Scope, argument: Any) -> str:
    return base64.b64encode(scope.text(argument).encode()).decode()


def _import(scope: Scope, argument: Any) -> str:
    return scope.exported(scope.text(argument))


def _zones(scope: Scope, argument: Any) -> list[str]:
    region = scope.text(argument) or scope.parameters["AWS::Region"]
    return [f"{region}{letter}" for letter in "abc"]


def _is_pair(argument: Any) -> bool:
    return isinstance(argument, list) and len(argument) == _PAIR


_FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::And": _and,
    "Fn::Or": _or,
    "Fn::Not": _not,
    "Fn::FindInMap": _find_in_map,
    "Fn::Base64": _base64,
    "Fn::ImportValue": _import,
    "Fn::GetAZs": _zones,
}


def references(expression: Any) -> set[str]:
    """The names that an expression refers to with Ref, GetAtt and Sub: resources, parameters and pseudo parameters."""
    found: set[str] = set()
    open_: list[Any] = [expression]
    while open_:
        match open_.pop():
            case {"Ref": str() as name}:
                found.add(name)
            case {"Fn::GetAtt": str() as text}:
                found.add(text.split(".", 1)[0])
            case {"Fn::GetAtt": [str() as name, *rest]}:
                found.add(name)
                open_ += rest
            case {"Fn::Sub": str() as text}:
                found |= _holes(text, {})
            case {"Fn::Sub": [str() as text, dict() as own]}:
                found |= _holes(text, own)
                open_ += own.values()
            case dict() as members:
                open_ += members.values()
            case list() as items:
                open_ += items
    return found


def _holes(text: str, own: Mapping[str, Any]) -> set[str]:
    names = {name.strip() for literal, name in _HOLE.findall(text) if not literal}
    return {name.split(".", 1)[0] for name in names if name not in own}
