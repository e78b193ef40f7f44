"""What a run of the bench gives: parts, each of rows (who took what, where) and targets (what should be reached)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.measure import Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One contender at one project in one mode.

    Attributes:
        spent: the median of the runs, or None when it could not be measured; then `note` says why.
        runs: how many runs it is the median of.
        profile: what `SHIPSAFE_PROFILE` said of a typical run of ours; None for others.
    """

    project: str
    contender: str
    mode: str
    spent: Spent | None
    runs: int = 1
    note: str = ""
    profile: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing to reach. `got` is None when it was not measured; then `note` says why.

    Attributes:
        at_least: whether more is better (`6 times faster`); else less is.
        unit: what stands behind the number.
    """

    what: str
    goal: float
    got: float | None
    unit: str
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`reached`, `not reached` or `not measured`."""
        if self.got is None:
            return "not measured"
        return "reached" if (self.got >= self.goal if self.at_least else self.got <= self.goal) else "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one part of the bench found, and how it was asked.

    Attributes:
        facts: what a reader must know of this run: date, rounds, sample, advisories, commit.
        failure: why it could not be measured to its end; empty when it was.
    """

    name: str
    rows: Sequence[Row] = ()
    targets: Sequence[Target] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Parts, with the machine and the versions that they were measured with."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    parts: Sequence[Part] = ()

    @property
    def rows(self) -> list[Row]:
        """Of all parts."""
        return [row for part in self.parts for row in part.rows]

    @property
    def targets(self) -> list[Target]:
        """Of all parts."""
        return [target for part in self.parts for target in part.targets]


def times_faster(what: str, goal: float, slow: Row | None, fast: Row | None) -> Target:
    """How many times the one takes of the other, in wall time."""
    if slow is None or fast is None or slow.spent is None or fast.spent is None:
        return Target(what=what, goal=goal, got=None, unit="times", at_least=True, note="one of the two was not measured")
    return Target(what=what, goal=goal, got=slow.spent.wall / fast.spent.wall, unit="times", at_least=True, note=slow.note)


def at_most(what: str, goal: float, got: float | None, unit: str, note: str = "") -> Target:
    """Something that must not be larger."""
    return Target(what=what, goal=goal, got=got, unit=unit, note=note)


def overlap(what: str, row: Row) -> Target:
    """Wall time over the larger of the critical path, as `SHIPSAFE_PROFILE` tells it, and half the processor time (2 cores).

    Both times are those that were measured from outside: they hold the start and the end of the program, too.
    """
    if row.spent is None or row.profile is None:
        return at_most(what, 1.25, None, "times the bound", "this shipsafe writes no profile")
    wall, path, half = row.spent.wall, float(row.profile["critical_path"]), row.spent.cpu / 2
    note = f"wall {wall:.2f} s, critical path {path:.2f} s, half the CPU {half:.2f} s"
    return at_most(what, 1.25, wall / max(path, half), "times the bound", note)
