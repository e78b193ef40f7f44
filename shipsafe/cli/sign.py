"""`shipsafe sign`: ask again, upload, sign with AWS Signer, read back, and write down what came of it."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.files import relative
from shipsafe.adapters.timeline import Timeline
from shipsafe.cli import options, run
from shipsafe.cli.screen import MARK, Screen
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.evidence.keys import open_signers
from shipsafe.flows.attest import names_of
from shipsafe.flows.bare import Bare
from shipsafe.flows.break_glass import words
from shipsafe.flows.sign import Asking, Planned, Signed, asking, planned, signed
from shipsafe.flows.sign_request import SignRequest
from shipsafe.reports import names
from shipsafe.reports.layout import size
from shipsafe.reports.text import plain
from shipsafe.signing.roots import local_root

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="sign")
def _sign(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH...]", help="The folder of a release (dist, if not given), or zips of any tool.", show_default=False),
    ] = None,
    *,
    target: options.Targets = None,
    key: options.Keys = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    policy: options.PolicyFile = None,
    vex: options.Vex = None,
    rewrite: Annotated[
        list[str] | None,
        typer.Option("--rewrite", metavar="IN=OUT", help="Write this template, or cdk.out, with what was signed; may be repeated."),
    ] = None,
    tfvars: Annotated[Path | None, typer.Option("--tfvars", metavar="FILE", help="Write Terraform variables, as JSON.")] = None,
    samconfig: Annotated[
        Path | None, typer.Option("--samconfig", metavar="FILE", help="Let `sam deploy` take the rewritten template.")
    ] = None,
    parameter_overrides: options.Parameters = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Of zips: where the release goes that they make.")] = Path("dist"),
    runtime: Annotated[
        list[str] | None, typer.Option("--runtime", metavar="RUNTIME", help="Of zips: what they run on; of layers, once for each.")
    ] = None,
    architecture: Annotated[
        list[str] | None, typer.Option("--architecture", metavar="ARCH", help="Of zips: x86_64 or arm64; of layers, once for each.")
    ] = None,
    handler: Annotated[str | None, typer.Option("--handler", metavar="HANDLER", help="Of zips: their handler.")] = None,
    layer: Annotated[bool, typer.Option("--layer", help="The zips are layers.")] = False,
    template: Annotated[Path | None, typer.Option("--template", metavar="FILE", help="Of a zip: the template that describes it.")] = None,
    function: Annotated[str | None, typer.Option("--function", metavar="ID", help="Of a zip: what it is in that template.")] = None,
    timeout: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", min=1, max=86400, help="How long uploading, signing and reading back may take.")
    ] = 900,
    local: options.Local = False,
    offline_advisories: options.OfflineAdvisories = False,
    jobs: options.Jobs = None,
    break_glass: options.BreakGlass = None,
    second: options.Second = None,
    output: options.Format = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Sign every artifact of a release, or zips of any tool, with AWS Signer, and pin what came of it.

    Every gate that can be asked of the zips is asked again first, under the policy that they were built under or, better, a protected one
    (--policy). What does not pass is not signed, unless it was built with --break-glass and that is said again. The result is written into
    the release manifest, into what deploys it, and into the evidence beside each zip, which --key signs. An interrupted run is continued by
    the next, without a second signature.
    """
    options.known_format(output, names())
    targets = options.report_targets(report, names())
    overrides = options.overrides(parameter_overrides)
    said = Bare(zips=tuple(paths or ()), runtimes=tuple(runtime or ()), architectures=tuple(architecture or ()), handler=handler,
                layer=layer, template=template, function=function, overrides=overrides)  # fmt: skip
    folder, bare = _what(said, out)
    request = SignRequest(
        out=folder,
        bare=bare,
        rewrite=tuple(rewrite or ()),
        tfvars=tfvars,
        samconfig=samconfig,
        overrides=overrides,
        today=datetime.now(UTC).date(),
        policy=policy,
        targets=tuple(target or ()),
        vex=tuple(vex or ()),
        offline=offline_advisories,
        jobs=jobs or options.default_jobs(),
        timeout=timeout,
        local_root=local_root(os.environ, local=local),
        signers=open_signers(key or ()),
        break_glass=words(break_glass, second),
    )
    # Standard output gets one thing: the lines of this command, or a report in another format.
    screen = Screen(local=is_local() or local, stream=sys.stdout if output == "text" else sys.stderr)
    with asking(request, run.progress(quiet=quiet, mark=MARK if screen.local else ""), Timeline()) as case:
        run.write_reports(case.record, targets)
        if screen.local and output == "text":
            screen.say(plain(case.record, quiet=quiet, verbose=verbose))
        else:
            run.show(case.record, output, quiet=quiet, verbose=verbose)
        for remark in case.remarks:
            screen.say(remark)
        if not case.record.verdict.passes or case.release is None:
            screen.say("Nothing was signed: what does not pass is not signed.")
            return case.record.verdict.exit_code
        plan = planned(case)
        if not screen.confirm(plan_lines(case, plan), yes=yes or not plan.changes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED  # so that `shipsafe sign && deploy` does not go on
        done = signed(case, case.release, plan, (lambda _: None) if quiet else Screen(local=screen.local, stream=sys.stderr).say)
        for line in _told(done):
            screen.say(line)
        return done.exit_code


def _what(said: Bare, out: Path) -> tuple[Path, Bare | None]:
    """The folder of the release, and the zips that are to become it, or None where it is there.

    Raises:
        ConfigError: folders and zips are mixed, or what is said of zips is said of a folder.
    """
    folders = [path for path in said.zips if not path.name.endswith(".zip") or path.is_dir()]
    if said.zips and not folders:
        return out, said
    if len(said.zips) > 1:
        raise ConfigError("One release is signed at a time, and zips apart from it.", remedy="Name one folder, or zips alone.")
    if said != Bare(zips=said.zips, overrides=said.overrides):
        remedy = "Name zips, or leave out --runtime, --architecture, --handler, --layer, --template and --function."
        raise ConfigError("A release says of itself what its functions run on.", remedy=remedy)
    return (folders[0] if folders else Path("dist")), None


def plan_lines(case: Asking, plan: Planned) -> Iterator[str]:
    """The plan, as a person reads it: who vouches for what, who we are at each target, and what is left to do for each zip."""
    made, names = plan.made, ", ".join(names_of(case.request.signers, case.policy.attest))
    yield f"builder: {case.asked.builder}"
    if override := case.record.verdict.override:
        yield override.sentence
        yield from override.lines
    yield f"evidence: {f'signed by {names}' if names else 'unsigned, so that nobody vouches for it (--key URI signs it)'}"
    if plan.store:
        yield f"  kept in {plan.store.shown}: what is stated about each zip, by its builder and by this run"
        yield f"  {plan.store.guard}"
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
        yield from (f"  {note}" for note in one.notes)
    yield from done.remarks
    yield from (f"{relative(path.absolute(), Path.cwd())} written" for path in done.written)
    for artifact, target, error in done.failed:
        yield f"{artifact} -> {target}: not signed. {error}"
    kept = f", and {done.kept} keeps the evidence" if done.kept else ""
    ends = [f"{len(done.signed)} signed; {done.release.out / 'shipsafe.json'} says where{kept}."] if done.signed else []
    if done.unproven:
        yield str(done.unproven)
    if done.failed:
        again = " Run this again: it goes on where it was." if done.exit_code is ExitCode.INCOMPLETE else ""
        ends.append(f"{len(done.failed)} not signed.{again}")
    yield f"{' '.join(ends)} exit {int(done.exit_code)}"
