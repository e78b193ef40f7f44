"""An SBOM that somebody handed over, compared with the zip that it is about: nothing missing, nothing extra, nothing different.

    claims = claims_of(document)                     # what it says beside that: taken as claims
    reconcile(document, subject, tree, archive, shown="dist/Pay.cdx.json")

Compared are the subject and the digests of the zip; every file with its SHA-256 and mode; every distribution with its name, version,
package URL and files. What the zip cannot show (where a distribution came from, its licence, who needs whom) is not compared.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from packaging.utils import canonicalize_name

from shipsafe.adapters.json_file import each_key_once, holds_more
from shipsafe.errors import IntegrityError
from shipsafe.evidence.schema import validate
from shipsafe.model.artifact import Archive
from shipsafe.model.claims import Claimed, SbomClaims
from shipsafe.model.location import Location
from shipsafe.model.project import Function, Subject
from shipsafe.model.tree import FILE_MODE, Origin, Source, StagedTree, has_control

_MOST = 4_000_000  # values; a file has about twenty, and a build takes 50,000 files
_SHOWN = 3  # differences that are told
_REMEDY = "Somebody changed the zip, its SBOM or the release manifest: find out who, and build again."
_PLACE = re.compile(r"(?P<path>.+?)(?::(?P<line>[1-9]\d{0,8}))?")


def read_sbom(data: bytes, *, sha256: str, shown: str) -> dict[str, Any]:
    """The document, which must be the one that was published, and valid.

    Args:
        data: the bytes of the file.
        sha256: hex, as the release manifest has it.
        shown: the file, for people.

    Raises:
        IntegrityError: it is another file, not JSON, ambiguous, or not CycloneDX 1.6.
    """
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        what = f"It is not the SBOM of the release: its SHA-256 is {found[:12]}... instead of {sha256[:12]}...."
        raise IntegrityError(what, remedy=_REMEDY, path=shown)
    if holds_more(data, _MOST):
        raise IntegrityError(f"It holds more than {_MOST:,} values, which no SBOM of ours has.", remedy=_REMEDY, path=shown)
    try:
        document = json.loads(data, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"Not JSON that has one meaning: {str(error)[:200]}.", remedy=_REMEDY, path=shown) from error
    if not isinstance(document, dict) or document.get("specVersion") != "1.6":
        raise IntegrityError("Not a document of CycloneDX 1.6.", remedy=_REMEDY, path=shown)
    if problems := validate(document):
        raise IntegrityError(f"Not valid CycloneDX 1.6: {problems[0][:300]}", remedy=_REMEDY, path=shown)
    return document


def claims_of(document: Mapping[str, Any], *, shown: str) -> SbomClaims:
    """What a valid document says and its zip cannot show.

    Raises:
        IntegrityError: it says where a distribution came from in words that no SBOM of ours has.
    """
    names = {component.get("bom-ref", ""): canonicalize_name(component["name"]) for component in _libraries(document)}
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in document.get("dependencies", ())}
    found: dict[str, Claimed] = {}
    for component in _libraries(document):
        told = _properties(component)
        try:
            source = Source(told.get("shipsafe:source", ""))
        except ValueError as error:
            what = f"It does not say where {component['name'][:100]!r} came from."
            raise IntegrityError(what, remedy=_REMEDY, path=shown) from error
        found[told.get("shipsafe:metadata", "")] = Claimed(
            source=source,
            index=told.get("shipsafe:index"),
            hashes=tuple(_hashes(component)),
            requires=tuple(sorted({names[ref] for ref in needs.get(component.get("bom-ref"), ()) if ref in names})),
            location=_location(told.get("shipsafe:pinned-at", "")),
        )
    files = ((component["name"], _properties(component)) for component in _of_type(document, "file"))
    code = frozenset(name for name, told in files if told.get("shipsafe:origin") == Origin.CODE)
    return SbomClaims(distributions=found, code=code, runtime=_properties(_root(document)).get("shipsafe:runtime"))


def reconcile(document: Mapping[str, Any], subject: Subject, tree: StagedTree, archive: Archive, *, shown: str) -> None:
    """Compare a valid document with the zip.

    Args:
        document: the SBOM.
        subject: whose zip it is.
        tree: what lies in the zip, with the document's claims.
        archive: the zip and its digests, as they were found.
        shown: the SBOM's file, for people.

    Raises:
        IntegrityError: they differ; the message names the first differences.
    """
    found = list(islice(_differences(document, subject, tree, archive), _SHOWN + 1))
    if found:
        more = " And more." if len(found) > _SHOWN else ""
        told = " ".join(found[:_SHOWN])
        raise IntegrityError(f"The SBOM does not describe the zip of {subject.subject}: {told}{more}", remedy=_REMEDY, path=shown)


def _differences(document: Mapping[str, Any], subject: Subject, tree: StagedTree, archive: Archive) -> Iterator[str]:
    yield from _of_root(_root(document), subject, archive)
    for component in document.get("components", ()):
        if component["type"] not in ("file", "library"):
            yield f"It lists {component['name'][:100]!r}, which is neither a file nor a distribution."
        if component.get("components"):
            yield f"It lists something inside {component['name'][:100]!r}."
    yield from _of_distributions(document, subject, tree)
    yield from _of_files(document, tree)


def _of_root(root: Mapping[str, Any], subject: Subject, archive: Archive) -> Iterator[str]:
    """The subject, and the chain to the bytes of its zip."""
    told = _properties(root)
    hashes = {entry["alg"]: entry["content"] for entry in root.get("hashes", ())}
    expected: list[tuple[str, str | None, str | None]] = [
        ("subject", root.get("bom-ref"), subject.subject),
        ("name", root.get("name"), subject.name),
        ("version", root.get("version"), archive.content_digest),
        ("content digest", told.get("shipsafe:content-digest"), archive.content_digest),
        ("SHA-256", hashes.get("SHA-256"), archive.sha256),
        ("SHA-512", hashes.get("SHA-512"), archive.sha512),
        ("CodeSha256", told.get("shipsafe:code-sha256"), archive.code_sha256),
    ]
    if isinstance(subject, Function):
        expected += [
            ("runtime", told.get("shipsafe:runtime"), subject.runtime),
            ("architecture", told.get("shipsafe:architecture"), ",".join(subject.architectures) or None),
        ]
    for name, listed, there in expected:
        if listed != there:
            yield f"Its {name} is {str(listed)[:80]}, and the zip's is {str(there)[:80]}."


def _of_files(document: Mapping[str, Any], tree: StagedTree) -> Iterator[str]:
    there = {entry.path: entry for entry in tree.entries}
    listed = _of_type(document, "file")
    for name, count in Counter(component["name"] for component in listed).items():
        if count > 1:
            yield f"It lists {name[:100]!a} {count} times."
        if name not in there:
            yield f"It lists {name[:100]!a}, which the zip has not."
    for path in there.keys() - {component["name"] for component in listed}:
        yield f"The zip has {path[:100]}, which it does not list."
    for component in listed:
        entry = there.get(component["name"])
        if entry is None:
            continue
        mode = _properties(component).get("shipsafe:mode", f"{FILE_MODE:o}")
        if component.get("hashes") != [{"alg": "SHA-256", "content": entry.sha256}]:
            yield f"{entry.path[:100]} has another SHA-256 in the zip."
        elif mode != f"{entry.mode:o}":
            yield f"{entry.path[:100]} has the mode {entry.mode:o} in the zip, and {mode[:20]} in the SBOM."


def _of_distributions(document: Mapping[str, Any], subject: Subject, tree: StagedTree) -> Iterator[str]:
    """Names, versions, package URLs, and whose each file is: as we would write them of what lies in the zip."""
    from shipsafe.evidence.components import write_components  # noqa: PLC0415 - the library takes 60 ms, and not every run reconciles

    written, _, owners = write_components(subject.subject, tree.distributions, tree.entries)
    there = {_properties(one).get("shipsafe:metadata", ""): one for one in written}
    listed = _libraries(document)
    told = {_properties(one).get("shipsafe:metadata", ""): one for one in listed}
    if len(told) != len(listed):
        yield "It lists a distribution twice, or one without metadata."
    for path in sorted(there.keys() | told.keys()):
        ours, theirs = there.get(path), told.get(path)
        if theirs is None:
            yield f"The zip has {_named(ours or {})} in {path[:100]}, which it does not list."
        elif ours is None:
            yield f"It lists {_named(theirs)}, which the zip has not."
        elif wrong := next((key for key in ("name", "version", "purl", "bom-ref") if ours.get(key) != theirs.get(key)), None):
            yield f"{_named(ours)} is {str(theirs.get(wrong))[:100]} in it by its {wrong}."
    for component in _of_type(document, "file"):
        owner = _properties(component).get("shipsafe:distribution")
        if owner != owners.get(component["name"]):
            yield f"It says that {component['name'][:100]!a} belongs to {(owner or 'nobody')[:100]}, and no RECORD says so."


def _named(component: Mapping[str, Any]) -> str:
    return f"{component.get('name', '')[:80]} {component.get('version', 'of unknown version')[:40]}"


def _root(document: Mapping[str, Any]) -> Mapping[str, Any]:
    root: Mapping[str, Any] = document.get("metadata", {}).get("component", {})
    return root


def _of_type(document: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [component for component in document.get("components", ()) if component["type"] == kind]


def _libraries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _of_type(document, "library")


def _properties(component: Mapping[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in component.get("properties", ()) if "name" in entry}


def _hashes(component: Mapping[str, Any]) -> Iterator[str]:
    """Of its wheel, or of all wheels that the lock admits: those stand with the page of the index."""
    places = [component, *(one for one in component.get("externalReferences", ()) if one["type"] == "distribution")]
    yield from sorted({f"sha256:{one['content']}" for place in places for one in place.get("hashes", ()) if one["alg"] == "SHA-256"})


def _location(text: str) -> Location | None:
    """A place in the builder's project, which is shown and never opened; None for what could not be one."""
    found = _PLACE.fullmatch(text) if not has_control(text) else None
    return Location(path=found["path"], line=int(found["line"]) if found["line"] else None) if found else None
