"""Distributions as CycloneDX components, written by CycloneDX's own library, and the graph of who needs whom.

Files and graph are not written by it: it needs nine seconds for the 8,000 files of a large function.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from cyclonedx.exception.model import InvalidUriException
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.metadata import RawMetadata
from packaging.utils import canonicalize_name

from shipsafe.evidence.licences import licences
from shipsafe.evidence.metadata import read_metadata, summary_of, supplier_of
from shipsafe.model.location import Location
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
    written = _written(distributions, files)
    owners: dict[str, str] = {}
    by_name: dict[str, list[str]] = {}
    seen: Counter[str] = Counter()
    refs = []
    for distribution, component in zip(distributions, written, strict=True):
        seen[purl := component["purl"]] += 1
        # The same version twice in one tree, in two folders.
        component["bom-ref"] = ref = purl if seen[purl] == 1 else f"{purl}#{seen[purl]}"
        refs.append(ref)
        by_name.setdefault(distribution.name, []).append(ref)
        owners |= dict.fromkeys(distribution.paths, ref)
    needs = {
        ref: [other for name in distribution.requires for other in by_name.get(name, []) if other != ref]
        for ref, distribution in zip(refs, distributions, strict=True)
    }
    needs[root] = _direct(list(zip(distributions, refs, strict=True)), needs)
    dependencies = [{"ref": ref, "dependsOn": sorted(set(needs[ref]))} if needs[ref] else {"ref": ref} for ref in sorted(needs)]
    written.sort(key=lambda component: (component["name"], component.get("version", ""), component["bom-ref"]))
    return written, dependencies, owners


def _direct(pairs: Sequence[tuple[Distribution, str]], needs: Mapping[str, Sequence[str]]) -> list[str]:
    """What hangs on the root: whoever is direct, and then whoever is still not reached, so that nothing floats."""
    direct: list[str] = []
    reached: set[str] = set()
    for distribution, ref in sorted(pairs, key=lambda pair: len(pair[0].via)):
        if distribution.via and ref in reached:
            continue
        direct.append(ref)
        queue = [ref]
        for one in queue:  # grows while it is walked
            if one not in reached:
                reached.add(one)
                queue.extend(needs[one])
    return direct


_Key = tuple[Distribution, str | None]
_known: dict[_Key, dict[str, Any]] = {}  # what CycloneDX's library wrote of distributions, for all functions that ship them


def _written(distributions: Sequence[Distribution], files: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Each distribution as the library writes it, with a `bom-ref` to be; nothing is written twice in a run."""
    keys = [_key(distribution, files) for distribution in distributions]
    new = {str(number): key for number, key in enumerate(keys) if key not in _known}
    if new:
        components = []
        for number, key in new.items():
            component = _component(key[0], read_metadata(key[0], files))
            component.bom_ref.value = number
            components.append(component)
        document = json.loads(make_outputter(Bom(components=components), OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
        for component in document["components"]:
            _known[new[component["bom-ref"]]] = component
    return [_pinned(_known[key], distribution.location) for key, distribution in zip(keys, distributions, strict=True)]


def _key(distribution: Distribution, files: Mapping[str, Entry]) -> _Key:
    """All that a component is made of: of the distribution without its place and its relations, and of its metadata."""
    metadata = files.get(f"{distribution.dist_info}/METADATA")
    return replace(distribution, location=None, requires=(), via=(), paths=()), metadata.sha256 if metadata else None


def _pinned(component: Mapping[str, Any], location: Location | None) -> dict[str, Any]:
    """A component of one function's tree: with the place that pinned it."""
    if location is None:
        return dict(component)
    pinned = {"name": "shipsafe:pinned-at", "value": str(location)}
    return {**component, "properties": sorted([*component["properties"], pinned], key=itemgetter("name"))}


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
