"""What a plan looks like on a terminal."""

import os
from io import StringIO

import pytest

from shipsafe.cli.screen import Screen

_STEP = "  UpdateFunctionCode  S3Bucket=orders-dev S3Key=signed/0e1131ebcaf5.../cd7687c8....zip RevisionId=7ce7a4e4..."


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_line_of_a_plan_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((60, 24)))
    screen = _Terminal()
    assert Screen(local=True, stream=screen).confirm([_STEP, ""], yes=True, dry_run=False)
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    assert lines == [
        "LOCAL   UpdateFunctionCode  S3Bucket=orders-dev",
        "LOCAL     S3Key=signed/0e1131ebcaf5.../cd7687c8....zip",
        "LOCAL     RevisionId=7ce7a4e4...",
        "LOCAL",
    ]


def test_a_log_gets_whole_lines() -> None:
    log = StringIO()
    assert Screen(local=False, stream=log).confirm([_STEP], yes=True, dry_run=False)
    assert log.getvalue() == f"{_STEP}\n"
