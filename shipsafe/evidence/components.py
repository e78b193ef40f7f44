"""Distributions as CycloneDX components, and the graph of who needs whom, written by CycloneDX's own library.

The files are not written by it: it needs nine seconds for the 8,000 of a large function.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from cyclonedx.exception.model import InvalidUriException
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.dependency import Dependency
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.metadata import RawMetadata
from packaging.utils import canonicalize_name

from shipsafe.evidence.licences import licences
from shipsafe.evidence.metadata import read_metadata, summary_of, supplier_of
from shipsafe.model.tree import Distribution, Entry, Source

_PYPI = "pypi.org"
_HASH = re.compile(r"sha256:([0-9a-f]{64})")


def write_components(
    root: str, distributions: Sequence[Distribution], entries: Iterable[Entry]
) -> tuple[list[Any], list[Any], dict[str, str]]:
    """Components and dependencies as JSON, and path of a file -> `bom-ref` of the distribution it belongs to.

    Args:
        root: the `bom-ref` of the function or layer; it depends on the distributions that nothing else brought in.
        distributions: those in the tree.
        entries: the files of the tree, to read metadata from.
    """
    files = {entry.path: entry for entry in entries}
    owners: dict[str, str] = {}
    by_name: dict[str, list[Component]] = {}
    pairs: list[tuple[Distribution, Component]] = []
    seen: Counter[str] = Counter()
    for distribution in distributions:
        component = _component(distribution, read_metadata(distribution, files))
        seen[purl := _ref(component)] += 1
        if seen[purl] > 1:  # the same version twice in one tree, in two folders
            component.bom_ref.value = f"{purl}#{seen[purl]}"
        pairs.append((distribution, component))
        by_name.setdefault(distribution.name, []).append(component)
        owners |= dict.fromkeys(distribution.paths, _ref(component))
    needs = {
        _ref(component): [other for name in distribution.requires for other in by_name.get(name, []) if other is not component]
        for distribution, component in pairs
    }
    top = Component(name=root, bom_ref=root, type=ComponentType.APPLICATION)
    # Not with `register_dependency`, which looks through all of them each time.
    graph = [_edges(top, _direct(pairs, needs)), *(_edges(component, needs[_ref(component)]) for _, component in pairs)]
    bom = Bom(components=[component for _, component in pairs], dependencies=graph)
    bom.metadata.component = top
    document = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
    return document.get("components", []), document["dependencies"], owners


def _edges(component: Component, needs: Iterable[Component]) -> Dependency:
    """That it needs them."""
    return Dependency(component.bom_ref, [Dependency(need.bom_ref) for need in needs])


def _direct(pairs: Sequence[tuple[Distribution, Component]], needs: Mapping[str, Sequence[Component]]) -> list[Component]:
    """What hangs on the root: whoever is direct, and then whoever is still not reached, so that nothing floats."""
    direct: list[Component] = []
    reached: set[str] = set()
    for distribution, component in sorted(pairs, key=lambda pair: len(pair[0].via)):
        if distribution.via and _ref(component) in reached:
            continue
        direct.append(component)
        queue = [component]
        for one in queue:  # grows while it is walked
            if _ref(one) not in reached:
                reached.add(_ref(one))
                queue.extend(needs[_ref(one)])
    return direct


def _ref(component: Component) -> str:
    return str(component.bom_ref.value)


def _component(distribution: Distribution, metadata: RawMetadata) -> Component:
    """One distribution."""
    named = metadata.get("name", "")
    # The purl keeps the dots of a name, so it is made of the name as published: pkg:pypi/ruamel.yaml.
    name = named if named and canonicalize_name(named) == distribution.name else distribution.name
    # What was staged from the repository is on no index: as `pkg:pypi/...` it would be taken for somebody else's release.
    kind = "generic" if distribution.source is Source.LOCAL else "pypi"
    purl = PackageURL(kind, None, name, distribution.version, _qualifiers(distribution))
    supplier, source = supplier_of(metadata), "metadata"
    if supplier is None and distribution.index:
        supplier, source = _host(distribution.index), "index"
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=distribution.version,
        bom_ref=str(purl),
        purl=purl,
        description=summary_of(metadata),
        supplier=OrganizationalEntity(name=supplier) if supplier else None,
        licenses=licences(metadata),
        # One hash is that of the wheel that was installed; several are those of all the lock's wheels, of which one was.
        hashes=_hashes(distribution.hashes) if len(distribution.hashes) == 1 else (),
        external_references=_wheels(distribution, name),
        properties=[
            Property(name=f"shipsafe:{key}", value=value)
            for key, value in (
                ("source", str(distribution.source)),
                ("index", distribution.index),
                ("metadata", distribution.dist_info),
                ("pinned-at", str(distribution.location) if distribution.location else None),
                ("supplier-from", source if supplier else None),
            )
            if value
        ],
    )


def _host(url: str) -> str | None:
    """The host of an address that a lock file wrote, or None."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _qualifiers(distribution: Distribution) -> dict[str, str]:
    """Where it is to be had, if not on PyPI."""
    elsewhere = distribution.index and _host(distribution.index) != _PYPI
    return {"repository_url": distribution.index} if distribution.index and elsewhere else {}


def _hashes(hashes: Iterable[str]) -> list[HashType]:
    """Those that are SHA-256; nothing else is verified at installation."""
    found = (_HASH.fullmatch(text) for text in hashes)
    return [HashType(alg=HashAlgorithm.SHA_256, content=match[1]) for match in found if match]


def _wheels(distribution: Distribution, name: str) -> list[ExternalReference]:
    """The page of the index it came from, once per wheel that the lock allows, with that wheel's hash."""
    if not distribution.index or not _host(distribution.index):
        return []
    try:
        url = XsUri(f"{distribution.index.rstrip('/')}/{canonicalize_name(name)}/")
    except InvalidUriException:  # what a lock file names as its index need not be an address
        return []
    groups = [_hashes([text]) for text in distribution.hashes] or [[]]
    return [ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=url, hashes=hashes) for hashes in groups]
