"""`shipsafe sign`: ask again, upload, sign with AWS Signer, read back, and write down what came of it. `cli/signing.py` does it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import options
from shipsafe.errors import ConfigError

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
    manifest_digest: options.ManifestDigest = None,
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
    approvals: options.Approvals = None,
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
    from shipsafe.cli.signing import asked_for, sign  # noqa: PLC0415 - the help needs none of what signs
    from shipsafe.evidence.keys import open_signers  # noqa: PLC0415 - likewise
    from shipsafe.flows.approvals_file import approvals_of  # noqa: PLC0415 - likewise
    from shipsafe.flows.bare_said import Bare  # noqa: PLC0415 - likewise
    from shipsafe.flows.break_glass import words  # noqa: PLC0415 - likewise
    from shipsafe.flows.sign_request import SignRequest  # noqa: PLC0415 - likewise
    from shipsafe.reports import names  # noqa: PLC0415 - likewise
    from shipsafe.signing.roots import local_root  # noqa: PLC0415 - likewise

    options.known_format(output, names())
    targets = options.report_targets(report, names())
    overrides = options.overrides(parameter_overrides)
    said = Bare(zips=tuple(paths or ()), runtimes=tuple(runtime or ()), architectures=tuple(architecture or ()), handler=handler,
                layer=layer, template=template, function=function, overrides=overrides)  # fmt: skip
    folder, bare = asked_for(said, out)
    if bare and manifest_digest is not None:
        raise ConfigError("--manifest-digest is about a release, and zips have no manifest.", remedy="Leave it out, or name the folder.")
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
        approvals=approvals_of(approvals),
        break_glass=words(break_glass, second),
        manifest_digest=options.manifest_digest(manifest_digest),
    )
    return sign(request, targets, output=output, local=local, quiet=quiet, verbose=verbose, yes=yes, dry_run=dry_run)
