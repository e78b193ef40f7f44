"""Work that several threads want is done by one of them; the others wait for what it found."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class Once(Generic[Key, Value]):
    """Values by key, each made once. Where making one fails, whoever waited for it tries it himself and gets his own error."""

    _made: dict[Key, "Future[Value]"] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key; `make` is called in this thread when nobody has made it and nobody is about to.

        Raises:
            whatever `make` raises.
        """
        while True:
            mine: Future[Value] = Future()
            with self._lock:
                there = self._made.setdefault(key, mine)
            if there is mine:
                return self._make(key, mine, make)
            if there.exception() is None:  # waits
                return there.result()

    def forget(self, key: Key) -> None:
        """Let go of a value, so that the next who wants it makes it again."""
        with self._lock:
            self._made.pop(key, None)

    def _make(self, key: Key, mine: "Future[Value]", make: Callable[[], Value]) -> Value:
        try:
            value = make()
        except BaseException as error:
            self.forget(key)
            mine.set_exception(error)
            raise
        mine.set_result(value)
        return value
