"""What somebody states about an artifact, and whose word counts: statements, envelopes, and the keys that a policy trusts.

Shapes: in-toto Attestation Framework, Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md); DSSE v1.0
(https://github.com/secure-systems-lab/dsse/blob/master/envelope.md).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

_WORKFLOW = re.compile(r"(?P<home>https://[^/]+/[^/]+/[^/]+)/\.github/workflows/[^/@]+@.+")  # as GitHub names it in a token
STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Predicate(StrEnum):
    """What a statement says, as its `predicateType`."""

    PROVENANCE = "https://slsa.dev/provenance/v1"
    SBOM = "https://cyclonedx.org/bom"
    GATES = "urn:shipsafe:gates:v1"
    SIGNING = "urn:shipsafe:signing:v1"
    DEPLOYMENT = "urn:shipsafe:deployment:v1"
    OVERRIDE = "urn:shipsafe:override:v1"
    SUMMARY = "https://slsa.dev/verification_summary/v1"


class Role(StrEnum):
    """As whom a key may speak. What a builder claims and what a signer saw are never taken for each other."""

    BUILDER = "builder"
    SIGNER = "signer"
    DEPLOYER = "deployer"
    VERIFIER = "verifier"
    OVERRIDER = "overrider"

    @property
    def named(self) -> str:
        """For a sentence: `a signer`, `an overrider`."""
        return f"{'an' if self.value[0] in 'aeiou' else 'a'} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A subject of a statement. `digests` by algorithm, hex: `sha256` is what is compared, and must be there."""

    name: str
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An in-toto statement. `kind` is its predicate type as it was written, known to us or not."""

    subjects: tuple[Resource, ...]
    kind: str
    predicate: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """One signature of an envelope. `keyid` is a hint that is never believed; `more` what some signers add (Sigstore's bundle)."""

    keyid: str
    sig: bytes
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A DSSE envelope, as one line of a bundle. Without signatures it is unsigned: it says so, and proves nothing.

    `line` is the envelope as it was written, without the line feed; `sha256` hex, of that line.
    """

    payload: bytes
    payload_type: str
    signatures: tuple[EnvelopeSignature, ...]
    line: bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """A statement, and the names of the trusted keys (or identities) that signed it; none where it is unsigned and that is allowed."""

    statement: Statement
    envelope: Envelope
    role: Role
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A public key of the policy.

    Attributes:
        name: for people; claims say `vouched_by` it.
        roles: as whom it may speak.
        pem: SubjectPublicKeyInfo, PEM. spki: hex SHA-256 of its DER form, which is the identity of the key.
        begins, ends: first and last day on which it may have signed (UTC), or None.
    """

    name: str
    roles: frozenset[Role]
    pem: str
    spki: str
    begins: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIdentity:
    """A keyless signer (Sigstore): the identity in the certificate, exactly, and the issuer of the token that proved it.

    `repository`: the repository that the run was of, as the certificate names it; None for the one that the workflow lies in. A reusable
    workflow has one identity in all repositories that use it.
    """

    name: str
    roles: frozenset[Role]
    identity: str
    issuer: str
    repository: str | None = None

    @property
    def home(self) -> str | None:
        """The repository that the workflow lies in: `https://github.com/acme/orders`; None where the identity is no workflow's."""
        found = _WORKFLOW.fullmatch(self.identity)
        return found["home"] if found else None

    @property
    def who(self) -> tuple[str, str, str | None]:
        """What tells it from others: identity, issuer, and the repository that its runs are of; None for any (whoever is no workflow)."""
        return self.identity, self.issuer, self.repository or self.home


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestPolicy:
    """Whose statements count.

    `unsigned_allowed` False (strict) refuses what nobody signed. `thresholds`: how many distinct keys must have signed, by role; 1 where
    it says nothing. A policy that lists a key or an identity for a role takes nothing else for that role.
    """

    unsigned_allowed: bool = True
    keys: tuple[TrustedKey, ...] = ()
    identities: tuple[TrustedIdentity, ...] = ()
    thresholds: Mapping[Role, int] = field(default_factory=dict)

    @property
    def speakers(self) -> tuple[frozenset[Role], ...]:
        """As whom each trusted key and identity may speak."""
        return (*(one.roles for one in self.keys), *(one.roles for one in self.identities))

    def trusts_anybody(self, role: Role) -> bool:
        """Whether the policy says whose word counts in that role."""
        return any(role in roles for roles in self.speakers)
