"""What `sign` takes from a builder because no zip shows it, as a list: each claim with whose attestation vouches for it."""

from collections.abc import Iterator, Mapping

from shipsafe.model.claims import Claim, Claimed, SbomClaims
from shipsafe.model.tree import Source
from shipsafe.packing.release import Release, ReleasedArtifact


def claims_about(release: Release, sboms: Mapping[str, SbomClaims]) -> Iterator[Claim]:
    """Every claim of a release: those about all of it first.

    Args:
        release: the manifest.
        sboms: what each SBOM says beside what its zip shows, by subject.
    """
    document = release.document
    yield Claim(subject="project", name="commit", value=document["source"]["commit"])
    yield Claim(subject="project", name="policy", value=document["policy"]["digest"])
    for artifact in release.artifacts:
        yield from _of_artifact(artifact, sboms.get(artifact.subject))


def _of_artifact(artifact: ReleasedArtifact, sbom: SbomClaims | None) -> Iterator[Claim]:
    told, subject = artifact.told, artifact.subject
    yield Claim(subject=subject, name="built-by", value="another tool" if artifact.prebuilt else "shipsafe")
    yield Claim(subject=subject, name="runtime", value=", ".join(told.runtimes) or (sbom.runtime if sbom else None))
    if subject.startswith("function:"):
        yield Claim(subject=subject, name="handler", value=told.handler)
    yield Claim(subject=subject, name="architecture", value=", ".join(told.architectures) or None)
    if subject.startswith("function:"):
        yield Claim(subject=subject, name="layers", value=", ".join(ref.arn or ref.text for ref in told.layers) or None)
    for path, sha256 in told.locks:
        yield Claim(subject=subject, name="lock", value=f"{path} sha256:{sha256}")
    for index in sorted({one.index or "an index that is not known" for one in _installed(sbom)}):
        yield Claim(subject=subject, name="index", value=index)


def _installed(sbom: SbomClaims | None) -> Iterator[Claimed]:
    for one in sbom.distributions.values() if sbom else ():
        if one.source is Source.INDEX:
            yield one
