"""What `sign` takes from a builder because no zip shows it, as a list: each claim with whose attestation vouches for it."""

from collections.abc import Iterator, Mapping

from shipsafe.flows.vouching import SBOM_SAYS, Word, Words
from shipsafe.model.claims import NOBODY, Claim, Claimed, SbomClaims
from shipsafe.model.tree import Source
from shipsafe.packing.release import Release, ReleasedArtifact


def claims_about(release: Release, sboms: Mapping[str, SbomClaims], words: Words) -> Iterator[Claim]:
    """Every claim of a release: those about all of it first.

    Args:
        release: the manifest.
        sboms: what each SBOM says beside what its zip shows, by subject.
        words: the builder's word on each artifact, by subject.
    """
    document = release.document
    for name, value in (("commit", document["source"]["commit"]), ("policy", document["policy"]["digest"])):
        yield Claim(subject="project", name=name, value=value, vouched_by=_all_vouch(words, name))
    for artifact in release.artifacts:
        word = words.get(artifact.subject, Word())
        for name, value in _of_artifact(artifact, sboms.get(artifact.subject)):
            vouched = word.vouches(name)
            if name == "runtime" and not artifact.told.runtimes:  # the SBOM says it alone
                vouched = word.vouches(SBOM_SAYS)
            yield Claim(subject=artifact.subject, name=name, value=value, vouched_by=vouched)


def _all_vouch(words: Words, claim: str) -> str:
    """Who vouches for what is said of the whole release: whoever does so for each of its artifacts."""
    told = {word.vouches(claim) for word in words.values()} or {NOBODY}
    return told.pop() if len(told) == 1 else NOBODY


def _of_artifact(artifact: ReleasedArtifact, sbom: SbomClaims | None) -> Iterator[tuple[str, str | None]]:
    """Names of claims, and what they say."""
    told, function = artifact.told, artifact.subject.startswith("function:")
    yield "built-by", "another tool" if artifact.prebuilt else "shipsafe"
    yield "runtime", ", ".join(told.runtimes) or (sbom.runtime if sbom else None)
    if function:
        yield "handler", told.handler
    yield "architecture", ", ".join(told.architectures) or None
    if function:
        yield "layers", ", ".join(ref.arn or ref.text for ref in told.layers) or None
    for path, sha256 in told.locks:
        yield "lock", f"{path} sha256:{sha256}"
    for index in sorted({one.index or "an index that is not known" for one in _installed(sbom)}):
        yield "index", index


def _installed(sbom: SbomClaims | None) -> Iterator[Claimed]:
    for one in sbom.distributions.values() if sbom else ():
        if one.source is Source.INDEX:
            yield one
