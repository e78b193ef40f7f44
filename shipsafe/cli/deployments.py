"""How what was deployed reaches whoever asked for it: standard output, files, and the summary of a step on GitHub."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from shipsafe.cli.chains import LOCAL, tell
from shipsafe.cli.report_files import write_files
from shipsafe.cli.screen import Screen
from shipsafe.errors import ExitCode
from shipsafe.model.chain import Verification
from shipsafe.model.deployment import Ending
from shipsafe.model.verdict import Decision
from shipsafe.packing.publish import MANIFEST
from shipsafe.reports.deployments import Told, write

_LIVE = (Ending.DEPLOYED, Ending.UNCHANGED)


def tell_deployments(told: Told, files: Sequence[tuple[str, Path]], output: str, screen: Screen, release: Path | None = None) -> ExitCode:
    """Write it to standard output, to files, and to the summary of the step, where there is one; gives the exit code of the run.

    Args:
        told: what is told.
        files: form and file of each report.
        output: the form of standard output.
        screen: takes text.
        release: the folder of the release, where its evidence tells of these deployments.
    """
    return _told(told, told, files, output, screen, release)


def tell_refused(
    found: Verification, files: Sequence[tuple[str, Path]], output: str, screen: Screen, *, remarks: Sequence[str], quiet: bool,
    verbose: bool,
) -> ExitCode:  # fmt: skip
    """Tell what does not hold, where nothing was deployed for its sake; gives the exit code of the run.

    As text it is told chain by chain, or where that is too much its reasons; every other form lists the reasons.

    Args:
        found: what was looked at beforehand.
        files: form and file of each report.
        output: the form of standard output.
        screen: takes text.
        remarks: what else is to be said.
        quiet: of text, no chains.
        verbose: of text, also the links that hold.
    """
    told = Told(deployments=(), verdicts={}, verification=found, exit_code=found.exit_code, remarks=(*remarks, *found.complaints))
    if output != "text" or quiet:
        return _told(told, told, files, output, screen, None)
    tell(found, "text", (), local=screen.local, quiet=False, verbose=verbose)
    return _told(told, replace(told, remarks=remarks), files, output, screen, None)


def _told(
    told: Told, shown: Told, files: Sequence[tuple[str, Path]], output: str, screen: Screen, release: Path | None
) -> ExitCode:  # fmt: skip
    """Write to files what is `told`, and to standard output what is `shown`."""
    marked = replace(told, remarks=(*told.remarks, LOCAL)) if screen.local else told  # of text every line says it
    with suppress(BrokenPipeError):  # who reads no more (`| head`) changes nothing of what was done
        if output == "text":
            screen.say(write(shown, output).removesuffix("\n"))
        else:
            sys.stdout.write(write(marked, output))
    answered_for = told.exit_code is ExitCode.PASS and told.verification.verdict == Decision.OVERRIDDEN
    decision = Decision.OVERRIDDEN if answered_for else None
    manifest = release / MANIFEST if release else None
    live = [f"{one.function}:{one.alias}" if one.alias else one.function for one in told.deployments if one.ending in _LIVE]
    return write_files(
        partial(write, marked), files, told.exit_code, local=screen.local, decision=decision, manifest=manifest, functions=live
    )
