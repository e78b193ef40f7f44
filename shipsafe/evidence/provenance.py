"""How an artifact came to be, as SLSA provenance v1 with the build type `urn:shipsafe:build:v1`.

What is said of the artifact is what the release manifest says of it; what went into it are the commit, the files that said what to
install, and every distribution of its SBOM. There is no invocation and no time of day in it: the same input gives the same bytes.

Sources: https://slsa.dev/spec/v1.0/provenance; our parameters are published in docs/predicates/build-v1.json.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipsafe.adapters.github_job import on_github
from shipsafe.evidence.outcomes import plain
from shipsafe.model.attestation import Predicate, Resource, Statement
from shipsafe.model.record import RunRecord

BUILD_TYPE = "urn:shipsafe:build:v1"
LOCAL = "urn:shipsafe:builder:local"
UNKNOWN = "urn:shipsafe:builder:unknown"  # another tool made the zip, and nothing tells where or from what
SAID = ("name", "subject", "runtimes", "handler", "architectures", "layers", "deployment")  # of an artifact, as the manifest has it


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTree:
    """What a release was built from, as the builder saw it.

    Attributes:
        commit: hex id of the commit that is checked out, or None.
        url: of the repository, without credentials, or None.
        dirty: whether what lies there differs from the commit; None where nobody can say.
        parameters: of the template, as far as they were given: None for one whose value is secret.
    """

    commit: str | None = None
    url: str | None = None
    dirty: bool | None = None
    parameters: Mapping[str, str | None] = field(default_factory=dict)


def builder_of(environment: Mapping[str, str]) -> str:
    """Who builds: the workflow in GitHub Actions, as GitHub names it there; else this machine, which nobody can tell from others."""
    workflow = workflow_of(environment)
    if not on_github(environment) or not workflow.isprintable() or " " in workflow:
        return LOCAL
    return workflow or LOCAL


def workflow_of(environment: Mapping[str, str]) -> str:
    """The URL of the workflow whose job this is, at its ref: what GitHub calls `job_workflow_ref` in a token; "" where nothing names it.

    `GITHUB_WORKFLOW_REF` names the workflow that was called first. A reusable one says of itself, with `job.workflow_ref`, which it is.
    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#job-context
    """
    workflow = environment.get("SHIPSAFE_WORKFLOW_REF") or environment.get("GITHUB_WORKFLOW_REF", "")
    return f"{server_of(environment)}/{workflow}" if workflow else ""


def server_of(environment: Mapping[str, str]) -> str:
    """The GitHub whose job this is, as a URL without a slash at its end."""
    return environment.get("GITHUB_SERVER_URL") or "https://github.com"


def provenance(
    entry: Mapping[str, Any], record: RunRecord, source: SourceTree, *, builder: str, components: Iterable[Mapping[str, Any]]
) -> Statement:  # fmt: skip
    """State how an artifact was built.

    Args:
        entry: what the release manifest says of it.
        record: the run that built it.
        source: what it was built from.
        builder: `builder_of`.
        components: the distributions of its SBOM.
    """
    sbom = entry["sbom"]
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "project": record.project,
                "template": record.template,
                "parameters": plain(source.parameters),
                "policy": {"path": record.policy, "digest": record.policy_digest},
                "artifact": {**{name: entry[name] for name in SAID if name in entry}, "prebuilt": entry["source"] == "prebuilt"},
            },
            "internalParameters": {"compressor": entry["compressor"], "contentDigest": entry["digests"]["content_digest"]},
            "resolvedDependencies": [
                _source(source, record),
                *(
                    {"name": lock["path"], "uri": _file(record, lock["path"]), "digest": {"sha256": lock["sha256"]}}
                    for lock in entry["locks"]
                ),
                *_distributions(components),
            ],
        },
        "runDetails": {
            "builder": {"id": builder, "version": record.tools},
            "byproducts": [{"name": sbom["path"], "digest": {"sha256": sbom["sha256"]}}] if sbom else [],
        },
    }
    return Statement(subjects=(resource(entry),), kind=Predicate.PROVENANCE, predicate=predicate)


def resource(entry: Mapping[str, Any]) -> Resource:
    """The unsigned zip of which an entry of the release manifest speaks."""
    return Resource(name=entry["path"], digests={"sha256": entry["digests"]["sha256"], "sha512": entry["digests"]["sha512"]})


def _source(source: SourceTree, record: RunRecord) -> dict[str, Any]:
    uri = f"git+{source.url}@{source.commit}" if source.url and source.commit else f"file:{record.prefix or '.'}"
    digest = {"digest": {"gitCommit": source.commit}} if source.commit else {}
    return {"name": "source", "uri": uri, **digest, "annotations": {"dirty": source.dirty, "folder": record.prefix or "."}}


def _file(record: RunRecord, path: str) -> str:
    """A file as the repository has it; relative, because where it lay on this machine is nobody's business."""
    return f"file:{record.prefix}/{path}" if record.prefix else f"file:{path}"


def _distributions(components: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each with the digest of the wheel that was installed; where the lock allows several, all of theirs, of which it is one."""
    for one in components:
        digests = [_sha256(one)] if _sha256(one) else [found for ref in one.get("externalReferences", ()) if (found := _sha256(ref))]
        digest = {"digest": {"sha256": digests[0]}} if len(digests) == 1 else {}
        several = {"annotations": {"oneOf": [f"sha256:{one}" for one in digests]}} if len(digests) > 1 else {}
        yield {"name": one["name"], "uri": one["purl"], **digest, **several}


def _sha256(part: Mapping[str, Any]) -> str:
    return next((one["content"] for one in part.get("hashes", ()) if one["alg"] == "SHA-256"), "")
