"""`shipsafe sign`: ask again, upload, sign with AWS Signer, read back, and write down what came of it."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.timeline import Timeline
from shipsafe.cli import options, run
from shipsafe.cli.screen import Screen
from shipsafe.errors import ExitCode
from shipsafe.flows.sign import Asking, Signed, SignRequest, asking, planned, signed
from shipsafe.model.verdict import Decision
from shipsafe.reports import names
from shipsafe.reports.layout import size
from shipsafe.reports.text import plain
from shipsafe.signing.plan import SigningPlan
from shipsafe.signing.roots import local_root

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="sign")
def _sign(
    path: Annotated[Path, typer.Argument(metavar="[PATH]", help="The folder of a release.", show_default=False)] = Path("dist"),
    *,
    target: Annotated[
        list[str] | None, typer.Option("--target", metavar="NAME", help="Only this [[sign.target]] of the policy; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Go on without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop after the plan.")] = False,
    policy: options.PolicyFile = None,
    vex: options.Vex = None,
    timeout: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", min=1, max=86400, help="How long all of it may take on AWS.")
    ] = 900,
    local: Annotated[bool, typer.Option("--local", help="Trust the root of `shipsafe local`, whatever the endpoint is.")] = False,
    offline_advisories: Annotated[bool, typer.Option("--offline-advisories", help="Ask only the advisories that are cached here.")] = False,
    jobs: options.Jobs = None,
    output: options.Format = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Sign every artifact of a release with AWS Signer, and pin what came of it.

    Every gate that can be asked of the zips is asked again first, under the policy that they were built under or, better, a protected one
    (--policy). What does not pass is not signed. The result is written into the release manifest. An interrupted run is continued by the
    next, without a second signature.
    """
    options.known_format(output, names())
    targets = options.report_targets(report, names())
    request = SignRequest(
        out=path,
        today=datetime.now(UTC).date(),
        policy=policy,
        targets=tuple(target or ()),
        vex=tuple(vex or ()),
        offline=offline_advisories,
        jobs=jobs or options.default_jobs(),
        timeout=timeout,
        local_root=local_root(os.environ, local=local),
    )
    # Standard output gets one thing: the lines of this command, or a report in another format.
    screen = Screen(local=is_local() or local, stream=sys.stdout if output == "text" else sys.stderr)
    with asking(request, run.progress(quiet=quiet), Timeline()) as case:
        run.write_reports(case.record, targets)
        if screen.local and output == "text":
            screen.say(plain(case.record, quiet=quiet, verbose=verbose))
        else:
            run.show(case.record, output, quiet=quiet, verbose=verbose)
        for remark in case.remarks:
            screen.say(remark)
        if case.record.verdict.decision is not Decision.PASS:
            screen.say("Nothing was signed: what does not pass is not signed.")
            return case.record.verdict.exit_code
        made = planned(case)
        if not screen.confirm(_plan(case, made), yes=yes or not made.changes, dry_run=dry_run):
            return ExitCode.PASS
        done = signed(case, made, (lambda _: None) if quiet else Screen(local=screen.local, stream=sys.stderr).say)
        for line in _told(done):
            screen.say(line)
        return done.exit_code


def _plan(case: Asking, made: SigningPlan) -> Iterator[str]:
    """The plan, as a person reads it: who we are at each target, and what is left to do for each zip."""
    yield f"builder: {case.asked.builder}"
    width = max(len(", ".join(line.names)) for line in made.lines)
    for stand in made.stands:
        target, aws = stand.target, stand.aws
        yield f"target {target.name}: account {aws.account}, {aws.region}, as {aws.caller}"
        yield f"  bucket   {stand.bucket}: {target.prefix}unsigned/SHA256.zip is signed as {target.prefix}signed/SHA256/JOB.zip"
        yield f"  profile  {stand.profile.arn}"
        for line in made.lines:
            if line.stand == stand:
                yield f"  {', '.join(line.names):<{width}}  {size(line.work.size):>9}  {', '.join(line.todo())}"


def _told(done: Signed) -> Iterator[str]:
    """What came of it."""
    for one in done.signed:
        yield f"{one.artifact} -> {one.target}: {one.object}"
        yield f"  CodeSha256 {one.code_sha256}  until {one.expires:%Y-%m-%d}  root: {one.trust}"
    for artifact, target, error in done.failed:
        yield f"{artifact} -> {target}: not signed. {error}"
    if done.signed:
        yield f"{len(done.signed)} signed; {done.release.out / 'shipsafe.json'} says where."
    if done.failed:
        yield f"{len(done.failed)} not signed. Run this again: it goes on where it was."
