"""How evidence is filed: `sha256/SUBJECTHEX/KIND-ENVELOPEHEX.json`, below the folder or prefix of the store.

The name of an object is the digest of what is in it, so that nobody can put other evidence in its place, and equal evidence is one object.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from shipsafe.model.attestation import Predicate

ROOT: Final = "sha256"
OTHER: Final = "other"  # the word of a predicate that we do not know
_WORDS = {
    Predicate.PROVENANCE: "provenance",
    Predicate.SBOM: "sbom",
    Predicate.GATES: "gates",
    Predicate.SIGNING: "signing",
    Predicate.DEPLOYMENT: "deployment",
    Predicate.OVERRIDE: "override",
    Predicate.SUMMARY: "summary",
}
_NAME = re.compile(
    rf"{ROOT}/(?P<subject>[0-9a-f]{{64}})/(?P<word>{'|'.join((*_WORDS.values(), OTHER))})-(?P<envelope>[0-9a-f]{{64}})\.json"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where one envelope is filed under one subject, both by hex SHA-256. `versions` of the object, the oldest first; a file has one."""

    subject: str
    word: str
    envelope: str
    versions: tuple[str, ...] = ("",)

    @property
    def name(self) -> str:
        """The object's name below the store's own place."""
        return f"{below(self.subject)}{self.word}-{self.envelope}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One envelope of a store, and every place where it is filed (one for each subject); never empty."""

    filed: tuple[Filed, ...]

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the envelope."""
        return self.filed[0].envelope

    @property
    def word(self) -> str:
        """Its kind, as the name of the object says it; reading it compares that with the statement."""
        return self.filed[0].word

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects under which it is filed, sorted."""
        return tuple(sorted({one.subject for one in self.filed}))


def word_of(kind: str) -> str:
    """The word of a predicate type in names."""
    return _WORDS[Predicate(kind)] if kind in _WORDS else OTHER


def words_of(kinds: Collection[Predicate] | None) -> frozenset[str]:
    """The words of these predicates; of all where None."""
    return frozenset((*_WORDS.values(), OTHER) if kinds is None else map(word_of, kinds))


def below(subject: str) -> str:
    """Where everything about a subject is filed."""
    return f"{ROOT}/{subject}/"


def filed(name: str, versions: tuple[str, ...] = ("",)) -> Filed | None:
    """What a name says; None where it is none of ours (a draft of a file, or what somebody else left)."""
    found = _NAME.fullmatch(name)
    return Filed(**found.groupdict(), versions=versions) if found else None


def gathered(filed_under: Iterable[Filed]) -> tuple[Kept, ...]:
    """Each envelope once, sorted by kind and digest."""
    places: dict[tuple[str, str], list[Filed]] = {}
    for one in filed_under:
        places.setdefault((one.word, one.envelope), []).append(one)
    return tuple(Kept(filed=tuple(sorted(found, key=lambda one: one.subject))) for _, found in sorted(places.items()))
