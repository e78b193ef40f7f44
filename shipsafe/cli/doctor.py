"""`shipsafe doctor`: what signing finds on the AWS side, and what is missing."""

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local, open_aws
from shipsafe.cli import options
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError
from shipsafe.flows.doctor import Examined, Where, document, examine, examine_stage, remedy_of, users
from shipsafe.flows.targets import policy_of, targets_of
from shipsafe.reports.strict_json import dump

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command(name="doctor")
def _doctor(
    path: options.ProjectPath = Path(),
    *,
    target: options.Targets = None,
    stage: Annotated[
        str | None, typer.Option("--stage", metavar="NAME", help="Look only at the roles of this [[deploy.stage]], in its account.")
    ] = None,
    signing_only: Annotated[
        bool, typer.Option("--signing-only", help="Leave out stages in other accounts, which --stage looks at, as somebody there.")
    ] = False,
    policy: options.PolicyFile = None,
    output: Annotated[_Format, typer.Option("--format", help="What goes to standard output.")] = _Format.TEXT,
) -> int:
    """Look at what signing needs on the AWS side: credentials, clock, bucket, signing profiles, who is trusted to sign. Changes nothing.

    Exit code 0: all well. 4: something is missing, or could not be looked at. 5: somebody is trusted who should not be, a profile is
    revoked, or a code-signing configuration does not enforce.
    """
    loaded = policy_of(path, policy, _now().date())
    if stage is not None:
        if target or signing_only:
            raise ConfigError("--stage stands alone: a stage has roles and nothing else.", remedy="Leave out --target and --signing-only.")
        found = examine_stage(loaded, stage, open_aws, _now)
    else:
        targets = targets_of(loaded, target or ()) if target or loaded.sign.targets else ()
        found = examine(loaded, targets, open_aws, _now, elsewhere=not signing_only)
    if output is _Format.JSON:
        sys.stdout.write(dump(document(found)))
    else:
        screen = Screen(local=is_local())
        for line in _text(found):
            screen.say(line)
    return found.exit_code


def _now() -> datetime:
    return datetime.now(UTC)


def _text(found: Examined) -> Iterator[str]:
    for check in found.checks:
        whose = f"{', '.join(check.targets)}: " if check.targets else ""
        yield f"{check.state:8}{whose}{check.about}: {check.says}"
        yield from (f"        {line}" for line in remedy_of(check).split("\n") if line)
    for place in found.places:
        yield from _profiles(place)
    counts = Counter(check.state for check in found.checks)
    yield f"{', '.join(f'{count} {state}' for state, count in counts.items())}. exit {found.exit_code:d}"


def _profiles(place: Where) -> Iterator[str]:
    if place.profiles is None:
        return
    yield f"Signing profiles of account {place.aws.account} in {place.aws.region}:{'' if place.profiles else ' none.'}"
    width = max((len(one.name) for one in place.profiles), default=0)
    for one in place.profiles:
        trusting = users(place, one)
        by = "not known by whom" if trusting is None else ", ".join(arn.rpartition(":")[2] for arn in trusting) or "nobody"
        lasts = one.validity.lower() or "not told"
        yield f"  {one.name:{width}}  {one.version}  {one.status:8}  signatures last {lasts}  {one.platform}  trusted by {by}"
