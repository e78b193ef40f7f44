"""Whether a build is what shipsafe would have built: every file is the source's, or one of a wheel that the lock's hashes admit.

    prebuilt = "prove"

The wheels of the lock are taken from the index once more, checked against its hashes, and compared with the build file by file. What a
tool writes when it installs (`INSTALLER`, `REQUESTED`, `RECORD`, `direct_url.json`) is nobody's code and is not compared; a launcher in
`bin/` is in no wheel and stays unproven. A wheel for another platform has other files: then nothing is proven, and nothing accused.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from shipsafe.model.tree import Distribution, Entry, Origin, Problem, ProblemKind, Source
from shipsafe.packing.job import Pinned
from shipsafe.packing.records import named
from shipsafe.packing.sets import DependencySet

_NOTES = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Distributions, those that are proven with their index and hashes; what contradicts the wheels; and the files of no proof."""

    distributions: tuple[Distribution, ...]
    problems: tuple[Problem, ...] = ()
    unproven: tuple[str, ...] = ()


def prove(
    distributions: Sequence[Distribution], entries: Mapping[str, Entry], ours: AbstractSet[str], wheels: DependencySet
) -> Proof:  # fmt: skip
    """Compare a build with the wheels of its lock.

    Args:
        distributions: those of the build.
        entries: its files.
        ours: paths of the files that are equal to the source's.
        wheels: what the lock gives for the runtime.
    """
    contents: dict[str, dict[str, str]] = {}
    for path, _, _, sha256 in wheels.files:
        contents.setdefault(wheels.owner.get(path, ""), {})[path] = sha256
    told: list[Distribution] = []
    problems: list[Problem] = []
    proven = set(ours)
    for one in distributions:
        pin = wheels.pinned.get(one.name)
        if one.source is not Source.PREBUILT or pin is None or pin.version != one.version or not one.dist_info:
            told.append(one)
            continue
        compared = _Compared(one, one.dist_info, entries, contents.get(one.name, {}))
        if compared.differing:
            problems += compared.accusation()
            told.append(one)
        else:
            proven.update(compared.paths)
            told.append(_with(one, pin))
    unproven = tuple(path for path in sorted(entries) if path not in proven)
    return Proof(distributions=tuple(told), problems=tuple(problems), unproven=unproven)


class _Compared:
    """One distribution of the build beside its wheel. `paths` are its files but for launchers; `differing` those not as in the wheel."""

    def __init__(self, one: Distribution, dist_info: str, entries: Mapping[str, Entry], wheel: Mapping[str, str]) -> None:
        base = dist_info.rpartition("/")[0]
        self._one, self._entries = one, entries
        self._prefix = f"{base}/" if base else ""
        self._dist_info = dist_info
        self._wheel = wheel
        notes = {f"{dist_info}/{name}" for name in _NOTES} & entries.keys()
        self.paths = [path for path in one.paths if not self._is_launcher(path)] + sorted(notes.difference(one.paths))
        self.differing = [path for path in self.paths if path not in notes and not self._is_same(path)]

    def _is_launcher(self, path: str) -> bool:
        inner = path.removeprefix(self._prefix)
        return inner.startswith("bin/") and inner not in self._wheel

    def _is_same(self, path: str) -> bool:
        return self._wheel.get(path.removeprefix(self._prefix)) == self._entries[path].sha256

    def accusation(self) -> list[Problem]:
        """The same wheel, and yet other files, with a RECORD that fits them: somebody wrote both."""
        rewritten = [path for path in self.differing if self._entries[path].origin is Origin.DEPENDENCY]
        tags = f"{self._dist_info}/WHEEL"
        if not rewritten or tags not in self._entries or not self._is_same(tags):
            return []
        one = self._one
        message = f"{one.name} {one.version} is not the wheel of the lock, and its RECORD was written to fit: {named(sorted(rewritten))}."
        place = self._entries[rewritten[0]].location
        return [Problem(kind=ProblemKind.MODIFIED, key=f"{one.name} wheel", message=message, location=place)]


def _with(one: Distribution, pin: Pinned) -> Distribution:
    return replace(one, source=Source.INDEX, index=pin.index, hashes=pin.hashes)
