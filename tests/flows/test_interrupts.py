"""Signals while something is under way: noted, not obeyed, so that it is taken back in order."""

import os
import signal
import threading

import pytest

from shipsafe.flows.interrupts import interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_noted_and_the_first_one_counts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with interrupts() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupted() == number.name
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts() as interrupted:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupted()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_hears_nothing_and_fails_in_nothing() -> None:
    heard: list[str] = []

    def work() -> None:
        with interrupts() as interrupted:
            heard.append(interrupted())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [""]
