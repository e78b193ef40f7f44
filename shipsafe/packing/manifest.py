"""The release manifest, `shipsafe.json`: what later steps sign and deploy from.

It chains every artifact to the policy, the advisories, the VEX documents, the baseline and the tools that it was judged by. Equal runs
give equal bytes. Its schema is shipsafe/packing/data/release-manifest.schema.json; `schema_version` changes when a reader of it would
have to.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipsafe.model.artifact import Archive, Artifact
from shipsafe.model.location import Location
from shipsafe.model.project import LayerRef
from shipsafe.model.record import RunRecord

MANIFEST_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An artifact, its archive, the layers that it uses, where the template describes it, and whether another tool built it."""

    artifact: Artifact
    archive: Archive
    location: Location
    layers: Sequence[LayerRef] = ()
    prebuilt: bool = False


def manifest(record: RunRecord, entries: Sequence[Entry]) -> bytes:
    """The manifest of a passing run, as UTF-8 JSON."""
    info = record.advisories
    document = {
        "schema_version": MANIFEST_VERSION,
        "project": record.project,
        "template": record.template,
        "verdict": {"decision": str(record.verdict.decision)},
        "policy": {"path": record.policy, "digest": record.policy_digest},
        "advisories": None
        if info is None
        else {"source": info.source, "label": info.label, "date": info.date, "digest": info.digest, "records": info.records},
        "vex": [{"path": document.path, "sha256": document.sha256} for document in record.vex],
        "baseline": {"path": record.baseline.path, "sha256": record.baseline.sha256 or None} if record.baseline else None,
        "tools": dict(sorted(record.tools.items())),
        "artifacts": [manifest_of(record, entry) for entry in entries],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def manifest_of(record: RunRecord, entry: Entry) -> dict[str, Any]:
    """What the manifest says of one artifact."""
    artifact, archive = entry.artifact, entry.archive
    return {
        "name": artifact.name,
        "subject": artifact.subject,
        "source": "prebuilt" if entry.prebuilt else "built",
        "path": artifact.path,
        "size": artifact.size,
        "unzipped": archive.unzipped,
        "entries": archive.entries,
        "digests": {
            "sha256": artifact.sha256,
            "sha512": archive.sha512,
            "code_sha256": artifact.code_sha256,
            "content_digest": artifact.content_digest,
        },
        "compressor": archive.compressor,
        "sbom": {"path": artifact.sbom, "sha256": artifact.sbom_sha256} if artifact.sbom else None,
        "layers": [{"text": ref.text, "arn": ref.arn, "version": ref.version, "local": ref.local} for ref in entry.layers],
        "gates": {outcome.gate: str(outcome.state) for outcome in record.outcomes if outcome.subject == artifact.subject},
        "location": {"path": entry.location.path, "line": entry.location.line},
    }
