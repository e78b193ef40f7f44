"""`shipsafe bootstrap`: make what signing needs on the AWS side, or print it for CloudFormation or Terraform."""

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local, open_aws
from shipsafe.cli import options
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.bootstrap import Standing, Survey, carry_out, standing, survey, survey_stage
from shipsafe.flows.pipeline_places import going_live
from shipsafe.flows.targets import policy_of, targets_of
from shipsafe.signing.setup.check import Check
from shipsafe.signing.setup.cloudformation import cloudformation
from shipsafe.signing.setup.terraform import terraform

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class _Form(StrEnum):
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


@app.command(name="bootstrap")
def _bootstrap(
    path: options.ProjectPath = Path(),
    *,
    target: options.Targets = None,
    policy: options.PolicyFile = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    form: Annotated[
        _Form | None, typer.Option("--print", help="Print it as a template of this tool instead, and ask AWS nothing.", show_default=False)
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", metavar="NAME", help="Make only the roles of this [[deploy.stage]], in its account.")
    ] = None,
    no_code_signing_config: Annotated[
        bool, typer.Option("--no-code-signing-config", help="Make none, and look for none that the policy does not name.")
    ] = False,
) -> int:
    """Make what is missing on the AWS side for each [[sign.target]] of the policy, after showing the plan.

    That is a versioned, encrypted, closed bucket with a life cycle, a signing profile for Lambda, and a code-signing configuration that
    lets nothing but that profile's signatures run; where [pipeline] names roles, also GitHub's identity provider, and a role for each of
    its jobs that no other job can take. What is there is tightened where that is safe, never loosened; a second run changes nothing. The
    names of signing profiles are taken for ever: one that was cancelled or revoked is refused before anything is made.
    """
    loaded = policy_of(path, policy, datetime.now(UTC).date())
    if stage and (target or form):
        raise ConfigError("--stage stands alone: a stage has roles and nothing else.", remedy="Leave out --target and --print.")
    targets = targets_of(loaded, target or ())
    unnamed = not no_code_signing_config
    if form is not None:
        if len(targets) > 1:
            names = ", ".join(one.name for one in targets)
            raise ConfigError("A template is of one target.", remedy=f"Name one with --target: {names}.")
        write = cloudformation if form is _Form.CLOUDFORMATION else terraform
        configuration = unnamed and targets[0].code_signing_config is None
        sys.stdout.write(write(targets[0], configuration=configuration, policy=loaded, going=going_live(loaded)))
        return ExitCode.PASS
    screen = Screen(local=is_local())
    found = survey_stage(loaded, stage, open_aws) if stage else survey(targets, open_aws, unnamed=unnamed, policy=loaded)
    if found.stops:
        _say(screen, _told(found.stops))
        screen.say("Nothing was changed.")
        return max(check.code for check in found.stops)
    if found.mends:
        if not screen.confirm(_plan(found), yes=yes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
        found = carry_out(found, say=screen.say, sleep=time.sleep, unnamed=unnamed)
    else:
        _say(screen, _places(found))
        screen.say("Everything that bootstrap makes is there: nothing was changed.")
    for one in standing(found):
        _say(screen, _standing(one, wanted=unnamed))
    _say(screen, _told(found.left))
    return found.exit_code


def _say(screen: Screen, lines: Iterable[str]) -> None:
    for line in lines:
        screen.say(line)


def _places(found: Survey) -> Iterator[str]:
    for target, aws in found.places:
        yield f"target {target.name}: account {aws.account}, {aws.region}, as {aws.caller}"


def _plan(found: Survey) -> Iterator[str]:
    yield from _places(found)
    for check, mend in found.mends:
        yield f"  {', '.join(check.targets)}: {mend}"
    yield from _told(found.left)


def _told(checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        of = f"{', '.join(check.targets)}: " if check.targets else ""  # else it is of the policy as a whole
        yield f"{of}{check.about} {check.state}: {check.says}"
        yield from (f"    {line}" for line in check.remedy.split("\n") if line)


def _standing(one: Standing, *, wanted: bool) -> Iterator[str]:
    """What a target has, and the lines that pin it in the policy."""
    yield f"target {one.target.name}:"
    yield f"  bucket                      {one.bucket}"
    yield f"  signing profile             {one.profile or 'none'}"
    if wanted or one.configuration:
        yield f"  code-signing configuration  {one.configuration or 'none'}"
    lines = []
    if one.profile and one.target.profile_version is None:
        lines.append(f'profile-version = "{one.profile.rpartition("/")[2]}"')
    if one.configuration and one.target.code_signing_config is None:
        lines.append(f'code-signing-config = "{one.configuration}"')
    if lines:
        yield f'Pin it: add to the [[sign.target]] with name = "{one.target.name}":'
        yield from (f"  {line}" for line in lines)
