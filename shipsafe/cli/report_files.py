"""The files that a command which changes what runs leaves behind: reports, and the summary of a step on GitHub."""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.cli.screen import Screen
from shipsafe.errors import ExitCode, IncompleteError, gravest
from shipsafe.reports.github import SUMMARY_LIMIT


def write_files(write: Callable[[str], str], files: Iterable[tuple[str, Path]], ended: ExitCode, *, local: bool) -> ExitCode:
    """Write them, after standard output has told what was done: a disk that is full does not hide that something went back.

    Args:
        write: gives the report in a form.
        files: form and file of each.
        ended: how the run itself ended.
        local: whether the local endpoint answered.

    Returns:
        How it ends with that: `ended`, or 4 where a file could not be written and that is graver.
    """
    try:
        for form, file in files:
            write_atomic(file.absolute(), write(form).encode())
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with disk_errors(Path(summary)), Path(summary).open("ab") as step:
                step.write(write("markdown").encode()[: max(0, SUMMARY_LIMIT - step.tell())])
    except IncompleteError as error:
        Screen(local=local, stream=sys.stderr).say(f"error: {error}")
        return gravest((ended, error.exit_code))
    return ended
