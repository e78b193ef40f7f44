"""`aws_lambda_function` and `aws_lambda_layer_version` of a plan -> Function and Layer.

What is known only after apply is named in `unresolved`, but for an argument that nobody wrote: the provider leaves it open in a plan,
and Lambda's default is what it becomes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters.shown import shown
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.location import Location
from shipsafe.model.project import Code, CodeKind, Function, Layer, LayerRef, Unresolved
from shipsafe.readers.plan.aliases import names_of
from shipsafe.readers.plan.archives import Archives, Source
from shipsafe.readers.plan.document import Plan, Planned, tables
from shipsafe.readers.plan.places import Block
from shipsafe.readers.plan.references import Opaque, References, Target
from shipsafe.readers.plan.written import Written
from shipsafe.readers.template.code import local_code

FUNCTION = "aws_lambda_function"
LAYER = "aws_lambda_layer_version"
_ARCHITECTURES = ("x86_64", "arm64")
_AFTER = "it is known only after apply"
_REMEDY = "Write it into the configuration, or plan again when what it depends on is there."
_WITHHELD = "it is marked as sensitive, and its value is not used"
_CODE = ("filename", "s3_bucket", "s3_key", "image_uri")  # one of them says where the code is


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What everything in one plan is read with.

    Attributes:
        root: the folder that the plan's paths are relative to, absolute.
        names: address -> what a function or layer is called.
        arns: ARN -> name, of the project's layers that are there already.
        aliases: address of a function -> the resources that make its aliases.
    """

    root: Path
    plan: Plan
    references: References
    written: Written
    archives: Archives
    names: Mapping[str, str]
    arns: Mapping[str, str]
    aliases: Mapping[str, list[Planned]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Resource:
    """One resource that is being read, and what could not be resolved of it so far."""

    reading: Reading
    planned: Planned
    block: Block | None
    unresolved: list[Unresolved] = field(default_factory=list)

    @property
    def location(self) -> Location:
        """Its block in a `.tf` file, else the plan."""
        return self.block.location if self.block else Location(path=self.reading.plan.path)

    def place(self, *arguments: str) -> Location:
        """Where the first of those arguments stands."""
        known = self.block.arguments if self.block else {}
        return next((known[one] for one in arguments if one in known), self.location)

    def note(self, name: str, reason: str, place: Location) -> None:
        self.unresolved.append(Unresolved(field=name, reason=reason, location=place, remedy=_REMEDY))

    def is_unknown(self, argument: str) -> bool:
        """Whether it is known only after apply. One that nobody wrote is not: the provider fills it in."""
        if self.planned.unknown.get(argument) is not True:
            return False
        written = self.reading.references.configured(self.planned)
        return written is None or argument in written

    def text(self, argument: str) -> str | None:
        """The text of an argument; None, and noted, where it is missing, unknown or sensitive."""
        found = self.planned.values.get(argument)
        if self.planned.sensitive.get(argument) is True:
            self.note(argument, _WITHHELD, self.place(argument))
        elif isinstance(found, str) and found:
            return found
        else:
            reason = _AFTER if self.planned.unknown.get(argument) is True else f"{argument} is not set"
            self.note(argument, reason, self.place(argument))
        return None

    def texts(self, name: str, argument: str) -> tuple[str, ...]:
        """The texts of a list, none where it is missing; what is not known is noted."""
        found = self.planned.values.get(argument)
        listed = found if isinstance(found, list) else []
        if self.is_unknown(argument) or any(not isinstance(one, str) for one in listed):
            self.note(name, _AFTER, self.place(argument))
        return tuple(one for one in listed if isinstance(one, str))

    def architectures(self, argument: str) -> tuple[str, ...]:
        """The architectures of a list, those that Lambda has."""
        found = self.texts("architectures", argument)
        if not set(found) <= set(_ARCHITECTURES):
            self.note("architectures", "it names an architecture that Lambda does not have", self.place(argument))
        return tuple(one for one in dict.fromkeys(found) if one in _ARCHITECTURES)

    def places(self, arguments: Mapping[str, tuple[str, ...]]) -> dict[str, Location]:
        known = self.block.arguments if self.block else {}
        return {name: self.place(*keys) for name, keys in arguments.items() if any(key in known for key in keys)}


def read_function(planned: Planned, block: Block | None, reading: Reading) -> tuple[Function, Source | None]:
    """The function; and the archive that its code is taken from, where the plan makes one."""
    resource = _Resource(reading=reading, planned=planned, block=block)
    code, source = _code(resource)
    image = code.kind is CodeKind.IMAGE
    live = names_of(planned, reading.aliases)
    return Function(
        name=reading.names[planned.address],
        runtime=None if image else resource.text("runtime"),
        handler=None if image else resource.text("handler"),
        code=code,
        location=resource.location,
        architectures=resource.architectures("architectures") or _ARCHITECTURES[:1],
        layers=() if image else _layers(resource),
        environment=_environment(resource),
        unresolved=tuple(resource.unresolved),
        places=resource.places({
            "runtime": ("runtime",), "handler": ("handler",), "architectures": ("architectures",), "layers": ("layers",),
            "environment": ("environment",), "code": _CODE,
        }),
        function_name=live.function_name,
        alias=live.alias,
        unclear=live.unclear,
    ), source  # fmt: skip


def read_layer(planned: Planned, block: Block | None, reading: Reading) -> tuple[Layer, Source | None]:
    """The layer; and the archive that its content is taken from, where the plan makes one."""
    resource = _Resource(reading=reading, planned=planned, block=block)
    code, source = _code(resource)
    return Layer(
        name=reading.names[planned.address],
        code=code,
        location=resource.location,
        runtimes=tuple(sorted(resource.texts("runtimes", "compatible_runtimes"))),
        architectures=resource.architectures("compatible_architectures"),
        unresolved=tuple(resource.unresolved),
        places=resource.places({
            "runtimes": ("compatible_runtimes",), "architectures": ("compatible_architectures",), "code": _CODE,
        }),
    ), source  # fmt: skip


def _code(resource: _Resource) -> tuple[Code, Source | None]:
    values, place = resource.planned.values, resource.place(*_CODE)
    if any(resource.planned.sensitive.get(key) is True for key in _CODE):
        return _unknown(resource, _WITHHELD, place), None
    if values.get("package_type") == "Image" or isinstance(values.get("image_uri"), str) or resource.is_unknown("image_uri"):
        uri = values.get("image_uri")
        return Code(kind=CodeKind.IMAGE, uri=uri if isinstance(uri, str) else None, location=place), None
    source: Source | None = None
    if isinstance(path := values.get("filename"), str) and path:
        source = resource.reading.archives.of_file(path)
    elif resource.is_unknown("filename"):
        source = resource.reading.archives.of_unknown(resource.planned, "filename") or Source(reason=f"filename: {_AFTER}")
    elif isinstance(values.get("s3_key"), str) or resource.is_unknown("s3_key"):
        source = resource.reading.archives.of_object(resource.planned)
        if source is None:
            return Code(kind=CodeKind.S3, uri=_uri(values), location=place), None
    if source is None:
        return _unknown(resource, "neither filename nor s3_key nor image_uri is set", place), None
    if source.path is None:
        return _unknown(resource, source.reason, place), source
    code = local_code(resource.reading.root, "", source.path, place)
    return (_unknown(resource, code, place) if isinstance(code, str) else code), source


def _unknown(resource: _Resource, reason: str, place: Location) -> Code:
    resource.note("code", reason, place)
    return Code(kind=CodeKind.UNKNOWN, location=place)


def _uri(values: Mapping[str, Any]) -> str:
    """`s3://BUCKET/KEY`, for people."""
    bucket, key, version = (values.get(one) for one in ("s3_bucket", "s3_key", "s3_object_version"))
    uri = f"s3://{shown(bucket) if isinstance(bucket, str) else '...'}/{shown(key) if isinstance(key, str) else '...'}"
    return uri + (f"?versionId={shown(version)}" if isinstance(version, str) else "")


def _layers(resource: _Resource) -> tuple[LayerRef, ...]:
    """The layers in their order. Those that this plan makes have no ARN yet: the names in the expression say which they are."""
    place = resource.place("layers")
    if resource.planned.sensitive.get("layers") is True:
        return (LayerRef(text="layers", unresolved=_WITHHELD, location=place),)
    found = resource.planned.values.get("layers")
    listed = found if isinstance(found, list) else []
    whole = resource.is_unknown("layers")
    if not whole and all(isinstance(one, str) for one in listed):
        return tuple(_arn(resource, one, place) for one in listed)
    if whole and (written := resource.reading.written.targets(resource.planned, "layers", kind=LAYER)) is not None:
        return tuple(_named(resource, one, place) or _open(one, place) for one in written)
    named = [ref for one in resource.reading.references.targets(resource.planned, "layers") if (ref := _named(resource, one, place))]
    if whole:
        return (*named, LayerRef(text="layers", unresolved="how many there are is known only after apply", location=place))
    # Names inside of a text (`arn:aws:lambda:${var.region}:...`) are listed, too; the layers that have no ARN yet are resources.
    made = [ref for ref in named if ref.local]
    missing = sum(not isinstance(one, str) for one in listed)
    if len(made) != missing:
        made = [LayerRef(text="layers", unresolved="which one it is, is known only after apply", location=place)] * missing
    rest = iter(made)
    return tuple(_arn(resource, one, place) if isinstance(one, str) else next(rest) for one in listed)


def _arn(resource: _Resource, arn: str, place: Location) -> LayerRef:
    if local := resource.reading.arns.get(arn):
        return LayerRef(text=shown(arn), local=local, location=place)
    return layer_arn(arn, text=shown(arn), location=place)


def _named(resource: _Resource, target: Target, place: Location) -> LayerRef | None:
    """The layer that a name leads to, None where it is none."""
    if isinstance(target, str):
        return _arn(resource, target, place) if target.startswith("arn:") else None
    if isinstance(target, Opaque) or target.type != LAYER:
        return None
    if not target.data:
        return LayerRef(text=shown(target.address), local=resource.reading.names[target.address], location=place)
    arn = target.values.get("arn")
    return layer_arn(arn, text=shown(target.address), location=place) if isinstance(arn, str) else None


def _open(target: Target, place: Location) -> LayerRef:
    """An element of a list that may be any layer."""
    text = target.name if isinstance(target, Opaque) else target.address if isinstance(target, Planned) else target
    reason = target.reason if isinstance(target, Opaque) else _AFTER
    return LayerRef(text=shown(text), unresolved=reason, location=place)


def _environment(resource: _Resource) -> dict[str, str | None]:
    """Names to values. A value that is unknown or sensitive is None and noted."""
    values = tables(resource.planned.values, "environment")
    unknown, sensitive = tables(resource.planned.unknown, "environment"), tables(resource.planned.sensitive, "environment")
    variables = values[0].get("variables") if values else None
    open_, hidden = (one[0].get("variables") if one else None for one in (unknown, sensitive))
    place = resource.place("environment")
    if open_ is True or hidden is True or resource.planned.unknown.get("environment") is True:
        resource.note("environment", _WITHHELD if hidden is True else _AFTER, place)
        return {}
    environment: dict[str, str | None] = {}
    for name, value in variables.items() if isinstance(variables, dict) else ():
        masked = isinstance(hidden, dict) and hidden.get(name) is True
        environment[name] = value if isinstance(value, str) and not masked else None
        if masked:
            resource.note(f"environment.{name}", _WITHHELD, place)
    for name in open_ if isinstance(open_, dict) else ():
        environment[name] = None
        resource.note(f"environment.{name}", _AFTER, place)
    return environment
