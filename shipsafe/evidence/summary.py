"""What a verifier found, as a statement that others can rely on: an in-toto Verification Summary (VSA) per chain.

    for statement in summaries(verification, release=__version__, at=now):
        lines.append(written(statement, signers))

A summary says PASSED only where the whole chain ends with exit code 0; what could not be looked at is FAILED as well. Levels are those of
SLSA's build track, and no more than what was shown:

    SLSA_BUILD_LEVEL_0    no provenance was taken
    SLSA_BUILD_LEVEL_1    a provenance of these bytes was taken: who built, from what
    SLSA_BUILD_LEVEL_2    and a key or identity that the policy trusts as builder signed it, and the builder that it names is hosted: the
                          URL of a workflow, and not somebody's machine

Level 3 asks that the build cannot reach the key that signs; that cannot be seen in evidence, so it is never claimed. Shape: SLSA v1.1,
"Verification Summary Attestation", https://slsa.dev/verification_summary/v1.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from shipsafe.errors import ExitCode, IntegrityError
from shipsafe.model.attestation import Predicate, Resource, Statement
from shipsafe.model.chain import Attested, Chain, Verification

_VERIFIER = "urn:shipsafe:verifier"
_SLSA = "1.1"
_ENVELOPE = "application/vnd.dsse.envelope.v1+json"


def summaries(verification: Verification, *, release: str, at: datetime) -> tuple[Statement, ...]:
    """A statement for each chain of which the bytes are known, in order; a chain that broke before that has none, and so never passes.

    Args:
        verification: as `verify` gave it.
        release: of shipsafe, which verified.
        at: when, UTC.

    Raises:
        IntegrityError: there is no chain of which the bytes are known.
    """
    made = tuple(_summary(chain, verification, release, at) for chain in verification.chains if chain.digests)
    if not made:
        remedy = "Correct what the verification says first."
        raise IntegrityError("No summary can be written: nothing whose digest is known was verified.", remedy=remedy)
    return made


def _summary(chain: Chain, verification: Verification, release: str, at: datetime) -> Statement:
    passed = chain.exit_code is ExitCode.PASS
    return Statement(
        subjects=tuple(_subject(one) for one in chain.digests),
        kind=Predicate.SUMMARY,
        predicate={
            "verifier": {"id": _VERIFIER, "version": {"shipsafe": release}},
            "timeVerified": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resourceUri": _uri(chain),
            "policy": _policy(verification),
            "inputAttestations": [_input(one) for one in chain.attestations],
            "verificationResult": "PASSED" if passed else "FAILED",
            "verifiedLevels": [level(chain.attestations)] if passed else ["FAILED"],
            "slsaVersion": _SLSA,
        },
    )


def level(attestations: Iterable[Attested]) -> str:
    """The level of SLSA's build track that the envelopes show."""
    provenances = [one for one in attestations if one.kind == Predicate.PROVENANCE]
    if any(one.by and _hosted(one.builder) for one in provenances):
        return "SLSA_BUILD_LEVEL_2"
    return "SLSA_BUILD_LEVEL_1" if provenances else "SLSA_BUILD_LEVEL_0"


def _hosted(builder: str) -> bool:
    """Whether a builder's id is a workflow of GitHub Actions, as our provenance names it; `urn:shipsafe:builder:local` is nobody's."""
    try:
        parts = urlsplit(builder)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.netloc == "github.com" and "/.github/workflows/" in parts.path


def _input(one: Attested) -> dict[str, object]:
    """An envelope by its digest: nobody says from where it could be fetched, so it has no `uri`."""
    return {"mediaType": _ENVELOPE, "digest": {"sha256": one.sha256}, "annotations": {"predicateType": one.kind}}


def _subject(one: Resource) -> Resource:
    return Resource(name=one.name, digests=dict(one.digests))


def _policy(verification: Verification) -> dict[str, object]:
    kind, _, value = verification.policy_digest.rpartition(":")
    name = f"file:{quote(verification.policy, safe='/')}" if verification.policy else "urn:shipsafe:policy:preset"
    return {"uri": name, "digest": {kind or "sha256": value}}


def _uri(chain: Chain) -> str:
    """What was verified, as a URI: the ARN of what runs, so that nobody takes it for another account's; else what a person asked about."""
    return next((one.name for one in chain.digests if one.name.startswith("arn:")), _named(chain.subject))


def _named(subject: str) -> str:
    if subject.startswith("arn:"):
        return subject
    return f"urn:shipsafe:{quote(subject, safe=':')}" if subject.startswith("function:") else f"file:{quote(subject, safe='/')}"
