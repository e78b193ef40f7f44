"""What commands that talk to AWS print: lines, a plan, and a question before anything changes.

Against the local endpoint every line begins with LOCAL, so that nobody takes it for the real account.
"""

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from shipsafe.adapters.github_job import on_github
from shipsafe.errors import ConfigError
from shipsafe.reports.escape import clean

if TYPE_CHECKING:
    from rich.console import Console

MARK = "LOCAL "
_LIKE_A_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE")  # rich then writes as on a terminal, in the logs of many pipelines
_ENDLESS = 10_000  # columns
_HANG = 2  # columns that the rest of a broken line stands further in
_NARROWEST = 40
_GAP = re.compile(r"( {2,})")  # between the columns of a table


def is_terminal() -> bool:
    """Whether standard output is a terminal, or is to be taken for one."""
    return sys.stdout.isatty() or any(os.environ.get(name) for name in _LIKE_A_TERMINAL)


def is_watched() -> bool:
    """Whether somebody watches standard error on a terminal.

    The log of a workflow is none, though some runners give its steps one (act): what moves a picture about would stand before `::error`,
    which is a command at the beginning of a line alone.
    """
    return sys.stderr.isatty() and not on_github()


def console() -> "Console":
    """What prints in colour, as wide as the terminal is; in the log of a pipeline as wide as any line, so that none is wrapped or cut."""
    from rich.console import Console  # noqa: PLC0415 - 25 ms that only a terminal needs

    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if known else _ENDLESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Where lines go, and whether they are about the local endpoint."""

    local: bool
    stream: TextIO | None = None

    def say(self, text: str = "") -> None:
        """Print one or more lines, made safe for a terminal."""
        mark = MARK if self.local else ""
        stream = self.stream or sys.stdout
        for line in text.split("\n"):
            safe = "".join(part if _GAP.fullmatch(part) else clean(part) for part in _GAP.split(line))
            stream.write(f"{mark}{safe}".rstrip() + "\n")
        stream.flush()

    def confirm(self, plan: Iterable[str], *, yes: bool, dry_run: bool) -> bool:
        """Print a plan, and give whether to go on: never after `--dry-run`, always after `--yes`, else as a person says.

        Raises:
            ConfigError: there is nobody to ask.
        """
        for line in plan:
            for part in self._wrapped(line):
                self.say(part)
        if dry_run:
            self.say("Nothing was changed: --dry-run stops after the plan.")
            return False
        if yes:
            return True
        if not sys.stdin.isatty():
            raise ConfigError("Nothing was changed: there is no terminal to ask on.", remedy="Add --yes to go on without asking.")
        stream = self.stream or sys.stdout
        stream.write(f"{MARK if self.local else ''}Go on? [y/N] ")
        stream.flush()
        said = sys.stdin.readline().strip().lower() in ("y", "yes")
        if not said:
            self.say("Nothing was changed.")
        return said

    def _wrapped(self, line: str) -> list[str]:
        """A line of a plan: on a terminal broken between words, so that what it goes on with stands below it, further in."""
        if not (self.stream or sys.stdout).isatty():
            return [line]
        indent = " " * (len(line) - len(line.lstrip()) + _HANG)
        width = shutil.get_terminal_size().columns - len(MARK if self.local else "")
        return textwrap.wrap(line, max(width, _NARROWEST), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [
            line
        ]
