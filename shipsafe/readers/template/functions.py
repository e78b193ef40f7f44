"""A function resource, SAM's or CloudFormation's -> Function."""

from shipsafe.model.project import CodeKind, Function
from shipsafe.readers.template.code import function_code
from shipsafe.readers.template.deployment import GoingLive
from shipsafe.readers.template.fields import Reading
from shipsafe.readers.template.intrinsics import evaluate
from shipsafe.readers.template.layers import layer_refs
from shipsafe.readers.template.stack import Resource, Stack
from shipsafe.readers.template.values import Fields, Text, Unknown

_DEFAULT_ARCHITECTURE = ("x86_64",)  # Lambda's own


def read_function(resource: Resource, stack: Stack) -> Function:
    """The function, with everything that could not be resolved named in `unresolved`."""
    reading = Reading(resource, stack)
    code = function_code(reading)
    image = code.kind is CodeKind.IMAGE
    runtime = None if image else reading.text("runtime", "Runtime")
    handler = None if image else reading.text("handler", "Handler")
    architectures = reading.architectures("Architectures") or _DEFAULT_ARCHITECTURE
    layers = layer_refs(reading)
    live = GoingLive(reading)
    return Function(
        name=reading.name,
        runtime=runtime,
        handler=handler,
        code=code,
        location=resource.location,
        architectures=architectures,
        layers=layers,
        environment=_environment(reading),
        build_method=reading.meta("BuildMethod"),
        skip_build=(reading.meta("SkipBuild") or "").lower() in ("true", "yes", "on"),
        unresolved=tuple(reading.unresolved),
        places=reading.places,
        trail=reading.trail,
        function_name=live.function_name,
        alias=live.alias,
        preference=live.preference,
        unclear=live.unclear,
    )


def _environment(reading: Reading) -> dict[str, str | None]:
    """Names to values. A value that is not known, or that came from a NoEcho parameter, is None and noted."""
    node = reading.node("environment", "Environment")
    variables = node.fields.get("Variables") if node and not node.call else node
    value = evaluate(variables, reading.stack) if variables else None
    if isinstance(value, Unknown):
        reading.note("environment", value.reason)
    if variables is None or not isinstance(value, Fields):
        return {}
    environment: dict[str, str | None] = {}
    for name, entry in value.fields.items():
        place = variables.fields[name].location if name in variables.fields else variables.location
        # A pseudo parameter inside is not unknown: `orders-${AWS::Region}` says what it says in every region.
        known = isinstance(entry, Text) and not entry.secret
        environment[name] = entry.text if known and isinstance(entry, Text) else reading.certain(f"environment.{name}", entry, place)
    return environment
