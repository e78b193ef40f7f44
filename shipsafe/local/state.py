"""`--state DIR`: what the endpoint holds, so that it is there again after a restart, or after the process was killed.

    cores.json  Signer, Lambda, CodeDeploy and CloudFormation, written anew after each call that changed them
    moto.jsonl  the requests that made moto's state (moto_log.py)
    bodies/     bodies of those requests and packages of functions, by digest
    lock        held by the one process that uses the folder

The client is answered after the state is on disk. No credentials are in it, but whatever else was sent: buckets, code, environment
variables. The folder is the user's alone.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock, Timeout

from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.local.asked import Answered, Asked
from shipsafe.local.call import Clock, Core
from shipsafe.local.kept_bodies import DiskBlobs
from shipsafe.local.moto_log import MotoLog

_FORMAT = 1
_YOUNGER = ("codedeploy", "cloudformation")  # cores that a folder of an older version need not have


class State:
    """A folder of state, held by this process until `close`."""

    def __init__(self, folder: Path) -> None:
        """Take the folder.

        Raises:
            ConfigError: another process has it.
            IncompleteError: the disk refuses.
        """
        self.folder = folder
        self._lock_file = FileLock(folder / "lock")
        with disk_errors(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._lock_file.acquire(timeout=0)
            except Timeout as error:
                raise ConfigError(f"Another endpoint uses the state in {folder}.", remedy="Stop it, or choose another folder.") from error
        self.blobs = DiskBlobs(folder / "bodies")
        self._cores: Mapping[str, Core] = {}
        self._clock = Clock()
        self._log: MotoLog | None = None
        self._written = b""
        self._moto_lock = Lock()  # moto's generator is one: requests come one after the other
        # Another one: a core that is asked for its snapshot may be waiting for moto.
        self._core_lock = Lock()

    def begin(self, cores: Mapping[str, Core], clock: Clock, *, send: Callable[[Asked], Answered], seed: Callable[[int], None]) -> int:
        """Take up what the folder holds; how many requests moto was sent for that.

        Raises:
            IncompleteError: it is damaged, or of another version.
        """
        self._cores, self._clock = cores, clock
        self._log = MotoLog(self.folder / "moto.jsonl", self.blobs, send=send, seed=seed)
        count = self._log.replay()
        path = self.folder / "cores.json"
        if path.exists():
            self._restore(path)
        return count

    def after_core(self) -> None:
        """Write down what the cores hold now, if it is not what is written.

        Raises:
            IncompleteError: the disk refuses.
        """
        with self._core_lock:
            snapshots = {name: core.snapshot() for name, core in self._cores.items()}
            moved = self._clock.moved.total_seconds()
            text = json.dumps({"format": _FORMAT, "moved": moved, "cores": snapshots}).encode()
            if text != self._written:
                write_atomic(self.folder / "cores.json", text)
                self._written = text

    def moto(self, asked: Asked, run: Callable[[Asked], Answered]) -> Answered:
        """Let moto answer, one request at a time, and keep what changed it.

        Raises:
            IncompleteError: the disk refuses.
        """
        with self._moto_lock:
            return self._log.run(asked) if self._log is not None else run(asked)

    def clear(self) -> None:
        """Forget moto's part; the cores' is written by the next `after_core`. Bodies stay: a function may still be using one."""
        with self._moto_lock:
            if self._log is not None:
                self._log.clear()

    def close(self) -> None:
        """Write down the last, and let go of the folder."""
        try:
            self.after_core()
        finally:
            self.release()

    def release(self) -> None:
        """Let go of the folder as it is."""
        self._lock_file.release()

    def _restore(self, path: Path) -> None:
        with disk_errors(path):
            text = path.read_bytes()
        try:
            value: Any = json.loads(text)
            snapshots = {name: value["cores"][name] for name in self._cores if name in value["cores"] or name not in _YOUNGER}
            known, moved = value["format"] == _FORMAT, timedelta(seconds=value["moved"])
        except (ValueError, KeyError, TypeError) as error:
            raise IncompleteError("The state is damaged.", remedy="Begin with an empty folder.", path=str(path)) from error
        if not known:
            raise IncompleteError("The state is of another version of shipsafe.", remedy="Begin with an empty folder.", path=str(path))
        for name, snapshot in snapshots.items():
            self._cores[name].restore(snapshot)
        self._clock.moved, self._written = moved, text
