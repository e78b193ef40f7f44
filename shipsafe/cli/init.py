"""`shipsafe init`: look at a repository, ask little, show what is missing, and write it."""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.git_remote import last_release
from shipsafe.adapters.process import run
from shipsafe.adapters.shown import shown
from shipsafe.cli import options
from shipsafe.cli.init_asked import answered, both_numbers, check_against, check_shape
from shipsafe.cli.init_told import diff_lines, kept_lines, next_lines, numbers_lines, seen_lines
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError, ExitCode, IncompleteError
from shipsafe.flows.init import draft_of, lacks_release, release_of, write
from shipsafe.flows.init_look import Seen, look
from shipsafe.flows.init_numbers import told_by_github
from shipsafe.model.pipeline import HOME
from shipsafe.starting.answers import Answers, Host, Numbers, Release

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="init")
def _init(
    path: options.ProjectPath = Path(),
    *,
    account: Annotated[str | None, typer.Option("--account", metavar="DIGITS", help="The AWS account that signs and runs it.")] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="Its Region.")] = None,
    deploy: Annotated[
        bool | None, typer.Option("--deploy/--no-deploy", help="Whether the pipeline lets functions go live.", show_default=False)
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option("--stack", metavar="NAME", help="The stack of CloudFormation that the pipeline changes, through a change set."),
    ] = None,
    stack_role: Annotated[
        str | None, typer.Option("--stack-role", metavar="ARN", help="The role as which CloudFormation changes that stack.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="URI", help="What signs evidence: sigstore: (its log is public) or awskms:ARN.")
    ] = None,
    repository: Annotated[
        str | None, typer.Option("--repository", metavar="OWNER/NAME", help="On GitHub, where no remote says it.")
    ] = None,
    owner_id: Annotated[str | None, typer.Option("--owner-id", metavar="NUMBER", help="GitHub's number of the repository's owner.")] = None,
    repository_id: Annotated[
        str | None, typer.Option("--repository-id", metavar="NUMBER", help="GitHub's number of the repository.")
    ] = None,
    branch: Annotated[str | None, typer.Option("--branch", metavar="NAME", help="The protected branch, whose policy holds.")] = None,
    ref: Annotated[
        str | None, typer.Option("--ref", metavar="SHA", help="Call this commit of shipsafe, instead of its last release.")
    ] = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    offline: options.Offline = False,
) -> int:
    """Set a repository up: the policy, the workflow that ships it, schedules, and updates.

    It looks at templates, plans, handlers, lock files, CI and the git remote, asks for what it cannot see (--yes asks nothing), shows what
    it would write, and writes that. What is there is never overwritten; a second run changes nothing. The workflow calls the last release
    of shipsafe by its commit, which `git ls-remote` says. GitHub's numbers of the repository, which roles on AWS have to know, are asked of
    its API where GH_TOKEN or GITHUB_TOKEN is set.
    """
    today = datetime.now(UTC).date()
    said = {
        "account": account, "region": region, "stack": stack, "stack-role": stack_role, "ref": ref, "key": key,
        "owner-id": owner_id, "repository-id": repository_id,
    }  # fmt: skip
    for name, value in said.items():
        check_shape(name, value)
    screen = Screen(local=False)
    seen = look(path, repository=repository, branch=branch, offline=offline, today=today, run=run)
    for line in seen_lines(seen):
        screen.say(line)
    given = Answers(account=account, region=region, key=key, stack=stack, stack_role=stack_role)
    check_against(seen, given, deploy=deploy)
    numbers = both_numbers(owner_id, repository_id) or (None if offline else _asked_of_github(seen, screen))
    answers = answered(seen, replace(given, numbers=numbers), deploy=deploy, ask=not yes and _is_somebody_there())
    draft = draft_of(seen, answers, _release(seen, ref, offline=offline), today=today)
    for line in kept_lines(seen, draft, [name for name, value in {**said, "deploy": deploy}.items() if value is not None]):
        screen.say(line)
    if not draft.new:
        screen.say("Everything that init writes is there: nothing was changed.")
        for line in numbers_lines(seen, answers):
            screen.say(line)
        return ExitCode.PASS
    if not screen.confirm([*diff_lines(draft), *numbers_lines(seen, answers)], yes=yes, dry_run=dry_run):
        return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
    for written in write(seen.top, draft):
        screen.say(f"written: {written}")
    for line in next_lines(seen, answers, draft):
        screen.say(line)
    return ExitCode.PASS


def _asked_of_github(seen: Seen, screen: Screen) -> Numbers | None:
    """What GitHub's API says, where somebody has a token for it; that it said nothing is told, and nothing is guessed."""
    if seen.policy.pipeline.owner_id:
        return None
    try:
        told = told_by_github(seen.source, os.environ)
    except IncompleteError as error:
        screen.say(f"numbers     not known: {error.what}")
        return None
    if told is None:
        return None
    screen.say(f"numbers     {told.numbers.owner} (owner), {told.numbers.repository} (repository), as GitHub says")
    if told.branch != seen.source.branch:
        screen.say(
            f"branch      GitHub's default branch is {shown(told.branch, 200)}, and not {seen.source.branch}: say which with --branch"
        )
    return told.numbers


def _is_somebody_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _release(seen: Seen, ref: str | None, *, offline: bool) -> Release | None:
    """The release that the workflow calls: of the policy that is there, as --ref says, or the last one."""
    known = release_of(seen)
    if known and ref and ref != known.commit:
        what = f"The policy names {known.commit} of {HOME}, and --ref another."
        raise ConfigError(
            what, remedy="Leave out --ref, or write that commit into the policy and the workflows first.", path=seen.policy.path
        )
    if known or ref or not lacks_release(seen):
        return known or (Release(commit=ref) if ref else None)
    home = f"https://{seen.source.server if seen.source.host is Host.GITHUB_SERVER else 'github.com'}/{HOME}"
    remedy = "Name the commit of a release with --ref SHA; a tag is never written, because it can be moved."
    if offline:
        raise ConfigError(f"With --offline the last release of {home} is not asked for.", remedy=remedy)
    commit, tag = last_release(home, remedy=remedy, run=run)
    return Release(commit=commit, tag=tag)
