"""Targets say what is reached, and never say so of what was not measured."""

import pytest

from bench.figures import Row, at_most, overlap, times_faster
from bench.measure import Spent


def _row(wall: float | None) -> Row:
    return Row(project="p", contender="c", mode="cold", spent=None if wall is None else Spent(wall=wall, cpu=wall, peak=0))


@pytest.mark.parametrize(("got", "verdict"), [(0.9, "reached"), (1.0, "reached"), (1.01, "not reached"), (None, "not measured")])
def test_what_must_not_be_larger(got: float | None, verdict: str) -> None:
    assert at_most("size", 1.0, got, "s").verdict == verdict


@pytest.mark.parametrize(("slow", "verdict"), [(6.1, "reached"), (6.0, "reached"), (5.9, "not reached"), (None, "not measured")])
def test_what_must_be_so_many_times_faster(slow: float | None, verdict: str) -> None:
    assert times_faster("cold", 6, _row(slow), _row(1.0)).verdict == verdict


def test_overlap_is_measured_against_the_larger_bound() -> None:
    critical = overlap("legs", {"wall": 3.0, "cpu": 4.0, "critical_path": 2.5, "legs": []})
    assert (critical.got, critical.verdict) == (3.0 / 2.5, "reached")
    processors = overlap("legs", {"wall": 3.0, "cpu": 4.0, "critical_path": 1.0, "legs": []})
    assert (processors.got, processors.verdict) == (3.0 / 2.0, "not reached")


def test_overlap_without_a_profile_is_not_measured() -> None:
    assert overlap("legs", None).verdict == "not measured"
