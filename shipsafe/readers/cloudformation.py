"""SAM and CloudFormation templates, with the stacks nested in them."""

import re
from collections.abc import Mapping
from pathlib import Path

from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, Layer, Project, Unresolved
from shipsafe.model.reader import Reader
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.find import root_template, templates_below
from shipsafe.readers.template.functions import read_function
from shipsafe.readers.template.intrinsics import truth
from shipsafe.readers.template.layers import read_layer
from shipsafe.readers.template.nesting import LOCATIONS, Nesting
from shipsafe.readers.template.node import shown
from shipsafe.readers.template.parameters import PSEUDO, Given, bind, choose, declared, given_text
from shipsafe.readers.template.samconfig import read_samconfig
from shipsafe.readers.template.stack import (
    FUNCTION_TYPES,
    LANGUAGE_EXTENSIONS,
    LAYER_TYPES,
    MODULE_SUFFIX,
    Resource,
    Stack,
    read_resources,
    transforms,
)
from shipsafe.readers.template.values import Unknown

# Transforms that add no function and change none beyond what is read here. Any other may.
_UNDERSTOOD = frozenset(("AWS::Serverless-2016-10-31", LANGUAGE_EXTENSIONS, "AWS::CodeDeployBlueGreen"))
# CloudFormation takes letters and digits alone, but templates that people check before they deploy have `-` and `_`, too.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_OUTPUT = frozenset((".aws-sam", "cdk.out"))


def claims(path: Path, _policy: Policy) -> str | None:
    """A file is taken for a template; a folder has one when `template.yaml`, `.yml` or `.json` lies at its root.

    Raises:
        ConfigError: several templates lie at the root.
    """
    template = path if path.is_file() else root_template(path)
    return template.name if template else None


def read(path: Path, policy: Policy, overrides: Mapping[str, str]) -> Project:
    """The project that a template describes.

    Raises:
        ConfigError: a template is broken or hostile, or a parameter is given that it has not or does not allow.
    """
    template = path if path.is_file() else root_template(path)
    if template is None:
        raise ConfigError("No template lies at the root.", remedy="Name a template file.", path=str(path))
    if made := _OUTPUT.intersection(template.parts):
        raise ConfigError(
            f"What lies in {next(iter(made))} is made by another tool, and is never read.",
            remedy="Name the template that it was made from.",
            path=str(template),
        )
    root = template.parent
    nesting = Nesting(root, budget := Budget(template.name))
    body = nesting.document(template.name)
    parameters = declared(body)
    sources = (
        Given(values=overrides, source="--parameter-overrides"),
        Given(values=policy.parameters, source="The policy's [parameters]", path=policy.path),
        read_samconfig(root),
    )
    chosen = choose(parameters, sources)
    stack = Stack(
        root=root,
        path=template.name,
        prefix="",
        body=body,
        resources=read_resources(body),
        parameters=bind(parameters, given_text(chosen)),
        pseudo={name: chosen[name] for name in PSEUDO if name in chosen},
        budget=budget,
        open_child=nesting.open,
    )
    walk = _Walk(nesting)
    walk.stack(stack)
    for name in ("samconfig.yaml", "samconfig.yml"):
        if (root / name).is_file():
            walk.hints.append(f"{name} is not read; write parameters into samconfig.toml or the policy.")
    others = [name for name in templates_below(root) if name not in nesting.templates]
    if others:
        walk.hints.append(f"Other templates lie below and were not read: {', '.join(map(shown, others))}.")
    return Project(
        root=root,
        template=template.name,
        templates=nesting.templates,
        functions=tuple(walk.functions),
        layers=tuple(walk.layers),
        hints=tuple(walk.hints),
        unresolved=tuple(walk.unresolved),
    )


class _Walk:
    """Everything that is found on the way through the stacks, parents first."""

    def __init__(self, nesting: Nesting) -> None:
        self._nesting = nesting
        self.functions: list[Function] = []
        self.layers: list[Layer] = []
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
                self.functions.append(read_function(resource, stack))
            elif resource.type in LAYER_TYPES:
                self.layers.append(read_layer(resource, stack))
            elif resource.type in LOCATIONS:
                nested.append(resource)
            elif resource.type.endswith(MODULE_SUFFIX):
                self._note(stack, resource.name, "it is a module, whose resources are known only to CloudFormation", resource.location)
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


READER = Reader(id="cloudformation", summary="a SAM or CloudFormation template", claims=claims, read=read)
