"""Carry a plan out: everything side by side, nothing twice, and what succeeded is kept whatever happens to the rest.

    signed, failed = carry_out(made, trust=..., progress=print, now=..., clock=time.monotonic, sleep=time.sleep, deadline=900)

Each zip at each target goes its own way: uploaded, its version pinned, its job started and watched, its signed object read back. A run that
ends early, by a fault, the deadline or `kill -9`, loses nothing: the next one finds what is there and goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import random
from threading import BoundedSemaphore, Lock
from typing import NamedTuple

from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.model.signing import SignedArtifact
from shipsafe.signing.jobs import sign
from shipsafe.signing.plan import Line, SigningPlan
from shipsafe.signing.readback import Trust, read_back
from shipsafe.signing.upload import upload
from shipsafe.signing.watch import Watch, side_by_side

_READERS = 8  # signed zips on the disk at once


class Failure(NamedTuple):
    """An artifact that was not signed for a target, and why."""

    artifact: str
    target: str
    error: ShipsafeError


class Carried(NamedTuple):
    """What came of a plan, both in the order of work and targets."""

    signed: list[SignedArtifact]
    failed: list[Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run: what its threads share."""

    made: SigningPlan
    watch: Watch
    trust: Trust
    progress: Callable[[str], None]
    now: Callable[[], datetime]
    began: datetime
    again: int
    readers: BoundedSemaphore

    def follow(self, line: Line) -> tuple[SignedArtifact, ...] | ShipsafeError:
        """One zip at one target, from where it is to its end."""
        try:
            return self._follow(line)
        except ShipsafeError as error:
            return error

    def _follow(self, line: Line) -> tuple[SignedArtifact, ...]:
        journal, source = self.made.journal, line.source

        def tell(text: str) -> None:
            self.progress(f"{', '.join(line.names)} -> {line.stand.target.name}: {text}")

        if source is None:
            source = upload(line, journal, self.watch)
            tell(f"uploaded as version {source.version}")
        job = sign(line, source, journal, self.watch, began=self.began, again=self.again, progress=tell)
        with self.readers:
            signed = read_back(line, source, job, scratch=journal.folder, now=self.now(), trust=self.trust, check=self.watch.check)
        tell(f"signed by job {job.id}, read back as version {signed[0].object.version}")
        return signed


def carry_out(
    made: SigningPlan,
    *,
    trust: Trust,
    progress: Callable[[str], None],
    now: Callable[[], datetime],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    deadline: float,
    again: int = 1,
    jitter: Callable[[], float] = random,
) -> Carried:
    """Upload, sign and read back what a plan holds.

    Args:
        made: by `plan`.
        trust: hex SHA-256 of a root certificate -> who vouches for it, or IntegrityError (`roots.trust`).
        progress: gets one line for each thing that was done; called by one thread at a time.
        now: UTC.
        clock: seconds that only go forward.
        sleep: waits.
        deadline: seconds that all of it may take.
        again: new jobs that may be started for a zip whose job fails in this run.
        jitter: 0 to 1.

    The journal of the plan is closed afterwards.
    """
    watch = Watch(clock=clock, sleep=sleep, jitter=jitter, ends=clock() + deadline)
    run = _Run(
        made=made,
        watch=watch,
        trust=trust,
        progress=_one_at_a_time(progress),
        now=now,
        began=now(),
        again=again,
        readers=BoundedSemaphore(_READERS),
    )
    found: dict[int, tuple[SignedArtifact, ...] | ShipsafeError] = {}
    try:
        found.update(side_by_side(made.lines, run.follow, watch=watch, late=_late))
    finally:
        made.journal.close()
    targets = [stand.target.name for stand in made.stands]

    def place(artifact: str, target: str) -> tuple[int, int]:
        return made.order.index(artifact), targets.index(target)

    signed: list[SignedArtifact] = []
    failed: list[Failure] = []
    for number, result in found.items():
        line = made.lines[number]
        if isinstance(result, ShipsafeError):
            failed += [Failure(name, line.stand.target.name, result) for name in line.names]
        else:
            signed += result
    return Carried(sorted(signed, key=lambda one: place(one.artifact, one.target)), sorted(failed, key=lambda one: place(one[0], one[1])))


def _late(line: Line) -> ShipsafeError:
    what = f"{line.work.name}: AWS gave no answer for target {line.stand.target.name} before the time for signing was over."
    return IncompleteError(what, remedy="Run this again: it goes on where it was.")


def _one_at_a_time(progress: Callable[[str], None]) -> Callable[[str], None]:
    lock = Lock()

    def tell(text: str) -> None:
        with lock:
            progress(text)

    return tell
