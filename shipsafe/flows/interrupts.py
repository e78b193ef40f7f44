"""SIGINT, SIGTERM and SIGHUP as something that one asks for, so that what was begun is taken back in order.

    with interrupts() as interrupted:
        while not interrupted(): ...

A second signal does not end it sooner: pipelines send SIGINT and a few seconds later SIGTERM, while an alias is on its way back. What is
ignored (SIGHUP under `nohup`) stays ignored. Outside of the main thread there are no signals to be had, and nothing interrupts.
"""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP


@contextmanager
def interrupts() -> Generator[Callable[[], str]]:
    """Gives what tells which signal came first, "" while none has."""
    came: list[str] = []

    def told() -> str:
        return came[0] if came else ""

    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)

    heard = [number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, note) for number in heard}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
