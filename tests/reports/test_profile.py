"""Where the time went: the longest chain of work that had to wait for each other."""

import json

import pytest

from shipsafe.adapters.timeline import Leg, Timeline
from shipsafe.reports.profile import Profile, as_json, as_text, profile


def leg(name: str, subject: str, start: float, end: float, *, cached: bool = False) -> Leg:
    return Leg(name=name, subject=subject, start=start, end=end, cached=cached)


LEGS = [
    leg("start", "", 0.0, 0.2),
    leg("read", "", 0.2, 0.3),
    leg("stage", "function:A", 0.3, 0.5),
    leg("resolve", "function:A", 0.3, 0.4),
    leg("lint", "function:A", 0.5, 0.9),
    leg("sbom", "function:A", 0.5, 0.6, cached=True),
    leg("compress", "function:A", 0.5, 1.5),
    leg("seal", "function:A", 1.5, 1.6),
    leg("stage", "function:B", 0.3, 0.9),
    leg("lint", "function:B", 0.9, 1.0),
    leg("publish", "", 1.6, 1.8),
    leg("report", "", 1.8, 1.9),
]


def made(legs: list[Leg] | None = None) -> Profile:
    return profile(LEGS if legs is None else legs, wall=2.0, cpu=3.0, processors=2)


def test_the_critical_path_is_staging_the_slower_of_gates_and_compression_and_what_surrounds_them() -> None:
    names = [(one.name, one.subject) for one in made().critical_path()]
    assert names == [
        ("start", ""), ("read", ""), ("stage", "function:A"), ("compress", "function:A"), ("seal", "function:A"), ("publish", ""),
        ("report", ""),
    ]  # fmt: skip


def test_a_leg_without_a_subject_is_counted_once() -> None:
    assert [one.name for one in made(LEGS[:2]).critical_path()] == ["start", "read"]


def test_a_run_that_ended_before_it_began_has_a_profile() -> None:
    assert made([]).critical_path() == ()
    assert "critical path 0.00s" in as_text(made([]))


def test_the_page_for_people_says_what_was_cached() -> None:
    text = as_text(made())
    assert text.splitlines()[1].split() == ["start", "0.00s", "0.20s"]
    assert "sbom          function:A  yes" in text
    assert text.endswith("wall 2.00s, processor time 3.00s on 2 processors (75% busy)\n")


def test_the_page_for_programs_has_everything_in_seconds() -> None:
    document = json.loads(as_json(made()))
    assert document["critical_path"] == 1.9
    assert len(document["legs"]) == len(LEGS)
    assert document["legs"][0] == {"leg": "start", "subject": "", "start": 0.0, "end": 0.2, "cached": False}


def test_a_timeline_starts_with_what_was_done_before_it_was_there() -> None:
    now = iter((10.0, 10.5, 11.0, 12.0, 13.0))
    timeline = Timeline(clock=lambda: next(now))
    with timeline.leg("read") as read:
        read.cached = True
    assert [one.name for one in timeline.legs] == ["start", "read"]
    assert timeline.legs[1].seconds == 0.5
    assert timeline.legs[1].cached


def test_a_leg_that_fails_has_taken_its_time_too() -> None:
    timeline = Timeline()
    with pytest.raises(ZeroDivisionError), timeline.leg("read"):
        _ = 1 / 0
    assert timeline.legs[1].end >= timeline.legs[1].start
