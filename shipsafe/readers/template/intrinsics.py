"""Intrinsic functions: an expression of a template -> its Value. What is not certain is Unknown, with the reason.

Semantics: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Iterable, Mapping

from shipsafe.adapters.shown import shown
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.stack import LAYER_TYPES, Stack
from shipsafe.readers.template.text import HOLE, checked, concatenate, plain
from shipsafe.readers.template.values import ABSENT, Absent, Fields, Items, Pointer, Text, Unknown, Value

_SYMBOLIC = frozenset(f"AWS::{name}" for name in ("Region", "AccountId", "Partition", "URLSuffix", "StackName", "StackId"))
# Why a function is not evaluated; every other one is not known at all.
_BEYOND = {
    "Fn::Transform": "runs a macro, whose result is known only to CloudFormation",
    "Fn::GetAZs": "depends on the account",
    "Fn::Base64": "is not text that shipsafe looks into",
    "Fn::Cidr": "is not text that shipsafe looks into",
}


def evaluate(node: Node, stack: Stack) -> Value:
    """What that expression comes to in that stack.

    Raises:
        ConfigError: the template causes more work than any real one.
    """
    stack.budget.enter()
    try:
        return _evaluate(node, stack)
    finally:
        stack.budget.leave()


def _evaluate(node: Node, stack: Stack) -> Value:
    stack.budget.spend()
    if node.value is None:
        return ABSENT
    if isinstance(node.value, str):
        return checked(Text(text=node.value))
    if isinstance(node.value, tuple):
        return Items(items=tuple(_present(evaluate(child, stack) for child in node.value)))
    if node.call is None:
        found = {key: evaluate(child, stack) for key, child in node.value.items()}
        return Fields(fields={key: value for key, value in found.items() if not isinstance(value, Absent)})
    name, argument = node.call
    if function := _FUNCTIONS.get(name):
        return function(argument, stack)
    return Unknown(reason=f"{shown(name)} {_BEYOND.get(name, 'is not a function that shipsafe evaluates')}")


def _present(values: Iterable[Value]) -> list[Value]:
    return [value for value in values if not isinstance(value, Absent)]


def _malformed(name: str) -> Unknown:
    return Unknown(reason=f"{name} is not written as CloudFormation expects")


def _ref(argument: Node, stack: Stack) -> Value:
    return reference(argument.value, stack) if isinstance(argument.value, str) else _malformed("Ref")


def reference(name: str, stack: Stack) -> Value:
    """What `Ref` of that name is: a pseudo parameter, a parameter or a resource."""
    if name == "AWS::NoValue":
        return ABSENT
    if name in stack.pseudo:
        return Text(text=stack.pseudo[name])
    if name in _SYMBOLIC:
        return Text(text=f"${{{name}}}", symbolic=True)
    if name in stack.parameters:
        return stack.parameters[name]
    if name in stack.resources:
        return _resource(name, "Ref", stack)
    return Unknown(reason=f"{shown(name)} is neither a parameter nor a resource of the template")


def _get_att(argument: Node, stack: Stack) -> Value:
    parts = [part.value for part in argument.value] if isinstance(argument.value, tuple) else []
    match parts:
        case [str() as name, str() as attribute]:
            return _attribute(name, attribute, stack)
        case [str() as name, Mapping()]:
            return Unknown(reason=f"which attribute of {shown(name)} is meant is known only after deployment")
        case _:
            return _malformed("Fn::GetAtt")


def _attribute(name: str, attribute: str, stack: Stack) -> Value:
    resource = stack.resources.get(name)
    if resource is None:
        return Unknown(reason=f"{shown(name)} is not a resource of the template")
    if attribute.startswith("Outputs."):
        return _output(name, attribute.removeprefix("Outputs."), stack)
    return _resource(name, attribute, stack)


def _output(name: str, output: str, stack: Stack) -> Value:
    child = stack.open_child(stack, stack.resources[name])
    if isinstance(child, Unknown):
        return child
    node = child.section("Outputs").get(output)
    value = node.fields.get("Value") if node else None
    if value is None:
        return Unknown(reason=f"nested stack {shown(name)} has no output {shown(output)}")
    return evaluate(value, child)


def _resource(name: str, attribute: str, stack: Stack) -> Value:
    resource = stack.resources[name]
    if resource.condition is not None and truth(resource.condition, stack) is False:
        return Unknown(reason=f"resource {shown(name)} is left out by its condition {shown(resource.condition)}")
    return Pointer(name=stack.prefix + name, type=resource.type, attribute=attribute)


def local_layer(value: Pointer) -> str | None:
    """The project's layer that is meant, as its ARN with the version that this deployment makes, or None."""
    return value.name if value.type in LAYER_TYPES and value.attribute in ("Ref", "Arn", "LayerVersionArn") else None


def _sub(argument: Node, stack: Stack) -> Value:
    variables: Mapping[str, Node] = {}
    template = argument
    if isinstance(argument.value, tuple):
        if len(argument.value) != 2 or argument.value[1].call:  # noqa: PLR2004 - the text and its variables
            return _malformed("Fn::Sub")
        template, variables = argument.value[0], argument.value[1].fields
    if not isinstance(template.value, str):
        return _malformed("Fn::Sub")
    text = template.value
    parts: list[tuple[str, Value]] = []
    end = 0
    for hole in HOLE.finditer(text):
        if hole.start() > end:
            parts.append(("", Text(text=text[end : hole.start()])))
        parts.append((hole[0], _hole(hole[1].strip(), variables, stack)))
        end = hole.end()
    if end < len(text) or not parts:
        parts.append(("", Text(text=text[end:])))
    return concatenate(parts, stack.budget)


def _hole(name: str, variables: Mapping[str, Node], stack: Stack) -> Value:
    stack.budget.spend()
    if name.startswith("!"):
        return Text(text=f"${{{name[1:]}}}")
    if name in variables:
        return evaluate(variables[name], stack)
    resource, dot, attribute = name.partition(".")
    return _attribute(resource, attribute, stack) if dot else reference(name, stack)


def _join(argument: Node, stack: Stack) -> Value:
    parts = argument.value if isinstance(argument.value, tuple) else ()
    if len(parts) != 2 or not isinstance(parts[0].value, str | None):  # noqa: PLR2004 - the delimiter and the list
        return _malformed("Fn::Join")
    values = evaluate(parts[1], stack)
    if isinstance(values, Unknown):
        return values
    if not isinstance(values, Items):
        return _malformed("Fn::Join")
    delimiter = Text(text=parts[0].value or "")
    joined: list[tuple[str, Value]] = []
    for value in values.items:
        joined.extend([("", delimiter), ("${...}", value)] if joined else [("${...}", value)])
    return concatenate(joined, stack.budget) if joined else Text(text="")


def _find_in_map(argument: Node, stack: Stack) -> Value:
    parts = argument.value if isinstance(argument.value, tuple) else ()
    if len(parts) not in (3, 4):
        return _malformed("Fn::FindInMap")
    keys: list[str] = []
    for part in parts[:3]:
        key = plain(evaluate(part, stack))
        if isinstance(key, Unknown):
            return key
        keys.append(key.text)
    found = stack.section("Mappings").get(keys[0])
    for name in keys[1:]:
        found = found.fields.get(name) if found else None
    if found is not None:
        return evaluate(found, stack)
    if len(parts) > 3 and stack.language_extensions and "DefaultValue" in parts[3].fields:  # noqa: PLR2004 - the fourth is the default
        return evaluate(parts[3].fields["DefaultValue"], stack)
    return Unknown(reason=f"mapping {shown(keys[0])} has no such entry")


def _select(argument: Node, stack: Stack) -> Value:
    parts = argument.value if isinstance(argument.value, tuple) else ()
    if len(parts) != 2:  # noqa: PLR2004 - the index and the list
        return _malformed("Fn::Select")
    index, values = plain(evaluate(parts[0], stack)), evaluate(parts[1], stack)
    for value in (index, values):
        if isinstance(value, Unknown):
            return value
    if not isinstance(values, Items) or not isinstance(index, Text) or not re.fullmatch("[0-9]{1,6}", index.text):
        return _malformed("Fn::Select")
    if int(index.text) >= len(values.items):
        return Unknown(reason="Fn::Select asks for more than the list has")
    return values.items[int(index.text)]


def _split(argument: Node, stack: Stack) -> Value:
    parts = argument.value if isinstance(argument.value, tuple) else ()
    if len(parts) != 2 or not isinstance(parts[0].value, str) or not parts[0].value:  # noqa: PLR2004 - delimiter and text
        return _malformed("Fn::Split")
    source = evaluate(parts[1], stack)
    text = plain(source)
    if isinstance(text, Unknown):
        return text
    stack.budget.spend(1 + text.text.count(parts[0].value))
    return Items(items=tuple(Text(text=part, secret=text.secret) for part in text.text.split(parts[0].value)))


def _import(argument: Node, stack: Stack) -> Value:
    """The export of another stack, where that stack is part of the project."""
    name = plain(evaluate(argument, stack))
    found = stack.exports.get(name.text) if isinstance(name, Text) else None
    if found is None:
        return Unknown(reason="Fn::ImportValue is the export of another stack, known only to CloudFormation")
    exporter, node = found
    return evaluate(node, exporter)


def _if(argument: Node, stack: Stack) -> Value:
    parts = argument.value if isinstance(argument.value, tuple) else ()
    if len(parts) != 3 or not isinstance(parts[0].value, str):  # noqa: PLR2004 - the condition and two branches
        return _malformed("Fn::If")
    holds = truth(parts[0].value, stack)
    if isinstance(holds, Unknown):
        return Unknown(reason=f"condition {shown(parts[0].value)} cannot be resolved: {holds.reason}", changeable=holds.changeable)
    return evaluate(parts[1] if holds else parts[2], stack)


def truth(name: str, stack: Stack) -> bool | Unknown:
    """Whether the condition of that name holds."""
    if name not in stack.truths:
        node = stack.section("Conditions").get(name)
        stack.truths[name] = None
        stack.truths[name] = _test(node, stack) if node else Unknown(reason=f"the template has no condition {shown(name)}")
    known = stack.truths[name]
    return Unknown(reason=f"condition {shown(name)} depends on itself") if known is None else known


def _test(node: Node, stack: Stack) -> bool | Unknown:
    stack.budget.enter()
    try:
        return _tested(node, stack)
    finally:
        stack.budget.leave()


def _tested(node: Node, stack: Stack) -> bool | Unknown:
    stack.budget.spend()
    name, argument = node.call or ("", node)
    if name == "Condition" and isinstance(argument.value, str):
        return truth(argument.value, stack)
    parts = argument.value if isinstance(argument.value, tuple) else ()
    match name, parts:
        case "Fn::Equals", (left, right):
            return _equal(evaluate(left, stack), evaluate(right, stack))
        case "Fn::Not", (part,):
            inner = _test(part, stack)
            return inner if isinstance(inner, Unknown) else not inner
        case (("Fn::And" | "Fn::Or"), (_, *_)):
            decisive = name == "Fn::Or"
            answers = [_test(part, stack) for part in parts]
            if decisive in answers:
                return decisive
            return next((answer for answer in answers if isinstance(answer, Unknown)), not decisive)
        case _:
            return Unknown(reason=f"{shown(name) or 'its text'} is not a condition function that shipsafe evaluates")


def _equal(left: Value, right: Value) -> bool | Unknown:
    if isinstance(left, Text) and left == right:  # so that one pseudo parameter equals itself, whatever its value
        return True
    first, second = plain(left), plain(right)
    if isinstance(first, Unknown):
        return first
    return second if isinstance(second, Unknown) else first.text == second.text


_FUNCTIONS: dict[str, Callable[[Node, Stack], Value]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::FindInMap": _find_in_map,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::ImportValue": _import,
    "Fn::If": _if,
}
