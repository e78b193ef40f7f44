"""`shipsafe revoke`: take a signature back, stop what runs it, and let it run again once its chain holds.

`cli/revoking.py` does it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import options
from shipsafe.errors import ConfigError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="revoke")
def _revoke(
    function: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FUNCTION...]", help="With --restore: only these; else all that were stopped.", show_default=False),
    ] = None,
    *,
    job: Annotated[str | None, typer.Option("--job", metavar="ARN", help="Revoke the signature that this signing job made.")] = None,
    profile_version: Annotated[
        str | None, typer.Option("--profile-version", metavar="ARN", help="Revoke what this version of a profile signed since --effective.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, in 1 to 500 characters; Signer keeps it.")] = None,
    effective: Annotated[
        str | None, typer.Option("--effective", metavar="TIME", help="Of a profile version: the last moment at which it was trusted.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Also set the reserved concurrency of every function that runs it to 0.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Let stopped functions run again whose chain verifies.")] = False,
    region: Annotated[
        list[str] | None, typer.Option("--region", metavar="REGION", help="Look through this region, too; may be repeated.")
    ] = None,
    all_regions: Annotated[bool, typer.Option("--all-regions", help="Look through every region that the account can use.")] = False,
    release: Annotated[Path | None, typer.Option("--release", metavar="FOLDER", help="With --restore: the release that is to run.")] = None,
    evidence: options.Evidence = None,
    policy: options.PolicyFile = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
) -> int:
    """Take back a signature, or all that a signing profile has signed since a time, after listing what runs it.

    That cannot be undone, and holds in every region: under Enforce no deployment of such code gets through from then on. What runs goes on
    running, unless --stop sets its reserved concurrency to 0; --restore lets it run again, as it did, once its chain verifies. What could
    not be looked at is named, and stops nothing: exit 4 then says so.
    """
    from shipsafe.adapters.aws.session import check_region, is_local  # noqa: PLC0415 - the help needs none of what revokes
    from shipsafe.cli.revoking import let_functions_run, revocation, revoke  # noqa: PLC0415 - likewise
    from shipsafe.cli.screen import Screen  # noqa: PLC0415 - likewise

    screen = Screen(local=is_local())
    regions = tuple(region or ())
    for name in regions:
        check_region(name)
    if restore:
        if job or profile_version or reason or effective or stop:
            raise ConfigError("--restore revokes and stops nothing.", remedy="Name nothing but functions and regions with it.")
        return let_functions_run(function or (), regions, screen, policy=policy, release=release, evidence=evidence,
                                 all_regions=all_regions, yes=yes, dry_run=dry_run)  # fmt: skip
    if function:
        raise ConfigError("Functions are named with --restore alone: a revocation holds for all.", remedy="Leave them out.")
    wanted = revocation(job=job, profile_version=profile_version, reason=reason or "", effective=effective, now=datetime.now(UTC))
    return revoke(wanted, regions, screen, policy=policy, evidence=evidence, all_regions=all_regions, stop=stop, yes=yes, dry_run=dry_run)
