"""How what was deployed reaches whoever asked for it: standard output, files, and the summary of a step on GitHub."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from shipsafe.cli.chains import LOCAL
from shipsafe.cli.report_files import write_files
from shipsafe.cli.screen import Screen
from shipsafe.errors import ExitCode
from shipsafe.reports.deployments import Told, write


def tell_deployments(told: Told, files: Iterable[tuple[str, Path]], output: str, screen: Screen) -> ExitCode:
    """Write it to standard output, to files, and to the summary of the step, where there is one; gives the exit code of the run.

    Args:
        told: what is told.
        files: form and file of each report.
        output: the form of standard output.
        screen: takes text.
    """
    marked = replace(told, remarks=(*told.remarks, LOCAL)) if screen.local else told  # of text every line says it
    with suppress(BrokenPipeError):  # who reads no more (`| head`) changes nothing of what was done
        if output == "text":
            screen.say(write(told, output).removesuffix("\n"))
        else:
            sys.stdout.write(write(marked, output))
    return write_files(partial(write, marked), files, told.exit_code, local=screen.local)
