"""The release manifest, `shipsafe.json`: what later steps sign and deploy from.

It chains every artifact to the policy, the advisories and the tools that it was judged by. Equal runs give equal bytes.
"""

import json
from collections.abc import Sequence
from typing import Any

from shipsafe.model.artifact import Archive, Artifact
from shipsafe.model.project import LayerRef
from shipsafe.model.record import RunRecord

MANIFEST_VERSION = "1.0"


def manifest(record: RunRecord, artifacts: Sequence[tuple[Artifact, Archive, Sequence[LayerRef], str]]) -> bytes:
    """The manifest of a run.

    Args:
        record: the passing run.
        artifacts: each artifact, its archive, the layers it uses, and where the template describes it.
    """
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
        "tools": dict(sorted(record.tools.items())),
        "artifacts": [_artifact(record, *artifact) for artifact in artifacts],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _artifact(record: RunRecord, artifact: Artifact, archive: Archive, layers: Sequence[LayerRef], location: str) -> dict[str, Any]:
    gates = {outcome.gate: str(outcome.state) for outcome in record.outcomes if outcome.subject == artifact.subject}
    return {
        "name": artifact.name,
        "subject": artifact.subject,
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
        "layers": [{"text": ref.text, "arn": ref.arn, "local": ref.local} for ref in layers],
        "gates": gates,
        "location": location,
    }
