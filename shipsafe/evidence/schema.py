"""A document against CycloneDX's schema, offline and fast (the library needs a minute for the files of a large function).

The schema is the one that `cyclonedx-python-lib` carries. A schema cannot say that every `bom-ref` is there once and that every
reference leads somewhere; that is checked here too.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

_PREFIX = "http://cyclonedx.org/schema/"
_PARTS = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json", "cryptography-defs.SNAPSHOT.schema.json")
_MOST = 10  # problems that are told


def validate(data: bytes | Mapping[str, Any]) -> tuple[str, ...]:
    """What is wrong with a CycloneDX 1.6 document, written or not, at most ten sentences; empty when it is valid."""
    try:
        document = json.loads(data) if isinstance(data, bytes) else dict(data)
    except ValueError as error:
        return (f"It is not JSON: {error}.",)
    problems = [
        f"/{'/'.join(str(part) for part in error.instance_path)}: {error.message[:300]}"
        for error, _ in zip(_validator().iter_errors(document), range(_MOST), strict=False)
    ]
    return tuple(problems) or tuple(text for text, _ in zip(_references(document), range(_MOST), strict=False))


@cache
def _validator() -> jsonschema_rs.Draft7Validator:
    """The compiled schema, with the schemas that it names."""
    registry = jsonschema_rs.Registry([(f"{_PREFIX}{name}", _schema(name)) for name in _PARTS])
    return jsonschema_rs.Draft7Validator(_schema("bom-1.6.SNAPSHOT.schema.json"), registry=registry, validate_formats=True)


def _schema(name: str) -> Any:
    return json.loads((files("cyclonedx.schema") / "_res" / name).read_text(encoding="utf-8"))


def _references(document: dict[str, Any]) -> Iterator[str]:
    """References that are missing, doubled or lead nowhere."""
    metadata = document.get("metadata", {})
    tools = metadata.get("tools", {})
    components = [
        *([metadata["component"]] if "component" in metadata else []),
        *(tools.get("components", []) if isinstance(tools, dict) else []),
        *document.get("components", []),
    ]
    for component in components:
        if "bom-ref" not in component:
            yield f"Component {component['name']!r} has no bom-ref."
    refs = Counter(component.get("bom-ref") for component in components)
    for ref, count in refs.items():
        if count > 1 and ref:
            yield f"bom-ref {ref!r} is there {count} times."
    for dependency in document.get("dependencies", []):
        for ref in (dependency["ref"], *dependency.get("dependsOn", [])):
            if ref not in refs:
                yield f"Dependency {ref!r} is no component."
