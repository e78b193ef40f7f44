"""A signing job from its start to its end: started once, however often the start is asked for, and watched until it is done.

botocore's own waiter looks every 20 seconds and hides why a job failed; here `describe_signing_job` is asked after growing pauses, and
Signer's reason is a part of the message. A new attempt has a new token, and is made only after Signer has said Failed and the journal
holds that.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shipsafe.adapters.aws.signer import Job, describe_job, start_job
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.signing import S3Object
from shipsafe.signing.earlier import signs
from shipsafe.signing.journal import MOST_ATTEMPTS, Journal
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.plan import Line
from shipsafe.signing.ticket import Ticket
from shipsafe.signing.watch import Watch

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 1.0, 5.0, 1.25  # seconds; jobs for Lambda take some seconds
_UNKNOWN = 5  # looks at a job that was just started until it must be known
_OLD = timedelta(minutes=5)  # clocks may differ by as much (signatures of requests allow fifteen)


def sign(
    line: Line, source: S3Object, journal: Journal, watch: Watch, *, began: datetime, again: int, progress: Callable[[str], None]
) -> Job:
    """Have a version signed; gives the job, which has succeeded.

    Args:
        line: what to sign, and the job that an earlier run has started.
        source: the version.
        journal: is told before anything is started anew.
        watch: the deadline.
        began: when this run began, UTC; a job that failed before is an earlier run's.
        again: new attempts that this run may make after a job of its own has failed.
        progress: is told what happens.

    Raises:
        IntegrityError: Signer describes another job than the one that was started.
        IncompleteError: the job failed or did not end in time, Signer does not know it, refused, or gave no answer.
    """
    aws, ticket, number = line.stand.aws, line.ticket(source), line.attempt
    target, job = line.stand.target, line.job
    while True:
        if job is None:
            watch.check()
            token = ticket.token(number)
            started = start_job(aws, source, prefix=line.destination, profile=target.profile, owner=target.profile_owner, token=token)
            journal.note_started(ticket.id, number, started)
            progress(f"job {started} started")
        else:
            started = job.id
        job = _wait(line, started, watch)
        _believe(job, line, ticket)
        if job.status == "Succeeded":
            return job
        journal.note_failed(ticket.id, number, started)
        own = job.created is None or job.created >= began - _OLD
        if (own and not again) or number >= MOST_ATTEMPTS:
            reason = job.reason.rstrip(".") or "Signer gives no reason"
            raise IncompleteError(
                f"{line.work.name}: signing job {job.id} failed: {reason}.",
                remedy="If the zip and the profile are as they should be, run this again: it starts a new job.",
            )
        again -= int(own)
        progress(f"job {started} failed ({job.reason or 'Signer gives no reason'}); a new one is started")
        job, number = None, number + 1


def _wait(line: Line, started: str, watch: Watch) -> Job:
    """Look at a job until it has succeeded or failed."""
    name, pause, unknown = line.work.name, _FIRST_PAUSE, 0
    while True:
        job = describe_job(line.stand.aws, started)
        if job is not None and job.status in ("Succeeded", "Failed"):
            return job
        if job is None:
            unknown += 1
            if unknown >= _UNKNOWN:
                what = f"{name}: Signer does not know job {started}, although it gave it that name."
                raise IncompleteError(what, remedy="Run this again; if that stays so, ask AWS about the job.")
        elif job.status != "InProgress":
            raise IncompleteError(
                f"{name}: signing job {started} is {job.status[:80]!r}, which is no known state.", remedy="Run this again."
            )
        if watch.over():
            state = "still in progress" if job is not None else "not known to Signer"
            what = f"{name}: signing job {started} is {state}, and the time for signing is over."
            raise IncompleteError(what, remedy="Run this again: it goes on waiting for the same job.")
        watch.pause(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _believe(job: Job, line: Line, ticket: Ticket) -> None:
    """Refuse a job that is another than was started, or has done something else than was asked."""
    remedy = "Nothing of it was used. Find out what answers in Signer's place, then run this again."
    if not signs(job, ticket) or (job.platform and job.platform != PLATFORM):
        raise IntegrityError(f"{line.work.name}: signing job {job.id} is not the one that was started.", remedy=remedy)
    if job.status == "Succeeded" and job.signed != (line.stand.bucket, f"{line.destination}{job.id}.zip"):
        raise IntegrityError(f"{line.work.name}: signing job {job.id} wrote to another place than it was told.", remedy=remedy)
    if job.revoked is not None:
        raise IntegrityError(
            f"{line.work.name}: the signature of job {job.id} was revoked: {job.revoked}.",
            remedy="Sign it with another profile, or build it anew.",
        )
