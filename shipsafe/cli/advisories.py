"""`shipsafe advisories`: pull the snapshot, say how old it is, show a record."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.places import cache_dir
from shipsafe.advisories import records, snapshot
from shipsafe.cli import github_output, options
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.flows.targets import policy_of
from shipsafe.model.policy import AdvisorySource
from shipsafe.reports.escape import clean

_ASKED = {
    AdvisorySource.FOLDER: "a folder or zip of records",
    AdvisorySource.PYPI: "pip-audit's service `pypi`",
    AdvisorySource.OSV: "pip-audit's service `osv`",
}
app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _advisories() -> None:
    """The OSV advisories for PyPI, kept in your cache folder."""


def _now() -> datetime:
    return datetime.now(UTC)


@app.command()
def pull(
    source: Annotated[str | None, typer.Option("--from", metavar="URL|FILE", help="Instead of OSV's export for PyPI.")] = None,
    *,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FILE", help="Keep the zip that was pulled, so that other machines take the same.")
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--for", metavar="PATH", help="Only where the policy of this project asks the snapshot.")
    ] = None,
    policy: options.PolicyFile = None,
) -> None:
    """Fetch and index the snapshot. What was there stays in use until the new one is whole.

    On GitHub the output `advisories` of the step is `true` where one was pulled.
    """
    if policy is not None and project is None:
        raise ConfigError("--policy is that of a project.", remedy="Name the project with --for.")
    asked = policy_of(project, policy, _now().date()).advisories.source if project else AdvisorySource.SNAPSHOT
    if asked is not AdvisorySource.SNAPSHOT:
        sys.stdout.write(f"The policy asks {_ASKED[asked]}: no snapshot is needed.\n")
        github_output.append({"advisories": "false"})
        return
    pulled = snapshot.pull(source, cache=cache_dir(), keep=keep.absolute() if keep else None, now=_now)
    github_output.append({"advisories": "true"})
    sys.stdout.write(f"{pulled.records} advisories, {pulled.digest}\n")
    _tell_unreadable(pulled)


@app.command()
def status() -> None:
    """Say which snapshot is here, and how old it is."""
    here = snapshot.current(cache_dir())
    if here is None:
        raise IncompleteError("There is no advisory snapshot here.", remedy="Run `shipsafe advisories pull`.")
    hours = (_now() - here.when).total_seconds() / 3600
    age = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"  # noqa: PLR2004 - days from the second on
    sys.stdout.write(f"pulled   {here.pulled} ({age} ago)\nfrom     {clean(here.source)}\n")
    sys.stdout.write(f"records  {here.records}\ndigest   {here.digest}\n")
    _tell_unreadable(here)


@app.command()
def show(
    advisory: Annotated[str, typer.Argument(metavar="ID", help="Any of its ids: PYSEC, CVE, GHSA, MAL.")],
) -> None:
    """Print what the snapshot knows of an advisory, and of its twins."""
    found = snapshot.find(advisory, cache=cache_dir())
    if not found:
        raise ConfigError(f"The snapshot has no advisory {advisory!r}.", remedy="Check the id, or pull a newer snapshot.")
    for record in found:
        rated = records.score(record)
        sys.stdout.write(f"{clean(record['id'])}  {rated if rated is not None else 'unscored'}\n")
        sys.stdout.write(f"  also known as  {clean(', '.join(sorted(records.ids(record) - {record['id']}))) or '-'}\n")
        for name in sorted(set(records.packages(record))):
            fixed = ", ".join(str(version) for version in sorted(records.fixed_versions(record, name)))
            sys.stdout.write(f"  {clean(name)}  fixed in {clean(fixed) or 'no version'}\n")
        if records.is_withdrawn(record):
            sys.stdout.write("  withdrawn: it counts no more\n")
        sys.stdout.write(f"  {clean(str(record.get('summary') or record.get('details') or ''))[:1000]}\n")


def _tell_unreadable(here: snapshot.Snapshot) -> None:
    if here.unreadable:
        sys.stdout.write(f"not records: {clean(json.dumps(list(here.unreadable)))}\n")
