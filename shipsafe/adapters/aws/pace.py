"""No more calls a second than a service takes: Lambda refuses what goes beyond, for everybody in the account and Region.

Source: "Lambda quotas": GetFunction 100 requests a second, all other control-plane calls together 15, which cannot be raised. botocore's
adaptive retries slow down only after the first refusal, which may have been somebody else's call.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Pace:
    """Turns for `rate` calls a second, after a first `burst` that need not wait. `clock` gives seconds that only go forward."""

    rate: float
    burst: int
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    _free: float = float("-inf")  # the moment from which a turn may be taken, as if the burst had been used up
    _lock: Lock = field(default_factory=Lock)

    def turn(self) -> None:
        """Wait for the next turn."""
        with self._lock:
            now = self.clock()
            self._free = max(self._free, now - self.burst / self.rate) + 1 / self.rate
            wait = self._free - now
        if wait > 0:
            self.sleep(wait)
