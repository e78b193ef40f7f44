"""An advisory by any of its ids: what it affects, over all records that share an alias with it.

    known = named("CVE-2024-56326", store)
    known.affects("jinja2", "3.1.4")         # True, False, or None where nobody can say

The same flaw is told of by PYSEC, GHSA and others, each with ranges of its own; whatever one of them names is affected.
"""

import re
from dataclasses import dataclass

from packaging.version import Version

from shipsafe.advisories import records
from shipsafe.advisories.records import Record
from shipsafe.advisories.store import Store
from shipsafe.errors import IncompleteError, NothingError

# The databases whose ids OSV uses for PyPI, and the aliases that they name; a distribution may be called `cve-bin-tool`. One that is
# misspelt is still no distribution: it would be one that nobody ships.
_ID = re.compile(r"(?:(?:CVE|PYSEC|MAL|OSV)-\d|GHSA-).*", re.IGNORECASE)
_MOST = 1000  # ids of one flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One flaw. `ids` are all that it goes by, sorted; `records` those that were not withdrawn, and speak of a package of PyPI."""

    ids: tuple[str, ...]
    packages: tuple[str, ...]
    records: tuple[Record, ...]

    def affects(self, name: str, version: str) -> bool | None:
        """Whether it is in a version of a package (normalised name); None where the version is none that can be compared."""
        if name not in self.packages:
            return False
        parsed = records.parsed(version)
        told = Version(parsed.public) if parsed else None
        if any(records.affects(one, name, str(told) if told else version) for one in self.records):
            return True
        return False if parsed else None


def is_id(text: str) -> bool:
    """Whether a text is the id of an advisory, and not the name of a distribution."""
    return _ID.fullmatch(text) is not None


def named(text: str, store: Store) -> Named:
    """The flaw of that id.

    Raises:
        IncompleteError: the advisories do not know it, so that nobody can say what it affects; or they cannot be read.
        NothingError: it was withdrawn.
    """
    found = _twins(_spelled(text), store)
    if not found:
        remedy = "Pull newer ones (`shipsafe advisories pull`), check the id, or ask about the package that it names."
        raise IncompleteError(f"The advisories know no {text[:80]}, so that nobody can say what it affects.", remedy=remedy)
    living = [one for one in found.values() if not records.is_withdrawn(one)]
    if not living:
        raise NothingError(f"{text} was withdrawn: it affects nothing.", remedy=f"`shipsafe advisories show {text}` says more.")
    packages = sorted({name for one in living for name in records.packages(one)})
    if not packages:
        raise IncompleteError(f"{text} names no package of PyPI.", remedy="Ask about the package that you think of.")
    ids = sorted({name for one in living for name in records.ids(one)})
    return Named(ids=tuple(ids), packages=tuple(packages), records=tuple(living))


def _spelled(text: str) -> str:
    """As the databases write it: capitals, and small letters after GHSA."""
    return f"GHSA{text[4:].lower()}" if text.upper().startswith("GHSA") else text.upper()


def _twins(name: str, store: Store) -> dict[str, Record]:
    """Records that have the id, and those that share one with them."""
    found: dict[str, Record] = {}
    asked: set[str] = set()
    wanted = {name}
    while new := wanted - asked:
        asked |= new
        for one in store.by_any_id(new):
            found[one["id"]] = one
            wanted |= records.ids(one)
        if len(wanted) > _MOST:
            raise IncompleteError(f"The records of {name} name more than {_MOST} ids.", remedy="Pull the advisories again.")
    return found
