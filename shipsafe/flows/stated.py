"""What a builder's provenance says of an artifact beside what the release manifest says of it: the same, or somebody changed one of them.

Both say it in the same words (`evidence/provenance.py` takes them from the manifest's entry), so that values are compared as they stand.
What nobody can see in a zip is in here: what it runs on, who staged it, the commit, the policy and the locks.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shipsafe.errors import IntegrityError
from shipsafe.evidence.loose import table
from shipsafe.packing.release import Release, ReleasedArtifact

_FIELDS = {  # of `externalParameters.artifact` and of the manifest's entry, and what claims call them
    "name": "name",
    "subject": "subject",
    "runtimes": "runtime",
    "handler": "handler",
    "architectures": "architecture",
    "layers": "layers",
    "deployment": "deployment",
}
_OF_ALL = ("project", "template")  # of `externalParameters` and of the manifest itself


def stated(provenance: Mapping[str, Any]) -> dict[str, object]:
    """What a provenance says, by the names of claims; what it leaves out is left out. Its shape is not believed."""
    definition = table(provenance, "buildDefinition")
    parameters = table(definition, "externalParameters")
    artifact, policy = table(parameters, "artifact"), table(parameters, "policy")
    found = {claim: artifact[name] for name, claim in _FIELDS.items() if name in artifact}
    found |= {name: parameters[name] for name in _OF_ALL if name in parameters}
    if "prebuilt" in artifact:
        found["built-by"] = "prebuilt" if artifact["prebuilt"] is True else "built"
    if "digest" in policy:
        found["policy"] = policy["digest"]
    dependencies = definition.get("resolvedDependencies")
    if isinstance(dependencies, list):
        found["commit"] = next((table(one, "digest").get("gitCommit") for one in dependencies if _is_source(one)), None)
        found["lock"] = sorted(_locks(dependencies))
    return found


def builder_id(provenance: Mapping[str, Any]) -> object:
    """Who built it, as it says."""
    return table(table(provenance, "runDetails"), "builder").get("id")


def claimed(artifact: ReleasedArtifact, release: Release) -> dict[str, object]:
    """The same of the release manifest: whatever it says there, a builder has to state who is to be believed."""
    document = release.document
    entry = next(one for one in document["artifacts"] if one["name"] == artifact.name)
    return {
        **{name: document[name] for name in _OF_ALL},
        **{claim: entry[name] for name, claim in _FIELDS.items() if name in entry},  # older ones, and layers, have no `deployment`
        "built-by": entry["source"],
        "policy": document["policy"]["digest"],
        "commit": document["source"]["commit"],
        "lock": sorted([path, sha256] for path, sha256 in artifact.told.locks),
    }


def as_text(value: object) -> str:
    """A value as JSON: what is equal has one text, and 1 is not true.

    Raises:
        IntegrityError: it is nested as nothing of ours is.
    """
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError as error:
        raise IntegrityError("It is nested too deeply to be compared.", remedy="Find out who wrote it, and build again.") from error


def _is_source(dependency: object) -> bool:
    return "dirty" in table(dependency, "annotations")


def _locks(dependencies: list[Any]) -> Iterator[list[str]]:
    """Files with their digests; a distribution has a package URL in the place of a file."""
    for one in dependencies:
        sha256 = table(one, "digest").get("sha256")
        if sha256 is not None and str(one.get("uri", "")).startswith("file:"):
            yield [str(one.get("name")), str(sha256)]
