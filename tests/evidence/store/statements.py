"""Small statements to keep."""

from typing import Any

from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.model.attestation import Envelope, Predicate, Resource, Statement

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


def statement(*subjects: str, kind: str = Predicate.GATES, **predicate: Any) -> Statement:
    named = tuple(Resource(name=f"{number}.zip", digests={"sha256": one}) for number, one in enumerate(subjects))
    return Statement(subjects=named, kind=str(kind), predicate=predicate)


def sealed(made: Statement, signers: tuple[Any, ...] = ()) -> Envelope:
    return read_envelope(written(made, signers), shown="test")


def kept(*subjects: str, kind: str = Predicate.GATES, **predicate: Any) -> tuple[Envelope, Statement]:
    made = statement(*subjects, kind=kind, **predicate)
    return sealed(made), made
