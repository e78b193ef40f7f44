"""The evidence at hand: what a release, further bundles and the store of evidence hold, found by digest.

    shelf = open_shelf(request)
    shelf.proof(sha256, at=day)        # of what runs, without a dist/

Bundles are read once. An envelope is found by the subjects that it claims, and believed only by `prove`, which checks them again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from shipsafe.adapters.once import Once
from shipsafe.errors import ShipsafeError
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.recorded import recorded, vouched_record
from shipsafe.model.attestation import Envelope, Predicate
from shipsafe.model.signing import SignedArtifact
from shipsafe.packing.release import Release, read_release
from shipsafe.verify.bundles import claimed_subjects, clean_last, envelopes_in, envelopes_of, joined, own_last
from shipsafe.verify.proof import Proof, prove
from shipsafe.verify.request import VerifyRequest

_STORE = "the store of evidence"


@dataclass(slots=True)
class Shelf:
    """Envelopes by the digests that they claim to be about.

    Attributes:
        request: for the store, and whose word counts.
        release: the one that was given, or None.
        envelopes: by hex SHA-256 of a subject. unreadable: those that are no statement; they count against every proof.
        places: where they lie, for people.
    """

    request: VerifyRequest
    release: Release | None = None
    envelopes: dict[str, list[Envelope]] = field(default_factory=dict)
    unreadable: list[Envelope] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    _places: dict[str, str] = field(default_factory=dict)
    _kept: Once[str, tuple[Envelope, ...]] = field(default_factory=Once)

    @property
    def shown(self) -> str:
        """Where was looked, for people."""
        return ", ".join(self.places) or "no release, bundle or store"

    def proof(self, sha256: str, at: date, subject: str = "", function: str = "") -> Proof:
        """What is proven about a zip, unsigned or signed; as the code of `subject` (`function:NAME`), where it is known what it is to be.

        Functions that are built from one folder are one zip: what is stated of each of them is about the same digest. Where nobody knows
        the subject, what was deployed as `function`, by its name in the account, is taken.

        Raises:
            IncompleteError, IntegrityError: the store could not be read, or holds something else than its names say.
        """
        found = own_last(joined(self._about, sha256), subject, function)
        shown = ", ".join(dict.fromkeys(self._places.get(one.sha256, _STORE) for one in found))
        return prove((*found, *self.unreadable), sha256, self.request.policy.attest, at, shown or self.shown)

    def knows(self, sha256: str) -> bool:
        """Whether anything claims to be about it."""
        return bool(self._about(sha256))

    def claimed(self, sha256: str) -> datetime | None:
        """When a signed zip was signed, as its record claims; not believed, and of use only where whoever knows could not be asked."""
        for envelope in self._about(sha256):
            try:
                statement = statement_of(envelope, shown=self.shown)
                if statement.kind == Predicate.SIGNING:
                    return recorded(statement, shown=self.shown).signed_at
            except ShipsafeError:  # as `records`
                continue
        return None

    def records(self) -> tuple[SignedArtifact, ...]:
        """What signing records of the release and the bundles say that somebody vouches for, on the day that they say of themselves.

        They show where to look and what could be meant; what cannot be used is left out.
        """
        found: dict[str, SignedArtifact] = {}
        for envelope in {one.sha256: one for many in self.envelopes.values() for one in many}.values():
            try:
                one = vouched_record(envelope, self.request.policy.attest, shown=self.shown)
            except ShipsafeError:  # it is none; or whoever rests on it is told by its proof
                continue
            found[one.sha256] = one
        return tuple(found.values())

    def _about(self, sha256: str) -> list[Envelope]:
        store = self.request.store
        kept = self._kept.get(sha256, lambda: tuple(clean_last(store.about(sha256)))) if store is not None else ()
        return [*kept, *self.envelopes.get(sha256, ())]  # of two statements the later counts: the one that was brought along

    def add(self, envelopes: Iterable[Envelope], shown: str) -> None:
        """Put a bundle on the shelf; `shown` is where it lies, for people."""
        self.places.append(shown)
        for envelope in envelopes:
            self._places[envelope.sha256] = shown
            subjects = claimed_subjects(envelope)
            for subject in subjects:
                self.envelopes.setdefault(subject, []).append(envelope)
            if not subjects:
                self.unreadable.append(envelope)


def open_shelf(request: VerifyRequest) -> Shelf:
    """Read what a request gives.

    Raises:
        ConfigError, NothingError: there is no such release or bundle.
        IntegrityError: the release's manifest or a bundle is not what it should be.
        IncompleteError: one cannot be read.
    """
    shelf = Shelf(request)
    if request.release is not None:
        shelf.release = read_release(request.release, digest=request.manifest_digest)
        for artifact in shelf.release.artifacts:
            shelf.add(envelopes_of(artifact), str(artifact.evidence))
        shelf.places = [str(request.release)]  # a folder says it as well as twenty files
    for path in request.bundles:
        shelf.add(envelopes_in(path), str(path))
    if request.store is not None:
        shelf.places.append(_STORE)
    return shelf
