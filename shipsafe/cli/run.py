"""What `check` and `build` do alike: make the request, show the work, write the reports, give the exit code."""

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from shipsafe.adapters.files import write_atomic
from shipsafe.adapters.timeline import Timeline, cpu_seconds, processors
from shipsafe.cli import github_output, options
from shipsafe.cli.screen import console, is_terminal, is_watched
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.build import build
from shipsafe.flows.prepare import prepare
from shipsafe.flows.request import Request
from shipsafe.model.override import BreakGlass
from shipsafe.model.record import RunRecord
from shipsafe.packing.publish import MANIFEST
from shipsafe.reports import load, names
from shipsafe.reports.live import Progress, live_progress, plain_progress, silent_progress
from shipsafe.reports.text import plain, screen


def request(
    path: Path,
    *,
    policy: Path | None,
    overrides: Iterable[str] | None,
    functions: Iterable[str] | None,
    vex: Iterable[Path] | None,
    prebuilt: Iterable[str] | None,
    offline: bool,
    jobs: int | None,
    out: Path | None,
    check_reproducible: bool = False,
    fail_on: Iterable[str] | None = None,
    baseline: str | None = None,
    write_baseline: str | None = None,
    baseline_owner: str | None = None,
    baseline_expires: datetime | None = None,
    baseline_ref: str | None = None,
    changed_since: str | None = None,
    shard: str | None = None,
    keys: Iterable[str] | None = None,
    break_glass: BreakGlass | None = None,
) -> Request:
    """The request that the options make; today is today in UTC, so that a waiver ends everywhere at once."""
    return Request(
        path=path,
        today=datetime.now(UTC).date(),
        out=out,
        policy=policy,
        overrides=options.overrides(overrides),
        functions=tuple(functions or ()),
        vex=tuple(vex or ()),
        prebuilt=options.prebuilt(prebuilt),
        offline=offline,
        jobs=jobs or options.default_jobs(),
        check_reproducible=check_reproducible,
        fail_on=tuple(fail_on or ()),
        baseline=baseline,
        write_baseline=write_baseline,
        baseline_owner=baseline_owner,
        baseline_expires=baseline_expires.date() if baseline_expires else None,
        baseline_ref=baseline_ref,
        changed_since=changed_since,
        shard=options.shard(shard),
        keys=tuple(keys or ()),
        break_glass=break_glass,
    )


def examine(request: Request, *, output: str, reports: Iterable[str] | None, quiet: bool, verbose: bool, profile: bool) -> int:
    """Run it, write every report, and give the exit code of the verdict. A format never changes the code."""
    timeline = Timeline()
    options.known_format(output, names())
    targets = options.report_targets(reports, names())
    watching = progress(quiet=quiet)
    with watching:
        record = build(request, watching, timeline)
    with timeline.leg("report"):
        write_reports(record, targets)
        show(record, output, quiet=quiet, verbose=verbose)
    _show_profile(timeline, shown=profile)
    return _ended(record, targets, request.out)


def join(
    request: Request, folders: Sequence[Path], *, output: str, reports: Iterable[str] | None, quiet: bool, verbose: bool
) -> int:  # fmt: skip
    """Join what several machines built, write every report, and give the exit code of the verdict."""
    from shipsafe.flows.collect import collect  # noqa: PLC0415 - only this command joins

    options.known_format(output, names())
    targets = options.report_targets(reports, names())
    out = request.out or Path("dist")
    record = collect(prepare(request), folders, out)
    write_reports(record, targets)
    show(record, output, quiet=quiet, verbose=verbose)
    return _ended(record, targets, out)


def _ended(record: RunRecord, reports: Iterable[tuple[str, Path]], out: Path | None) -> ExitCode:
    """Tell the next steps of a job how it ended, and give the exit code; `out` is where a release was put, if one was."""
    verdict = record.verdict
    manifest = out / MANIFEST if out and record.artifacts else None
    github_output.append_ended(verdict.exit_code, reports, decision=verdict.decision, manifest=manifest)
    return verdict.exit_code


def show_plan(request: Request, *, shards: int | None, output: str) -> int:
    """Print what would be done, or as JSON how several machines would share it."""
    from shipsafe.flows.plan import make_plan, make_shards  # noqa: PLC0415 - only `--plan` needs these
    from shipsafe.reports import plan  # noqa: PLC0415

    if output not in ("text", "json"):
        raise ConfigError(f"A plan has no format {output!r}.", remedy="Choose text or json.")
    if shards is not None:
        matrix = plan.matrix(make_shards(request, shards, silent_progress()))
        sys.stdout.write(matrix)
        github_output.append({"matrix": matrix.rstrip()})
        return 0
    planned = make_plan(request, silent_progress())
    sys.stdout.write(plan.table(planned) if output == "text" else plan.as_json(planned))
    return 0


def write_reports(record: RunRecord, targets: Iterable[tuple[str, Path]]) -> None:
    """Write the reports that were asked for with `--report`."""
    for kind, file in targets:
        write_atomic(file.absolute(), load(kind).write(record).encode())


def _show_profile(timeline: Timeline, *, shown: bool) -> None:
    """Where the time went: on standard error, and as JSON where SHIPSAFE_PROFILE names a file."""
    file = os.environ.get("SHIPSAFE_PROFILE")
    if not (shown or file):
        return
    from shipsafe.reports import profile  # noqa: PLC0415 - only when somebody asks

    made = profile.profile(timeline.legs, wall=timeline.now(), cpu=cpu_seconds(), processors=processors())
    if shown:
        sys.stderr.write(profile.as_text(made))
    if file:
        write_atomic(Path(file).absolute(), profile.as_json(made).encode())


def progress(*, quiet: bool, mark: str = "") -> Progress:
    """How the work is shown: a table on a terminal, lines elsewhere, which begin with `mark`, nothing with `--quiet`."""
    if quiet:
        return silent_progress()
    return live_progress() if is_watched() else plain_progress(sys.stderr, mark=mark)


def show(record: RunRecord, output: str, *, quiet: bool, verbose: bool) -> None:
    """Standard output gets one thing: the chosen format. The step summary of GitHub goes where GitHub says."""
    if output == "text" and not is_terminal():
        sys.stdout.write(plain(record, quiet=quiet, verbose=verbose))
    elif output == "text":
        screen(record, console(), quiet=quiet, verbose=verbose)
    else:
        sys.stdout.write(load(output).write(record))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if output == "github" and summary:
        from shipsafe.reports.github import write_step_summary  # noqa: PLC0415 - only in a workflow

        write_step_summary(record, Path(summary))
