"""How long a run may take, and work done side by side: threads that nobody waits for once the deadline is over.

All state that matters is in S3, in Signer and in the journal, so that a thread which still waits for an answer may be left behind; it
ends with the process.
"""

import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar

from shipsafe.errors import IncompleteError

WORKERS = 48  # at once; below the connections that a client keeps
_GRACE = 30.0  # seconds after the deadline in which an answer may still come
_LOOK = 0.5  # seconds between two looks at the clock
In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Time, as arguments: `clock` gives seconds that only go forward, `ends` is the deadline on it, `jitter` gives 0 to 1."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    ends: float

    def over(self) -> bool:
        """Whether the deadline is over."""
        return self.clock() >= self.ends

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, a quarter more or less, so that twenty jobs are not asked about in one moment; never past the deadline."""
        left = self.ends - self.clock()
        self.sleep(max(0.0, min(seconds * (0.75 + self.jitter() / 2), left)))

    def check(self) -> None:
        """Go on only before the deadline.

        Raises:
            IncompleteError: it is over.
        """
        if self.over():
            raise IncompleteError("The time for signing is over.", remedy="Run this again: it goes on where it was.")


def side_by_side(
    items: Sequence[In], work: Callable[[In], Out], *, watch: Watch | None = None, late: Callable[[In], Out] | None = None
) -> Iterator[tuple[int, Out]]:
    """Work on all items at once, and give the number and result of each as it is done.

    Args:
        items: what to work on.
        work: turns its own errors into results; what it raises beyond that is raised here.
        watch: the deadline, or None.
        late: gives the result of an item that has none some time after the deadline; its thread is left behind.
    """
    todo: queue.SimpleQueue[tuple[int, In]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Out] | BaseException] = queue.SimpleQueue()
    for item in enumerate(items):
        todo.put(item)

    for _ in range(min(WORKERS, len(items))):
        Thread(target=_worker, args=(todo, done, work), daemon=True, name="shipsafe-sign").start()
    waiting = set(range(len(items)))
    while waiting:
        try:
            told = done.get(timeout=_LOOK)
        except queue.Empty:
            if watch is None or late is None or watch.clock() < watch.ends + _GRACE:
                continue
            yield from ((number, late(items[number])) for number in sorted(waiting))
            return
        if isinstance(told, BaseException):
            raise told
        waiting.discard(told[0])
        yield told


def _worker(
    todo: "queue.SimpleQueue[tuple[int, In]]", done: "queue.SimpleQueue[tuple[int, Out] | BaseException]", work: Callable[[In], Out]
) -> None:
    """Take items until there are none."""
    while True:
        try:
            number, item = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((number, work(item)))
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits, which raises it
            done.put(error)
