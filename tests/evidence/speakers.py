"""Keys for tests, the policy that trusts them, and a statement that they sign."""

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.public_key import described
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Resource, Role, Statement, TrustedKey

DAY = date(2026, 11, 21)
SUBJECT = hashlib.sha256(b"the zip").hexdigest()
BUILDER = frozenset({Role.BUILDER})
Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def key(name: str, curve: type[ec.EllipticCurve] = ec.SECP384R1) -> ec.EllipticCurvePrivateKey:
    """The same key for the same name, the same in every run."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()), curve())


def trusted_key(private: Private, name: str = "ci", *, roles: frozenset[Role] = BUILDER, **dates: date) -> TrustedKey:
    """As a policy has it."""
    public = described(private.public_key())
    return TrustedKey(name=name, roles=roles, pem=public.pem, spki=public.spki, **dates)


def trusts(*keys: TrustedKey, builders: int = 1, unsigned: bool = True) -> AttestPolicy:
    """A policy that trusts these keys."""
    return AttestPolicy(unsigned_allowed=unsigned, keys=keys, thresholds={Role.BUILDER: builders})


def statement(kind: str = Predicate.PROVENANCE, predicate: Mapping[str, Any] | None = None) -> Statement:
    """About one zip."""
    return Statement(subjects=(Resource(name="Orders.zip", digests={"sha256": SUBJECT}),), kind=kind, predicate=predicate or {"a": 1})


def signed(*keys: Private, kind: str = Predicate.PROVENANCE, predicate: Mapping[str, Any] | None = None) -> bytes:
    """A line of a bundle, signed by these keys."""
    return written(statement(kind, predicate), [FileSigner(one) for one in keys])


def envelope(line: bytes) -> Envelope:
    """As it is read."""
    return read_envelope(line, shown="Orders.intoto.jsonl")


def pae(payload: bytes, kind: str = "application/vnd.in-toto+json") -> bytes:
    """What is signed, put together from the text of the DSSE protocol and from nothing of ours."""
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(payload)).encode(), payload])
