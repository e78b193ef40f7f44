"""The endpoint's time, which is the machine's, and never goes back with it."""

from datetime import UTC, datetime, timedelta

import pytest

from shipsafe.local import call
from shipsafe.local.call import Clock

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


class _Machine(datetime):
    """A machine whose clock is set back by 3 ms after its first answer."""

    told = iter((BEGIN, BEGIN - timedelta(milliseconds=3), BEGIN + timedelta(seconds=1)))

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        assert tz is UTC
        return next(cls.told)


def test_a_clock_that_is_set_back_stands_still_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(call, "datetime", _Machine)
    clock.moved += timedelta(hours=1)
    assert [clock.now() - timedelta(hours=1) for _ in range(3)] == [BEGIN, BEGIN, BEGIN + timedelta(seconds=1)]
