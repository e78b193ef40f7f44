"""A template's parameters and the values they have: given, or their defaults.

A default counts as a fixed value: it stands in the template, so two deployments of the same commit with the same command get
the same value, and changing it is a change that is reviewed. A parameter without a default gets its value from whoever deploys,
and an SSM parameter type is read anew at every deployment: both are *changeable*, unless (for the first) the command line, the
policy or `samconfig.toml` fixes them.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.text import checked
from shipsafe.readers.template.values import Items, Text, Unknown, Value

PSEUDO = tuple(f"AWS::{name}" for name in ("Region", "AccountId", "Partition", "URLSuffix", "StackName"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Values from one source, and what the source is called in messages. `path` is the file they stand in."""

    values: Mapping[str, str]
    source: str
    path: str | None = None
    must_exist: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameter:
    """One entry of `Parameters`. `default` is None where there is none."""

    name: str
    type: str
    default: Node | None
    no_echo: bool
    allowed: tuple[str, ...]
    location: Location

    @property
    def is_list(self) -> bool:
        """Whether its value is a list, written with commas."""
        return self.type == "CommaDelimitedList" or self.type.startswith("List<")

    @property
    def from_ssm(self) -> bool:
        """Whether what is given is the name of an SSM parameter, read at deployment."""
        return self.type.startswith("AWS::SSM::Parameter::Value<")


def declared(body: Node) -> dict[str, Parameter]:
    """The template's parameters by name.

    Raises:
        ConfigError: one of them is not a mapping.
    """
    section = body.fields.get("Parameters")
    parameters: dict[str, Parameter] = {}
    for name, node in section.fields.items() if section else ():
        if name.startswith("Fn::"):
            continue
        if not isinstance(node.value, Mapping):
            raise ConfigError(f"Parameter {shown(name)} is not a mapping.", remedy="Give it a `Type`.", path=node.path, line=node.line)
        allowed = node.fields.get("AllowedValues")
        parameters[name] = Parameter(
            name=name,
            type=_scalar(node.fields.get("Type")) or "String",
            default=default if (default := node.fields.get("Default")) and default.value is not None else None,
            no_echo=(_scalar(node.fields.get("NoEcho")) or "").lower() == "true",
            allowed=tuple(_scalar(item) or "" for item in allowed.value) if allowed and isinstance(allowed.value, tuple) else (),
            location=node.location,
        )
    return parameters


def _scalar(node: Node | None) -> str | None:
    return node.value if node and isinstance(node.value, str) else None


def choose(parameters: Mapping[str, Parameter], sources: tuple[Given, ...]) -> dict[str, str]:
    """The given values, earlier sources first; pseudo parameters are among them.

    Raises:
        ConfigError: a source names a parameter that the template has not, or gives a value that it does not allow.
    """
    chosen: dict[str, str] = {}
    for given in sources:
        for name, text in given.values.items():
            parameter = parameters.get(name)
            if parameter is None and name not in PSEUDO:
                if given.must_exist:
                    raise _unknown(name, parameters, given)
                continue
            if name in chosen:
                continue
            if parameter is not None:
                _check(parameter, text, given)
            chosen[name] = text
    return chosen


def _unknown(name: str, parameters: Mapping[str, Parameter], given: Given) -> ConfigError:
    near = difflib.get_close_matches(name, [*parameters, *PSEUDO], n=1)
    if near:
        remedy = f"Did you mean {shown(near[0])}?"
    elif parameters:
        remedy = f"It has {', '.join(map(shown, list(parameters)[:10]))}."
    else:
        remedy = "It has no parameters."
    return ConfigError(f"{given.source} names {shown(name)}, which the template has not.", remedy=remedy, path=given.path)


def _check(parameter: Parameter, text: str, given: Given) -> None:
    if not parameter.allowed or parameter.from_ssm:
        return
    values = [part.strip() for part in text.split(",")] if parameter.is_list else [text]
    if all(value in parameter.allowed for value in values):
        return
    what = "a value" if parameter.no_echo else shown(text)
    raise ConfigError(
        f"{given.source} gives parameter {shown(parameter.name)} {what}, which it does not allow.",
        remedy="Look at its AllowedValues." if parameter.no_echo else f"Allowed: {shown(', '.join(parameter.allowed))}.",
        path=parameter.location.path,
        line=parameter.location.line,
    )


def bind(parameters: Mapping[str, Parameter], given: Mapping[str, Value]) -> dict[str, Value]:
    """Every parameter's value: the given one, else its default, else Unknown. Names that are not declared are left out."""
    return {name: _value(parameter, given.get(name)) for name, parameter in parameters.items()}


def given_text(values: Mapping[str, str]) -> dict[str, Value]:
    """Chosen text as values."""
    return {name: Text(text=text) for name, text in values.items()}


def _value(parameter: Parameter, given: Value | None) -> Value:
    name = shown(parameter.name)
    if parameter.from_ssm:
        return Unknown(
            reason=f"parameter {name} is read from SSM at deployment",
            changeable=f"parameter {name} is read anew from SSM at every deployment",
        )
    if given is None and parameter.default is not None:
        default = parameter.default.value
        if isinstance(default, tuple):  # not CloudFormation's, but SAM takes it
            return Items(items=tuple(Text(text=_scalar(item) or "", secret=parameter.no_echo) for item in default))
        if not isinstance(default, str):
            return Unknown(reason=f"the default of parameter {name} is not text")
        given = Text(text=default)
    match given:
        case None:
            return Unknown(reason=f"parameter {name} has no value", changeable=f"parameter {name} has no fixed value")
        case Text() if parameter.is_list:
            parts = given.text.split(",") if given.text else []
            secret = given.secret or parameter.no_echo
            return Items(items=tuple(Text(text=part.strip(), symbolic=given.symbolic, secret=secret) for part in parts))
        case Text():
            return checked(Text(text=given.text, symbolic=given.symbolic, secret=given.secret or parameter.no_echo))
        case _:
            return given
