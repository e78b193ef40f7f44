"""Whose word a release is: the builder's statements about each zip, checked before anything else is believed or done.

    words = builder_words(release, policy, today=...)
    words["function:Pay"].by                  # ("ci",): names of trusted keys; () where nobody vouches for the builder

What a builder states must be about exactly this zip, signed by enough keys that the policy trusts as a builder's, and must say of it what
the release manifest says: kind, runtime, handler, architectures, layers, who staged it, locks, policy and commit. That the SBOM beside the
zip is the one that was stated is compared where it is read (`flows/reask.py`).

A policy that trusts a builder's key, or that takes attested builders alone, takes nothing without it: a bundle that is gone is not the way
round one that would not hold.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from shipsafe.adapters.shown import shown as fit
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.provenance import UNKNOWN
from shipsafe.evidence.trust import role_of
from shipsafe.flows.stated import as_text, builder_id, claimed, stated
from shipsafe.model.attestation import Predicate, Role
from shipsafe.model.chain import Hold, Link
from shipsafe.model.claims import NOBODY, UNATTESTED
from shipsafe.model.policy import Policy
from shipsafe.model.verdict import Decision
from shipsafe.packing.release import Release, ReleasedArtifact
from shipsafe.verify.bundles import envelopes_of
from shipsafe.verify.links import BUNDLE, GATES, PROVENANCE, SBOM
from shipsafe.verify.proof import Proof, prove

SBOM_SAYS = "sbom"  # what stands among claims for the SBOM as a whole
_LINKS = {PROVENANCE: Predicate.PROVENANCE, SBOM: Predicate.SBOM, GATES: Predicate.GATES}  # of a proof, and whose statement they are
_LONGEST = 120  # characters of a value in a message
_BUILD = "Build it again with a key that the policy trusts: shipsafe build --key KEY."
_CHANGED = "Somebody changed one of them: find out who, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the builder's attestation says of one artifact.

    Attributes:
        by: names of the trusted keys that signed it; empty where nobody vouches for the builder.
        says: names of the claims that its provenance makes, as `flows/claims.py` calls them.
        sbom: hex SHA-256 of the SBOM that was stated, in one fixed spelling; None where none was.
    """

    by: tuple[str, ...] = ()
    says: frozenset[str] = frozenset()
    sbom: str | None = None

    def vouches(self, claim: str) -> str:
        """Who vouches for a claim, or NOBODY."""
        return ", ".join(self.by) if self.by and claim in self.says else NOBODY


Words = Mapping[str, Word]


def builder_words(release: Release, policy: Policy, *, today: date) -> dict[str, Word]:
    """The builder's word on every artifact, by subject.

    Args:
        release: the manifest, of which nothing is believed.
        policy: says whose word counts, and whether it is needed.
        today: the day on which keys must be valid.

    Raises:
        IntegrityError: a bundle or a statement is missing, unsigned, a stranger's, about another zip, or says something else than the
            manifest; the message names the artifact.
        IncompleteError: a keyless signature could not be looked at.
    """
    return {one.subject: _word(one, release, policy, today) for one in release.artifacts}


def needs_builder(policy: Policy) -> bool:
    """Whether the policy signs nothing that no builder attests."""
    return policy.sign.attested_builder or policy.attest.trusts_anybody(Role.BUILDER) or not policy.attest.unsigned_allowed


def refuse_unattested(zips: Iterable[Path], policy: Policy) -> None:
    """Zips by their path are in no release, so that no builder can have attested them.

    Raises:
        IntegrityError: the policy signs no such thing.
    """
    for path in zips:
        if needs_builder(policy):
            what = f"{path.name} cannot be signed. No attestation says who built it, and the policy takes nothing without one."
            remedy = f"Make a release of it that is attested: shipsafe build --prebuilt {path.stem}={path} --key KEY."
            raise IntegrityError(what, remedy=remedy, path=str(path))


def who_built(words: Iterable[Word]) -> str:
    """Who vouches for a release, as the plan and the manifest say it: `attested by ci`, or `unattested`."""
    names = sorted({name for word in words for name in word.by})
    return f"attested by {', '.join(names)}" if names else UNATTESTED


def check_stated(word: Word, document: Mapping[str, Any], *, shown: str) -> None:
    """Compare an SBOM with the one that the builder stated, where it stated one.

    Raises:
        IntegrityError: they differ.
    """
    if word.sbom is not None and word.sbom != _digest(document):
        raise IntegrityError("It is not the SBOM that the builder attests.", remedy=_CHANGED, path=shown)


def _word(artifact: ReleasedArtifact, release: Release, policy: Policy, today: date) -> Word:
    shown = str(artifact.evidence or artifact.path)
    try:
        envelopes = envelopes_of(artifact)
        statements = [(one, statement_of(one, shown=shown)) for one in envelopes]
        # A signing record would lend the word on what it says was signed to what it says came of that.
        builders = [(one, said) for one, said in statements if role_of(said) is Role.BUILDER]
        kinds = {said.kind for _, said in builders}
        if not kinds:
            return _silent(policy, shown)
        proof = prove([one for one, _ in builders], artifact.sha256, policy.attest, today, shown)
        _check(proof, kinds, artifact, policy, shown)
        return _compared(proof, artifact, release, policy, shown)
    except (IntegrityError, IncompleteError) as error:
        what = f"{artifact.name} cannot be signed. {error.what}"
        raise type(error)(what, remedy=error.remedy, path=error.path, line=error.line) from error


def _silent(policy: Policy, shown: str) -> Word:
    """The word of a builder who states nothing.

    Raises:
        IntegrityError: the policy takes none such.
    """
    if needs_builder(policy):
        raise IntegrityError("No attestation says who built it, and the policy takes nothing without one.", remedy=_BUILD, path=shown)
    return Word()


def _check(proof: Proof, kinds: Collection[str], artifact: ReleasedArtifact, policy: Policy, shown: str) -> None:
    """Whether what a builder states is about this zip and vouched for as the policy wants it, and is all there where it has to be.

    Raises:
        IntegrityError, IncompleteError: it is not, or nobody could look.
    """
    needed = {link for link, kind in _LINKS.items() if kind in kinds or (needs_builder(policy) and (link != SBOM or artifact.sbom))}
    for link in proof.links:
        if (link.id in needed or link.id == BUNDLE) and link.hold is not Hold.HELD:
            raise _of_link(link, shown)
    if proof.sbom and artifact.sbom is None:
        raise IntegrityError("The builder states an SBOM, and the release manifest names none.", remedy=_CHANGED, path=shown)
    if needs_builder(policy) and not _speakers(proof):
        what = "The policy takes only attested builders, and trusts no key of one."
        if proof.provenance and proof.provenance.by:
            what = "Its provenance says that nobody knows who built it, and the policy takes only attested builders."
        raise IntegrityError(what, remedy=_BUILD, path=shown)


def _of_link(link: Link, shown: str) -> ShipsafeError:
    kind = IncompleteError if link.hold is Hold.UNANSWERED else IntegrityError
    where = link.location
    both = f" {link.expected} is meant, and {link.found} is there." if link.expected and link.found else ""
    return kind(f"{link.sentence}{both}", remedy=link.remedy, path=where.path if where else shown, line=where.line if where else None)


def _compared(proof: Proof, artifact: ReleasedArtifact, release: Release, policy: Policy, shown: str) -> Word:
    """What is vouched for, where it says the same as the release manifest.

    Raises:
        IntegrityError: it does not.
    """
    provenance = proof.provenance.statement.predicate if proof.provenance else {}
    said, claims = stated(provenance), claimed(artifact, release)
    for name, value in said.items():
        there = claims.get(name)
        if as_text(value) != as_text(there):
            raise IntegrityError(
                f"The builder's provenance says of it, as its {name}: {_brief(value)}; the release manifest says: {_brief(there)}.",
                remedy=_CHANGED,
                path=shown,
            )
    if lacking := sorted(claims.keys() - said.keys()) if policy.sign.attested_builder else []:
        what = f"The builder's provenance does not say the {lacking[0]} of it, and the policy takes no claim that nobody attests."
        raise IntegrityError(what, remedy=_BUILD, path=shown)
    _check_decision(proof, release, shown)
    sbom = _digest(proof.sbom.statement.predicate) if proof.sbom else None
    says = {*said, *((SBOM_SAYS, "index") if sbom else ())}
    return Word(by=_speakers(proof), says=frozenset(says), sbom=sbom)


def _check_decision(proof: Proof, release: Release, shown: str) -> None:
    """Whether the builder's gates let it pass; or did not, and the manifest names the override that lets it through.

    Raises:
        IntegrityError: neither; or the one says so and the other does not, so that an override was added or hidden.
    """
    said = proof.gates.statement.predicate if proof.gates else {}
    wanted = Decision.OVERRIDDEN if release.override else Decision.PASS
    if (decision := said.get("decision", wanted)) != wanted:
        only = "the release manifest names an override" if release.override else "only what passed is released"
        what = f"The builder states that its gates decided {_brief(decision)}, and {only}."
        raise IntegrityError(what, remedy="Find out who put it into the release.", path=shown)
    if (override := said.get("override", release.override)) != release.override:
        what = f"The builder states that override {_brief(override)} lets it through, and the release manifest names another one."
        raise IntegrityError(what, remedy=_CHANGED, path=shown)


def _speakers(proof: Proof) -> tuple[str, ...]:
    """Who vouches for the builder: nobody does by stating that it is not known, as `sign` does of zips that it is given by their path."""
    if proof.provenance is None or builder_id(proof.provenance.statement.predicate) == UNKNOWN:
        return ()
    return proof.provenance.by


def _brief(value: object) -> str:
    return fit(as_text(value), _LONGEST)


def _digest(document: object) -> str:
    return hashlib.sha256(as_text(document).encode()).hexdigest()
