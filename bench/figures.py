"""What a run of the bench gives: rows (who took what, where), targets (what should be reached), and remarks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.measure import Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One contender at one project in one mode.

    Attributes:
        spent: the median of the runs, or None when it could not be measured; then `note` says why.
        runs: how many runs it is the median of.
    """

    project: str
    contender: str
    mode: str
    spent: Spent | None
    runs: int = 1
    note: str = ""


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
    """What one part of the bench found."""

    rows: Sequence[Row] = ()
    targets: Sequence[Target] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything, with what it was measured on."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str]
    rows: Sequence[Row] = ()
    targets: Sequence[Target] = ()
    remarks: Sequence[str] = field(default_factory=tuple)


def times_faster(what: str, goal: float, slow: Row | None, fast: Row | None) -> Target:
    """How many times the one takes of the other, in wall time."""
    if slow is None or fast is None or slow.spent is None or fast.spent is None:
        return Target(what=what, goal=goal, got=None, unit="times", at_least=True, note="one of the two was not measured")
    return Target(what=what, goal=goal, got=slow.spent.wall / fast.spent.wall, unit="times", at_least=True, note=slow.note)


def at_most(what: str, goal: float, got: float | None, unit: str, note: str = "") -> Target:
    """Something that must not be larger."""
    return Target(what=what, goal=goal, got=got, unit=unit, note=note)


def overlap(what: str, profile: dict[str, float] | None) -> Target:
    """Wall time over the larger of the critical path and half the processor time, as `--profile` tells them (2 cores)."""
    if profile is None:
        return at_most(what, 1.25, None, "times the bound", "this shipsafe writes no profile")
    bound = max(profile["critical_path"], profile["cpu"] / 2)
    note = f"wall {profile['wall']:.2f} s, critical path {profile['critical_path']:.2f} s, half the CPU {profile['cpu'] / 2:.2f} s"
    return at_most(what, 1.25, profile["wall"] / bound, "times the bound", note)
