"""Work side by side, and a deadline that nobody can hold up."""

from threading import Event

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.signing.watch import WORKERS, Watch, side_by_side


def _watch(clock: list[float], ends: float, slept: list[float] | None = None) -> Watch:
    return Watch(clock=lambda: clock[0], sleep=(slept if slept is not None else []).append, jitter=lambda: 0.5, ends=ends)


def test_every_item_is_worked_on_and_told_with_its_number() -> None:
    assert dict(side_by_side(range(200), lambda item: item * 2)) == {number: number * 2 for number in range(200)}
    assert list(side_by_side([], str)) == []


def test_as_many_are_worked_on_at_once_as_there_are_workers() -> None:
    """Each waits until all have begun: with fewer threads this would never end."""
    begun: list[int] = []
    all_begun = Event()

    def work(item: int) -> bool:
        begun.append(item)
        if len(begun) == WORKERS:
            all_begun.set()
        return all_begun.wait(300)

    assert all(result for _, result in side_by_side(range(WORKERS), work))


def test_a_fault_of_our_own_is_not_swallowed() -> None:
    def work(item: int) -> int:
        return 1 // item

    with pytest.raises(ZeroDivisionError):
        list(side_by_side([1, 0], work))


def test_what_never_answers_is_left_behind_after_the_deadline() -> None:
    clock, stuck = [0.0], Event()

    def work(item: str) -> str:
        if item == "stuck":
            clock[0] = 1_000.0
            stuck.wait(300)
        return item

    found = dict(side_by_side(["quick", "stuck"], work, watch=_watch(clock, 60), late=lambda item: f"{item}: too late"))
    stuck.set()

    assert found == {0: "quick", 1: "stuck: too late"}


def test_a_pause_has_jitter_and_ends_with_the_deadline() -> None:
    slept: list[float] = []
    clock = [0.0]
    watch = _watch(clock, 10, slept)
    watch.pause(4)
    clock[0] = 9
    watch.pause(4)
    clock[0] = 11
    watch.pause(4)
    assert slept == [4.0, 1.0, 0.0]
    least = Watch(clock=lambda: 0.0, sleep=slept.append, jitter=lambda: 0.0, ends=100)
    most = Watch(clock=lambda: 0.0, sleep=slept.append, jitter=lambda: 1.0, ends=100)
    least.pause(4)
    most.pause(4)
    assert slept[3:] == [3.0, 5.0]


def test_nothing_is_begun_after_the_deadline() -> None:
    clock = [0.0]
    watch = _watch(clock, 10)
    watch.check()
    clock[0] = 10
    with pytest.raises(IncompleteError, match="The time for signing is over"):
        watch.check()
