"""What is said of zips that no release names, by the command line or by a template: the functions and layers that they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, Subject, Unresolved
from shipsafe.packing.runtimes import MACHINES, is_a_name
from shipsafe.readers import read_project


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """Zips, and what is said of them.

    Attributes:
        zips: their paths.
        runtimes: of a function the one that it has; of a layer those that it is compatible with. Empty where nobody says so.
        architectures: likewise.
        handler: of a function, or None.
        layer: the zips are layers.
        template: a template that describes the zip, and `function` the function or layer of it that the zip is.
        overrides: parameters of the template.
        policy_file: where the policy lies that they are asked under, or None.
    """

    zips: tuple[Path, ...]
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    handler: str | None = None
    layer: bool = False
    template: Path | None = None
    function: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    policy_file: Path | None = None


def subjects_of(bare: Bare, policy: Policy) -> list[Subject]:
    """The functions and layers that the zips are, in their order; what nobody says of one is unresolved.

    Raises:
        ConfigError: the options contradict each other, or the template has no such function.
        NothingError: the template describes no function and no layer.
    """
    _check(bare)
    return _described(bare, policy) if bare.template else [_named(path, bare) for path in bare.zips]


def _check(bare: Bare) -> None:
    """Whether the options make sense together."""
    wrong = remedy = ""
    if not bare.zips:
        wrong, remedy = "No zip is named.", "Name one."
    elif bare.template is None and bare.function is not None:
        wrong, remedy = "--function names a function of a template.", "Name the template with --template."
    elif bare.template is not None and (bare.runtimes or bare.architectures or bare.handler or bare.layer):
        wrong, remedy = "The template says what a function runs on.", "Leave out --runtime, --architecture, --handler and --layer."
    elif bare.template is not None and len(bare.zips) > 1:
        wrong, remedy = "One function of a template has one zip.", "Sign the zips one after the other, each into a folder of its own."
    elif bare.layer and bare.handler:
        wrong, remedy = "A layer has no handler.", "Leave out --layer or --handler."
    elif not bare.layer and max(len(bare.runtimes), len(bare.architectures)) > 1:
        wrong, remedy = "A function has one runtime and one architecture.", "Name one of each, or add --layer."
    elif missing := next((path for path in bare.zips if not path.is_file()), None):
        wrong, remedy = f"{missing} is no file.", "Name a zip."
    if wrong:
        raise ConfigError(wrong, remedy=remedy)
    _check_names_of_lambda(bare)


def _check_names_of_lambda(bare: Bare) -> None:
    """Whether Lambda has such runtimes and architectures."""
    for one in bare.runtimes:
        if not is_a_name(one):
            raise ConfigError(f"{one[:40]!r} is not a runtime of Lambda.", remedy="Write it as Lambda does: python3.13, for example.")
    for one in bare.architectures:
        if one not in MACHINES:
            raise ConfigError(f"{one[:40]!r} is not an architecture of Lambda.", remedy="Use x86_64 or arm64.")


def _named(path: Path, bare: Bare) -> Subject:
    """A function or layer as the command line describes it; what it does not say is unresolved."""
    name = _stem(path)
    place = Location(path=path.name)
    code = Code(kind=CodeKind.ZIP, path=path.name, prebuilt=True)
    if bare.layer:
        return Layer(
            name=name, code=code, location=place, runtimes=bare.runtimes, architectures=bare.architectures,
            unresolved=tuple(_unsaid(("runtimes", bare.runtimes, "--runtime, once for each that it is compatible with"),
                                     ("architectures", bare.architectures, "--architecture"))))  # fmt: skip
    return Function(
        name=name, runtime=next(iter(bare.runtimes), None), handler=bare.handler, code=code, location=place,
        architectures=bare.architectures,
        unresolved=tuple(_unsaid(("runtime", bare.runtimes, "--runtime, such as python3.13"),
                                 ("architectures", bare.architectures, "--architecture, x86_64 or arm64"),
                                 ("handler", bare.handler, "--handler, such as app.handler"))))  # fmt: skip


def _stem(path: Path) -> str:
    return path.stem if path.suffix.lower() in (".zip", ".jar") else path.name


def _unsaid(*fields: tuple[str, object, str]) -> Iterator[Unresolved]:
    """What the command line leaves open, with the option that says it."""
    for name, value, option in fields:
        if not value:
            yield Unresolved(field=name, reason="nothing says it", remedy=f"Give {option}, or --template and --function.")


def _described(bare: Bare, policy: Policy) -> list[Subject]:
    """The function or layer of a template whose zip this is."""
    assert bare.template is not None  # noqa: S101 - the caller has looked
    project = read_project(bare.template, policy=policy, overrides=bare.overrides)
    stem = _stem(bare.zips[0])
    wanted = bare.function or (stem if any(one.name == stem for one in project.subjects) else None)
    found = [one for one in project.subjects if one.name == wanted] or (list(project.functions) if wanted is None else [])
    if len(found) != 1:
        names = ", ".join(one.name for one in project.subjects) or "none"
        what = f"There is no function and no layer {wanted!r} in it." if wanted else "It does not say which function the zip is."
        raise ConfigError(what, remedy=f"Name one with --function; there are: {names}.", path=str(bare.template))
    if found[0].code.kind is CodeKind.IMAGE:
        raise ConfigError(f"{found[0].name} is a container image, which has no zip.", remedy="Name another function.",
                          path=str(bare.template))  # fmt: skip
    code = Code(kind=CodeKind.ZIP, path=bare.zips[0].name, prebuilt=True)
    unresolved = tuple(one for one in found[0].unresolved if one.field != "code")
    return [replace(found[0], code=code, unresolved=unresolved, requirements=None)]
