"""How much of several archives is held in memory at once."""

from threading import Lock


class Room:
    """How much is held in memory of members that are not yet written, over all archives that are being made."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._lock = Lock()

    def take(self, size: int, *, anyway: bool) -> bool:
        """Room for a member, if there is; `anyway` for one that nobody who holds room could be waited for."""
        with self._lock:
            if not anyway and self._held + size > self._most:
                return False
            self._held += size
            return True

    def give_back(self, size: int) -> None:
        """It has been written."""
        with self._lock:
            self._held -= size
