"""Templates inside templates: `AWS::Serverless::Application` and `AWS::CloudFormation::Stack` with a local path."""

import os
import posixpath
import re
from pathlib import Path

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.document import read_document
from shipsafe.readers.template.intrinsics import evaluate
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.parameters import bind, declared
from shipsafe.readers.template.stack import Resource, Stack, read_resources
from shipsafe.readers.template.text import plain
from shipsafe.readers.template.values import Absent, Fields, Text, Unknown, Value

LOCATIONS = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}
_DEEPEST = 10  # stacks inside each other
_MOST = 200  # stacks in one project; CloudFormation takes 2,500 resources in one operation
_REMOTE = re.compile(r"[a-z0-9]+://", re.IGNORECASE)
_LONGEST = 4096


class Nesting:
    """Opens the nested stacks of one project; each template is parsed once, however often it is used."""

    def __init__(self, root: Path, budget: Budget) -> None:
        self._root = root
        self._budget = budget
        self._documents: dict[str, Node] = {}
        self._stacks = 0

    @property
    def templates(self) -> tuple[str, ...]:
        """Every template that was read, relative to the root."""
        return tuple(self._documents)

    def document(self, path: str) -> Node:
        """The template at that path, relative to the root.

        Raises:
            ConfigError: it cannot be read.
        """
        if path not in self._documents:
            self._documents[path] = read_document(self._root / path, name=location_path(self._root, path), budget=self._budget)
        return self._documents[path]

    def open(self, stack: Stack, resource: Resource) -> Stack | Unknown:
        """The nested stack that the resource describes, or why it cannot be looked at.

        Raises:
            ConfigError: its template is broken, contains itself, or there are too many.
        """
        if resource.name not in stack.children:
            stack.children[resource.name] = None
            stack.children[resource.name] = self._open(stack, resource)
        child = stack.children[resource.name]
        return Unknown(reason=f"nested stack {shown(resource.name)} depends on its own outputs") if child is None else child

    def _open(self, stack: Stack, resource: Resource) -> Stack | Unknown:
        key = LOCATIONS.get(resource.type)
        node = resource.properties.fields.get(key) if key and resource.properties else None
        if node is None:
            return Unknown(reason=f"{shown(resource.name)} names no template")
        path = self._path(node, stack, resource)
        if isinstance(path, Unknown):
            return path
        ancestors = (*stack.ancestors, stack.path)
        if path in ancestors or len(ancestors) >= _DEEPEST or self._stacks >= _MOST:
            what = "contains itself" if path in ancestors else f"is nested deeper than {_DEEPEST}, or one of more than {_MOST}"
            raise ConfigError(
                f"Nested stack {shown(resource.name)} {what}.",
                remedy="Take it out of the template.",
                path=resource.location.path,
                line=resource.location.line,
            )
        self._stacks += 1
        body = self.document(path)
        return Stack(
            root=self._root,
            path=path,
            prefix=f"{stack.prefix}{resource.name}.",
            body=body,
            resources=read_resources(body),
            parameters=bind(declared(body), self._parameters(resource, stack)),
            pseudo={name: value for name, value in stack.pseudo.items() if name != "AWS::StackName"},
            budget=self._budget,
            open_child=self.open,
            ancestors=ancestors,
            assets=stack.assets,
            exports=stack.exports,
        )

    def _path(self, node: Node, stack: Stack, resource: Resource) -> str | Unknown:
        """The template's path relative to the root, when it is a file here."""
        value = evaluate(node, stack)
        uploaded = stack.asset(resource, LOCATIONS[resource.type], value.text if isinstance(value, Text) else None)
        if uploaded is not None:
            return self._local(uploaded, "")
        if isinstance(value, Fields):
            return Unknown(reason="it is an application of the Serverless Application Repository, which is not here")
        text = plain(value)
        if isinstance(text, Unknown):
            return text
        if _REMOTE.match(text.text):
            return Unknown(reason="its template is remote")
        if text.secret:
            return Unknown(reason="its path cannot be used")
        return self._local(text.text, posixpath.dirname(stack.path))

    def _local(self, text: str, base: str) -> str | Unknown:
        """The path of a template's file, relative to the root; `base` is the folder that the text is relative to."""
        if len(text) > _LONGEST or not text.isprintable():
            return Unknown(reason="its path cannot be used")
        relative = os.path.relpath(text, self._root) if text.startswith("/") else posixpath.join(base, text)
        path = posixpath.normpath(relative)
        try:
            there = (self._root / path).is_file()
        except OSError:
            there = False
        return path if there else Unknown(reason=f"its template {shown(path)} does not exist")

    @staticmethod
    def _parameters(resource: Resource, stack: Stack) -> dict[str, Value]:
        """What the parent hands down; a value that cannot be resolved stays so."""
        node = resource.properties.fields.get("Parameters") if resource.properties else None
        if node is None:
            return {}
        if node.call:
            unknown = evaluate(node, stack)
            return dict(unknown.fields) if isinstance(unknown, Fields) else {}
        values = {name: evaluate(child, stack) for name, child in node.fields.items()}
        return {name: value for name, value in values.items() if not isinstance(value, Absent)}


def location_path(root: Path, path: str) -> str:
    """A path relative to the root as `Location.path` has it: absolute where it lies outside."""
    return Path(os.path.normpath(root / path)).as_posix() if path.startswith("../") else path
