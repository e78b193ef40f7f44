"""The files that a command which changes what runs leaves behind: reports, and on GitHub the summary and the outputs of its step."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.cli import github_output
from shipsafe.cli.screen import Screen
from shipsafe.errors import ExitCode, IncompleteError, gravest
from shipsafe.reports.github import SUMMARY_LIMIT


def write_files(
    write: Callable[[str], str], files: Sequence[tuple[str, Path]], ended: ExitCode, *, local: bool, decision: str | None = None,
    manifest: Path | None = None, functions: Sequence[str] = (),
) -> ExitCode:  # fmt: skip
    """Write them, after standard output has told what was done: a disk that is full does not hide that something went back.

    Args:
        write: gives the report in a form.
        files: form and file of each.
        ended: how the run itself ended.
        local: whether the local endpoint answered.
        decision: in its own word; None for that of `ended`.
        manifest: of the release that it is about, where it wrote one.
        functions: what went live, as `verify --function` takes it.

    Returns:
        How it ends with that: `ended`, or 4 where a file could not be written and that is graver.
    """
    try:
        for form, file in files:
            write_atomic(file.absolute(), write(form).encode())
        append_summary(lambda: write("markdown"))
        github_output.append_ended(ended, files, decision=decision, manifest=manifest, functions=functions)
    except IncompleteError as error:
        Screen(local=local, stream=sys.stderr).say(f"error: {error}")
        return gravest((ended, error.exit_code))
    return ended


def append_summary(markdown: Callable[[], str]) -> None:
    """Append to the summary of the step, where `GITHUB_STEP_SUMMARY` names one, as much as GitHub takes of it.

    Raises:
        IncompleteError: the file cannot be written.
    """
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with disk_errors(Path(summary)), Path(summary).open("ab") as step:
            step.write(markdown().encode()[: max(0, SUMMARY_LIMIT - step.tell())])
