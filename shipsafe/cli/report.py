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
