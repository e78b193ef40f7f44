"""`shipsafe cache`: what is kept between runs, and how to be rid of it."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.kept import largest, size_of
from shipsafe.adapters.places import cache_dir
from shipsafe.flows import housekeeping

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _cache() -> None:
    """What earlier runs left for the next. It is safe to delete, and nothing in it is believed that this user's key did not seal."""


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Say where the cache is, how large it is, and what is in it."""
    folder, parts, most = cache_dir(), housekeeping.status(cache_dir()), largest()
    if as_json:
        document = {"folder": str(folder), "largest": most, "parts": [asdict(part) for part in parts]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    sys.stdout.write(f"{folder}\n")
    for part in parts:
        when = datetime.fromtimestamp(part.written, UTC).date().isoformat() if part.written is not None else "-"
        sys.stdout.write(f"  {part.name:<11}{_size(part.size):>10}  {part.entries:>7} entries  written {when:<10}  {part.holds}\n")
    total = sum(part.size for part in parts)
    sys.stdout.write(f"  {'together':<11}{_size(total):>10}  of at most {_size(most)} (SHIPSAFE_CACHE_SIZE)\n")


@app.command()
def prune(
    max_size: Annotated[
        str | None, typer.Option("--max-size", metavar="SIZE", help="500M or 2G; the limit of every run if not given.")
    ] = None,
    older_than: Annotated[
        int | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Also what was not used for so long.")
    ] = None,
) -> None:
    """Remove what was not used for longest."""
    most = largest() if max_size is None else size_of(max_size)
    freed = housekeeping.prune(cache_dir(), most=most, days=older_than)
    sys.stdout.write(f"{_size(freed)} freed\n")


@app.command()
def clear() -> None:
    """Remove everything that shipsafe keeps, the advisory snapshot too. What others put into the folder stays."""
    sys.stdout.write(f"{_size(housekeeping.clear(cache_dir()))} freed\n")


def _size(count: int) -> str:
    return f"{count / MEBIBYTE:.1f} MiB"
