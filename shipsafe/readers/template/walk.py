"""The way through the stacks of a project: every function and layer in them, and what could not be looked into."""

import re
from typing import Generic, NamedTuple, TypeVar

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.model.project import Function, Layer, Unresolved
from shipsafe.readers.template.functions import read_function
from shipsafe.readers.template.intrinsics import truth
from shipsafe.readers.template.layers import read_layer
from shipsafe.readers.template.nesting import LOCATIONS, Nesting
from shipsafe.readers.template.stack import (
    FUNCTION_TYPES,
    LANGUAGE_EXTENSIONS,
    LAYER_TYPES,
    MODULE_SUFFIX,
    UNREAD_TYPES,
    Resource,
    Stack,
    transforms,
)
from shipsafe.readers.template.values import Unknown

# Transforms that add no function and change none beyond what is read here. Any other may.
_UNDERSTOOD = frozenset(("AWS::Serverless-2016-10-31", LANGUAGE_EXTENSIONS, "AWS::CodeDeployBlueGreen"))
# CloudFormation takes letters and digits alone, but templates that people check before they deploy have `-` and `_`, too.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_UNREAD = "it is a function of a kind that nobody here reads"
_MODULE = "it is a module, whose resources are known only to CloudFormation"

SubjectT = TypeVar("SubjectT", Function, Layer)


class Found(NamedTuple, Generic[SubjectT]):
    """A function or layer, and where it was found."""

    subject: SubjectT
    resource: Resource
    stack: Stack


class Walk:
    """Everything that is found on the way through the stacks, parents first."""

    def __init__(self, nesting: Nesting) -> None:
        self._nesting = nesting
        self.functions: list[Found[Function]] = []
        self.layers: list[Found[Layer]] = []
        self.hints: list[str] = []
        self.unresolved: list[Unresolved] = []

    def stack(self, stack: Stack) -> None:
        """Read one stack, then those nested in it."""
        self._macros(stack)
        nested: list[Resource] = []
        for resource in stack.resources.values():
            if resource.type in FUNCTION_TYPES | LAYER_TYPES | LOCATIONS.keys():
                self._check_name(resource)
                if not self._exists(resource, stack):
                    continue
            if resource.type in FUNCTION_TYPES:
                self.functions.append(Found(read_function(resource, stack), resource, stack))
            elif resource.type in LAYER_TYPES:
                self.layers.append(Found(read_layer(resource, stack), resource, stack))
            elif resource.type in LOCATIONS:
                nested.append(resource)
            elif resource.type in UNREAD_TYPES or resource.type.endswith(MODULE_SUFFIX):
                why = _UNREAD if resource.type in UNREAD_TYPES else _MODULE
                self._note(stack, resource.name, why, resource.location)
        for resource in nested:
            child = self._nesting.open(stack, resource)
            if isinstance(child, Unknown):
                self._note(stack, resource.name, child.reason, resource.location)
            else:
                self.stack(child)

    def _macros(self, stack: Stack) -> None:
        """Macros and loops can add or change functions; what they do is known only to CloudFormation."""
        for name, place in transforms(stack.body):
            if name not in _UNDERSTOOD:
                self._note(stack, "Transform", f"{shown(name)} may add or change functions", place)
        resources = stack.body.fields["Resources"]
        for node in (stack.body, resources):
            for key in node.fields:
                if key.startswith("Fn::"):
                    self._note(stack, shown(key), "it writes resources that only CloudFormation knows", node.key_location(key))

    def _note(self, stack: Stack, name: str, reason: str, location: Location) -> None:
        self.unresolved.append(Unresolved(field=f"{stack.prefix}{name}", reason=reason, location=location))

    def _exists(self, resource: Resource, stack: Stack) -> bool:
        """Whether its condition holds; one that cannot be resolved counts as holding, and is mentioned."""
        if resource.condition is None:
            return True
        holds = truth(resource.condition, stack)
        name, condition = shown(stack.prefix + resource.name), shown(resource.condition)
        if isinstance(holds, Unknown):
            self.hints.append(f"{name} is included, because its condition {condition} cannot be resolved: {holds.reason}.")
            return True
        if not holds:
            self.hints.append(f"{name} is left out, because its condition {condition} is false ({resource.location}).")
        return holds

    @staticmethod
    def _check_name(resource: Resource) -> None:
        """Logical ids become names of files, so what cannot be one is refused."""
        if not _NAME.fullmatch(resource.name):
            raise ConfigError(
                f"Logical id {shown(resource.name)} is not made of letters and digits.",
                remedy="Rename it: CloudFormation refuses it, too.",
                path=resource.location.path,
                line=resource.location.line,
                column=resource.location.column,
            )
