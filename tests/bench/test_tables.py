"""Tables show what was measured, mark what was scaled, and can be joined from parts."""

from dataclasses import replace

import pytest

from bench.figures import Part, Results, Row, Target
from bench.measure import BenchError, Spent
from bench.tables import as_json, from_json, join, legs_table, markdown, rows_table, targets_table, text

_PROFILE = {
    "wall": 2.0,
    "cpu": 3.0,
    "critical_path": 1.75,
    "critical_legs": [["read", ""], ["install", "set:1"]],
    "legs": [
        {"leg": "lint", "subject": "function:B", "start": 1.0, "end": 1.5, "cached": True},
        {"leg": "install", "subject": "set:1", "start": 0.25, "end": 1.0, "cached": False},
        {"leg": "lint", "subject": "function:A", "start": 0.5, "end": 0.75, "cached": False},
    ],
}
_OURS = Row(
    project="orders", contender="shipsafe build", mode="cold", spent=Spent(wall=2, cpu=3, peak=150_000_000), runs=3, profile=_PROFILE
)
_USUAL = Row(
    project="orders", contender="usual chain", mode="cold", spent=Spent(wall=30, cpu=20, peak=90_000_000), note="extrapolated from 2 of 50"
)
_WARM = Row(project="orders", contender="shipsafe build", mode="nothing changed", spent=Spent(wall=0.05, cpu=0.04, peak=1_000_000))
_SAM = Row(project="orders", contender="sam build", mode="cold", spent=None, runs=0, note="could not be installed: no room")
_FAST = Target(what="orders, cold", goal=6, got=15.0, unit="times", at_least=True)
_SLOW = Target(what="orders, warm", goal=0.4, got=0.5, unit="s")
_PART = Part(name="orders", rows=[_USUAL, _SAM, _OURS, _WARM], targets=[_FAST, _SLOW], facts={"date": "2026-11-21", "rounds": "1"})
_RESULTS = Results(machine={"cores": "2"}, versions={"uv": "uv 0.13.8"}, parts=[_PART])


def test_a_row_says_how_many_times_faster_our_cold_run_is() -> None:
    by_name = {(row[1], row[2]): row for row in rows_table(_RESULTS.rows)}
    assert by_name["usual chain", "cold"][3:] == ("30.00 s", "20.00 s", "90 MB", "1", "15.0 x faster", "extrapolated from 2 of 50")
    assert by_name["shipsafe build", "cold"][3:] == ("2.00 s", "3.00 s", "150 MB", "3", "", "")


def test_what_was_not_measured_has_no_figures_but_a_reason() -> None:
    assert rows_table([_SAM])[1][3:] == ("-", "-", "-", "0", "", "could not be installed: no room")


def test_memory_of_a_run_that_is_shorter_than_the_samples_is_not_shown() -> None:
    assert rows_table([_WARM])[1][3:6] == ("50 ms", "40 ms", "-")


def test_targets_stand_beside_what_was_measured() -> None:
    assert targets_table(_RESULTS.targets)[1:] == [
        ("orders, cold", "at least 6 times", "15 times", "reached", ""),
        ("orders, warm", "at most 0.40 s", "0.50 s", "not reached", ""),
    ]


def test_legs_of_one_name_are_one_line_in_the_order_in_which_they_began() -> None:
    assert legs_table(_PROFILE)[1:] == [
        ("install", "1", "0", "0.25 s", "1.00 s", "0.75 s"),
        ("lint", "2", "1", "0.50 s", "1.50 s", "0.75 s"),
    ]


def test_the_page_counts_what_is_reached_and_shows_where_the_time_went() -> None:
    page = markdown(_RESULTS, command="uv run bench/build.py", chart="bench.svg")
    assert "1 of 2 are reached." in page
    assert "![Wall time of each contender](bench.svg)" in page
    assert "| install | 1 | 0 | 0.25 s | 1.00 s | 0.75 s |" in page
    assert "wall 2.00 s, cpu 3.00 s, critical path 1.75 s. Critical path: read, install of set:1." in page
    assert "| orders | 2026-11-21 | 1 |" in page


def test_a_part_that_failed_is_told_and_its_paths_stay_out_of_the_page() -> None:
    failed = replace(_RESULTS, parts=[Part(name="heavy", failure="/home/somebody/uv ended with 2")])
    assert "heavy could not be measured to its end: /home/somebody/uv ended with 2" in text(failed.parts)
    page = markdown(failed, command="", chart=None)
    assert "`heavy` could not be measured to its end." in page
    assert "somebody" not in page


def test_a_pipe_in_a_remark_does_not_break_the_page() -> None:
    page = markdown(replace(_RESULTS, parts=[replace(_PART, rows=[replace(_SAM, note="a|b\nc")])]), command="", chart=None)
    assert r"a\|b c" in page


def test_json_gives_back_what_was_written() -> None:
    again = from_json(as_json(_RESULTS))
    assert as_json(again) == as_json(_RESULTS)
    assert again.targets[1].verdict == "not reached"
    assert again.rows[2].spent == _OURS.spent


def test_parts_are_joined_in_order_and_the_last_of_a_name_counts() -> None:
    heavy = replace(_RESULTS, parts=[Part(name="heavy", rows=[_OURS])])
    later = replace(_RESULTS, parts=[replace(_PART, rows=[_WARM])])
    joined = join([heavy, _RESULTS, later], ["orders", "heavy", "fifty"])
    assert [part.name for part in joined.parts] == ["orders", "heavy"]
    assert joined.parts[0].rows == [_WARM]


@pytest.mark.parametrize("change", [{"machine": {"cores": "64"}}, {"versions": {"uv": "uv 0.14.0"}}, {"versions": {}}])
def test_results_of_other_machines_or_versions_are_not_joined(change: dict[str, dict[str, str]]) -> None:
    other = Results(machine=change.get("machine", {"cores": "2"}), versions=change.get("versions", {"uv": "uv 0.13.8"}))
    with pytest.raises(BenchError, match=r"(cores|uv) differ"):
        join([_RESULTS, other], ["orders"])
