"""`shipsafe layers`: who signed the layers that functions use, and a copy of our own of one that nobody signed."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import options
from shipsafe.errors import ConfigError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
_LONGEST_NAME = 64  # characters of a layer's name, as the console takes it


@app.callback()
def _layers() -> None:
    """Layers that functions use: who signed them, and a signed copy of one that nobody did."""


@app.command(name="check")
def _check(
    path: options.ProjectPath = Path(),
    *,
    target: options.Targets = None,
    policy: options.PolicyFile = None,
    parameter_overrides: options.Parameters = None,
) -> int:
    """Look at who signed each layer of a project.

    It says whether each layer that a function names is let in where functions enforce.

    Every layer is looked at in each account and Region that the policy signs for; nothing is changed. Ends with 5 where one would be
    refused, and with 4 where nobody could look.
    """
    from shipsafe.adapters.aws.session import open_aws  # noqa: PLC0415 - the help needs none of what looks at layers
    from shipsafe.cli.layer_standing import tell_layers  # noqa: PLC0415 - likewise
    from shipsafe.flows.layers import layers_of  # noqa: PLC0415 - likewise
    from shipsafe.flows.targets import policy_of  # noqa: PLC0415 - likewise

    now = datetime.now(UTC)
    found = layers_of(path, policy_of(path, policy, now.date()), open_aws, now=now, clock=time.monotonic, sleep=time.sleep,
                      targets=tuple(target or ()), overrides=options.overrides(parameter_overrides))  # fmt: skip
    return tell_layers(found)


@app.command(name="vendor")
def _vendor(
    arn: Annotated[str, typer.Argument(metavar="ARN", help="The layer version to copy, whoever published it.", show_default=False)],
    *,
    target: options.Targets = None,
    key: options.Keys = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    policy: options.PolicyFile = None,
    vex: options.Vex = None,
    template: Annotated[
        list[Path] | None,
        typer.Option("--template", metavar="FILE", help="Edit this template instead of the one that lies here; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where the copy and its evidence go; dist/vendored/NAME-VERSION, if not given."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What our copy is called; else as the original is.")] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option("--runtime", metavar="RUNTIME", help="What it runs on, if the original does not say; may be repeated."),
    ] = None,
    architecture: Annotated[
        list[str] | None, typer.Option("--architecture", metavar="ARCH", help="x86_64 or arm64, if it does not say; may be repeated.")
    ] = None,
    timeout: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", min=1, max=86400, help="How long uploading, signing and reading back may take.")
    ] = 900,
    local: options.Local = False,
    offline_advisories: options.OfflineAdvisories = False,
    jobs: options.Jobs = None,
    approvals: options.Approvals = None,
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Make a signed copy of a layer version, and pin it.

    Every gate is asked about it; it is signed with our profile, published in our own account, and the template names it from then on.

    Where functions enforce, a layer that nobody signed, or a stranger, keeps them from being deployed. The copy is the original byte for
    byte, by the digest that Lambda names, but for a stranger's signature. What does not pass is not signed. The next run goes on where one
    ended, without a second signature or version.
    """
    from shipsafe.cli.vendoring import vendor  # noqa: PLC0415 - the help needs none of what copies
    from shipsafe.evidence.keys import open_signers  # noqa: PLC0415 - likewise
    from shipsafe.flows.approvals_file import approvals_of  # noqa: PLC0415 - likewise
    from shipsafe.flows.layer_copy import Original  # noqa: PLC0415 - likewise
    from shipsafe.flows.sign_request import SignRequest  # noqa: PLC0415 - likewise
    from shipsafe.flows.vendor import VendorRequest  # noqa: PLC0415 - likewise
    from shipsafe.reports import names  # noqa: PLC0415 - likewise
    from shipsafe.signing.roots import local_root  # noqa: PLC0415 - likewise

    original = Original.parse(arn)
    called = name or original.name
    if len(called) > _LONGEST_NAME or not called.replace("-", "").replace("_", "").isalnum() or not called.isascii():
        raise ConfigError(
            f"{called[:80]!r} cannot be the name of a layer.", remedy="Use up to 64 letters, digits, hyphens and underscores."
        )
    targets = options.report_targets(report, names())
    sign = SignRequest(
        out=out or Path("dist") / "vendored" / f"{original.name}-{original.number}",
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
    )
    request = VendorRequest(
        original=original,
        sign=sign,
        name=called,
        runtimes=tuple(runtime or ()),
        architectures=tuple(architecture or ()),
        templates=tuple(template) if template else None,
    )
    return vendor(request, targets, local=local, quiet=quiet, verbose=verbose, yes=yes, dry_run=dry_run)
