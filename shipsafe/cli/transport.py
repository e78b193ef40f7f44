"""`shipsafe transport`: hand a folder from one job to another, through a bucket or another folder, compared byte for byte."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shipsafe.cli import github_output, options
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.packing.parcel import items_of
from shipsafe.reports.layout import size
from shipsafe.reports.tally import count

if TYPE_CHECKING:
    from shipsafe.flows.transport_places import Place

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_Place = Annotated[str, typer.Argument(metavar="PLACE", help="s3://bucket/prefix of this run's own, or a folder that both jobs see.")]
_Owner = Annotated[
    str | None,
    typer.Option("--expected-owner", metavar="ACCOUNT", help="The account of the bucket, where it is not that of the credentials."),
]


@app.callback()
def _transport() -> None:
    """Hand a folder from one job to another, where there are no artifacts of GitHub."""


@app.command()
def put(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What is handed over, all files of it.")],
    place: _Place,
    *,
    expected_owner: _Owner = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
) -> int:
    """Hand a folder over, and print the digest of the list of its files.

    Nothing is written over: what lies at the place already is the same, or the run ends with 5. Links are refused. In a job on GitHub the
    step has the output `digest`, which travels another way than the files: `get --digest` compares.
    """
    from shipsafe.flows import transport  # noqa: PLC0415 - the help needs none of it

    items = items_of(folder)
    to = _open(place, expected_owner)
    screen = Screen(local=to.local)
    plan = [f"hand over {folder}: {count(len(items), 'file')}, {size(sum(one.size for one in items))}", f"  to {to.shown}"]
    if not screen.confirm(plan, yes=yes, dry_run=dry_run):
        return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
    done = transport.put(folder, items, to)
    screen.say(f"{done.digest}{' lay there already' if done.again else ''}")
    github_output.append({"digest": done.digest})
    return ExitCode.PASS


@app.command()
def get(
    place: _Place,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where it goes: a new folder, or an empty one.")],
    *,
    digest: Annotated[
        str | None, typer.Option("--digest", metavar="sha256:HEX", help="What `put` printed; another folder is refused.")
    ] = None,
    expected_owner: _Owner = None,
) -> int:
    """Take what was handed over, each file compared with the list, and the list with --digest.

    The folder is there whole, or not at all. Exit 3 where nothing was handed over, 5 where it is another one.
    """
    from shipsafe.flows import transport  # noqa: PLC0415 - likewise

    if digest is not None and not _DIGEST.fullmatch(digest):
        raise ConfigError(f"--digest {digest[:80]!r} is not of the form sha256:HEX, with 64 digits.", remedy="Give what `put` printed.")
    source = _open(place, expected_owner)
    done = transport.get(source, folder, digest=digest)
    Screen(local=source.local).say(f"{folder}: {count(len(done.items), 'file')}, {size(done.size)}, {done.digest}")
    return ExitCode.PASS


def _open(place: str, owner: str | None) -> "Place":
    from shipsafe.flows.transport_places import open_place  # noqa: PLC0415 - the help needs none of it

    if owner is not None and not _ACCOUNT.fullmatch(owner):
        raise ConfigError(f"--expected-owner {owner[:80]!r} is no account of AWS.", remedy="Give its twelve digits.")
    return open_place(place, owner=owner)
