"""Envelopes, as they were brought along or kept: found by the digests that they claim to be about, and believed by nobody yet.

envelopes_of(artifact)             # the bundle that a release manifest names
joined(store.about, sha256)        # what is kept about a zip, and about the unsigned zips that its records name
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from shipsafe.adapters.files import read_bounded
from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import LARGEST, read_bundle, statement_of
from shipsafe.model.attestation import Envelope, Predicate
from shipsafe.packing.release import ReleasedArtifact
from shipsafe.verify.files import read_regular

_OVERRIDDEN = b'"decision":"OVERRIDDEN"'  # as our statements have it; inside of a text its quotes would be escaped
_PROVENANCE = Predicate.PROVENANCE.encode()
_MOST_JOINED = 100  # unsigned digests that the records about one zip name


def envelopes_of(artifact: ReleasedArtifact) -> tuple[Envelope, ...]:
    """What is stated about an artifact, read from its bundle; nothing where the manifest names none.

    Raises:
        IntegrityError: the bundle is not there, not the one that the manifest names, or none.
        IncompleteError: it cannot be read.
    """
    if artifact.evidence is None:
        return ()
    shown = str(artifact.evidence)
    data = read_regular(artifact.evidence, limit=LARGEST, what="bundle", shown=shown)
    if (found := hashlib.sha256(data).hexdigest()) != artifact.evidence_sha256:
        digests = f"its SHA-256 is {found[:12]}... instead of {artifact.evidence_sha256[:12]}..."
        remedy = "Somebody changed one of them: find out who, and bring along the release whole, as it was."
        raise IntegrityError(f"It is not the bundle that the release manifest names: {digests}.", remedy=remedy, path=shown)
    return read_bundle(data, shown=shown)


def envelopes_in(path: Path) -> tuple[Envelope, ...]:
    """What is stated in a file that somebody named.

    Raises:
        ConfigError: it cannot be read.
        IntegrityError: it is no bundle.
    """
    return read_bundle(read_bounded(path, limit=LARGEST), shown=str(path))


def joined(about: Callable[[str], Sequence[Envelope]], sha256: str) -> list[Envelope]:
    """What `about` gives about a zip, and about each unsigned one that signing records join it to.

    Raises:
        ShipsafeError: as `about`.
    """
    found = list(about(sha256))
    others = dict.fromkeys(subject for envelope in found for subject in claimed_subjects(envelope) if subject != sha256)
    for other in list(others)[:_MOST_JOINED]:
        found += about(other)
    return found


def clean_last(kept: Iterable[Envelope]) -> list[Envelope]:
    """What is kept about a zip, so that what somebody answered for stands before what passed: of two statements the later counts.

    A store knows no order. Bytes that all gates have passed since are clean, and are judged anew whichever statement counts.
    """
    return sorted(kept, key=lambda one: _OVERRIDDEN not in one.payload)


def own_last(found: Sequence[Envelope], subject: str, function: str = "") -> list[Envelope]:
    """What is stated of one function or layer stands behind what is stated of others that are the same zip.

    Where nobody says which one is meant, it is what was deployed as `function`, else the one that was stated last: statements of two are
    never taken together. What is meant nobody has to believe: whoever takes a statement holds it against what is to run.
    """
    if sum(_PROVENANCE in one.payload for one in found) <= 1:  # of one function alone: nothing has to be read for that
        return list(found)
    meant = subject or _deployed_as(found, function) or next(filter(None, map(_built_as, reversed(found))), "")
    return sorted(found, key=lambda one: not _of_another(one, meant)) if meant else list(found)


def _deployed_as(found: Sequence[Envelope], function: str) -> str:
    """The artifact that was deployed last as a function, as deployment records claim; "" where none does."""
    said = ("", "")
    for envelope in found if function else ():
        with suppress(IntegrityError):
            statement = statement_of(envelope, shown="")
            if statement.kind == Predicate.DEPLOYMENT and statement.predicate.get("function") == function:
                told = statement.predicate
                said = max(said, (str(told.get("deployedAt")), f"function:{told.get('artifact')}"))
    return said[1]


def _built_as(envelope: Envelope) -> str:
    """What a builder's provenance says that it is about; "" of everything else."""
    try:
        statement = statement_of(envelope, shown="")
        if statement.kind != Predicate.PROVENANCE:
            return ""
        return str(statement.predicate["buildDefinition"]["externalParameters"]["artifact"]["subject"])
    except (IntegrityError, KeyError, TypeError):
        return ""


def _of_another(envelope: Envelope, subject: str) -> bool:
    try:
        statement = statement_of(envelope, shown="")
        told = statement.predicate
        match statement.kind:
            case Predicate.PROVENANCE:
                said = _built_as(envelope) or subject
            case Predicate.GATES:
                said = told["subject"]
            case Predicate.SBOM:
                said = told["metadata"]["component"]["bom-ref"]
            case Predicate.SIGNING:
                said = f"{subject.partition(':')[0]}:{told['artifact']}"
            case _:
                return False
    except (IntegrityError, KeyError, TypeError):
        return False
    return bool(said != subject)


def claimed_subjects(envelope: Envelope) -> tuple[str, ...]:
    """Hex SHA-256 of what an envelope says it is about; none of one that is no statement."""
    try:
        return tuple(one.digests["sha256"] for one in statement_of(envelope, shown="").subjects)
    except IntegrityError:
        return ()
