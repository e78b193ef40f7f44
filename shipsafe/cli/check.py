"""`shipsafe check`: the gates without packing."""

from pathlib import Path

import typer

from shipsafe.cli import options, run

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def check(
    path: options.ProjectPath = Path(),
    *,
    policy: options.PolicyFile = None,
    parameter_overrides: options.Parameters = None,
    function: options.Functions = None,
    prebuilt: options.Prebuilt = None,
    vex: options.Vex = None,
    fail_on: options.FailOn = None,
    baseline: options.Baseline = None,
    write_baseline: options.WriteBaseline = None,
    baseline_owner: options.BaselineOwner = None,
    baseline_expires: options.BaselineExpires = None,
    baseline_ref: options.BaselineRef = None,
    changed_since: options.ChangedSince = None,
    offline: options.Offline = False,
    jobs: options.Jobs = None,
    output: options.Format = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    profile: options.Profile = False,
) -> int:
    """Ask every gate about every function and layer of a project, and judge, without packing anything.

    The SBOM is made without the digests of a zip, because there is none.
    """
    request = run.request(
        path,
        policy=policy,
        overrides=parameter_overrides,
        functions=function,
        vex=vex,
        fail_on=fail_on,
        baseline=baseline,
        write_baseline=write_baseline,
        baseline_owner=baseline_owner,
        baseline_expires=baseline_expires,
        baseline_ref=baseline_ref,
        changed_since=changed_since,
        prebuilt=prebuilt,
        offline=offline,
        jobs=jobs,
        out=None,
    )
    return run.examine(request, output=output, reports=report, quiet=quiet, verbose=verbose, profile=profile)
