"""Evidence that outlives a pipeline's artifacts, found again by the digests of what it is about.

    store = open_store("s3://acme-evidence/lambda", home=folder_of_the_policy)
    store.keep(envelope, statement)          # under each of its subjects; True if anything of it was new
    store.about(sha256)                      # every envelope about a zip, by hex digest
    store.by_code_sha256(code_sha256)        # likewise, by the digest as Lambda reports it

What is filed is what was signed, byte for byte. What was read has the digest that its name says, is of the kind that its name says, and
names the subject under which it was filed; whether anybody trusted vouches for it says `evidence/trust.py`, and every caller asks that.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Protocol

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.evidence.envelope import LARGEST, read_envelope, statement_of
from shipsafe.evidence.recorded import sha256_of
from shipsafe.evidence.store.layout import ROOT, Filed, Kept, below, gathered, word_of, words_of
from shipsafe.model.attestation import Envelope, Predicate, Statement

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST = 1_000_000  # objects of a store that are looked at
_MOST_ABOUT = 10_000  # of them about one zip
_REMEDY = "Find out who changed it. What it was is in another version of the object, in a backup, or in the release's own bundle."


class Back(Protocol):
    """Where objects lie. `parallel`: how many are read at a time; `local`: it is the local endpoint's."""

    @property
    def parallel(self) -> int:
        """How many objects are read at a time."""

    @property
    def local(self) -> bool:
        """Whether it is on the local endpoint."""

    def shown(self, name: str) -> str:
        """The name of an object, for people; that of the store for ""."""

    def names(self, below: str) -> Iterator[Filed]:
        """What is filed below a name."""

    def read(self, one: Filed, version: str, *, largest: int) -> bytes:
        """One version, whole."""

    def path(self, one: Filed) -> Path | None:
        """The file that it is, where it is one."""

    def put(self, one: Filed, data: bytes) -> bool:
        """Write a new object; False where there is one."""

    def guard(self) -> str:
        """What keeps people from deleting evidence."""


class Store:
    """The evidence of one folder or bucket. May be used from several threads."""

    def __init__(self, back: Back) -> None:
        self._back = back
        self.local = back.local
        self.parallel = back.parallel
        self._parsing = Lock()

    @property
    def shown(self) -> str:
        """The folder, or `s3://bucket/prefix`."""
        return self._back.shown("")

    @property
    def guard(self) -> str:
        """What keeps people from deleting evidence here, as a sentence; a bucket is asked for it."""
        return self._back.guard()

    def keep(self, envelope: Envelope, statement: Statement) -> bool:
        """File an envelope under each subject of its statement, and give whether any of that was new.

        Raises:
            IntegrityError: something else lies under its name, which is its digest.
            IncompleteError: the disk is full, the bucket refused, or AWS gave no answer.
        """
        new = False
        for subject in dict.fromkeys(one.digests["sha256"] for one in statement.subjects):
            one = Filed(subject=subject, word=word_of(statement.kind), envelope=envelope.sha256)
            if self._back.put(one, envelope.line):
                new = True
            else:
                self._compare(one)
        return new

    def _compare(self, mine: Filed) -> None:
        there = next((one for one in self._back.names(below(mine.subject)) if one.name == mine.name), mine)
        self._line(there)

    def about(self, sha256: str) -> tuple[Envelope, ...]:
        """Every envelope that is filed under a hex SHA-256, by kind and digest; none where nothing is.

        Raises:
            IntegrityError: one of them is not what its name says, or says nothing of that zip.
            IncompleteError: the store could not be looked at.
        """
        if not _SHA256.fullmatch(sha256):
            raise ConfigError(f"{sha256[:80]!r} is no SHA-256.", remedy="Give it in hex: 64 digits.")
        kept = gathered(self._bounded(self._back.names(below(sha256)), _MOST_ABOUT))
        found: list[Envelope] = []
        room = LARGEST  # as of a bundle: they are held at once
        for _, one in self.read_all(kept):
            found.append(_or_raise(one))
            room -= len(found[-1].line)
            if room < 0:
                what = f"It holds more than {LARGEST // MEBIBYTE} MiB about {sha256}, which is more than is looked at."
                raise IncompleteError(what, remedy="Find out who filed it.", path=self.shown)
        return tuple(found)

    def by_code_sha256(self, code_sha256: str) -> tuple[Envelope, ...]:
        """`about` a zip whose digest is in base64, as Lambda reports it.

        Raises:
            IncompleteError: it is no such digest; and as `about`.
            IntegrityError: as `about`.
        """
        return self.about(sha256_of(code_sha256))

    def everything(self, kinds: Collection[Predicate] | None = None) -> Iterator[tuple[str, Envelope]]:
        """Each envelope once, with the name of its object for people; of all kinds where None.

        Raises:
            IntegrityError, IncompleteError: as `about`, at the first that is wrong. `listed` and `read_all` go on.
        """
        for kept, found in self.read_all(self.listed(kinds)):
            yield self.shown_of(kept), _or_raise(found)

    def listed(self, kinds: Collection[Predicate] | None = None) -> tuple[Kept, ...]:
        """Each envelope of those kinds once, by kind and digest; nothing is read yet.

        Raises:
            IncompleteError: the store could not be looked at, or holds more than can be.
        """
        words = words_of(kinds)
        return gathered(one for one in self._bounded(self._back.names(f"{ROOT}/"), _MOST) if one.word in words)

    def read_all(self, kept: Iterable[Kept]) -> Iterator[tuple[Kept, Envelope | ShipsafeError]]:
        """Read these, several at a time, in their order; one that is wrong or cannot be read comes as its error."""
        yield from self._each(kept, self.read)

    def _each(self, kept: Iterable[Kept], do: Callable[[Kept], Envelope]) -> Iterator[tuple[Kept, Envelope | ShipsafeError]]:
        def tried(one: Kept) -> Envelope | ShipsafeError:
            try:
                return do(one)
            except (IntegrityError, IncompleteError) as error:
                return error

        if self._back.parallel == 1:
            yield from ((one, tried(one)) for one in kept)
            return
        waiting = iter(kept)
        with ThreadPoolExecutor(self._back.parallel) as pool:  # in rounds: what is read is large, and is not all to be held at once
            while some := list(islice(waiting, self._back.parallel)):
                yield from zip(some, pool.map(tried, some), strict=True)

    def read(self, kept: Kept) -> Envelope:
        """One envelope, compared with its name, its kind and its subjects.

        Raises:
            IntegrityError: it is not what its name says, or says nothing of a subject under which it was filed.
            IncompleteError: it could not be read.
        """
        shown = self.shown_of(kept)
        line = self.line(kept)
        with self._parsing:  # one at a time: it takes memory, and several at once take as long
            envelope = read_envelope(line, shown=shown)
            check_filed(kept.word, kept.subjects, statement_of(envelope, shown=shown), shown=shown)
        return envelope

    def line(self, kept: Kept) -> bytes:
        """The bytes of an envelope, compared with its name alone.

        Raises:
            IntegrityError: no version of it has the digest that its name says.
            IncompleteError: it could not be read.
        """
        return self._line(kept.filed[0])

    def file(self, kept: Kept, folder: Path) -> Path:
        """A file with an envelope, to be read by another process: its own, or one in a folder that the caller removes.

        Raises:
            IntegrityError: as `line`, where it has to be fetched; its reader compares it with its name.
            IncompleteError: it could not be read.
        """
        if (own := self._back.path(kept.filed[0])) is not None:
            return own
        copy = folder / f"{kept.sha256}.json"
        copy.write_bytes(self.line(kept))
        return copy

    def _line(self, one: Filed) -> bytes:
        """The oldest version that is what the name says: whoever writes a newer one, or a delete marker, hides nothing."""
        for version in one.versions:
            data = self._back.read(one, version, largest=LARGEST)
            if hashlib.sha256(data).hexdigest() == one.envelope:
                return data
        what = f"It is not what was filed: its SHA-256 is not {one.envelope}."
        raise IntegrityError(what, remedy=_REMEDY, path=self._back.shown(one.name))

    def shown_of(self, kept: Kept) -> str:
        """The name of an envelope's object, for people."""
        return self._back.shown(kept.filed[0].name)

    def _bounded(self, found: Iterator[Filed], most: int) -> Iterator[Filed]:
        for number, one in enumerate(found):
            if number == most:
                what = f"It holds more than {most:,} envelopes, which is more than are looked at."
                raise IncompleteError(what, remedy="Begin a new prefix or folder for each year.", path=self.shown)
            yield one


def check_filed(word: str, subjects: Iterable[str], statement: Statement, *, shown: str) -> None:
    """Compare what an envelope says with where it is filed.

    Raises:
        IntegrityError: it is of another kind, or says nothing of a subject under which it is filed.
    """
    if word_of(statement.kind) != word:
        raise IntegrityError(f"It is filed as {word} and is a {word_of(statement.kind)}.", remedy=_REMEDY, path=shown)
    named = {one.digests["sha256"] for one in statement.subjects}
    for subject in subjects:
        if subject not in named:
            raise IntegrityError(f"It is filed under {subject} and says nothing of it.", remedy=_REMEDY, path=shown)


def _or_raise(found: Envelope | ShipsafeError) -> Envelope:
    if isinstance(found, ShipsafeError):
        raise found
    return found
