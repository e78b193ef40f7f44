"""Turns: a burst at once, then a rate, whatever was idle before."""

from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.adapters.aws.pace import Pace


class Clock:
    """Time that goes on when somebody sleeps, and as told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(st.lists(st.floats(min_value=0, max_value=2), min_size=30, max_size=80))
def test_no_second_has_more_turns_than_burst_and_rate(idle: list[float]) -> None:
    clock = Clock()
    pace = Pace(10, 5, lambda: clock.now, clock.sleep)
    turns = []
    for seconds in idle:
        clock.now += seconds / 40
        pace.turn()
        turns.append(clock.now)
    for moment in turns:
        assert sum(moment <= one < moment + 1 for one in turns) <= 5 + 10 + 1


def test_the_first_turns_wait_for_nothing_and_the_next_for_their_share() -> None:
    waits: list[float] = []
    pace = Pace(10, 3, lambda: 0.0, waits.append)
    for _ in range(5):
        pace.turn()
    assert [round(wait, 6) for wait in waits if wait > 0.001] == [0.1, 0.2]


def test_threads_share_the_turns() -> None:
    waits: list[float] = []
    pace = Pace(10, 4, lambda: 0.0, waits.append)
    threads = [Thread(target=pace.turn) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert round(max(waits), 6) == 1.6
