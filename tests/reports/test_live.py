import io
import re
import threading

import pytest
from rich.console import Console

from shipsafe.model.outcome import State
from shipsafe.reports.live import Progress, live_progress, plain_progress, silent_progress


def tell(progress: Progress) -> None:
    with progress:
        progress.say("advisories \x1b[31mpulled\n::error::x")
        progress.start(["function:A", "layer:B"], ["lint"])
        progress.update("function:A", "stage", None)
        progress.update("function:A", "stage", State.ANSWERED, "12 files")
        progress.update("function:A", "lint", State.UNANSWERED, "broken\r\nfile")
        progress.update("layer:B", "lint", State.NOT_ASKED, "no code")
        progress.update("function:A", "pack", State.ANSWERED)


def test_without_a_terminal_every_subject_is_one_line() -> None:
    stream = io.StringIO()
    tell(plain_progress(stream))
    assert stream.getvalue().splitlines() == [
        "advisories pulled : :error::x",
        "1 of 2: function:A: stage 12 files, pack done, lint unanswered: broken file",
        "2 of 2: layer:B: not asked",
    ]


def test_a_log_gets_a_line_as_soon_as_all_is_known_and_nothing_of_what_found_nothing() -> None:
    stream = io.StringIO()
    progress = plain_progress(stream)
    progress.start(["function:A", "function:B"], ["lint", "sbom"], packs=False)
    for column, found in (("stage", "3 files"), ("lint", "0 findings"), ("sbom", "1 finding")):
        assert stream.getvalue() == ""
        progress.update("function:A", column, State.ANSWERED, found)
    assert stream.getvalue() == "1 of 2: function:A: stage 3 files, sbom 1 finding\n"
    progress.stop()
    progress.stop()
    assert stream.getvalue().count("\n") == 1, "of B nothing is known"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tell(silent_progress())
    assert capsys.readouterr() == ("", "")


def terminal(height: int = 30) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=100,
        height=height,
        force_terminal=True,
        force_interactive=True,
        color_system=None,
        legacy_windows=False,
        _environ={},
    )  # whatever TERM says
    return console, stream


def test_a_terminal_shows_a_table_and_gets_its_lines_back() -> None:
    console, stream = terminal()
    tell(live_progress(console))
    shown = stream.getvalue()
    for word in ("stage", "lint", "pack", "function:A", "layer:B", "12 files", "unanswered", "not asked"):
        assert word in shown
    assert re.search(r"1 of 2 done, \d+:\d\d\b", shown)
    assert "advisories pulled : :error::x" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1, "the cursor is back"
    assert shown.rstrip("\r\n").endswith("\x1b[2K"), "and the table is gone"


def test_an_interrupted_run_leaves_the_terminal_as_it_was() -> None:
    console, stream = terminal()

    def interrupted() -> None:
        with live_progress(console) as progress:
            progress.start(["function:A"], ["lint"], packs=False)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert stream.getvalue().count("\x1b[?25h") == 1
    assert "pack" not in stream.getvalue()


def test_in_a_low_terminal_what_is_being_worked_on_is_shown() -> None:
    console, stream = terminal(height=8)
    with live_progress(console) as progress:
        progress.start([f"function:F{each}" for each in range(50)], ["lint"])
        progress.update("function:F37", "stage", None)
    last = stream.getvalue().rpartition("stage")[2]
    assert "function:F37" in last
    assert last.count("function:") == 3
    assert "0 of 50 done" in last


@pytest.mark.parametrize("kind", ["plain", "live"])
def test_many_threads_may_tell_at_once(kind: str) -> None:
    console, stream = terminal()
    progress = plain_progress(stream) if kind == "plain" else live_progress(console)

    def work(number: int) -> None:
        for each in range(50):
            progress.update(f"function:F{number}", "lint", State.ANSWERED, f"{each} findings")

    with progress:
        progress.start([f"function:F{number}" for number in range(8)], ["lint"])
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if kind == "plain":
        lines = stream.getvalue().splitlines()
        assert sorted(line.partition(": ")[2] for line in lines) == [f"function:F{number}: lint 49 findings" for number in range(8)]
    else:
        assert "49 findings" in stream.getvalue()
