"""What another tool installed beside what the lock says: the same versions, none too many, none too few.

Versions can be compared, hashes cannot: those of a lock are hashes of wheels, and the wheels are gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from shipsafe.model.tree import Distribution, Entry, Origin, Problem, ProblemKind, Source
from shipsafe.packing.needs import Needs, Wanted
from shipsafe.packing.records import named
from shipsafe.packing.source_tree import SourceTree

_MODULES = (".py", ".so")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a function should have. `shown` is the lock's path for people."""

    needs: Needs
    shown: str

    @property
    def is_complete(self) -> bool:
        """Whether every distribution stands in it: a lock, or a requirements file that pip takes with hashes alone."""
        return self.needs.complete or (bool(self.needs.wanted) and all(one.hashes for one in self.needs.wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was seen. `agrees_with` is the lock where all of it, and nothing else, is there."""

    problems: tuple[Problem, ...] = ()
    agrees_with: str | None = None


def compare(lock: Lock, found: Sequence[Distribution], entries: Mapping[str, Entry], source: SourceTree | None) -> Comparison:
    """Compare distributions with a lock.

    Args:
        lock: what should be there.
        found: what is there.
        entries: the files of the tree; those of no distribution may be what is left of one.
        source: the folder that the tree was built from, or None where that is not known.
    """
    asked: dict[str, list[Wanted]] = {}
    for wanted in (*lock.needs.wanted, *lock.needs.constraints):
        asked.setdefault(wanted.name, []).append(wanted)
    problems: list[Problem] = []
    for one in found:
        if one.source is Source.PREBUILT and (message := _difference(one, asked.get(one.name, []), lock)):
            place = asked[one.name][0].location if one.name in asked else one.location
            problems.append(Problem(kind=ProblemKind.LOCK_MISMATCH, key=one.name, message=message, location=place))
    there = {one.name for one in found}
    lacking = [wanted for wanted in lock.needs.wanted if wanted.name not in there]
    unnamed = _unnamed(entries, source) if lacking else []
    problems += [_lacking(wanted, unnamed, lock) for wanted in lacking]
    agrees = lock.is_complete and not problems
    return Comparison(problems=tuple(problems), agrees_with=lock.shown if agrees else None)


def _difference(one: Distribution, asked: Sequence[Wanted], lock: Lock) -> str:
    """How a distribution differs from the lock, as a sentence, or ""."""
    if not asked:
        return f"{one.name} {one.version} is in the build, and {lock.shown} does not know it." if lock.is_complete else ""
    try:
        version = Version(one.version or "")
    except InvalidVersion:
        return ""  # the gate `dependencies` says that it has no version that anybody could name
    for wanted in asked:
        if not wanted.requirement.specifier.contains(version, prereleases=True):
            return f"{one.name} {one.version} is in the build, and {lock.shown} says {wanted.requirement.specifier}."
    return ""


def _lacking(one: Wanted, unnamed: Sequence[str], lock: Lock) -> Problem:
    what = f"{one.name}{one.requirement.specifier} stands in {lock.shown}"
    if not unnamed:
        message = f"{what}, and is not in the build."
        return Problem(kind=ProblemKind.NOT_INSTALLED, key=one.name, message=message, location=one.location)
    message = f"{what}; nobody can say whether it is in the build: no .dist-info names it, and these are nobody's: {named([*unnamed])}."
    return Problem(kind=ProblemKind.UNIDENTIFIED, key=one.name, message=message, location=one.location)


def _unnamed(entries: Mapping[str, Entry], source: SourceTree | None) -> list[str]:
    """Modules that are neither a distribution's nor the source's: what a tool leaves that takes out metadata."""
    modules = [path for path, entry in entries.items() if entry.origin is Origin.CODE and path.endswith(_MODULES)]
    if source is None:  # then only a package with a folder of its own is suspicious; the handler's module is not
        return sorted(path for path in modules if path.endswith("/__init__.py") and path.count("/") == 1)
    return sorted(path for path in modules if source.file(path) is None)
