"""A process that has imported what it needs once, and answers every question in a copy of itself.

Starting Python and importing bandit takes ten times longer than linting a small function. So one process imports it, and forks
for each question: the copy begins with everything imported and nothing asked yet, so no question can leave anything behind for
the next one, and a copy that crashes takes nothing with it. Source: the "fork server" of
https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods, which inherits our environment and unpickles.

    SERVER = ForkServer([sys.executable, "-P", "-m", "child"], name="child")   # here; the process starts at the first question
    SERVER.ask({"files": []}, timeout=60)
    serve(answer)                                                               # in child.py: answer(question) -> JSON value

Windows cannot fork: there every question has a process of its own, which reads it from a file and writes its answer to another.

On the wire: the server's standard input is a socket. For each question it is sent the seconds that the copy may take, one end of
a pair of sockets (a question as JSON, then an answer as a line of JSON) and the end of a pipe that becomes the copy's stderr. It
says one byte when it has them. Whoever sees the end of the answer without the end of its line knows that the copy died.
"""

import atexit
import gc
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.process import run, start, stop
from shipsafe.errors import IncompleteError

_TIME = struct.Struct("d")
_GRACE = 30.0  # seconds beyond its limit after which a copy, which the kernel should have ended, is given up
_STARTUP = 300.0  # seconds for all imports; that it has died is seen at once
_FAREWELL = 30.0  # seconds for a process that has answered to count the time that its copies took, and to end;
_NEVER_ASKED = 1.0  # for one that may still be importing
_LARGEST = 64 * MEBIBYTE  # bytes of an answer
_PART = 256 * 1024  # bytes that are read at a time
_TOO_LARGE = f"its answer is larger than {_LARGEST // MEBIBYTE} MiB"
_KILLED = "it was killed, as happens when memory or the stack runs out"


class LostError(IncompleteError):
    """A question ended the copy that was to answer it; there is nothing wrong with the process."""


class ForkServer:
    """Our end: starts the process when it is needed, any number of threads may ask, at most `copies` are answered at a time.

    The process ends with `close`, with `process.end_all`, at the exit of ours, and by itself when we are gone.

    Args:
        argv: how the process is started.
        name: what people call it.
        remedy: what to do when it has no answer.
        copies: how many; one for each processor unless given.
        forks: whether the system can fork.
    """

    def __init__(
        self, argv: Sequence[str | Path], *, name: str, remedy: str = "", copies: int | None = None, forks: bool = hasattr(os, "fork")
    ) -> None:
        self._argv = tuple(argv)
        self._forks = forks
        self._name = name
        self._remedy = remedy
        self._slots = BoundedSemaphore(copies or os.cpu_count() or 1)
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._asked = False

    def start(self) -> None:
        """Start the process without waiting for it, so that its imports take place beside other work."""
        if self._forks:
            with self._lock, suppress(IncompleteError):  # the first question will say so
                self._started()

    def ask(self, question: object, *, timeout: float) -> Any:
        """The answer, as JSON has it.

        Raises:
            IncompleteError: the process did not start, or the copy took longer than `timeout` seconds.
            LostError: the copy raised (the last line of its traceback is the reason), was killed, or said too much.
        """
        asked = json.dumps(question, default=str).encode()
        with self._slots:
            if not self._forks:
                return self._ask_once(asked, timeout)
            begun = time.monotonic()
            ours, theirs = socket.socketpair()
            heard, said = os.pipe()
            os.set_blocking(said, False)  # a copy that says a lot does not wait for us to read it
            with ours, open(heard, "rb") as complaint:  # noqa: PTH123 - a descriptor, not a path
                try:
                    self._hand_over(timeout, theirs.fileno(), said)
                finally:
                    theirs.close()
                    os.close(said)
                ours.settimeout(timeout + _GRACE)
                answer = _exchange(ours, asked)
                if len(answer) > _LARGEST:
                    raise self._error(_TOO_LARGE, LostError)
                if answer.endswith(b"\n"):
                    return json.loads(answer)
                if time.monotonic() - begun >= timeout:
                    raise self._error(f"it did not end within {timeout:.0f} s and was stopped")
                raise self._error(_last_line(complaint.read().decode(errors="replace")) or _KILLED, LostError)

    def close(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._stop()

    def _ask_once(self, asked: bytes, timeout: float) -> Any:
        """The answer of a process that answers this one question."""
        with tempfile.TemporaryDirectory(prefix="shipsafe-") as folder:
            question, answer = Path(folder) / "question.json", Path(folder) / "answer.json"
            question.write_bytes(asked)
            finished = run([*self._argv, question, answer], cwd=Path(folder), timeout=timeout)
            if finished.returncode != 0 or not answer.exists():
                raise self._error(_last_line(finished.stderr) or _KILLED, LostError)
            if answer.stat().st_size > _LARGEST:
                raise self._error(_TOO_LARGE, LostError)
            return json.loads(answer.read_bytes())

    def _hand_over(self, timeout: float, *descriptors: int) -> None:
        """Have a copy made that has these descriptors."""
        with self._lock:
            cause = ""
            for _ in range(2):  # an idle process may have been ended by somebody else (out of memory): then by another, once
                control = self._started()
                try:
                    socket.send_fds(control, [_TIME.pack(timeout)], descriptors)
                    if control.recv(1):
                        self._asked = True
                        return
                except OSError as error:
                    cause = f"{error}"
                cause = self._stop() or cause
        raise self._error(cause or _KILLED)

    def _started(self) -> socket.socket:
        if self._process is not None and self._control is not None and self._process.poll() is None:
            return self._control
        self._stop()
        ours, theirs = socket.socketpair()
        ours.settimeout(_STARTUP)
        with theirs:
            try:
                self._process = start(self._argv, cwd=Path(os.sep), stdin=theirs.fileno())
            except IncompleteError:
                ours.close()
                raise
        self._control = ours
        atexit.register(self.close)
        return ours

    def _stop(self) -> str:
        """End the process, and say why it ended if it did so by itself."""
        atexit.unregister(self.close)
        if self._control is not None:
            self._control.close()
        process, self._process, self._control = self._process, None, None
        patience, self._asked = _FAREWELL if self._asked else _NEVER_ASKED, False
        if process is None:
            return ""
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        return _last_line(stop(process)) or f"code {process.returncode}"

    def _error(self, cause: str, kind: type[IncompleteError] = IncompleteError) -> IncompleteError:
        return kind(f"{self._name} ended without an answer: {cause.rstrip('.')}.", remedy=self._remedy)


def _exchange(ours: socket.socket, question: bytes) -> bytes:
    """Send the question and read until the other end is closed, which the end of its process does too."""
    answer = bytearray()
    # It ended without reading or writing everything; or the kernel cannot end it when its time is up, as on a disk that is gone.
    with suppress(ConnectionError, TimeoutError):
        ours.sendall(question)
        ours.shutdown(socket.SHUT_WR)
        while len(answer) <= _LARGEST and (part := ours.recv(_PART)):
            answer += part
    return bytes(answer)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def serve(answer: Callable[[Any], object]) -> None:
    """The other end: answer every question that comes through standard input, until that is closed; or the one in a file."""
    if len(sys.argv) > 1:
        asked, told = map(Path, sys.argv[1:])
        told.write_text(json.dumps(answer(json.loads(asked.read_bytes()))), encoding="utf-8")
        return
    connection = _wait()
    with connection.makefile("rb") as questions:
        question = json.loads(questions.read())
    connection.sendall(json.dumps(answer(question)).encode() + b"\n")
    os._exit(0)  # a copy has nothing to tidy up


def _wait() -> socket.socket:
    """Make a copy for every question; only copies return, with the socket to talk to. What a copy raises ends that copy."""
    gc.collect()
    gc.freeze()  # the collector leaves alone what was imported, so those pages stay shared
    with socket.socket(fileno=0) as control:
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, _TIME.size, 2)
            _bury()
            if not message:
                _end()
            if os.fork() == 0:
                break
            for descriptor in descriptors:
                os.close(descriptor)
            control.sendall(b"\1")
    # Ended by the kernel, because code in C does not look at the clock: a pattern can take hours.
    signal.setitimer(signal.ITIMER_REAL, _TIME.unpack(message)[0])
    os.open(os.devnull, os.O_RDONLY)  # becomes 0, which was the socket
    talk, stderr = descriptors
    os.dup2(stderr, 2)
    os.close(stderr)
    return socket.socket(fileno=talk)


def _end() -> None:
    """End, and what still works ends too, because nobody waits for its answer."""
    for _ in range(400):
        if not _bury():
            os._exit(0)
        time.sleep(0.005)  # a copy that has answered may still be ending, on a busy machine for a while
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _bury() -> bool:
    """Take note of copies that have ended, so that the time they took is counted as ours; whether others are still at work."""
    with suppress(ChildProcessError):  # there is none
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False
