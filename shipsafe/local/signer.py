"""The local Signer: all operations of AWS Signer and of its data endpoint, without transport, in one object for all accounts and Regions.

    signer = Signer(clock, objects, open_root())
    signer.handle(Call(service="signer", operation="PutSigningProfile", parameters={...}, account="111122223333", region="eu-west-1"))

Nothing runs in the background. A job that has become due is done when somebody calls `settle`, which every call does first, and which
the front does before a request to S3; while one thread does it, others see the job in progress.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random, SystemRandom
from threading import Lock, local
from typing import Any

from shipsafe.local import signer_jobs, signer_permissions, signer_platforms, signer_profiles, signer_tags
from shipsafe.local.call import ApiError, Call, Clock, Objects
from shipsafe.local.pki import LocalRoot
from shipsafe.local.sign_zip import Unsignable
from shipsafe.local.signer_payload import sign_payload
from shipsafe.local.signer_revocation import get_revocation_status, is_revoked
from shipsafe.local.signer_state import Job, Planned, State, World, from_json, to_json
from shipsafe.local.signer_work import SUCCEEDED, work
from shipsafe.local.validation import validate

DELAY = timedelta(seconds=1)  # from start to end of a job; on AWS it is a few seconds
_TAGGING = ("TagResource", "UntagResource", "ListTagsForResource")  # modelled with BadRequestException


class Signer:
    """A `Core`. It may be used from several threads."""

    def __init__(self, clock: Clock, objects: Objects, root: LocalRoot, *, delay: timedelta = DELAY, random: Random | None = None) -> None:
        self._world = World(State(), clock, objects, root, random or SystemRandom(), delay)
        self._lock = Lock()
        self._at_work: set[str] = set()  # ids of jobs that some thread does
        self._here = local()

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer a call of `signer` or `signer-data`.

        Raises:
            ApiError: as AWS would refuse it; status 501 for an operation that is not reproduced.
        """
        if call.operation not in SERVICES.get(call.service, ()):
            raise ApiError("NotImplemented", f"The local endpoint does not know {call.service} {call.operation}.", status=501)
        validate(call, code="BadRequestException" if call.operation in _TAGGING else "ValidationException")
        self.settle()
        if call.operation == "StartSigningJob":
            return self._start(call)
        with self._lock:
            return _OPERATIONS[call.operation](self._world, call)

    def operations(self) -> frozenset[str]:
        """The operations that are reproduced."""
        return frozenset(REPRODUCED)

    def reproduced(self) -> Mapping[str, str]:
        """Each operation with how."""
        return REPRODUCED

    def settle(self) -> None:
        """Do the jobs that are due: afterwards their objects are where they should be, or their status says why not."""
        if getattr(self._here, "settles", False):
            return  # the object store, through which a job reads and writes, asks on its way
        self._here.settles = True
        try:
            while (job := self._next_due()) is not None:
                try:
                    self._finish(job)
                finally:
                    with self._lock:
                        self._at_work.discard(job.id)
        finally:
            self._here.settles = False

    def revoked(self, *, job_arn: str, profile_version_arn: str, signed_at: datetime) -> bool:
        """Whether a signature was revoked, itself or with its profile, in whichever Region."""
        with self._lock:
            return is_revoked(self._world.state, job_arn=job_arn, profile_version_arn=profile_version_arn, signed_at=signed_at)

    @property
    def delay(self) -> timedelta:
        """How long the jobs take that are started from now on."""
        return self._world.delay

    @delay.setter
    def delay(self, delay: timedelta) -> None:
        self._world.delay = delay

    def fail_next(self, reason: str) -> None:
        """The next job that is started ends as Failed, with this `statusReason`."""
        self._plan(Planned("fail", reason))

    def hang_next(self) -> None:
        """The next job that is started stays InProgress."""
        self._plan(Planned("hang"))

    def lose_next(self) -> None:
        """The next job that is started is not found when it is asked for."""
        self._plan(Planned("lose"))

    def snapshot(self) -> Any:
        """All state as a JSON value, jobs that run included."""
        with self._lock:
            return to_json(self._world.state)

    def restore(self, value: Any) -> None:
        """Take up what `snapshot` gave.

        Raises:
            ConfigError: it is something else.
        """
        state = from_json(value)
        with self._lock:
            self._world.state = state

    def _start(self, call: Call) -> dict[str, Any]:
        """Ask the object store while the lock is free: it may ask us to settle."""
        transfer = signer_jobs.read_transfer(call.parameters)
        refusal = signer_jobs.refuse_buckets(self._world.objects, call, transfer)
        with self._lock:
            return signer_jobs.start_signing_job(self._world, call, transfer, refusal)

    def _plan(self, planned: Planned) -> None:
        with self._lock:
            self._world.state.planned.append(planned)

    def _next_due(self) -> Job | None:
        with self._lock:
            now = self._world.clock.now()
            for job in self._world.state.jobs.values():
                if job.status == "InProgress" and job.due is not None and job.due <= now and job.id not in self._at_work:
                    self._at_work.add(job.id)
                    return job
        return None

    def _finish(self, job: Job) -> None:
        """Do one job that was claimed; the lock is free meanwhile, as the object store may be slow."""
        if job.transfer is None or job.due is None:
            return
        world = self._world
        profile = world.state.profiles[job.profile_arn]
        expires = signer_profiles.expires(profile, job.due)
        try:
            key = work(job, job.transfer, profile, objects=world.objects, root=world.root, signed_at=job.due, expires=expires)
        except Unsignable as error:
            with self._lock:
                job.status, job.reason, job.completed = "Failed", str(error), job.due
            return
        with self._lock:
            job.status, job.reason, job.completed = "Succeeded", SUCCEEDED, job.due
            job.signed_key, job.expires = key, expires


_OPERATIONS: Mapping[str, Callable[[World, Call], dict[str, Any]]] = {
    "AddProfilePermission": signer_permissions.add_profile_permission,
    "CancelSigningProfile": signer_profiles.cancel_signing_profile,
    "DescribeSigningJob": signer_jobs.describe_signing_job,
    "GetRevocationStatus": get_revocation_status,
    "GetSigningPlatform": signer_platforms.get_signing_platform,
    "GetSigningProfile": signer_profiles.get_signing_profile,
    "ListProfilePermissions": signer_permissions.list_profile_permissions,
    "ListSigningJobs": signer_jobs.list_signing_jobs,
    "ListSigningPlatforms": signer_platforms.list_signing_platforms,
    "ListSigningProfiles": signer_profiles.list_signing_profiles,
    "ListTagsForResource": signer_tags.list_tags_for_resource,
    "PutSigningProfile": signer_profiles.put_signing_profile,
    "RemoveProfilePermission": signer_permissions.remove_profile_permission,
    "RevokeSignature": signer_jobs.revoke_signature,
    "RevokeSigningProfile": signer_profiles.revoke_signing_profile,
    "SignPayload": sign_payload,
    "TagResource": signer_tags.tag_resource,
    "UntagResource": signer_tags.untag_resource,
}
REPRODUCED: Mapping[str, str] = dict.fromkeys(_OPERATIONS, "as AWS") | {
    "GetRevocationStatus": "simplified: no certificate is ever revoked",
    "GetSigningPlatform": "simplified: five platforms; that of container registries is unconfirmed",
    "ListSigningPlatforms": "simplified: five platforms; that of container registries is unconfirmed",
    "PutSigningProfile": "simplified: a certificate that an IoT platform asks for is not looked at",
    "SignPayload": "simplified: a JWS envelope with Notation's headers, not compared with one of AWS",
    "StartSigningJob": "simplified: Lambda's platform alone; another one's profile answers 501",
}
SERVICES: Mapping[str, frozenset[str]] = {"signer": frozenset(REPRODUCED), "signer-data": frozenset({"GetRevocationStatus"})}
