"""What every kept SBOM lists, quickly: thousands of SBOMs in seconds.

    for kept, found in shipped(store, policy.attest, cache=cache):
        found.components     # each with name, version, package URL; or `found` is the error of one that does not count

SBOMs are read, held against the policy's keys and taken apart by processes of their own, one for each processor. What was learnt is kept
in the user's cache under the envelope's digest and the policy's keys: an envelope never changes, so that it need not be read again.

Whether a key was still valid is not asked: an SBOM of last year tells what is in code that may run today, and to leave it out because a
key has ended since would hide that. Whoever asks may be told of too much, never of too little.
"""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from shipsafe.adapters.cache import Cache, canonical
from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.forkserver import ForkServer
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.evidence.store.keeping import Store
from shipsafe.evidence.store.layout import Kept
from shipsafe.model.attestation import AttestPolicy, Predicate

_BATCH = 25  # SBOMs of a question; one of them may take seconds, and a question has a process of its own
_PATIENCE = 60.0  # seconds for a question, and
_EACH = 10.0  # for each SBOM, which is what one of 100 MB takes
SERVER: Final = ForkServer(
    [sys.executable, "-P", "-m", "shipsafe.evidence.store.components_child"], name="reading an SBOM", remedy="Look at that object."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A distribution that an SBOM lists. What it does not say of one is ""; `index` and `source` are shipsafe's own properties."""

    name: str
    version: str
    purl: str
    index: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What one SBOM says, and who vouches for that.

    Attributes:
        subjects: of the statement: the name of the zip, and its hex SHA-256.
        name: what the SBOM is about: `function:Orders`, `layer:Common`.
        components: in its order.
        by: names of the trusted keys that signed it; none where nobody vouches for it, and the policy allows that.
    """

    subjects: tuple[tuple[str, str], ...]
    name: str
    components: tuple[Component, ...]
    by: tuple[str, ...]


Answer = tuple[Kept, Shipped | ShipsafeError]


def shipped(
    store: Store, trusted: AttestPolicy, *, cache: Cache | None = None, jobs: int | None = None, server: ForkServer = SERVER
) -> Iterator[Answer]:  # fmt: skip
    """Every SBOM of a store, by its digest; one that does not count, or cannot be read, comes as its error.

    Args:
        store: where they are kept.
        trusted: whose word counts, whenever the keys were valid.
        cache: of earlier runs; the caller writes it (`flush`).
        jobs: how many are read at once; one for each processor, and more of a bucket, unless given.
        server: the processes that read.

    Raises:
        IncompleteError: the store cannot be listed, or copies of a bucket's SBOMs cannot be written.
    """
    ever = replace(trusted, keys=tuple(replace(key, begins=None, ends=None) for key in trusted.keys))
    kept = store.listed([Predicate.SBOM])
    reading = _Reading(store, ever, cache, server)
    known = [(one, reading.recalled(one)) for one in kept]
    new = iter([one for one, found in known if found is None])
    batches = iter(lambda: list(islice(new, _BATCH)), [])
    pool = ThreadPoolExecutor(jobs or max(os.cpu_count() or 1, store.parallel))
    try:
        answers = (answer for batch in pool.map(reading.read, batches) for answer in batch)
        for one, found in known:
            yield (one, found) if found is not None else next(answers)
    finally:
        pool.shutdown(cancel_futures=True)


class _Reading:
    """How one run reads: what it asks of the child, and what it keeps. Equal components are one object: most SBOMs list the same."""

    def __init__(self, store: Store, trusted: AttestPolicy, cache: Cache | None, server: ForkServer) -> None:
        self._store, self._cache, self._server = store, cache, server
        self._trusted = json.loads(canonical(trusted))
        self._asking = hashlib.sha256(canonical(trusted)).hexdigest()
        self._components: dict[tuple[str, ...], Component] = {}

    def recalled(self, kept: Kept) -> Shipped | None:
        """What an earlier run learnt."""
        found = self._cache.recall("sbom", self._question(kept)) if self._cache else None
        return self._shipped(found) if found else None

    def read(self, batch: Sequence[Kept]) -> list[Answer]:
        """Read some SBOMs in one other process; where that is lost, each in one of its own."""
        with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="shipsafe-") as folder:
            asked: list[dict[str, Any]] = []
            answers: dict[str, Answer] = {}
            for one in batch:
                try:
                    asked.append({**self._named(one), "path": str(self._store.file(one, Path(folder)))})
                except (IntegrityError, IncompleteError) as error:
                    answers[one.sha256] = (one, error)
            by_digest = {one.sha256: one for one in batch}
            for told in self._told(asked):
                kept = by_digest[told["sha256"]]
                answers[kept.sha256] = (kept, self._answer(kept, told))
        return [answers[one.sha256] for one in batch]

    def _told(self, asked: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        if not asked:
            return []
        try:
            found: list[dict[str, Any]] = self._server.ask(
                {"trusted": self._trusted, "envelopes": asked}, timeout=_PATIENCE + _EACH * len(asked)
            )
        except IncompleteError as error:  # it died, or took too long: what did it is told, and the others are read
            if len(asked) == 1:
                return [{"sha256": asked[0]["sha256"], "unread": error.what, "remedy": error.remedy}]
            return [answer for one in asked for answer in self._told([one])]
        return found

    def _answer(self, kept: Kept, told: dict[str, Any]) -> Shipped | ShipsafeError:
        place = self._store.shown_of(kept)
        if "unread" in told:
            return IncompleteError(told["unread"], remedy=told["remedy"], path=place)
        if "broken" in told:
            return IntegrityError(told["broken"], remedy=told["remedy"], path=place)
        if self._cache:
            self._cache.keep("sbom", self._question(kept), told)
        return self._shipped(told)

    def _named(self, kept: Kept) -> dict[str, Any]:
        return {"sha256": kept.sha256, "subjects": kept.subjects, "shown": self._store.shown_of(kept)}

    def _question(self, kept: Kept) -> object:
        return [kept.sha256, kept.subjects, self._asking]

    def _shipped(self, told: dict[str, Any]) -> Shipped:
        return Shipped(
            subjects=tuple((name, sha256) for name, sha256 in told["subjects"]),
            name=told["name"],
            components=tuple(self._component(*one) for one in told["components"]),
            by=tuple(told["by"]),
        )

    def _component(self, *texts: str) -> Component:
        name, version, purl, index, source = texts
        made = self._components.get(texts)
        if made is None:
            made = self._components[texts] = Component(name=name, version=version, purl=purl, index=index, source=source)
        return made
