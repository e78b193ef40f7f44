"""Run programs and say what they took: wall time, processor time, and the most memory that the whole tree held at once.

Processor time is the kernel's own count (`wait4`: user and system time of the process and of every descendant it waited for). A process
that its parent left behind comes to us (`adopt`), and counts as well; one that still runs when its program has ended is an error, for
what it does would be measured for somebody else.
Memory is sampled every 20 ms from /proc: the sum of the resident sets of the process and all its descendants and, only where that
sum is above the largest seen so far, the sum of the proportional sets (PSS), which counts a shared page once. What is kept is the
PSS. A PSS is never larger than its resident set, so nothing is missed, and most samples cost a few reads of a line each.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import attrgetter, itemgetter
from pathlib import Path
from statistics import median
from typing import Self

INTERVAL = 0.02  # seconds between two samples
_LIMIT = 3600  # seconds that one program may take
_GRACE = 1.0  # seconds for what a program left behind
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SET_CHILD_SUBREAPER, _GET_CHILD_SUBREAPER = 36, 37  # linux/prctl.h
_SHOWN = 2000  # characters of a failed program's output


class BenchError(Exception):
    """A measurement that is worth nothing: a program failed, or left something else than it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One program to run. `env` comes on top of ours; `accepted` are the exit codes that mean it did its job."""

    argv: Sequence[str | Path]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    accepted: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds of wall time, seconds of processor time, bytes of memory at the peak (0: not known on this system).

    Attributes:
        held: which programs held the memory at the peak, in words.
    """

    wall: float
    cpu: float
    peak: int
    held: str = ""

    def __add__(self, other: "Spent") -> "Spent":
        """One after the other."""
        larger = max(self, other, key=attrgetter("peak"))
        return Spent(wall=self.wall + other.wall, cpu=self.cpu + other.cpu, peak=larger.peak, held=larger.held)

    def times(self, factor: float) -> "Spent":
        """The same done `factor` times, one after the other."""
        return replace(self, wall=self.wall * factor, cpu=self.cpu * factor)


NOTHING = Spent(wall=0, cpu=0, peak=0)


def middle(runs: Sequence[Spent]) -> Spent:
    """The median of each figure; of memory the largest, for that is what a machine must have."""
    return replace(max(runs, key=attrgetter("peak")), wall=median(run.wall for run in runs), cpu=median(run.cpu for run in runs))


def spend(steps: Iterable[Step], *, log: Path) -> Spent:
    """Run the steps one after the other; what they print goes to `log`.

    Raises:
        BenchError: a step cannot be started, takes an hour, or ends with a code that it should not.
    """
    return sum((_spend(step, log) for step in steps), NOTHING)


def _spend(step: Step, log: Path) -> Spent:
    argv = [str(word) for word in step.argv]
    with log.open("wb") as sink:
        before = time.perf_counter()
        try:
            child = subprocess.Popen(argv, cwd=step.cwd, env=environment(step.env), stdin=subprocess.DEVNULL, stdout=sink,
                                     stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        except OSError as error:
            raise BenchError(f"{argv[0]} could not be started: {error}") from error
        guard = threading.Timer(_LIMIT, child.kill)
        guard.start()
        try:
            with _Sampler(child.pid) as sampler:
                _, status, usage = os.wait4(child.pid, 0)
                wall = time.perf_counter() - before
            child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            guard.cancel()
            if child.returncode is None:  # we are interrupted, and it has a session of its own
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode not in step.accepted:
        said = log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
        raise BenchError(f"{' '.join(argv)}\nended with {child.returncode}:\n{said}")
    left = _left_behind(argv[0]) if adopting() else 0.0
    return Spent(wall=wall, cpu=usage.ru_utime + usage.ru_stime + left, peak=sampler.peak, held=sampler.held)


def adopt() -> None:
    """Become the parent of every process that a program leaves behind. On Linux only; elsewhere such a process is not seen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def adopting() -> bool:
    """Whether `adopt` was called in this process."""
    if sys.platform != "linux":
        return False
    answer = ctypes.c_int(0)
    ctypes.CDLL(None).prctl(_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return bool(answer.value)


def _left_behind(program: str) -> float:
    """Seconds of processor time of the processes that a program left behind and that have ended.

    Raises:
        BenchError: one of them still runs; it is ended.
    """
    seconds = 0.0
    until = time.monotonic() + _GRACE
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return seconds
        seconds += usage.ru_utime + usage.ru_stime
        if pid:
            continue
        if time.monotonic() > until:
            for one in _descendants():
                os.kill(one, signal.SIGKILL)
            with suppress(ChildProcessError):
                while os.wait():
                    pass
            raise BenchError(f"{program} ended and left a process running.")
        time.sleep(INTERVAL)


def _descendants() -> list[int]:
    """Our own, without us."""
    return [pid for pid in tree(os.getpid()) if pid != os.getpid()]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what would change how a Python program behaves, and `extra` on top."""
    dropped = ("PYTHON", "VIRTUAL_ENV", "SHIPSAFE_", "UV_RUN_", "SOURCE_DATE_EPOCH")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | dict(extra)


class _Sampler:
    """Looks at a process and its descendants until the block ends; `peak` is the most memory seen, in bytes, `held` who had it."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self.held = ""
        self._pid = pid
        self._adopted = adopting()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            pids = _descendants() if self._adopted else list(tree(self._pid))
            if sum(resident(pid) for pid in pids) > self.peak:
                each = {pid: proportional(pid) for pid in pids}
                if sum(each.values()) > self.peak:
                    self.peak, self.held = sum(each.values()), _named(each)
            if self._ended.wait(INTERVAL):
                return


def _named(each: Mapping[int, int]) -> str:
    """`uv 120 MB, shipsafe 80 MB + 30 MB`: what each process holds, by the names of their programs."""
    found: dict[str, list[str]] = {}
    for pid, size in sorted(each.items(), key=itemgetter(1), reverse=True):
        if size:
            found.setdefault(_read(f"/proc/{pid}/comm").strip() or "ended", []).append(f"{size / 1e6:.0f} MB")
    return ", ".join(f"{name} {' + '.join(sizes)}" for name, sizes in found.items())


def tree(pid: int) -> Iterable[int]:
    """A process and its descendants, as far as they live while one looks."""
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return
    for thread in threads:
        for child in _read(thread / "children").split():
            yield from tree(int(child))


def resident(pid: int) -> int:
    """Bytes of a process that lie in memory, pages shared with others included; 0 when it is gone."""
    words = _read(f"/proc/{pid}/statm").split()
    return int(words[1]) * _PAGE if len(words) > 1 else 0


def proportional(pid: int) -> int:
    """The same, but a page that is shared by n processes counts as one nth (PSS); 0 when it is gone."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:  # the process ended while we looked, or this is not Linux
        return ""
