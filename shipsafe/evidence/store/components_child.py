"""The process that reads SBOMs: paths of envelopes and the keys of a policy in, the components of each out (`components.py`)."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from shipsafe.adapters.forkserver import serve
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence.envelope import LARGEST, read_envelope, statement_of
from shipsafe.evidence.store.keeping import check_filed
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import AttestPolicy, Role, Statement, TrustedIdentity, TrustedKey

_LONGEST = 2000  # characters of a text


def answer(question: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each envelope what it lists, or why it does not count."""
    trusted = _policy(question["trusted"])
    return [_read(one, trusted) for one in question["envelopes"]]


def _policy(told: Mapping[str, Any]) -> AttestPolicy:
    keys = [TrustedKey(**{**one, "roles": frozenset(map(Role, one["roles"]))}) for one in told["keys"]]
    identities = [TrustedIdentity(**{**one, "roles": frozenset(map(Role, one["roles"]))}) for one in told["identities"]]
    thresholds = {Role(role): number for role, number in told["thresholds"].items()}
    return AttestPolicy(
        unsigned_allowed=told["unsigned_allowed"], keys=tuple(keys), identities=tuple(identities), thresholds=thresholds
    )  # fmt: skip


def _read(one: Mapping[str, Any], trusted: AttestPolicy) -> dict[str, Any]:
    try:
        return {"sha256": one["sha256"], **_listed(one, trusted)}
    except IncompleteError as error:
        return {"sha256": one["sha256"], "unread": error.what, "remedy": error.remedy}
    except IntegrityError as error:
        return {"sha256": one["sha256"], "broken": error.what, "remedy": error.remedy}


def _listed(one: Mapping[str, Any], trusted: AttestPolicy) -> dict[str, Any]:
    envelope = read_envelope(_line(one), shown=one["shown"])
    # It decides nothing here whether a key stands twice in it: it is told as Python reads it, and a key of the policy vouches for it.
    statement = statement_of(envelope, shown=one["shown"], quick=True)
    check_filed("sbom", one["subjects"], statement, shown=one["shown"])
    by = vouched(envelope, trusted, at=date.min, shown=one["shown"], statement=statement).by
    return {
        "subjects": [(subject.name[:_LONGEST], subject.digests["sha256"]) for subject in statement.subjects],
        "name": _text(_table(_table(statement.predicate, "metadata"), "component"), "bom-ref"),
        "components": list(_components(statement)),
        "by": by,
    }


def _line(one: Mapping[str, Any]) -> bytes:
    path = Path(one["path"])
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise IncompleteError(f"Cannot be read: {error.strerror or error}.", remedy="Check the folder and its rights.") from error
    if hashlib.sha256(data).hexdigest() != one["sha256"]:
        raise IntegrityError(f"It is not what was filed: its SHA-256 is not {one['sha256']}.", remedy="Find out who changed it.")
    return data


def _components(statement: Statement) -> Iterator[tuple[str, ...]]:
    """Name, version, package URL, index and source of every distribution; files are not told.

    Raises:
        IntegrityError: the components are of another shape: what cannot be told is not "nothing".
    """
    entries = statement.predicate.get("components")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise IntegrityError("It is no SBOM: it has no list of components.", remedy="Find out which tool wrote it.")
    for entry in entries:
        if entry.get("type") == "file":
            continue
        if entry.get("components"):
            raise IntegrityError("It lists components inside of components, which no SBOM of ours does.", remedy="Build it again.")
        told = {one.get("name"): one for one in entry.get("properties") or () if isinstance(one, dict)}
        yield (
            *(_text(entry, key) for key in ("name", "version", "purl")),
            *(_text(told.get(f"shipsafe:{key}", {}), "value") for key in ("index", "source")),
        )


def _table(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found[:_LONGEST] if isinstance(found, str) else ""


def main() -> None:
    """Answer until there are no more questions."""
    serve(answer)


if __name__ == "__main__":
    main()
