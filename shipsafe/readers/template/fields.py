"""The properties of one function or layer: every value that is found keeps its place, every one that is not its reason."""

from collections.abc import Mapping

from shipsafe.adapters.shown import shown
from shipsafe.model.location import Location
from shipsafe.model.project import Unresolved
from shipsafe.readers.template.globals import inherited
from shipsafe.readers.template.intrinsics import evaluate
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.stack import Resource, Stack
from shipsafe.readers.template.text import plain
from shipsafe.readers.template.values import WITHHELD, Absent, Items, Text, Unknown, Value


class Reading:
    """The properties of one resource, and what has been learnt of them so far.

    Attributes:
        properties: as written, with what `Globals` adds.
        metadata: the resource's `Metadata`.
        opaque: why nothing about the properties is certain (a macro writes some of them), or "".
        unresolved, places: as `Function` and `Layer` have them.
    """

    def __init__(self, resource: Resource, stack: Stack) -> None:
        self.resource = resource
        self.stack = stack
        self.properties: Mapping[str, Node] = inherited(stack.body, resource.type, resource.properties, stack.budget)
        metadata = resource.body.fields.get("Metadata")
        self.metadata: Mapping[str, Node] = metadata.fields if metadata else {}
        self.unresolved: list[Unresolved] = []
        self.places: dict[str, Location] = {}
        self.opaque = self._opaque()

    @property
    def name(self) -> str:
        """As the project knows it."""
        return self.stack.prefix + self.resource.name

    @property
    def trail(self) -> tuple[tuple[str, str], ...]:
        """Templates and logical ids, from the outermost template to this resource."""
        # No logical id has a dot in it; before those of the nested stacks, the prefix may name the stack of a CDK application.
        nested = self.stack.prefix.split(".")[-1 - len(self.stack.ancestors) : -1]
        return tuple(zip((*self.stack.ancestors, self.stack.path), (*nested, self.resource.name), strict=True))

    def _opaque(self) -> str:
        written = self.resource.properties
        if written is not None and not isinstance(written.value, Mapping | None):
            return "its `Properties` are not a mapping"
        for where in (self.resource.body.fields, self.properties):
            for key in where:
                if key.startswith("Fn::"):
                    return f"{shown(key)} writes properties that only CloudFormation knows"
        return ""

    def note(self, field: str, reason: str, location: Location | None = None) -> None:
        """A field that could not be resolved. Reasons are clauses, without values."""
        place = location or self.places.get(field) or self.resource.location
        self.unresolved.append(Unresolved(field=field, reason=reason, location=place))

    def node(self, field: str, key: str) -> Node | None:
        """The property as written; its place is kept under the field's name."""
        node = self.properties.get(key)
        if node is None or node.value is None:
            return None
        self.places[field] = node.location
        return node

    def value(self, field: str, key: str) -> Value | None:
        """What the property comes to, None when it is not there."""
        node = self.node(field, key)
        value = evaluate(node, self.stack) if node else None
        return None if isinstance(value, Absent) else value

    def text(self, field: str, key: str) -> str | None:
        """The property's text; None, and noted, when it is missing or not certain."""
        value = self.value(field, key)
        if self.opaque or value is None:
            self.note(field, self.opaque or f"{key} is not set")
            return None
        return self.certain(field, value)

    def certain(self, field: str, value: Value, location: Location | None = None) -> str | None:
        """The text of a value; None, and noted, when it is not certain or may not be shown."""
        text = plain(value)
        if isinstance(text, Text) and text.secret:
            text = Unknown(reason=WITHHELD)
        if isinstance(text, Unknown):
            self.note(field, text.reason, location)
            return None
        return text.text

    def texts(self, field: str, key: str) -> tuple[str, ...]:
        """The texts of a list, none when it is missing; what is not certain is noted and left out."""
        value = self.value(field, key)
        match value:
            case None:
                return ()
            case Items():
                found = (self.certain(field, item) for item in value.items)
                return tuple(text for text in found if text is not None)
            case _:
                text = self.certain(field, value)
                return () if text is None else (text,)

    def architectures(self, key: str) -> tuple[str, ...]:
        """The architectures of a list, those that Lambda has; another one is noted."""
        found = self.texts("architectures", key)
        known = tuple(name for name in dict.fromkeys(found) if name in ("x86_64", "arm64"))
        if len(known) < len(set(found)):
            self.note("architectures", "it names an architecture that Lambda does not have")
        return known

    def meta(self, key: str) -> str | None:
        """The text of an entry of `Metadata`, None when it is missing or not text."""
        node = self.metadata.get(key)
        value = evaluate(node, self.stack) if node else None
        return value.text if isinstance(value, Text) else None
