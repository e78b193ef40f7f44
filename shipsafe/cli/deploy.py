"""`shipsafe deploy`: what a release holds goes live, step by step, and what runs is looked at again. `cli/deploying.py` does it."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.timeline import processors
from shipsafe.cli import options
from shipsafe.deploy.managed import Via
from shipsafe.errors import ConfigError

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="deploy")
def _deploy(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="The folder of a release (dist, if not given).", show_default=False)
    ] = Path("dist"),
    *,
    target: options.Targets = None,
    stage: options.Stage = None,
    skip_stages: options.SkipStages = False,
    function: Annotated[
        list[str] | None, typer.Option("--function", metavar="NAME", help="Only this function of the release; may be repeated.")
    ] = None,
    rollback: Annotated[
        str | None,
        typer.Option("--rollback", metavar="FUNCTION[:ALIAS]", help="Deploy nothing: lead this alias back to the version before."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="With --rollback: to this version, if its chain verifies.")
    ] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="With --rollback: where the function is.")] = None,
    via: Annotated[
        Via | None,
        typer.Option("--via", help="Deploy nothing: write what this tool then deploys. The default where a function is its own."),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            "--template",
            metavar="FILE",
            help="With --via or a stack: what is deployed, or its folder; the release says where, if not given.",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FILE",
            help="With --via: where the result goes; beside the template, if not given. With a stack: keep it here.",
        ),
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack",
            metavar="NAME",
            help="With --via: the CloudFormation stack, where its functions do not say it; else a stage names it.",
        ),
    ] = None,
    parameter_overrides: options.Parameters = None,
    landed: Annotated[bool, typer.Option("--landed", help="With --via or a stack: change nothing, verify that it has landed.")] = False,
    policy: options.PolicyFile = None,
    manifest_digest: options.ManifestDigest = None,
    key: options.Keys = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    create: options.Create = False,
    role: options.CreateRole = None,
    atomic: options.Atomic = False,
    break_glass: options.BreakGlass = None,
    second: options.Second = None,
    evidence: options.Evidence = None,
    local: options.Local = False,
    offline_advisories: options.OfflineAdvisories = False,
    jobs: options.Jobs = None,
    output: options.PlainFormat = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Deploy a signed release to the functions that are there, and verify what runs.

    Before anything is changed every zip, its evidence and its signature are verified under your policy, the code-signing configuration has
    to enforce, and Lambda itself has to take the code in a dry run. Then: configuration and layers, the exact signed object, a published
    version, a smoke test, the alias. What goes wrong takes the alias back;
    --rollback does that later, to a version that verifies today.

    A --stage that names its `stack` is changed by CloudFormation, by one change set that is shown first.
    """
    from shipsafe.cli.deploying import deploy  # noqa: PLC0415 - the help needs none of what deploys
    from shipsafe.cli.handing_over import check_via  # noqa: PLC0415 - likewise
    from shipsafe.cli.rolling_back import roll_back  # noqa: PLC0415 - likewise
    from shipsafe.evidence.keys import open_signers  # noqa: PLC0415 - likewise
    from shipsafe.flows.break_glass import words  # noqa: PLC0415 - likewise
    from shipsafe.flows.deploy_request import DeployRequest  # noqa: PLC0415 - likewise
    from shipsafe.flows.rollback_case import RollbackRequest  # noqa: PLC0415 - likewise
    from shipsafe.flows.via import ViaRequest  # noqa: PLC0415 - likewise
    from shipsafe.reports.deployments import FORMS  # noqa: PLC0415 - likewise
    from shipsafe.signing.roots import local_root  # noqa: PLC0415 - likewise

    options.known_format(output, FORMS)
    targets = options.report_targets(report, FORMS)
    request = DeployRequest(
        out=folder,
        policy=policy,
        targets=tuple(target or ()),
        stage=stage or "",
        skip_stages=skip_stages,
        create=create,
        role=role_arn(role),
        atomic=atomic,
        break_glass=words(break_glass, second),
        functions=tuple(function or ()),
        jobs=jobs or max(8, processors()),
        offline=offline_advisories,
        evidence=evidence,
        local_root=local_root(os.environ, local=local),
        signers=open_signers(key or ()),
        manifest_digest=options.manifest_digest(manifest_digest),
    )
    there = is_local() or local
    if rollback is not None:
        if function or manifest_digest or break_glass is not None or len(request.targets) > 1:
            raise ConfigError(
                "--rollback takes one function, at one place.", remedy="Leave out --function and --manifest-digest, and name one --target."
            )
        back = RollbackRequest(
            function=rollback, to=to or "", target="".join(request.targets), stage=request.stage, region=region, release=folder,
            policy=policy, evidence=evidence, local_root=request.local_root, offline=offline_advisories, signers=request.signers,
        )  # fmt: skip
        return roll_back(back, targets, output=output, local=there, yes=yes, dry_run=dry_run, quiet=quiet, verbose=verbose)
    asked = ViaRequest(
        via=via, template=template, written=write, stack=stack, overrides=options.overrides(parameter_overrides), look=landed
    )
    check_via(asked, others=bool(function or create or atomic), stack=bool(stage))
    if to or region:
        raise ConfigError("--to and --region belong to --rollback.", remedy="Leave them out: the policy says where to deploy.")
    return deploy(request, asked, targets, output=output, local=there, yes=yes, dry_run=dry_run, quiet=quiet, verbose=verbose)


def role_arn(text: str | None) -> str | None:
    """The ARN of a role.

    Raises:
        ConfigError: it is none.
    """
    if text is not None and not _ROLE.fullmatch(text):
        raise ConfigError(f"{text[:120]!r} is not the ARN of a role.", remedy="Write arn:aws:iam::111122223333:role/orders, for example.")
    return text
