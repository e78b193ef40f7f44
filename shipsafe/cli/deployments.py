"""How what was deployed reaches whoever asked for it: files, standard output, and the summary of a step on GitHub."""

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.cli.chains import LOCAL
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
    marked = replace(told, remarks=(*told.remarks, LOCAL)) if screen.local else told  # of text every line says it
    for form, file in files:
        write_atomic(file.absolute(), write(marked, form).encode())
    if output == "text":
        screen.say(write(told, output).removesuffix("\n"))
    else:
        sys.stdout.write(write(marked, output))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with disk_errors(Path(summary)), Path(summary).open("ab") as step:
            step.write(write(marked, "markdown").encode()[: max(0, SUMMARY_LIMIT - step.tell())])
