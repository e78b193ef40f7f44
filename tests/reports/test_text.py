import io
from dataclasses import replace
from datetime import date

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from shipsafe.judge import judge
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision, Verdict
from shipsafe.reports import load
from shipsafe.reports.text import plain, screen
from tests.reports.sample import ARTIFACTS, DECISIONS, ORDERS, SHELL, UNAUDITED, record


def shown(run: RunRecord, width: int, *, quiet: bool = False, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)
    screen(run, console, quiet=quiet, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n"))


@pytest.mark.parametrize("decision", DECISIONS)
def test_plain_text_reads_like_this(decision: Decision, snapshot: SnapshotAssertion) -> None:
    assert load("text").write(record(decision)) == snapshot


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("decision", DECISIONS)
def test_a_terminal_shows_this(decision: Decision, width: int, snapshot: SnapshotAssertion) -> None:
    screen = shown(record(decision), width)
    assert max(len(line) for line in screen.split("\n")) <= width
    assert screen == snapshot


def test_verbose_leaves_nothing_out(snapshot: SnapshotAssertion) -> None:
    assert shown(record(Decision.FAIL), 100, verbose=True) == snapshot


def test_quiet_keeps_what_blocks_and_the_verdict(snapshot: SnapshotAssertion) -> None:
    assert shown(record(Decision.FAIL), 100, quiet=True) == snapshot
    assert plain(record(Decision.PASS), quiet=True).count("\n") == 1
    assert "The snapshot is 9 days old" in plain(record(Decision.INCOMPLETE), quiet=True)


def test_a_terminal_too_narrow_for_the_table_gets_lines_and_loses_no_word() -> None:
    screen = shown(record(Decision.FAIL), 40)
    assert "  dependencies: 1 critical, 1 high\n" in screen
    assert max(len(line) for line in screen.split("\n")) <= 40


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("verbose", [True, False])
@pytest.mark.parametrize("decision", DECISIONS)
def test_the_screen_and_the_text_say_the_same_words(decision: Decision, width: int, *, verbose: bool) -> None:
    def words(text: str) -> list[str]:
        return sorted("".join(text.split()))

    run = record(decision)
    assert words(shown(run, width, verbose=verbose)) == words(plain(run, verbose=verbose))


def test_a_console_that_is_no_terminal_gets_plain_lines_that_do_not_wrap() -> None:
    console = Console(file=io.StringIO(), width=20, force_terminal=False)
    screen(record(Decision.FAIL), console, quiet=False, verbose=False)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == plain(record(Decision.FAIL))


@pytest.mark.parametrize("decision", DECISIONS)
def test_the_last_line_is_the_verdict(decision: Decision) -> None:
    for text in (plain(record(decision)), plain(record(decision), quiet=True), shown(record(decision), 120)):
        last = text.rstrip("\n").split("\n")[-1]
        assert last.startswith(f"{decision}  ")
        assert last.endswith(f"exit {int(decision.exit_code)}")


def test_no_colour_is_written_where_none_is_wanted_and_markup_is_text() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, no_color=True, legacy_windows=False)
    evil = replace(SHELL, message="[red]not red[/red] [link=https://evil.example]x[/link] :bomb:")
    verdict = Verdict(decision=Decision.FAIL, blocking=(evil,))
    screen(RunRecord(command="check", project="p", verdict=verdict), console, quiet=False, verbose=False)
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert "[red]not red[/red] [link=https://evil.example]x[/link] :bomb:" in written
    assert "\x1b[31m" not in written
    assert "\x1b]8;" not in written


def test_a_finding_that_counts_in_spite_of_a_remark_in_the_code_says_so() -> None:
    strict = Verdict(decision=Decision.FAIL, blocking=(replace(SHELL, suppressed="# nosec B602 at line 40"),))
    text = plain(RunRecord(command="check", project="p", verdict=strict))
    assert "counts in spite of: # nosec B602 at line 40" in text


def test_hostile_text_neither_colours_nor_breaks_a_line_nor_commands_a_runner() -> None:
    for text in (plain(record(Decision.FAIL), verbose=True), shown(record(Decision.FAIL), 80, verbose=True)):
        assert "\x1b" not in text
        assert "\r" not in text
        assert "\u202e" not in text
        assert "##[" not in text
        assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


def test_the_same_finding_in_several_functions_is_shown_once_and_counted_each() -> None:
    text = plain(record(Decision.FAIL))
    assert text.count("sends credentials to another host") == 1
    assert f"in: {ORDERS}, layer:Common" in text
    assert "4 findings block (1 critical, 3 high) in 2 of 4 subjects." in text


def test_many_artifacts_take_a_line_each_and_all_their_digests_on_demand() -> None:
    artifact = ARTIFACTS[0]
    run = replace(record(Decision.PASS), artifacts=tuple(replace(artifact, path=f"F{number}.zip") for number in range(21)))
    line = f"  F20.zip, 1.4 MB, CodeSha256 {artifact.code_sha256}\n"
    assert line in plain(run)
    assert artifact.sha256 not in plain(run)
    assert plain(run, verbose=True).count(f"    sha256 {artifact.sha256}\n") == 21


def test_one_reason_for_many_unanswered_questions_is_said_once() -> None:
    outcomes = [Outcome.unanswered(gate, subject, "No lock.") for gate in ("lint", "package") for subject in (ORDERS, "layer:Common")]
    verdict = judge(Policy(path=None, digest=""), outcomes, date(2026, 11, 21))
    text = plain(RunRecord(command="check", project="p", verdict=verdict, outcomes=tuple(outcomes)), quiet=True)
    assert f"Unanswered (4)\n  lint, package for {ORDERS}, layer:Common: No lock.\n" in text


def test_a_finding_that_the_judge_takes_for_unanswered_keeps_its_place_and_its_remedy() -> None:
    outcome = Outcome.answered("dependencies", UNAUDITED.subject, [UNAUDITED])
    verdict = judge(Policy(path=None, digest=""), [outcome], date(2026, 11, 21))
    text = plain(RunRecord(command="check", project="p", verdict=verdict, outcomes=(outcome,)), quiet=True)
    assert text == (
        "Could not be looked at (1)\n"
        "\n"
        "MEDIUM  dependencies/unaudited  src/billing/uv.lock:88\n"
        "  acme-auth 1.0 came from an index other than PyPI, so nobody knows of advisories.\n"
        "  fix: Declare acme-* in first-party.\n"
        "  in: function:Shop.Billing\n"
        "\n"
        "INCOMPLETE  1 question is unanswered. exit 4\n"
    )
