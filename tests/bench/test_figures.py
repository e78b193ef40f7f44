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


def _ours(critical_path: float | None) -> Row:
    profile = None if critical_path is None else {"wall": 2.9, "cpu": 3.9, "critical_path": critical_path, "legs": []}
    return Row(project="p", contender="c", mode="cold", spent=Spent(wall=3, cpu=4, peak=0), profile=profile)


def test_overlap_is_measured_against_the_larger_bound() -> None:
    critical, processors = overlap("legs", _ours(2.5)), overlap("legs", _ours(1.0))
    assert (critical.got, critical.verdict) == (3.0 / 2.5, "reached")
    assert (processors.got, processors.verdict) == (3.0 / 2.0, "not reached")


def test_overlap_without_a_profile_is_not_measured() -> None:
    assert overlap("legs", _ours(None)).verdict == "not measured"
