"""One template with its parameters filled in: what expressions are evaluated in."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.values import Unknown, Value

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
FUNCTION_TYPES = frozenset(("AWS::Serverless::Function", "AWS::Lambda::Function"))
LAYER_TYPES = frozenset(("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"))
UNREAD_TYPES = frozenset(("AWS::Serverless::WebFunction",))  # functions all the same
MODULE_SUFFIX = "::MODULE"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """One resource as it is written. `name` is its logical id; `location` is where that id stands."""

    name: str
    type: str
    body: Node
    location: Location

    @property
    def properties(self) -> Node | None:
        """Its `Properties`, if it has some."""
        return self.body.fields.get("Properties")

    @property
    def condition(self) -> str | None:
        """The name of its `Condition`, if it has one."""
        node = self.body.fields.get("Condition")
        return node.value if node and isinstance(node.value, str) else None


@dataclass(slots=True, kw_only=True, eq=False)
class Stack:
    """A template and the values it is deployed with. Not frozen: it remembers what has been worked out.

    Attributes:
        root: absolute path of the project's root.
        path: the template, POSIX, relative to the root (`../x` where it lies outside).
        prefix: what names of its resources begin with in the project: empty, or `Nested.`.
        ancestors: paths of the templates that it is nested in.
        pseudo: pseudo parameters whose values are given.
        open_child: reads the nested stack that a resource of this one describes, or says why not.
        assets: files that are uploaded before the stack is deployed: object key to path, POSIX, relative to the root.
        exports: what other stacks of the project export, by the name of the export: the stack, and the value as written.
        truths: conditions that have been worked out; None for one that is being worked out.
        children: nested stacks that have been opened; None for one that is being opened.
        aliases: resources that make an alias, by the function that it is of; None until somebody asks (`template/deployment.py`).
    """

    root: Path
    path: str
    prefix: str
    body: Node
    resources: Mapping[str, Resource]
    parameters: Mapping[str, Value]
    pseudo: Mapping[str, str]
    budget: Budget
    open_child: "Callable[[Stack, Resource], Stack | Unknown]"
    ancestors: tuple[str, ...] = ()
    assets: Mapping[str, str] = field(default_factory=dict)
    exports: "Mapping[str, tuple[Stack, Node]]" = field(default_factory=dict)
    truths: dict[str, bool | Unknown | None] = field(default_factory=dict)
    children: "dict[str, Stack | Unknown | None]" = field(default_factory=dict)
    aliases: dict[str, list[Resource]] | None = None

    def asset(self, resource: Resource, key: str, address: str | None) -> str | None:
        """The path of the file or folder that a property of a resource is uploaded from, relative to the root, or None.

        The list of uploads comes first, because it is what is deployed; then what CDK says in the resource's `Metadata`.

        Args:
            resource: the resource.
            key: the property, `Code` for example.
            address: the key of the object, or an address that ends in it, as far as it is known.
        """
        if address is not None and (found := self.assets.get(address) or self.assets.get(address.rpartition("/")[2])):
            return found
        metadata = resource.body.fields.get("Metadata")
        written = metadata.fields if metadata else {}
        path, property_ = written.get("aws:asset:path"), written.get("aws:asset:property")
        if property_ is None or property_.value != key or path is None or not isinstance(path.value, str) or not path.value:
            return None
        return path.value if path.value.startswith("/") else posixpath.join(posixpath.dirname(self.path), path.value)

    def section(self, name: str) -> Mapping[str, Node]:
        """A top-level mapping such as `Mappings`, empty where there is none."""
        node = self.body.fields.get(name)
        return node.fields if node else {}

    @property
    def transforms(self) -> tuple[str, ...]:
        """The names under `Transform`; `AWS::Include` and other macros with parameters by their name."""
        return tuple(name for name, _ in transforms(self.body))

    @property
    def language_extensions(self) -> bool:
        """Whether CloudFormation's language extensions are switched on."""
        return LANGUAGE_EXTENSIONS in self.transforms


def transforms(body: Node) -> list[tuple[str, Location]]:
    """Name and place of every entry of the template's `Transform`."""
    node = body.fields.get("Transform")
    if node is None:
        return []
    found: list[tuple[str, Location]] = []
    for entry in node.value if isinstance(node.value, tuple) else (node,):
        name = entry.fields.get("Name", entry)
        found.append((name.value if isinstance(name.value, str) else "a macro", entry.location))
    return found


def read_resources(body: Node) -> dict[str, Resource]:
    """The resources of a template by logical id; loops and macros among them (`Fn::...`) are left to the caller.

    Raises:
        ConfigError: there are no `Resources`, or one is not a mapping with a `Type`: CloudFormation would refuse it, too.
    """
    section = body.fields.get("Resources")
    if section is None or not isinstance(section.value, Mapping):
        raise ConfigError(
            "The template has no `Resources`.",
            remedy="Name a SAM or CloudFormation template, or add the section.",
            path=body.path,
            line=section.line if section else None,
        )
    resources: dict[str, Resource] = {}
    for name, node in section.value.items():
        if name.startswith("Fn::"):
            continue
        location = section.key_location(name)
        kind = node.fields.get("Type")
        if kind is None or not isinstance(kind.value, str):
            raise ConfigError(
                f"Resource {shown(name)} has no `Type`.",
                remedy="Give it one, such as AWS::Serverless::Function.",
                path=location.path,
                line=location.line,
                column=location.column,
            )
        resources[name] = Resource(name=name, type=kind.value, body=node, location=location)
    return resources
