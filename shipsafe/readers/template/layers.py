"""Layers: those that the project defines, and those that its functions use.

`LayerRef.unresolved` and `LayerRef.changeable` may both be set: a parameter without a value says nothing of which layer it will
be, and that it may be another one at the next deployment.
"""

from shipsafe.model.layer_arn import LAYER_ARN, layer_arn
from shipsafe.model.location import Location
from shipsafe.model.project import Layer, LayerRef
from shipsafe.readers.template.code import layer_code
from shipsafe.readers.template.fields import Reading
from shipsafe.readers.template.intrinsics import evaluate, local_layer
from shipsafe.readers.template.node import Node, describe
from shipsafe.readers.template.stack import Resource, Stack
from shipsafe.readers.template.values import WITHHELD, Absent, Items, Pointer, Text, Unknown, Value


def read_layer(resource: Resource, stack: Stack) -> Layer:
    """A layer that the template defines."""
    reading = Reading(resource, stack)
    return Layer(
        name=reading.name,
        code=layer_code(reading),
        location=resource.location,
        runtimes=reading.texts("runtimes", "CompatibleRuntimes"),
        architectures=reading.architectures("CompatibleArchitectures"),
        build_method=reading.meta("BuildMethod"),
        build_architecture=reading.meta("BuildArchitecture"),
        unresolved=tuple(reading.unresolved),
        places=reading.places,
        trail=reading.trail,
    )


def layer_refs(reading: Reading) -> tuple[LayerRef, ...]:
    """The layers that a function uses, in their order; one that cannot be resolved is a reference that says so."""
    node = reading.node("layers", "Layers")
    if reading.opaque:
        place = node.location if node else reading.resource.location
        return (LayerRef(text="Layers", unresolved=reading.opaque, location=place),)
    if node is None:
        return ()
    if isinstance(node.value, tuple):
        return tuple(ref for child in node.value for ref in _refs(child, evaluate(child, reading.stack)))
    return tuple(_refs(node, evaluate(node, reading.stack)))


def _refs(node: Node, value: Value) -> list[LayerRef]:
    """References for one entry as written: one, none (`AWS::NoValue`), or several where a parameter is a list."""
    match value:
        case Absent():
            return []
        case Items():
            return [ref for item in value.items for ref in _refs(node, item)]
        case _:
            return [_ref(describe(node), value, node.location)]


def _ref(text: str, value: Value, location: Location | None) -> LayerRef:
    match value:
        case Pointer():
            local = local_layer(value)
            return LayerRef(text=text, local=local, unresolved="" if local else value.reason, location=location)
        case Text(secret=True):
            return LayerRef(text=text, unresolved=WITHHELD, location=location)
        case Text():
            return layer_arn(value.text, text=text, location=location)
        case Unknown():
            return _uncertain(text, value, location)
        case _:
            return LayerRef(text=text, unresolved="it is a mapping where the ARN of a layer is needed", location=location)


def _uncertain(text: str, value: Unknown, location: Location | None) -> LayerRef:
    """A value with a hole. Where the hole is only the version and may change, the rest of the ARN is known nevertheless."""
    found = LAYER_ARN.match(value.partial)
    if found and value.changeable and value.partial[found.end() : found.end() + 1] == ":":
        return LayerRef(
            text=text,
            arn=found[0],
            account=found["account"] or None,
            region=found["region"] or None,
            changeable=value.changeable,
            location=location,
        )
    return LayerRef(text=text, unresolved=value.reason, changeable=value.changeable, location=location)
