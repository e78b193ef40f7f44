"""The release manifest, `shipsafe.json`: what later steps sign and deploy from.

It chains every artifact to the policy, the advisories, the VEX documents, the baseline and the tools that it was judged by. Equal runs
give equal bytes. Its schema is shipsafe/packing/data/release-manifest.schema.json; `schema_version` changes when a reader of it would
have to. `sign` adds what it saw and what came of it, and changes nothing else (`packing/release.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipsafe.model.artifact import Archive, Artifact
from shipsafe.model.location import Location
from shipsafe.model.preference import Preference
from shipsafe.model.project import Function, LayerRef, Subject
from shipsafe.model.record import RunRecord

MANIFEST_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a release was made of, as the builder says: hex id of the commit, and the policy's file relative to the output folder.

    None where there is none.
    """

    commit: str | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the project says of a function or layer, for those who have its zip and not the project.

    `runtimes` and `architectures` of a layer are those it is compatible with; `handler` is None for a layer. `locks` are the files
    that said what to install: POSIX paths relative to the project, and their hex SHA-256. `function_name`, `alias`, `preference` and
    `unclear` are as of `shipsafe.model.project.Function`; a manifest that an older shipsafe wrote does not say them.
    """

    runtimes: tuple[str, ...] = ()
    handler: str | None = None
    architectures: tuple[str, ...] = ()
    locks: tuple[tuple[str, str], ...] = ()
    layers: tuple[LayerRef, ...] = ()
    function_name: str | None = None
    alias: str | None = None
    preference: Preference | None = None
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An artifact, its archive, what the project says of it, where the template describes it, and whether another tool built it.

    `evidence_signed`: somebody signed every envelope of its evidence.
    """

    artifact: Artifact
    archive: Archive
    location: Location
    told: Told = field(default_factory=Told)
    prebuilt: bool = False
    evidence_signed: bool = False


def told_of(subject: Subject, locks: tuple[tuple[str, str], ...] = ()) -> Told:
    """What the manifest says of a function or layer beside its archive."""
    if isinstance(subject, Function):
        runtimes = (subject.runtime,) if subject.runtime else ()
        return Told(
            runtimes=runtimes, handler=subject.handler, architectures=subject.architectures, locks=locks, layers=subject.layers,
            function_name=subject.function_name, alias=subject.alias, preference=subject.preference, unclear=subject.unclear,
        )  # fmt: skip
    return Told(runtimes=subject.runtimes, architectures=subject.architectures, locks=locks)


def manifest(record: RunRecord, entries: Sequence[Entry], source: Source) -> bytes:
    """The manifest of a run that passed, or that somebody answers for, as UTF-8 JSON."""
    info = record.advisories
    document = {
        "schema_version": MANIFEST_VERSION,
        "project": record.project,
        "template": record.template,
        "verdict": {"decision": str(record.verdict.decision)},
        **({"override": record.verdict.override.told} if record.verdict.override else {}),
        "source": {"commit": source.commit},
        "policy": {"path": record.policy, "digest": record.policy_digest, "location": source.policy},
        "advisories": None
        if info is None
        else {"source": info.source, "label": info.label, "date": info.date, "digest": info.digest, "records": info.records},
        "vex": [{"path": document.path, "sha256": document.sha256} for document in record.vex],
        "baseline": {"path": record.baseline.path, "sha256": record.baseline.sha256 or None} if record.baseline else None,
        "tools": dict(sorted(record.tools.items())),
        "artifacts": [manifest_of(record, entry) for entry in entries],
    }
    return written(document)


def written(document: Mapping[str, Any]) -> bytes:
    """A manifest as it lies on the disk."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def manifest_of(record: RunRecord, entry: Entry) -> dict[str, Any]:
    """What the manifest says of one artifact."""
    artifact, archive, told = entry.artifact, entry.archive, entry.told
    evidence = {"path": artifact.evidence, "sha256": artifact.evidence_sha256, "signed": entry.evidence_signed}
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
        **({"evidence": evidence} if artifact.evidence else {}),
        "runtimes": list(told.runtimes),
        "handler": told.handler,
        "architectures": list(told.architectures),
        "locks": [{"path": path, "sha256": sha256} for path, sha256 in told.locks],
        "layers": [
            {
                "text": ref.text,
                "arn": ref.arn,
                "version": ref.version,
                "local": ref.local,
                "changeable": ref.changeable,
                "unresolved": ref.unresolved,
            }
            for ref in told.layers
        ],
        **({"deployment": _deployment(told)} if artifact.subject.startswith("function:") else {}),
        "gates": {outcome.gate: str(outcome.state) for outcome in record.outcomes if outcome.subject == artifact.subject},
        "location": {"path": entry.location.path, "line": entry.location.line},
    }


def _deployment(told: Told) -> dict[str, Any]:
    return {
        "function_name": told.function_name,
        "alias": told.alias,
        "preference": told.preference.as_json() if told.preference else None,
        "unclear": list(told.unclear),
    }
