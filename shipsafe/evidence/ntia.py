"""The minimum elements of an SBOM, as the NTIA lists them: who lacks which.

Supplier, component name, version, other unique identifier and dependency relationship of every component; author and time stamp
of the document. It reads the finished document, not what it was made of, so it also judges documents of others.

Source: NTIA, "The Minimum Elements For a Software Bill of Materials (SBOM)", July 2021, section IV.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A component (by its `bom-ref`) and the elements it lacks. `root` says that it is what the document is about."""

    ref: str
    name: str
    version: str
    elements: tuple[str, ...]
    root: bool = False


def lacks(document: Mapping[str, Any]) -> Iterator[Lack]:
    """Everything that is missing: of the root first, then of every component that is not a file."""
    related = {ref for entry in document.get("dependencies", ()) for ref in (entry["ref"], *entry.get("dependsOn", ()))}
    metadata = document.get("metadata", {})
    root = metadata.get("component", {})
    elements = list(_elements(root, related))
    if not metadata.get("authors") and not metadata.get("manufacturer"):
        elements.append("author of the SBOM")
    if not metadata.get("timestamp"):
        elements.append("timestamp")
    if elements:
        yield _lack(root, elements, root=True)
    for component in document.get("components", ()):
        if component["type"] != "file" and (elements := list(_elements(component, related))):
            yield _lack(component, elements)


def _elements(component: Mapping[str, Any], related: set[str]) -> Iterator[str]:
    if not component.get("supplier", {}).get("name"):
        yield "supplier"
    if not component.get("name"):
        yield "name"
    if not component.get("version"):
        yield "version"
    if not any(component.get(key) for key in ("purl", "cpe", "swid", "swhid", "omniborId")):
        yield "unique identifier"
    if component.get("bom-ref") not in related:
        yield "relationship"


def _lack(component: Mapping[str, Any], elements: list[str], *, root: bool = False) -> Lack:
    return Lack(
        ref=component.get("bom-ref", ""),
        name=component.get("name", ""),
        version=component.get("version", ""),
        elements=tuple(elements),
        root=root,
    )
