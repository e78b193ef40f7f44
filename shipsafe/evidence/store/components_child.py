"""The process that reads SBOMs: paths of envelopes and the keys of a policy in, the components of each out (`components.py`)."""

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from shipsafe.adapters.forkserver import serve
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence.envelope import LARGEST, read_envelope
from shipsafe.evidence.loose import table
from shipsafe.evidence.store.folder import read_file
from shipsafe.evidence.store.keeping import check_filed
from shipsafe.evidence.store.listing import listing
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import AttestPolicy, Role, TrustedIdentity, TrustedKey

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
    if envelope.sha256 != one["sha256"]:
        raise IntegrityError(f"It is not what was filed: its SHA-256 is not {one['sha256']}.", remedy="Find out who changed it.")
    statement, components = listing(envelope, shown=one["shown"])
    check_filed("sbom", one["subjects"], statement, shown=one["shown"])
    by = vouched(envelope, trusted, at=date.min, shown=one["shown"], statement=statement).by
    root = table(table(statement.predicate, "metadata"), "component").get("bom-ref")
    return {
        "subjects": [(subject.name[:_LONGEST], subject.digests["sha256"]) for subject in statement.subjects],
        "name": root[:_LONGEST] if isinstance(root, str) else "",
        "components": components,
        "by": by,
    }


def _line(one: Mapping[str, Any]) -> bytes:
    try:
        return read_file(Path(one["path"]), largest=LARGEST)
    except OSError as error:
        raise IncompleteError(f"Cannot be read: {error.strerror or error}.", remedy="Check the folder and its rights.") from error


def main() -> None:
    """Answer until there are no more questions."""
    # What looks at signatures is imported where a policy has keys; here once, and not by every copy again: it takes 60 ms.
    for name in ("hashes", "serialization", "asymmetric.ec", "asymmetric.ed25519", "asymmetric.utils"):
        import_module(f"cryptography.hazmat.primitives.{name}")
    serve(answer)


if __name__ == "__main__":
    main()
