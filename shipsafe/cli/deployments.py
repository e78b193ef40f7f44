"""How what was deployed reaches whoever asked for it: files, standard output, and the summary of a step on GitHub."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.cli.screen import Screen
from shipsafe.reports.deployments import Told, write
from shipsafe.reports.github import SUMMARY_LIMIT


def tell_deployments(told: Told, files: Iterable[tuple[str, Path]], output: str, screen: Screen) -> None:
    """Write it to files, to standard output, and to the summary of the step, where there is one.

    Args:
        told: what is told.
        files: form and file of each report.
        output: the form of standard output.
        screen: takes text.

    Raises:
        IncompleteError: a file cannot be written.
    """
    for form, file in files:
        write_atomic(file.absolute(), write(told, form).encode())
    if output == "text":
        screen.say(write(told, output).removesuffix("\n"))
    else:
        sys.stdout.write(write(told, output))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with disk_errors(Path(summary)), Path(summary).open("ab") as step:
            step.write(write(told, "markdown").encode()[: max(0, SUMMARY_LIMIT - step.tell())])
