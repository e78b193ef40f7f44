"""Child processes: argument lists, no shell, a chosen environment, a time limit, and ended when we are."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from shipsafe.errors import ConfigError, IncompleteError

# What a child may see of our environment. Everything else (UV_*, PIP_*, PYTHON*, AWS_*, tokens) stays with us.
_KEPT = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
)
_GRACE = 3.0  # seconds between asking a child to end and ending it

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()
_ended = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a child left: its exit code and what it wrote, decoded as UTF-8 with replacement."""

    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    """The shape of `run`, for those who take it as an argument."""

    def __call__(self, argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900) -> Finished:
        """See `run`."""


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The few variables of ours that a child needs, and `extra` on top."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(extra or {})


def run(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900) -> Finished:
    """Run a program to its end in `cwd`, with a clean environment plus `env`, without standard input.

    Raises:
        IncompleteError: it could not be started, or ran for longer than `timeout` seconds.
    """
    with _signals_wait() as hear:
        child = _start(argv, cwd, env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            hear()
            stdout, stderr = _told(child, timeout)
        except subprocess.TimeoutExpired as error:
            _end(child)
            name = Path(argv[0]).name
            raise IncompleteError(f"{name} did not end within {timeout:.0f} s and was stopped.", remedy="Try again.") from error
        finally:
            if child.poll() is None:  # we are interrupted, and it is in a session of its own
                _end(child)
            for stream in (child.stdout, child.stderr):
                if stream is not None:
                    stream.close()
            with _lock:
                _running.discard(child)
    return Finished(returncode=child.returncode, stdout=stdout.decode(errors="replace"), stderr=stderr.decode(errors="replace"))


@contextmanager
def _signals_wait() -> Generator[Callable[[], None]]:
    """Signals that raise in us wait for a call of what this gives, at most to the end of the block.

    One that came after a child was started and before we know of it would leave it running for ever.
    """
    came: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: handler for number in (signal.SIGINT, signal.SIGTERM) if callable(handler := signal.getsignal(number))}

    def hear() -> None:
        while before:
            signal.signal(*before.popitem())
        while came:
            signal.raise_signal(came.pop(0))

    try:
        for number in tuple(before):
            signal.signal(number, lambda number, _frame: came.append(number))
        yield hear
    finally:
        hear()


def _told(child: subprocess.Popen[bytes], timeout: float) -> tuple[bytes, bytes]:
    """What a child writes until it ends. Who was stopped himself (Ctrl-Z) looks once more, for it may have ended in time.

    Raises:
        subprocess.TimeoutExpired: it goes on.
    """
    try:
        return child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        return child.communicate(timeout=_GRACE)


def start(argv: Sequence[str | Path], *, cwd: Path, stdin: int, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a program that stays, like `run` does: what it reads is the descriptor `stdin`, what it writes is lost, stderr is a pipe.

    `end_all` ends it; whoever starts it calls `stop` before that.

    Raises:
        IncompleteError: it could not be started.
    """
    with _signals_wait():
        return _start(argv, cwd, env, stdin=stdin, stdout=subprocess.DEVNULL)


def stop(child: subprocess.Popen[bytes]) -> str:
    """End a program that `start` started, with all that it started, and give what it wrote to stderr."""
    if child.poll() is None:
        _end(child)
    with _lock:
        _running.discard(child)
    if child.stderr is None:
        return ""
    with child.stderr:
        return child.stderr.read().decode(errors="replace")


def _start(argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None, *, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    name = Path(argv[0]).name
    with _lock:
        if _ended:
            raise IncompleteError(f"{name} was not started because the run is ending.")
        try:
            child = subprocess.Popen(
                [str(part) for part in argv],
                cwd=cwd,
                env=clean_environment(env),
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise IncompleteError(f"{name} could not be started: {error.strerror or error}.", remedy="Install shipsafe again.") from error
        _running.add(child)
    return child


def follow(argv: Sequence[str], *, env: Mapping[str, str]) -> int:
    """Run a command of the user's with our own input and output, and exactly `env`; its exit code, 128 and the number of a signal.

    SIGTERM and SIGHUP are passed on; so is SIGINT, unless a terminal has sent it to the command already.

    Raises:
        ConfigError: it cannot be started.
    """
    wait_for = [number for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None)) if number is not None]
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []  # signals that came while the command was being started, and may have printed already

    def forward(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and _in_foreground():
            return
        if children:
            children[0].send_signal(number)
        else:
            early.append(number)

    before = {number: signal.signal(number, forward) for number in wait_for}
    try:
        children.append(subprocess.Popen(list(argv), env=dict(env)))
        for number in early:
            children[0].send_signal(number)
        code = children[0].wait()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{argv[0]} could not be started: {error}.", remedy="Name a command that is installed.") from error
    finally:
        for number, old in before.items():
            signal.signal(number, old)
    return code if code >= 0 else 128 - code


def _in_foreground() -> bool:
    """Whether a terminal's Ctrl-C reaches us and what we started alike."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # no terminal, no standard input, or Windows
        return False


def end_all() -> None:
    """End every child that still runs, and let none start after that: for the moment of Ctrl-C."""
    global _ended  # noqa: PLW0603 - the process is ending; there is one of it
    with _lock:
        _ended = True
        children = list(_running)
    for child in children:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask a child and its whole group to end, then end them."""
    if not hasattr(os, "killpg"):  # Windows knows neither groups nor asking
        child.kill()
        child.wait(_GRACE)
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return
