"""What several machines built from, as they state it: one commit, and changed where one of them had changed files."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import read_bounded
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.evidence.envelope import LARGEST, read_envelope, statement_of
from shipsafe.evidence.facts import built
from shipsafe.evidence.provenance import SourceTree
from shipsafe.model.attestation import Predicate
from shipsafe.model.audit import Built

_WHOLE = "Bring the output of all shares along, whole."
_ONE_COMMIT = "Build all shares from one commit, and collect in a checkout of it."


def shared_source(here: SourceTree, artifacts: Iterable[tuple[Path, Mapping[str, Any]]]) -> SourceTree:
    """The source of all shares.

    Args:
        here: the checkout in which they are joined.
        artifacts: the folder of a share, and what its manifest says of one artifact.

    Raises:
        IntegrityError: a share was built from another commit, or its evidence is not what its manifest says.
        IncompleteError: its evidence is not there.
    """
    dirty: set[bool | None] = set()
    for folder, entry in artifacts:
        told = _built(folder, entry)
        if told is not None and told.commit != (here.commit or ""):
            what = f"{entry['name']} was built from commit {told.commit[:12] or 'none'}, and here lies {(here.commit or 'none')[:12]}."
            raise IntegrityError(what, remedy=_ONE_COMMIT, path=str(folder))
        dirty.add(told.dirty if told is not None else None)
    unknown = None in dirty or not dirty
    return replace(here, dirty=True if True in dirty else None if unknown else False)


def _built(folder: Path, entry: Mapping[str, Any]) -> Built | None:
    """What a share states of an artifact's source; None where it states nothing."""
    if "evidence" not in entry:
        return None
    stated = entry["evidence"]
    wanted = stated.get("sha256") if isinstance(stated, Mapping) else None
    path = folder / f"{entry['name']}.intoto.jsonl"
    if not path.is_file() or path.is_symlink():
        raise IncompleteError("It is not there, and its manifest names it.", remedy=_WHOLE, path=str(path))
    data = read_bounded(path, limit=LARGEST)
    if hashlib.sha256(data).hexdigest() != wanted:
        raise IntegrityError("It is not what its share left: its digest is another.", remedy=_WHOLE, path=str(path))
    for line in filter(None, data.split(b"\n")):  # the first, as a rule: large SBOMs come after it
        statement = statement_of(read_envelope(line, shown=str(path)), shown=str(path))
        if statement.kind == Predicate.PROVENANCE:
            return built(statement)
    return None
