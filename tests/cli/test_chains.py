"""What `verify` prints as text, on a terminal and in the log of a pipeline that asks for colours."""

import re

import pytest

from shipsafe.cli.chains import tell
from tests.reports.chains.sample import SAMPLES, SBOM

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def test_colours_in_a_log_cut_no_line_and_wrap_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tell(SAMPLES["broken"], "text", (), quiet=False, verbose=False, local=True)
    plain = capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    tell(SAMPLES["broken"], "text", (), quiet=False, verbose=False, local=True)
    coloured = capsys.readouterr().out
    assert "\x1b[" in coloured
    words = [line.split() for line in _ANSI.sub("", coloured).splitlines()]
    assert words == [line.split() for line in plain.splitlines()]


def test_against_the_local_endpoint_every_line_says_so_and_keeps_to_the_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    tell(SAMPLES["broken"], "text", (), quiet=False, verbose=False, local=True)
    lines = _ANSI.sub("", capsys.readouterr().out).splitlines()
    assert all(line.startswith("LOCAL") and len(line) <= 80 for line in lines)
    assert SBOM.found in "".join(line.removeprefix("LOCAL").strip() for line in lines)


def test_an_environment_that_is_no_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    tell(SAMPLES["held"], "text", (), quiet=False, verbose=True, local=True)
    out = capsys.readouterr().out
    assert "\x1b[" not in out
    assert all(line.startswith("LOCAL") for line in out.splitlines())
