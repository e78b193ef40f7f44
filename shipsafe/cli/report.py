"""`shipsafe report`: reports of earlier runs, joined or rendered again, and what kept evidence says of releases."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shipsafe.adapters.github_job import AUTHOR
from shipsafe.cli import github_output, options
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from shipsafe.model.record import RunRecord

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _report() -> None:
    """Join and render reports of earlier runs, and list what evidence is kept of releases."""


@app.command()
def collect(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="What each share left: its report.json, and its output.")],
    *,
    project: Annotated[Path, typer.Option("--project", metavar="PATH", help="The project's folder, or its template.")] = Path(),
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where what passed goes.")] = Path("dist"),
    policy: options.PolicyFile = None,
    parameter_overrides: options.Parameters = None,
    function: options.Functions = None,
    prebuilt: options.Prebuilt = None,
    vex: options.Vex = None,
    key: options.Keys = None,
    fail_on: options.FailOn = None,
    baseline: options.Baseline = None,
    baseline_ref: options.BaselineRef = None,
    output: options.Format = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Join the shares of `build --shard K/N` into one release and one report, as one machine would have made them.

    Give it the options that the shares were built with, in a checkout of the same commit. The verdict is made anew from all answers,
    under the policy that lies here; every byte is compared with its digest. What is stated about the artifacts is stated here, anew, and
    signed with --key.
    """
    from shipsafe.cli import run  # noqa: PLC0415 - the help needs none of what builds

    request = run.request(
        project, policy=policy, overrides=parameter_overrides, functions=function, vex=vex, prebuilt=prebuilt, offline=False,
        jobs=None, out=out, fail_on=fail_on, baseline=baseline, baseline_ref=baseline_ref, keys=key)  # fmt: skip
    return run.join(request, folders, output=output, reports=report, quiet=quiet, verbose=verbose)


@app.command()
def attest(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="The folder of the release.")] = Path("dist"),
    *,
    key: options.Keys = None,
    manifest_digest: options.ManifestDigest = None,
) -> int:
    """Sign what the builder states of a release, where it was built without a key.

    It is for a job that runs nothing of the project, after one that holds no secret. What is stated has to be about these very files, by
    the workflow that this is, and of the commit that it runs for. What is signed already stays as it is.
    """
    from shipsafe.adapters.aws.session import is_local  # noqa: PLC0415 - the other commands read no release
    from shipsafe.evidence.keys import open_signers  # noqa: PLC0415 - likewise
    from shipsafe.flows.attest import names_of  # noqa: PLC0415 - likewise
    from shipsafe.flows.attest_release import attest_release  # noqa: PLC0415 - likewise
    from shipsafe.model.attestation import AttestPolicy  # noqa: PLC0415 - likewise
    from shipsafe.packing.publish import MANIFEST  # noqa: PLC0415 - likewise
    from shipsafe.reports.tally import count  # noqa: PLC0415 - likewise

    signers = open_signers(key or ())
    screen = Screen(local=is_local())
    wanted = options.manifest_digest(manifest_digest)
    aside = Screen(local=screen.local, stream=sys.stderr)
    done = attest_release(folder, signers, environment=os.environ, today=datetime.now(UTC).date(), digest=wanted, say=aside.say)
    names = ", ".join(names_of(signers, AttestPolicy()))
    screen.say(f"builder: {done.builder}")
    for name, number in done.signed.items():
        screen.say(f"{name}: {count(number, 'statement')} signed by {names}" if number else f"{name}: signed already")
    github_output.append_ended(ExitCode.PASS, manifest=folder / MANIFEST)
    return ExitCode.PASS


@app.command()
def comment(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A report that `--report json=FILE` wrote.")],
    *,
    pull: Annotated[
        int | None, typer.Option("--pull", metavar="NUMBER", min=1, help="The pull request; that of the job, if not given.")
    ] = None,
    author: Annotated[
        str, typer.Option("--author", metavar="LOGIN", help="Who writes with this token; only comments of theirs are changed.")
    ] = AUTHOR,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
) -> int:
    """Write a report as a comment of a pull request on GitHub, or change the comment of the run before.

    It asks for GITHUB_TOKEN (`pull-requests: write`), GITHUB_REPOSITORY, and GITHUB_API_URL where that is not github.com. Each project has
    one comment. The exit code says whether it was written, not what it says.
    """
    from shipsafe.adapters.github_api import open_github, repository_here  # noqa: PLC0415 - the other commands need no GitHub
    from shipsafe.flows.comment import footer_of, planned, pull_of, written  # noqa: PLC0415 - likewise

    record = _read(file)
    github, repository = open_github(os.environ), repository_here(os.environ, None)
    number = pull if pull is not None else pull_of(os.environ)
    plan = planned(record, github, repository, number, author=author, footer=footer_of(os.environ))
    screen = Screen(local=False)
    if not screen.confirm([str(plan)], yes=yes or plan.same, dry_run=dry_run):
        return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
    address = written(plan, github)
    if not plan.same:
        screen.say(f"Written{f': {address}' if address else '.'}")
    return ExitCode.PASS


@app.command()
def audit(
    *,
    since: Annotated[
        datetime | None, typer.Option("--since", metavar="DATE", formats=["%Y-%m-%d"], help="Signed on this day (UTC) or later.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", metavar="DATE", formats=["%Y-%m-%d"], help="Signed on this day (UTC) or before.")
    ] = None,
    evidence: options.Evidence = None,
    policy: options.PolicyFile = None,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text, csv, json or markdown.")] = "text",
) -> int:
    """List every release that evidence is kept of: commit, builder, verdict, waivers, who signed, what was deployed.

    Every statement is held against the keys of the policy. One that was changed, or that nobody trusted signed, is listed as that, with
    exit 5, and counts for nothing. Without days, releases that were never signed are listed as well. Exit 3 where there is no release.
    On GitHub the output `functions` of the step names what was deployed, for `verify --function`: an ARN a line.
    """
    from shipsafe.flows.audit import audit_here  # noqa: PLC0415 - the other commands need no AWS
    from shipsafe.reports import audit as for_people  # noqa: PLC0415 - likewise
    from shipsafe.reports import audit_data  # noqa: PLC0415 - likewise

    options.known_format(output, ("text", "csv", "json", "markdown"))
    found = audit_here(policy=policy, place=evidence, since=since.date() if since else None, until=until.date() if until else None)
    if output == "text":
        Screen(local=found.local).say("\n".join(for_people.text_lines(found)))
    else:
        write = {"csv": audit_data.as_csv, "json": audit_data.as_json, "markdown": for_people.markdown}[output]
        sys.stdout.write(write(found))
    github_output.append({"functions": "\n".join(found.functions)})
    return found.exit_code


@app.command(name="who-ships")
def who_ships(
    asked: Annotated[str, typer.Argument(metavar="ID|PACKAGE", help="CVE-2024-56326, GHSA-..., jinja2, jinja2==3.1.4 or 'jinja2<3.1.6'.")],
    *,
    evidence: options.Evidence = None,
    policy: options.PolicyFile = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask only the advisories that are cached here.")] = False,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text, json or csv.")] = "text",
) -> int:
    """List every kept release whose SBOM holds a distribution that an advisory affects, with what was signed and deployed of it.

    Exit 0 when every kept SBOM was looked into, whoever ships it. An advisory that is not known, an SBOM that does not count or cannot be
    read, and a release without one are told, and end in 4 or 5: that nobody ships it is only said when it is known.
    """
    from shipsafe.flows.who_ships import asked_here  # noqa: PLC0415 - the other commands need no AWS
    from shipsafe.reports import ships  # noqa: PLC0415 - likewise

    options.known_format(output, ("text", "json", "csv"))
    aside = Screen(local=False, stream=sys.stderr)
    found = asked_here(asked, policy=policy, place=evidence, offline=offline, say=aside.say)
    if output == "text":
        Screen(local=found.local).say("\n".join(ships.text_lines(found)))
    else:
        sys.stdout.write(ships.as_json(found) if output == "json" else ships.as_csv(found))
        for line in ships.missing_lines(found):
            aside.say(line)
    return found.exit_code


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A report that `--report json=FILE` or `--format json` wrote.")],
    *,
    output: options.Format = "text",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Render a JSON report again, in any format. The exit code says whether it could be read, not what it says."""
    from shipsafe.cli import run  # noqa: PLC0415 - the help needs none of what builds
    from shipsafe.reports import names  # noqa: PLC0415 - likewise

    options.known_format(output, names())
    run.show(_read(file), output, quiet=quiet, verbose=verbose)
    sys.stdout.flush()


def _read(file: Path) -> "RunRecord":
    """The run that a JSON report tells of.

    Raises:
        ConfigError: it is none.
    """
    from shipsafe.adapters.files import MEBIBYTE, read_bounded  # noqa: PLC0415 - the help reads nothing
    from shipsafe.reports.json_report import read  # noqa: PLC0415 - likewise

    try:
        text = read_bounded(file, limit=100 * MEBIBYTE).decode()
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Name a report that shipsafe wrote.", path=str(file)) from error
    return read(text, path=str(file))
