"""`shipsafe verify`: walk the chain of a release, of zips, or of functions that run, and say which link does not hold."""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shipsafe import __version__
from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.files import write_atomic
from shipsafe.adapters.timeline import processors
from shipsafe.cli import options
from shipsafe.cli.chains import tell
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError
from shipsafe.evidence.envelope import written
from shipsafe.evidence.keys import open_signers
from shipsafe.evidence.summary import summaries
from shipsafe.model.chain import Chain, Verification
from shipsafe.packing.publish import MANIFEST
from shipsafe.reports.chains import FORMS
from shipsafe.signing.roots import local_root
from shipsafe.verify import VerifyRequest, open_request, verify_release, verify_zips

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_HERE = Path("dist")


@app.command()
def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH...]", help="Zips, or the folder of a release (dist, if nothing is given).", show_default=False),
    ] = None,
    *,
    function: Annotated[
        list[str] | None,
        typer.Option("--function", metavar="NAME", help="What runs: NAME, NAME:ALIAS, NAME:VERSION or ARN; may be repeated."),
    ] = None,
    template: Annotated[
        Path | None, typer.Option("--template", metavar="FILE", help="What runs: all functions that this template describes.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option("--stack", metavar="NAME", help="The CloudFormation stack of --template, which knows their names.")
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="ID=NAME", help="What a function of --template is called (or NAME:ALIAS); may be repeated."),
    ] = None,
    parameter_overrides: options.Parameters = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="REGION", help="Where functions are; the one of AWS's configuration, if not given.")
    ] = None,
    all_regions: Annotated[
        bool, typer.Option("--all-regions", help="Of functions: in every account and region that a signing record names.")
    ] = False,
    policy: options.PolicyFile = None,
    release: Annotated[
        Path | None, typer.Option("--release", metavar="FOLDER", help="Of zips and functions: the release that they are of.")
    ] = None,
    bundle: Annotated[
        list[Path] | None, typer.Option("--bundle", metavar="FILE", help="Further evidence, *.intoto.jsonl; may be repeated.")
    ] = None,
    evidence: options.Evidence = None,
    vex: options.Vex = None,
    local: options.Local = False,
    online: Annotated[
        bool, typer.Option("--online", help="Fetch advisories that are missing or too old; else only what is cached.")
    ] = False,
    jobs: options.Jobs = None,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="What goes to standard output: text, json, sarif or markdown.")
    ] = "text",
    report: options.Reports = None,
    summary: Annotated[
        Path | None, typer.Option("--summary", metavar="FILE", help="Write Verification Summaries (VSA), signed with --key.")
    ] = None,
    key: options.Keys = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the first sentence.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Text: every chain link by link, also those of several that hold.")
    ] = False,
) -> int:
    """Verify, link by link, that what ships is what was audited and signed: offline for files, live for functions.

    The policy is yours, not that of the release. Exit 0 only if every chain holds, 5 if a link is broken or evidence is missing, 4 if
    something could not be looked at, 1 if nothing was tampered with and today's policy does not allow it.
    """
    options.known_format(output, FORMS)
    targets = options.report_targets(report, FORMS)
    signers = _signers(key, summary)
    live = bool(function or template)
    if live and paths:
        raise ConfigError("Files and functions are two questions.", remedy="Name paths, or --function and --template.")
    if not live and (stack or known or parameter_overrides or region or all_regions):
        what = "--all-regions, --region, --stack, --map and --parameter-overrides are about functions that run."
        raise ConfigError(what, remedy="Name them with --function or --template, or leave these out.")
    named = tuple(paths or (() if live else (_HERE,)))
    ask: Callable[[VerifyRequest], Verification] = partial(_files, named)
    if live:
        from shipsafe.flows.what_runs import WhatRuns, verify_what_runs  # noqa: PLC0415 - files need nothing of AWS

        ask = partial(verify_what_runs, WhatRuns(
            names=tuple(function or ()), template=template, stack=stack, known=_known(known), region=region,
            overrides=options.overrides(parameter_overrides), all_regions=all_regions,
        ))  # fmt: skip
    if live and release is None and (_HERE / MANIFEST).is_file():
        release = _HERE
    read = named if not live else (release,) if release else ()
    with open_request(policy=policy, verified=read, release=release, bundles=tuple(bundle or ()), evidence=evidence,
                      vex=tuple(vex or ()), local_root=local_root(os.environ, local=local), online=online, live=live,
                      jobs=jobs or processors(), say=Screen(local=False, stream=sys.stderr).say) as request:  # fmt: skip
        found = ask(request)
        now = request.now
    tell(found, output, targets, local=live and is_local(), quiet=quiet, verbose=verbose)
    if summary is not None:
        write_atomic(summary.absolute(), _summary(found, signers, now))
    return found.exit_code


def _known(words: Sequence[str] | None) -> dict[str, str]:
    """`ID=NAME` words to a mapping.

    Raises:
        ConfigError: a word is not of that form, or two are about one function.
    """
    found: dict[str, str] = {}
    for word in words or ():
        logical, equals, name = word.partition("=")
        if not equals or not logical or not name or logical in found:
            raise ConfigError(f"--map {word!r} is not of the form ID=NAME, once for each.", remedy="Write Orders=orders-prod:live.")
        found[logical] = name
    return found


def _files(paths: Sequence[Path], request: VerifyRequest) -> Verification:
    """All chains: those of folders first, then those of zips, each in their order."""
    chains: list[Chain] = []
    notes: list[str] = []
    if request.policy.path is None:
        notes.append("No policy was found here: the preset `baseline` holds, which trusts nobody's key. Name yours with --policy.")
    zips = [path for path in paths if path.is_file() or path.suffix == ".zip"]
    for folder in (path for path in paths if path not in zips):
        chains += verify_release(folder, request).chains
    if zips:
        chains += verify_zips(zips, request).chains
    return Verification(chains=tuple(chains), policy=request.policy.path, policy_digest=request.policy.digest, notes=tuple(notes))


def _signers(uris: Sequence[str] | None, summary: Path | None) -> "tuple[Signer, ...]":
    """The verifier's keys, opened before anything is looked at.

    Raises:
        ConfigError: a key cannot be used, or there is nothing to sign with it.
    """
    if not uris:
        return ()
    if summary is None:
        raise ConfigError("--key signs a summary, and none is written.", remedy="Add --summary FILE, or leave out --key.")
    return open_signers(uris)


def _summary(found: Verification, signers: "Sequence[Signer]", now: datetime) -> bytes:
    """A line for each chain."""
    return b"".join(written(one, signers) + b"\n" for one in summaries(found, release=__version__, at=now))
