"""`shipsafe build`: audit, lint, inventory, check, pack and judge; only a pass puts anything into the output folder."""

from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import options
from shipsafe.errors import ConfigError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def build(
    path: options.ProjectPath = Path(),
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where what passed goes.")] = Path("dist"),
    check_reproducible: Annotated[
        bool, typer.Option("--check-reproducible", help="Pack everything twice, the second time in other circumstances.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done, and what is cached.")] = False,
    shards: Annotated[
        int | None,
        typer.Option("--shards", metavar="N", min=1, max=256, help="With --plan: a matrix of N shares of equal weight, as JSON."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="K/N", help="Build this share alone; `report collect` joins them.")
    ] = None,
    policy: options.PolicyFile = None,
    parameter_overrides: options.Parameters = None,
    function: options.Functions = None,
    prebuilt: options.Prebuilt = None,
    vex: options.Vex = None,
    key: options.Keys = None,
    break_glass: options.BreakGlass = None,
    second: options.Second = None,
    fail_on: options.FailOn = None,
    baseline: options.Baseline = None,
    write_baseline: options.WriteBaseline = None,
    baseline_owner: options.BaselineOwner = None,
    baseline_expires: options.BaselineExpires = None,
    baseline_ref: options.BaselineRef = None,
    offline: options.Offline = False,
    jobs: options.Jobs = None,
    output: options.Format = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    profile: options.Profile = False,
) -> int:
    """Stage, examine and pack every Python function and layer of a project.

    Only a passing verdict puts anything into the output folder: for each function and layer NAME.zip, NAME.cdx.json and
    NAME.intoto.jsonl, what is stated about it (signed with --key), and shipsafe.json, the release manifest. A failing run leaves what was
    there before as it was. With --break-glass somebody answers for what did not pass, in a signed record that every later step shows.
    """
    from shipsafe.cli import run  # noqa: PLC0415 - the help needs none of what builds
    from shipsafe.flows.break_glass import words  # noqa: PLC0415 - likewise

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
        prebuilt=prebuilt,
        offline=offline,
        jobs=jobs,
        out=out,
        check_reproducible=check_reproducible,
        shard=shard,
        keys=key,
        break_glass=words(break_glass, second, root=path if path.is_dir() else path.parent),
    )
    if shards is not None and not plan:
        raise ConfigError("--shards is how a plan is shared.", remedy="Add --plan, or build one share with --shard K/N.")
    if plan and shard is not None:
        raise ConfigError("--plan speaks of the whole project.", remedy="Leave out --shard; --shards N says what each share is.")
    if plan:
        return run.show_plan(request, shards=shards, output=output)
    return run.examine(request, output=output, reports=report, quiet=quiet, verbose=verbose, profile=profile)
