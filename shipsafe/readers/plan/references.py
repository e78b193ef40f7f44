"""What an expression refers to: a plan gives no expressions, only the names in them; those lead to resources through modules.

aws_lambda_layer_version.shared.arn            the resource
module.layers["eu"].arn                        what the output of that module refers to
var.layer_arns                                 what the call of this module gives for it, or the value of a root variable
local.x, each.value                            not in a plan: unknown
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.shown import shown
from shipsafe.readers.plan.document import Key, Plan, Planned, Steps, table, tables

_DEEPEST = 20  # references through references
_MOST = 200  # names of one expression that are followed
_STEPS = 200_000  # names that are followed in one plan: a small one can describe a very long way
_KEY = r'(?:\[(?:"(?P<{0}text>(?:[^"\\]|\\.)*)"|(?P<{0}number>[0-9]{{1,9}}))\])?'
_RESOURCE = re.compile(r"(?P<data>data\.)?(?P<type>[a-z][a-z0-9_]*)\.(?P<name>[A-Za-z_][\w-]*)" + _KEY.format("") + r"(?:[.\[].*)?")
_OUTPUT = re.compile(r"module\.(?P<name>[\w-]+)" + _KEY.format("") + r"\.(?P<output>[\w-]+)(?:[.\[].*)?")
_VARIABLE = re.compile(r"var\.(?P<name>[\w-]+)(?:[.\[].*)?")
_PLACES = ("path.", "terraform.", "self.")  # where something is, never what
_REPEATED = ("each.key", "count.index")  # which one is meant, never what
_NO_RESOURCES = frozenset(("var", "local", "module", "each", "count", "path", "terraform", "self"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """A name that leads to nothing that a plan has, and why."""

    name: str
    reason: str


Target = Planned | str | Opaque  # a resource, a text, or neither


class References:
    """Follows names through one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._left = _STEPS
        self._instances: dict[tuple[Steps, bool, str, str], list[Planned]] = {}
        self._configured: dict[tuple[str, ...], Mapping[tuple[str, str, str], Mapping[str, Any]]] = {}
        for one in plan.resources:
            self._instances.setdefault((one.modules, one.data, one.type, one.name), []).append(one)

    def configured(self, planned: Planned) -> Mapping[str, Any] | None:
        """The expressions of a resource by argument, None where the plan does not have them."""
        names = tuple(name for name, _ in planned.modules)
        if names not in self._configured:
            module = self._module(planned.modules) or {}
            self._configured[names] = {(str(one.get("mode")), str(one.get("type")), str(one.get("name"))): table(one, "expressions")
                                       for one in tables(module, "resources")}  # fmt: skip
        return self._configured[names].get(("data" if planned.data else "managed", planned.type, planned.name))

    def targets(self, planned: Planned, argument: str) -> list[Target]:
        """What an argument of a resource refers to, in the order in which its expression names it."""
        expression = table(self.configured(planned) or {}, argument)
        return self._expression(expression, planned.modules, planned.key, 0)

    def follow(self, name: str, steps: Steps, key: Key) -> list[Target]:
        """What one name in a module leads to; `key` says which instance is meant where there are several."""
        return self._follow(name, steps, key, 0)

    def _module(self, steps: Steps) -> Mapping[str, Any] | None:
        module: Mapping[str, Any] = self._plan.configuration
        for name, _ in steps:
            call = table(table(module, "module_calls"), name)
            if not call:
                return None
            module = table(call, "module")
        return module

    def _expression(self, expression: Mapping[str, Any], steps: Steps, key: Key, depth: int) -> list[Target]:
        if "constant_value" in expression:
            return _constants(expression["constant_value"], "a constant")
        names = expression.get("references")
        texts = _longest([one for one in names if isinstance(one, str)][:_MOST]) if isinstance(names, list) else []
        repeated = any(text.startswith(_REPEATED) for text in texts)
        found: list[Target] = []
        for text in texts:
            if not text.startswith((*_PLACES, *_REPEATED)):
                found += self._follow(text, steps, key if repeated else None, depth)
        return found

    def _follow(self, text: str, steps: Steps, key: Key, depth: int) -> list[Target]:
        self._left -= 1
        if depth >= _DEEPEST or self._left < 0:
            return [Opaque(name=text, reason=f"{shown(text)} leads to more names than shipsafe follows")]
        if variable := _VARIABLE.fullmatch(text):
            return self._variable(variable["name"], steps, depth)
        if output := _OUTPUT.fullmatch(text):
            return self._output(output, steps, key, depth)
        if (resource := _RESOURCE.fullmatch(text)) and resource["type"] not in _NO_RESOURCES:
            return [self._resource(resource, steps, key)]
        return [Opaque(name=text, reason=f"{shown(text)} is not in the plan")]

    def _variable(self, name: str, steps: Steps, depth: int) -> list[Target]:
        if not steps:
            if table(table(self._plan.configuration, "variables"), name).get("sensitive") is True:
                return [Opaque(name=f"var.{name}", reason=f"var.{shown(name)} is sensitive, and its value is not used")]
            return _constants(self._plan.variables.get(name), f"var.{shown(name)}")
        outer, (module, key) = steps[:-1], steps[-1]
        call = table(table(self._module(outer) or {}, "module_calls"), module)
        expression = table(table(call, "expressions"), name)
        if not expression:  # its default, which a plan has among the module's variables
            default = table(table(table(call, "module"), "variables"), name).get("default")
            return _constants(default, f"var.{shown(name)}")
        return self._expression(expression, outer, key, depth + 1)

    def _output(self, output: re.Match[str], steps: Steps, key: Key, depth: int) -> list[Target]:
        call = table(table(self._module(steps) or {}, "module_calls"), output["name"])
        expression = table(table(table(table(call, "module"), "outputs"), output["output"]), "expression")
        if not expression:
            return [Opaque(name=output[0], reason=f"{shown(output[0])} is not in the plan")]
        repeated = "for_each_expression" in call or "count_expression" in call
        inner = _key(output) if _key(output) is not None or not repeated else key
        if repeated and inner is None:
            return [Opaque(name=output[0], reason=f"which instance of module {shown(output['name'])} is meant is known only after apply")]
        return self._expression(expression, (*steps, (output["name"], inner)), None, depth + 1)

    def _resource(self, resource: re.Match[str], steps: Steps, key: Key) -> Target:
        there = self._instances.get((steps, bool(resource["data"]), resource["type"], resource["name"]), [])
        wanted = _key(resource) if _key(resource) is not None else key
        if len(there) > 1 and wanted is not None:
            there = [one for one in there if one.key == wanted]
        if len(there) == 1:
            return there[0]
        what = "is not in the plan" if not there else "has several instances, and which one is meant is known only after apply"
        return Opaque(name=resource[0], reason=f"{shown(resource[0])} {what}")


def _key(found: re.Match[str]) -> Key:
    return int(found["number"]) if found["number"] else found["text"]


def _longest(names: Iterable[str]) -> list[str]:
    """Without those that are the beginning of another one: after `x.y.arn` a plan lists `x.y`, too."""
    known = list(dict.fromkeys(names))
    return [one for one in known if not any(other.startswith((f"{one}.", f"{one}[")) for other in known)]


def _constants(value: Any, name: str) -> list[Target]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return list(value)
    return [] if value is None else [Opaque(name=name, reason=f"{name} is not a text")]
