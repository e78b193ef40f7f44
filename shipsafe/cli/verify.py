"""`shipsafe verify`: walk the chain of a release, of zips, or of functions that run, and say which link does not hold.

`cli/verifying.py` does it.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import options
from shipsafe.errors import ConfigError

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
    manifest_digest: options.ManifestDigest = None,
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
    from shipsafe.adapters.aws.session import is_local  # noqa: PLC0415 - the help needs none of what verifies
    from shipsafe.adapters.timeline import processors  # noqa: PLC0415 - likewise
    from shipsafe.cli.screen import Screen  # noqa: PLC0415 - likewise
    from shipsafe.cli.verifying import Asked, files, opened, tell_verified  # noqa: PLC0415 - likewise
    from shipsafe.packing.publish import MANIFEST  # noqa: PLC0415 - likewise
    from shipsafe.reports.chains import FORMS  # noqa: PLC0415 - likewise
    from shipsafe.signing.roots import local_root  # noqa: PLC0415 - likewise
    from shipsafe.verify import open_request  # noqa: PLC0415 - likewise

    options.known_format(output, FORMS)
    targets = options.report_targets(report, FORMS)
    signers = opened(key, summary)
    live = bool(function or template)
    if live and paths:
        raise ConfigError("Files and functions are two questions.", remedy="Name paths, or --function and --template.")
    if not live and (stack or known or parameter_overrides or region or all_regions):
        what = "--all-regions, --region, --stack, --map and --parameter-overrides are about functions that run."
        raise ConfigError(what, remedy="Name them with --function or --template, or leave these out.")
    named = tuple(paths or (() if live else (_HERE,)))
    ask: Asked = partial(files, named)
    if live:
        from shipsafe.flows.what_runs import WhatRuns, verify_what_runs  # noqa: PLC0415 - files need nothing of AWS

        ask = partial(verify_what_runs, WhatRuns(
            names=tuple(function or ()), template=template, stack=stack, known=_known(known), region=region,
            overrides=options.overrides(parameter_overrides), all_regions=all_regions,
        ))  # fmt: skip
    if live and release is None and (_HERE / MANIFEST).is_file():
        release = _HERE
    digest = options.manifest_digest(manifest_digest)
    folders = {release} if release else {path for path in named if path.is_dir()}
    if digest is not None and len(folders) != 1:
        raise ConfigError("--manifest-digest is about one release.", remedy="Name its folder alone, or with --release.")
    read = named if not live else (release,) if release else ()
    with open_request(policy=policy, verified=read, release=release, bundles=tuple(bundle or ()), evidence=evidence,
                      manifest_digest=digest, vex=tuple(vex or ()), online=online, live=live,
                      local_root=local_root(os.environ, local=local), jobs=jobs or processors(),
                      say=Screen(local=False, stream=sys.stderr).say) as request:  # fmt: skip
        found = ask(request)
        now = request.now
    return tell_verified(found, targets, output=output, summary=summary, signers=signers, now=now, local=live and is_local(), quiet=quiet,
                         verbose=verbose)  # fmt: skip


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
