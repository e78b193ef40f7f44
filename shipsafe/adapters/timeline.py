"""Where the time of a run goes: one leg for each piece of work, with its subject, its start and its end."""

import os
import resource
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True, kw_only=True)
class Leg:
    """One piece of work. `start` and `end` are seconds since the run began; `cached`: an earlier run had done it."""

    name: str
    subject: str
    start: float
    end: float = 0.0
    cached: bool = False

    @property
    def seconds(self) -> float:
        """How long it took, waiting included."""
        return self.end - self.start


@dataclass(slots=True)
class Timeline:
    """The legs of a run. May be told from several threads."""

    clock: Callable[[], float] = time.perf_counter
    legs: list[Leg] = field(default_factory=list)
    _began: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._began = self.clock()

    @contextmanager
    def leg(self, name: str, subject: str = "") -> Generator[Leg]:
        """Time what is done inside; it may set `cached` on the leg."""
        leg = Leg(name=name, subject=subject, start=self.now())
        try:
            yield leg
        finally:
            leg.end = self.now()
            with self._lock:
                self.legs.append(leg)

    def now(self) -> float:
        """Seconds since the run began."""
        return self.clock() - self._began

    def total(self, *names: str) -> Mapping[str, float]:
        """Seconds by subject, over the legs of those names, the longest of each name for a subject counted."""
        longest: dict[tuple[str, str], float] = {}
        for leg in self.legs:
            if leg.name in names:
                key = leg.subject, leg.name
                longest[key] = max(longest.get(key, 0.0), leg.seconds)
        found: dict[str, float] = {}
        for (subject, _), seconds in longest.items():
            found[subject] = found.get(subject, 0.0) + seconds
        return found


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended, user and system."""
    spent: Iterable[resource.struct_rusage] = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
