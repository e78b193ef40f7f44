"""The straight line of `ship`: build, sign, enforce check, deploy, verify. It ends at the first leg that does not pass.

What a leg has finished is written down beside the release before the next one begins, so that `--resume` goes on there.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ExitCode, IncompleteError, ShipsafeError
from shipsafe.flows.deploy_case import utc_now
from shipsafe.flows.ship_journal import Line, LineJournal
from shipsafe.flows.ship_legs import Run, build_leg, sign_leg
from shipsafe.flows.ship_live import deploy_leg, enforce_leg, verify_leg
from shipsafe.flows.ship_request import Agree, ShipRequest
from shipsafe.model.ship import Leg, LegReport, Shipped, Went
from shipsafe.policy.chain import find_policy
from shipsafe.reports.ship.view import View

Ahead = Callable[[Leg, Run], None]


def nothing(_leg: Leg, _run: Run) -> None:
    """Nothing is done before a leg."""


_LEGS: dict[Leg, Callable[[Run], LegReport]] = {
    Leg.BUILD: build_leg,
    Leg.SIGN: sign_leg,
    Leg.ENFORCE: enforce_leg,
    Leg.DEPLOY: deploy_leg,
    Leg.VERIFY: verify_leg,
}
_WENT = (Went.PASSED, Went.DONE_BEFORE)
_BEFORE_ANYTHING = (ExitCode.USAGE, ExitCode.NOTHING)


def ship(
    request: ShipRequest,
    view: View,
    agree: Agree,
    *,
    ahead: Ahead = nothing,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = utc_now,
) -> Shipped:
    """Run the line, and give what came of it. Every leg that was reached is in the result, also where one failed.

    Args:
        request: what is asked for.
        view: is told how it goes on.
        agree: says whether to go on, before anything changes.
        ahead: called before each leg, as a part of it.
        clock: seconds that only go forward.
        now: UTC.

    Raises:
        ConfigError, NothingError: before anything was done: nothing can be built, signed or deployed as it was asked for.
        IncompleteError: the folder of the release cannot be written.
    """
    run = Run(request=request, view=view, agree=agree, timeline=Timeline(), policy=_policy_file(request))
    journal = LineJournal(request.out)
    line = _line(run, journal, now())
    reports: list[LegReport] = []
    for leg in Leg:
        if reports and reports[-1].went not in _WENT:
            reports.append(LegReport(leg=leg, went=Went.NOT_REACHED))
            continue
        report = _walked(leg, run, ahead, clock)
        if report.went in _WENT:
            line = _finished(run, journal, line, leg)
        reports.append(report)
    return Shipped(
        project=request.build.folder.name,
        release=run.release,
        out=str(request.out),
        legs=tuple(reports),
        functions=run.functions,
        record=run.record,
        verification=run.verification,
        local=is_local(),
        sandbox=request.sandbox,
        overridden=run.overridden,
        remarks=tuple(dict.fromkeys(run.remarks)),
    )


def _finished(run: Run, journal: LineJournal, line: Line, leg: Leg) -> Line:
    """Write down that a leg is done. A disk that is full stops nothing that AWS has done: the journal is a hint."""
    try:
        return journal.finish(line, leg, run.release)
    except IncompleteError as error:
        run.remarks.append(f"What was done could not be written down, so that --resume looks at more than it has to. {error}")
        return line


def _policy_file(request: ShipRequest) -> Path | None:
    """The policy of whoever ships: the one that is named, else the project's own, as the build finds it."""
    if request.build.policy is not None:
        return request.build.policy
    found = find_policy(request.build.folder)
    return found.path if found else None


def _line(run: Run, journal: LineJournal, now: datetime) -> Line:
    """The line that goes on, or a new one."""
    before = journal.read() if run.request.resume else None
    if before is None:
        if run.request.resume:
            return Line(began=now)  # the release that lies there is all that is known
        return journal.begin(now)
    run.building, run.finished, run.before = not before.finished, before.finished, before.release
    if before.finished:
        run.remarks.append(f"Went on with the line of {before.began:%Y-%m-%d %H:%M} UTC, which had finished {', '.join(before.finished)}.")
    return before


def _walked(leg: Leg, run: Run, ahead: Ahead, clock: Callable[[], float]) -> LegReport:
    """One leg, with the time that it took. What stops it after the first one is a report, so that all of the line is told."""
    began = clock()
    run.view.begin(leg)
    try:
        ahead(leg, run)
        report = _LEGS[leg](run)
    except ShipsafeError as error:
        if leg is Leg.BUILD and error.exit_code in _BEFORE_ANYTHING:
            raise
        report = LegReport(leg=leg, went=Went.STOPPED, sentence=str(error), code=error.exit_code)
    report = replace(report, seconds=clock() - began)
    run.view.end(report)
    return report
