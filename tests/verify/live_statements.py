"""What a builder states of a zip that no program has built: of the published shape, and no more than that."""

from typing import Any

from shipsafe.model.attestation import Predicate, Resource, Statement


def built(zipped: Resource, artifact: dict[str, Any]) -> Statement:
    outer = {
        "project": "shop",
        "template": None,
        "parameters": {},
        "policy": {"path": None, "digest": f"sha256:{0:064x}"},
        "artifact": artifact,
    }
    predicate = {
        "buildDefinition": {
            "buildType": "urn:shipsafe:build:v1",
            "externalParameters": outer,
            "internalParameters": {"compressor": "libdeflate", "contentDigest": f"sha256:{0:064x}"},
            "resolvedDependencies": [{"name": "source", "uri": "file:.", "annotations": {"dirty": False, "folder": "."}}],
        },
        "runDetails": {"builder": {"id": "urn:shipsafe:builder:local", "version": {"shipsafe": "1"}}, "byproducts": []},
    }
    return Statement(subjects=(zipped,), kind=Predicate.PROVENANCE, predicate=predicate)


def bom(zipped: Resource) -> Statement:
    return Statement(subjects=(zipped,), kind=Predicate.SBOM, predicate={"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []})
