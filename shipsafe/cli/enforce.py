"""`shipsafe enforce`: code-signing configurations as the policy wants them, reached without an outage."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import options
from shipsafe.errors import ConfigError, ExitCode, gravest

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command(name="enforce")
def _enforce(
    function: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FUNCTION...]", help="Only these, by name or ARN; else those of the policy's rings.", show_default=False),
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only judge: 5 where something is wrong, 4 where nobody could look.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every function of the account and Region.")] = False,
    release: Annotated[Path | None, typer.Option("--release", metavar="FOLDER", help="The functions of this release.")] = None,
    target: options.Targets = None,
    policy: options.PolicyFile = None,
    rotate_to: Annotated[
        str | None, typer.Option("--rotate", metavar="OLD=NEW", help="Go from one signing profile to the next, as far as it can go now.")
    ] = None,
    guardrails: Annotated[
        bool, typer.Option("--guardrails", help="Print the service control policy and IAM policies that keep it so, as JSON.")
    ] = False,
    output: Annotated[_Format, typer.Option("--format", help="What goes to standard output.")] = _Format.TEXT,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
) -> int:
    """Give functions the code-signing configuration that the policy wants, after showing the plan.

    A function first gets one that warns. When Lambda has counted no SignatureValidationErrors of it for the policy's quiet time, and every
    layer it has is signed by somebody who is allowed, it gets one that enforces; until then the plan says what holds it back. What enforces
    is never loosened. A second run changes nothing.
    """
    from shipsafe.adapters.aws.session import is_local, open_aws  # noqa: PLC0415 - the help needs none of what enforces
    from shipsafe.cli.enforcement import change, lines, show, summary  # noqa: PLC0415 - likewise
    from shipsafe.cli.guarding import print_guardrails, rotate  # noqa: PLC0415 - likewise
    from shipsafe.cli.screen import Screen  # noqa: PLC0415 - likewise
    from shipsafe.flows.enforce import EnforceRequest, names_of, survey  # noqa: PLC0415 - likewise
    from shipsafe.flows.targets import policy_of  # noqa: PLC0415 - likewise
    from shipsafe.packing.release import read_release  # noqa: PLC0415 - likewise

    now, form = datetime.now(UTC), output is _Format.JSON
    screen = Screen(local=is_local(), stream=sys.stderr if form else None)
    loaded = policy_of(Path(), policy, now.date())
    if guardrails:
        return print_guardrails(loaded)
    names = (*(function or ()), *(names_of(read_release(release), loaded) if release else ()))
    request = EnforceRequest(policy=loaded, names=names, targets=tuple(target or ()), everything=everything)
    if rotate_to is not None:
        if names or everything or form:
            raise ConfigError("--rotate is about profiles, and not about functions.", remedy="Name targets with it, or nothing.")
        return rotate(request, rotate_to, screen, check=check, yes=yes, dry_run=dry_run)
    tell = Screen(local=screen.local, stream=sys.stderr).say
    found = survey(request, open_aws, now=now, say=tell)
    if check:
        show(found, screen, form=form, told=(*lines(found, planning=False), f"{summary(found)} exit {found.exit_code:d}"))
        return found.exit_code
    if not screen.confirm((*lines(found, planning=True), summary(found)), yes=yes or not found.changes, dry_run=dry_run):
        show(found, screen, form=form)
        return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
    codes = [ExitCode.INCOMPLETE for _ in found.unlooked]
    if found.changes:
        codes += change(found, screen)
        found = survey(request, open_aws, now=datetime.now(UTC), say=tell)
        show(found, screen, form=form, told=(f"Looked again. {summary(found)}",))
    else:
        show(found, screen, form=form, told=("Nothing is to be changed.",))
    return gravest(codes)
