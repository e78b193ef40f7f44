"""The options that several commands share, and how their words become values."""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shipsafe.errors import ConfigError

if TYPE_CHECKING:
    from shipsafe.model.project import Built

ProjectPath = Annotated[
    Path, typer.Argument(metavar="[PATH]", help="The project's folder, its template, cdk.out, or a Terraform plan.", show_default=False)
]
PolicyFile = Annotated[Path | None, typer.Option("--policy", metavar="FILE", help="Use this policy instead of the one that is found.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter-overrides", metavar="K=V", help="A template parameter, as in SAM; may be repeated."),
]
Functions = Annotated[
    list[str] | None,
    typer.Option("--function", metavar="NAME", help="Only this function and the layers it uses; may be repeated."),
]
Prebuilt = Annotated[
    list[str] | None,
    typer.Option(
        "--prebuilt",
        metavar="[NAME=]PATH",
        help="Take what another tool staged: .aws-sam/build, .serverless, cdk.out, or one function's folder or zip; may be repeated.",
    ),
]
Vex = Annotated[
    list[Path] | None,
    typer.Option("--vex", metavar="FILE", help="Read this OpenVEX or CycloneDX document before judging; may be repeated."),
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="[GATE=]SEVERITY",
        help="From which severity on a finding blocks, over the policy and within what a base has fixed; may be repeated.",
    ),
]
Baseline = Annotated[
    str | None, typer.Option("--baseline", metavar="FILE", help="Findings in this file are known and do not block; `off` for none.")
]
WriteBaseline = Annotated[
    str | None,
    typer.Option("--write-baseline", metavar="FILE", help="Record what blocks today in this file; later runs fail only on what is new."),
]
BaselineOwner = Annotated[
    str | None, typer.Option("--baseline-owner", metavar="NAME", help="Who answers for what is recorded; else git's user.email.")
]
BaselineExpires = Annotated[
    datetime | None,
    typer.Option("--baseline-expires", metavar="DATE", formats=["%Y-%m-%d"], help="The last day on which what is recorded holds."),
]
Targets = Annotated[
    list[str] | None, typer.Option("--target", metavar="NAME", help="Only this [[sign.target]] of the policy; may be repeated.")
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="URI",
        help="Sign evidence with this key: a file, awskms:ARN or sigstore:; may be repeated. SHIPSAFE_KEY_PASSWORD opens a file.",
    ),
]
Evidence = Annotated[
    str | None, typer.Option("--evidence", metavar="PLACE", help="s3://bucket/prefix or a folder, instead of the policy's `evidence`.")
]
Approvals = Annotated[
    str | None,
    typer.Option("--approvals", metavar="FILE", help="Who approved what the policy waives, from `policy approvals`; or its JSON itself."),
]
BreakGlass = Annotated[
    str | None,
    typer.Option(
        "--break-glass",
        metavar="REASON",
        help="Answer for findings and for what nobody could look at, never for integrity: for a day, and at each step again.",
    ),
]
ManifestDigest = Annotated[
    str | None,
    typer.Option("--manifest-digest", metavar="sha256:HEX", help="The release has to be the one whose shipsafe.json is exactly this."),
]
Local = Annotated[bool, typer.Option("--local", help="Trust the root of the local endpoint, in SHIPSAFE_LOCAL_ROOT.")]
OfflineAdvisories = Annotated[bool, typer.Option("--offline-advisories", help="Ask only the advisories that are cached here.")]
Stage = Annotated[
    str | None, typer.Option("--stage", metavar="NAME", help="To this [[deploy.stage]], which takes what the one before has run.")
]
SkipStages = Annotated[bool, typer.Option("--unsafe-skip-stages", help="Also where the stage before has not run it long enough.")]
Create = Annotated[bool, typer.Option("--create", help="Make functions that are not there.")]
CreateRole = Annotated[
    str | None, typer.Option("--role", metavar="ARN", help="With --create: the execution role, where the policy names none.")
]
Atomic = Annotated[bool, typer.Option("--atomic", help="All or none: where one function fails, the others go back.")]
Second = Annotated[str | None, typer.Option("--second", metavar="NAME", help="With --break-glass: the second person, who agrees.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Go on without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Stop after the plan.")]
Offline = Annotated[bool, typer.Option("--offline", help="Open no socket: only what is cached here is used.")]
Jobs = Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, max=256, help="How many things are done at once.")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="What goes to standard output: text, json, sarif, markdown, github, junit, csv, openvex or cyclonedx-vex.",
    ),
]
PlainFormat = Annotated[str, typer.Option("--format", metavar="FORMAT", help="What goes to standard output: text, json or markdown.")]
Reports = Annotated[list[str] | None, typer.Option("--report", metavar="FORMAT=FILE", help="Also write a report; may be repeated.")]
BaselineRef = Annotated[
    str | None,
    typer.Option("--baseline-ref", metavar="REV", help="Fail only on what is new since HEAD and this git revision parted."),
]
ChangedSince = Annotated[
    str | None, typer.Option("--changed-since", metavar="REV", help="Ask only where an answer could have changed since this git revision.")
]
Profile = Annotated[bool, typer.Option("--profile", help="Say on standard error where the time went, and what was cached.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only findings and the verdict.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also what was allowed, noted and counted.")]

_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def overrides(words: Iterable[str] | None) -> dict[str, str]:
    """`K=V` words (several may stand in one argument, as SAM allows; `ParameterKey=K,ParameterValue=V` too) to a mapping.

    Raises:
        ConfigError: a word is not of that form.
    """
    found: dict[str, str] = {}
    for word in _split(words or ()):
        key, equals, value = word.partition("=")
        if key == "ParameterKey" and ",ParameterValue=" in value:
            key, _, value = value.partition(",ParameterValue=")
        if not equals or not key:
            raise ConfigError(f"--parameter-overrides {word!r} is not of the form K=V.", remedy="Write Stage=prod, for example.")
        found[key] = value
    return found


def _split(words: Iterable[str]) -> Iterable[str]:
    """Words as a shell would see them, so that `"A=1 B=2"` and `'A="x y"'` mean what they mean in SAM."""
    import shlex  # noqa: PLC0415 - only when somebody overrides a parameter

    for word in words:
        try:
            yield from shlex.split(word)
        except ValueError as error:
            raise ConfigError(f"--parameter-overrides {word!r} cannot be read: {error}.", remedy="Close the quotation.") from error


def prebuilt(words: Iterable[str] | None) -> "tuple[Built, ...]":
    """`PATH` and `NAME=PATH` words to values; a path that is there may have a `=` in it."""
    from shipsafe.model.project import Built  # noqa: PLC0415 - every command has options, and few have these values

    found = []
    for word in words or ():
        name, equals, path = word.partition("=")
        alone = not equals or Path(word).exists() or "/" in name
        found.append(Built(path=Path(word)) if alone else Built(path=Path(path), name=name))
    return tuple(found)


def report_targets(words: Iterable[str] | None, known: Iterable[str]) -> list[tuple[str, Path]]:
    """`FORMAT=FILE` words to pairs.

    Raises:
        ConfigError: a word is not of that form, or names no format.
    """
    targets = []
    for word in words or ():
        kind, equals, file = word.partition("=")
        if not equals or not file:
            raise ConfigError(f"--report {word!r} is not of the form FORMAT=FILE.", remedy="Write sarif=report.sarif, for example.")
        targets.append((known_format(kind, known), Path(file)))
    return targets


def known_format(name: str, known: Iterable[str]) -> str:
    """The format of that name.

    Raises:
        ConfigError: there is none.
    """
    names = sorted(known)
    if name not in names:
        raise ConfigError(f"There is no format {name!r}.", remedy=f"Choose one of {', '.join(names)}.")
    return name


def default_jobs() -> int:
    """Twice the processors we may use, at least four: half of the work waits for children and disks."""
    from shipsafe.adapters.timeline import processors  # noqa: PLC0415 - likewise

    return max(4, 2 * processors())


def shard(word: str | None) -> tuple[int, int] | None:
    """`K/N` to two numbers.

    Raises:
        ConfigError: it is not of that form, or there is no such share.
    """
    if word is None:
        return None
    number, slash, count = word.partition("/")
    if not slash or not _NUMBER.fullmatch(number) or not _NUMBER.fullmatch(count) or int(number) > int(count):
        raise ConfigError(f"--shard {word[:40]!r} is not of the form K/N.", remedy="Write 1/4 to 4/4, for example.")
    return int(number), int(count)


def manifest_digest(word: str | None) -> str | None:
    """What a release manifest has to be, `sha256:HEX`; None where nobody says. An empty word is no digest, and not nobody's.

    Raises:
        ConfigError: it is not of that form.
    """
    if word is not None and not _DIGEST.fullmatch(word):
        what = f"--manifest-digest {word[:80]!r} is not of the form sha256:HEX, with 64 digits."
        raise ConfigError(what, remedy="Give it the output `manifest-digest` of the job that made the release.")
    return word
