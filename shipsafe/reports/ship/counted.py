"""What the gates tell of their progress, as one short remark: `3 of 8 done, staging function:Orders`."""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from shipsafe.model.outcome import State


class Counted:
    """A `Progress` that says in one line how far all subjects are, when that changes."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._columns: frozenset[str] = frozenset()
        self._left: dict[str, set[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, subjects: Sequence[str], gates: Sequence[str], *, packs: bool = True) -> None:
        """As `Progress`."""
        columns = {"stage", *gates} | ({"pack"} if packs else set())
        self._left = {subject: set(columns) for subject in subjects}
        self._say(f"{len(subjects)} to look at")

    def update(self, subject: str, column: str, state: State | None, detail: str = "") -> None:  # noqa: ARG002 - as `Progress` has it
        """As `Progress`."""
        with self._lock:
            left = self._left.get(subject)
            if state is None or not left or column not in left:
                return
            left.discard(column)
            if left:
                return
            done = sum(not one for one in self._left.values())
        self._say(f"{done} of {len(self._left)}: {subject}")

    def say(self, text: str) -> None:
        """As `Progress`."""
        self._say(text)

    def stop(self) -> None:
        """As `Progress`."""
