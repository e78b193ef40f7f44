"""Where the time of a run goes: one leg for each piece of work, with its subject, its start and its end."""

import os
import time
from collections.abc import Callable, Generator
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
        """The run began before this could be loaded: by as much as this process has worked until now."""
        spent = time.process_time()
        self._began = self.clock() - spent
        self.legs.append(Leg(name="start", subject="", start=0.0, end=spent))

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


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended, user and system."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
