"""What a release manifest says of signatures, as `SignedArtifact`s: by the name of the artifact, then of the target.

It is a claim like everything in a manifest: whoever deploys by it holds it against signing records, and lets Lambda look at the bytes.
"""

from collections.abc import Mapping
from typing import Any

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.model.moments import from_text
from shipsafe.model.signing import ProfileVersion, S3Object, SignedArtifact, SigningJob
from shipsafe.packing.publish import MANIFEST
from shipsafe.packing.release import Release


def signatures_of(release: Release) -> dict[str, dict[str, SignedArtifact]]:
    """Every signature that the manifest names; none for an artifact that was not signed.

    Raises:
        IntegrityError: a member is not what `sign` writes.
    """
    unsigned = {one.name: one.sha256 for one in release.artifacts}
    return {
        entry["name"]: {
            told["target"]: _signed(release, entry["name"], unsigned[entry["name"]], told) for told in entry.get("signatures", ())
        }
        for entry in release.document["artifacts"]
    }


def _signed(release: Release, artifact: str, unsigned_sha256: str, told: Mapping[str, Any]) -> SignedArtifact:
    try:
        return SignedArtifact(
            artifact=artifact,
            target=told["target"],
            account=told["account"],
            region=told["region"],
            unsigned_sha256=unsigned_sha256,
            source=S3Object(**told["source"]),
            object=S3Object(**told["object"]),
            size=told["size"],
            sha256=told["sha256"],
            code_sha256=told["code_sha256"],
            job=SigningJob.parse(told["job"]).arn,
            profile_version=ProfileVersion.parse(told["profile_version"]).arn,
            signed_at=from_text(told["signed_at"]),
            expires=from_text(told["expires"]),
            root=told["root"],
            trust=told["trust"],
        )
    except (ConfigError, IncompleteError, KeyError, TypeError, ValueError, OverflowError) as error:
        what = f"What the manifest says of the signature of {artifact} for {str(told.get('target'))[:80]!r} is none: {str(error)[:200]}"
        raise IntegrityError(f"{what.rstrip('.')}.", remedy="Sign the release again.", path=str(release.out / MANIFEST)) from error
