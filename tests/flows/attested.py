"""A release whose evidence is signed, and policies that trust keys: for whoever asks whose word counts."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from shipsafe.evidence.envelope import read_bundle, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.public_key import described
from shipsafe.flows.keys import table
from shipsafe.model.attestation import Predicate, Role, Statement
from shipsafe.packing.output import Output
from shipsafe.packing.release import Release, read_release
from tests.evidence.speakers import key
from tests.packing.releases import record_evidence

Change = Callable[[Statement], Statement | None]


def signer(name: str) -> FileSigner:
    """Whoever has the key of that name."""
    return FileSigner(key(name))


def trusting(name: str, *roles: Role) -> str:
    """The table that trusts a key."""
    return "\n" + table(described(key(name).public_key()), name=name, roles=roles) + "\n"


def signed_by(dist: Path, *names: str, change: Change = lambda one: one, only: str | None = None) -> Release:
    """The release, with the statements of its bundles signed by these keys, each after it was changed; None leaves one out."""
    release = read_release(dist)
    bundles = {}
    for artifact in release.artifacts:
        if only in (None, artifact.name):
            assert artifact.evidence is not None
            envelopes = read_bundle(artifact.evidence.read_bytes(), shown=artifact.name)
            changed = [change(statement_of(one, shown=artifact.name)) for one in envelopes]
            bundles[artifact.name] = _lines(changed, [signer(name) for name in names])
    return record_evidence(Output(dist), release, bundles)


def _lines(statements: Iterable[Statement | None], signers: list[FileSigner]) -> bytes:
    return b"".join(written(one, signers) + b"\n" for one in statements if one is not None)


def without(kind: Predicate) -> Change:
    """Leaves the statements of a kind out."""
    return lambda one: None if one.kind == kind else one


def edited(dist: Path, name: str, change: Callable[[Any], object]) -> None:
    """Change what the manifest says of an artifact."""
    path = dist / "shipsafe.json"
    document = json.loads(path.read_text())
    change(next(one for one in document["artifacts"] if one["name"] == name))
    path.write_text(json.dumps(document))
