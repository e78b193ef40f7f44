"""Which operation of a service a request means: its method and URI against the templates of botocore's service model.

GET /2018-10-31/layers?find=LayerVersion&Arn=... -> GetLayerVersionByArn
PUT /bucket/folder/key?tagging                   -> PutObjectTagging
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

_LABEL = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: a pattern over the undecoded path, and the query arguments that its template spells out."""

    operation: str
    method: str
    path: re.Pattern[str]
    labels: tuple[str, ...]
    literals: tuple[tuple[str, str], ...]
    required: frozenset[str] = field(default=frozenset())  # query arguments without which it is another operation
    headers: frozenset[str] = field(default=frozenset())  # the same for headers, in lower case
    known: frozenset[str] = field(default=frozenset())  # query arguments that the model has


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the values of its labels, decoded."""

    route: Route
    labels: dict[str, str]


@cache
def service_model(service: str) -> Any:
    """The model of a service, as botocore has it."""
    import botocore.session  # noqa: PLC0415 - 100 ms, when the first call comes

    return botocore.session.get_session().get_service_model(service)


@cache
def routes(service: str) -> tuple[Route, ...]:
    """All operations of a service; those with more fixed parts come first."""
    found = list(_routes(service_model(service)))
    return tuple(sorted(found, key=lambda route: (-_fixed(route), len(route.labels), -len(route.path.pattern))))


def _fixed(route: Route) -> int:
    return len(route.literals) + len(route.required) + len(route.headers)


def _routes(model: Any) -> Iterator[Route]:
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.deprecated:  # an older name for the same request
            continue
        uri, _, query = operation.http["requestUri"].partition("?")
        labels = tuple(label.rstrip("+") for label in _LABEL.findall(uri))
        pattern = "".join(
            re.escape(part) if not part.startswith("{") else "(.+)" if part.endswith("+}") else "([^/]+)"
            for part in re.split(r"(\{[^}]+\})", uri)
        )
        members = operation.input_shape.members if operation.input_shape is not None else {}
        required = set(operation.input_shape.required_members) if operation.input_shape is not None else set()
        in_query = {name: shape.serialization["name"] for name, shape in members.items() if _location(shape) == "querystring"}
        in_header = {name: shape.serialization["name"].lower() for name, shape in members.items() if _location(shape) == "header"}
        yield Route(
            operation=name,
            method=operation.http["method"],
            path=re.compile(pattern + "/?" if uri != "/" else "/"),
            labels=labels,
            literals=tuple(parse_qsl(query, keep_blank_values=True)),
            required=frozenset(wire for name, wire in in_query.items() if name in required),
            headers=frozenset(wire for name, wire in in_header.items() if name in required),
            known=frozenset(in_query.values()),
        )


def _location(shape: Any) -> str:
    return str(shape.serialization.get("location", ""))


def match(service: str, method: str, raw_path: str, query: Mapping[str, list[str]], headers: AbstractSet[str]) -> Match | None:
    """The operation that a request means, or None. `headers` holds names in lower case.

    A required argument or header tells operations apart (ListParts from GetObject, CopyObject from PutObject); one that is missing from
    an operation that nothing else matches is the service's to refuse, so a second look is taken without it.
    """
    for strict in (True, False):
        for route in routes(service):
            if route.method != method or not all(_has(query, *literal) for literal in route.literals):
                continue
            if strict and not (route.required <= query.keys() and route.headers <= headers):
                continue
            found = route.path.fullmatch(raw_path)
            if found is not None:
                return Match(route, dict(zip(route.labels, map(unquote, found.groups()), strict=True)))
    return None


def _has(query: Mapping[str, list[str]], name: str, value: str) -> bool:
    return name in query and (not value or value in query[name])
