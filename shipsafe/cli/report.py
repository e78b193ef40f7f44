"""`shipsafe report show FILE`: a JSON report, rendered again in any format."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.cli import options, run
from shipsafe.errors import ConfigError
from shipsafe.reports import names
from shipsafe.reports.json_report import read

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _report() -> None:
    """Work with reports of earlier runs."""


@app.command()
def collect(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="What each share left: its report.json, and its output.")],
    *,
    project: Annotated[Path, typer.Option("--project", metavar="PATH", help="The project's folder, or its template.")] = Path(),
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where what passed goes.")] = Path("dist"),
    policy: options.PolicyFile = None,
    parameter_overrides: options.Parameters = None,
    function: options.Functions = None,
    prebuilt: options.Prebuilt = None,
    vex: options.Vex = None,
    key: options.Keys = None,
    fail_on: options.FailOn = None,
    baseline: options.Baseline = None,
    output: options.Format = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Join the shares of `build --shard K/N` into one release and one report, as one machine would have made them.

    Give it the options that the shares were built with, in a checkout of the same commit. The verdict is made anew from all answers,
    under the policy that lies here; every byte is compared with its digest. What is stated about the artifacts is stated here, anew, and
    signed with --key.
    """
    request = run.request(
        project, policy=policy, overrides=parameter_overrides, functions=function, vex=vex, prebuilt=prebuilt, offline=False,
        jobs=None, out=out, fail_on=fail_on, baseline=baseline, keys=key)  # fmt: skip
    return run.join(request, folders, output=output, reports=report, quiet=quiet, verbose=verbose)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A report that `--report json=FILE` or `--format json` wrote.")],
    *,
    output: options.Format = "text",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Render a JSON report again, in any format. The exit code says whether it could be read, not what it says."""
    options.known_format(output, names())
    try:
        text = read_bounded(file, limit=100 * MEBIBYTE).decode()
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Name a report that shipsafe wrote.", path=str(file)) from error
    run.show(read(text, path=str(file)), output, quiet=quiet, verbose=verbose)
    sys.stdout.flush()
