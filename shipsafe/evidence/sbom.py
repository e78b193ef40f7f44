"""The software bill of materials of one artifact: CycloneDX 1.6 JSON, the same bytes for the same input.

The function or layer is the root. Below it stand the distributions in its tree, with licence, supplier, hashes and who needs
whom, and every file of the zip with its SHA-256. `compose` makes the document from the tree, `finish` gives it the digests of
the zip and a serial number that is made of the content, `complete` does so for a document that a gate has left. `listed` reads the
distributions of one of ours, `stated` puts it into a statement.

Sources: https://cyclonedx.org/docs/1.6/json/, RFC 9562 section 5.5 (UUIDv5).
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import payload
from shipsafe.model.artifact import Archive
from shipsafe.model.attestation import Predicate, Resource, Statement
from shipsafe.model.project import Function, Subject
from shipsafe.model.tree import FILE_MODE, Entry, Origin, StagedTree

# The name space of our serial numbers, itself made of a name, so that anybody can make it again.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:shipsafe:sbom")
_DIGEST = "shipsafe:content-digest"


def compose(
    subject: Subject, tree: StagedTree, *, epoch: int | None, tools: Mapping[str, str], supplier: str | None = None
) -> dict[str, Any]:
    """The document without serial number and without the digests of a zip.

    Args:
        subject: the function or layer.
        tree: what will ship.
        epoch: seconds since 1970 for the time stamp; left out when None.
        tools: name -> version of what made the tree and the document.
        supplier: who ships the function: its supplier, and the author of this document.
    """
    # The library takes 60 ms to load; `complete` does without it.
    from shipsafe.evidence.components import write_components  # noqa: PLC0415

    components, dependencies, owners = write_components(subject.subject, tree.distributions, tree.entries)
    metadata: dict[str, Any] = {
        "lifecycles": [{"phase": "build"}],
        "tools": {
            "components": [
                {"type": "application", "bom-ref": f"tool:{name}", "name": name, "version": version}
                for name, version in sorted(tools.items())
            ]
        },
        "component": _root(subject, tree, supplier),
    }
    if supplier:
        metadata["authors"] = [{"name": supplier}]
    if epoch is not None:
        metadata["timestamp"] = datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": [*components, *(_file(entry, owners) for entry in tree.entries)],
        "dependencies": dependencies,
        "compositions": _compositions(subject, components, dependencies),
    }


def finish(document: Mapping[str, Any], archive: Archive | None) -> bytes:
    """The bytes of a composed document: with the zip's digests, where there is a zip, and with its serial number.

    Raises:
        IntegrityError: the zip holds something else than the document lists.
    """
    return _finished({key: _written(value) for key, value in document.items()}, archive)


def complete(data: bytes, archive: Archive) -> bytes:
    """The bytes of a document that `finish` wrote without a zip, now with the zip's digests. Only its head is read and written again.

    Raises:
        IntegrityError: the zip holds something else than the document lists.
    """
    written = _parts(data.decode())
    del written["serialNumber"]
    return _finished(written, archive)


def listed(data: bytes) -> list[Mapping[str, Any]]:
    """The components of a document of ours that have a purl: its distributions. Its files, a hundred times as many, are not read."""
    lines = (line for line in data.split(b"\n") if line.startswith(b"  {") and b'"purl": ' in line)
    return [json.loads(line.rstrip(b",")) for line in lines]


def stated(artifact: Resource, data: bytes) -> bytes:
    """The payload of a statement that this document is what is in an artifact: it stands there with exactly the bytes of its file."""
    before, _, after = payload(Statement(subjects=(artifact,), kind=Predicate.SBOM, predicate={})).partition(b'"predicate":{}')
    return before + b'"predicate":' + data.rstrip(b"\n") + after


def _finished(written: dict[str, str], archive: Archive | None) -> bytes:
    """From the parts of a document, each as it is written."""
    if archive is not None:
        metadata = json.loads(written["metadata"])
        _add_archive(metadata["component"], archive)
        written["metadata"] = _written(metadata)
    written["serialNumber"] = _written(f"urn:uuid:{uuid.uuid5(_NAMESPACE, _text(written))}")
    return _text(written).encode()


_write = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode  # five times faster than with an indentation


def _written(value: Any) -> str:
    """JSON with a line for each component, so that people can compare two documents."""
    if not isinstance(value, list) or not value:
        return _write(value)
    lines = ",\n  ".join(_write(item) for item in value)
    return f"[\n  {lines}\n ]"


def _parts(text: str) -> dict[str, str]:
    """What `_text` was given: no text of ours has a line break in it, and only the parts of a document stand one space from the left."""
    parts: list[list[str]] = []
    for line in text.split("\n")[1:-2]:
        if line.startswith(' "'):
            parts.append([])
        parts[-1].append(line)
    joined = ("\n".join(lines).removesuffix(",")[1:].partition(": ") for lines in parts)
    return {json.loads(key): value for key, _, value in joined}


def _text(written: Mapping[str, str]) -> str:
    lines = ",\n ".join(f"{_write(key)}: {written[key]}" for key in sorted(written))
    return f"{{\n {lines}\n}}\n"


def _root(subject: Subject, tree: StagedTree, supplier: str | None) -> dict[str, Any]:
    """The function or layer. Its version is the digest of its content: nothing else says which one this is."""
    from packageurl import PackageURL  # noqa: PLC0415 - 20 ms that `complete` does without

    version = tree.content_digest
    facts = {
        "subject": subject.subject,
        "runtime": subject.runtime,
        "architecture": ",".join(subject.architectures) or None,
        "platform": tree.platform,
        "inputs": ",".join(tree.inputs) or None,
    }
    root: dict[str, Any] = {
        "type": "application" if isinstance(subject, Function) else "library",
        "bom-ref": subject.subject,
        "name": subject.name,
        "version": version,
        "purl": str(PackageURL("generic", None, subject.name, version)),
        "properties": [
            {"name": _DIGEST, "value": version},
            *({"name": f"shipsafe:{key}", "value": value} for key, value in facts.items() if value),
        ],
    }
    if supplier:
        root["supplier"] = {"name": supplier}
    return root


def _file(entry: Entry, owners: Mapping[str, str]) -> dict[str, Any]:
    """One file of the zip."""
    owner = owners.get(entry.path)
    facts = {
        "origin": str(entry.origin) if entry.origin is Origin.CODE else None,
        "distribution": owner,
        "mode": f"{entry.mode:o}" if entry.mode != FILE_MODE else None,
    }
    component: dict[str, Any] = {
        "type": "file",
        "bom-ref": f"file:{entry.path}",
        "name": entry.path,
        "hashes": [{"alg": "SHA-256", "content": entry.sha256}],
    }
    if properties := [{"name": f"shipsafe:{key}", "value": value} for key, value in facts.items() if value]:
        component["properties"] = properties
    return component


def _compositions(subject: Subject, components: list[Any], dependencies: list[Any]) -> list[Any]:
    """Of whom all dependencies are known: of those that have metadata, and of the root."""
    known = {subject.subject}
    for component in components:
        if component.get("version") and any(entry["name"] == "shipsafe:metadata" for entry in component.get("properties", ())):
            known.add(component["bom-ref"])
    refs = {entry["ref"] for entry in dependencies}
    groups = (("complete", refs & known), ("unknown", refs - known))
    return [{"aggregate": aggregate, "dependencies": sorted(members)} for aggregate, members in groups if members]


def _add_archive(root: dict[str, Any], archive: Archive) -> None:
    """Chain the document to the bytes of the zip."""
    listed = next(entry["value"] for entry in root["properties"] if entry["name"] == _DIGEST)
    if listed != archive.content_digest:
        raise IntegrityError(
            f"The zip of {archive.subject} holds {archive.content_digest}, its SBOM lists {listed}.",
            remedy="Something changed the staged files during the build; find out what, and build again.",
        )
    root["hashes"] = [{"alg": "SHA-256", "content": archive.sha256}, {"alg": "SHA-512", "content": archive.sha512}]
    root["properties"] = [
        *root["properties"],
        {"name": "shipsafe:code-sha256", "value": archive.code_sha256},
        {"name": "shipsafe:compressor", "value": archive.compressor},
    ]
