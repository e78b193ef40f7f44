"""The Signer as a core: state that survives a restart, several threads, an object store that asks back, and the table of operations."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from shipsafe.errors import ConfigError
from shipsafe.local.call import ApiError, Call
from shipsafe.local.pki import LocalRoot
from shipsafe.local.signer import SERVICES, Signer
from shipsafe.local.validation import service_model
from tests.local.stores import ACCOUNT, BEGIN, OTHER_ACCOUNT, REGION, Memory, ask
from tests.local.test_signer_jobs import Desk


@pytest.fixture
def desk(local_root: LocalRoot) -> Desk:
    return Desk(local_root)


def restarted(desk: Desk) -> Signer:
    """A new process with the same objects and the state that was kept as JSON."""
    again = Signer(desk.clock, desk.objects, desk.root)
    again.restore(json.loads(json.dumps(desk.signer.snapshot())))
    return again


@pytest.mark.parametrize("service", ["signer", "signer-data"])
def test_every_operation_of_the_service_is_in_the_table(service: str) -> None:
    assert set(service_model(service).operation_names) == SERVICES[service]


def test_every_operation_says_how_it_is_reproduced(desk: Desk) -> None:
    told = desk.signer.reproduced()
    assert set(told) == desk.signer.operations() == set(service_model("signer").operation_names)
    assert all(how == "as AWS" or how.startswith("simplified: ") for how in told.values())


@pytest.mark.parametrize(("service", "operation"), [("signer", "DeleteSigningProfile"), ("lambda", "GetSigningProfile")])
def test_anything_else_is_a_loud_501(desk: Desk, service: str, operation: str) -> None:
    with pytest.raises(ApiError) as caught:
        desk.signer.handle(Call(service=service, operation=operation, parameters={}, account=ACCOUNT, region=REGION))
    assert (caught.value.status, operation in caught.value.message) == (501, True)


def test_answers_have_no_member_that_botocore_does_not_know(desk: Desk) -> None:
    """A member that the model lacks would be dropped on the wire without a word."""

    def check(shape: Any, value: Any, path: str) -> None:
        if shape.type_name == "structure":
            assert set(value) <= set(shape.members), path
            for name, member in value.items():
                check(shape.members[name], member, f"{path}.{name}")
        elif shape.type_name == "list":
            for item in value:
                check(shape.member, item, f"{path}[]")

    job = desk.ended()["jobId"]
    ask(desk.signer, "RevokeSignature", jobId=job, reason="stolen")
    ask(
        desk.signer,
        "AddProfilePermission",
        profileName="prod",
        action="signer:GetSigningProfile",
        principal=OTHER_ACCOUNT,
        statementId="s",
    )
    version = desk.profile["profileVersion"]
    ask(desk.signer, "RevokeSigningProfile", profileName="prod", profileVersion=version, reason="lost", effectiveTime=BEGIN)
    asked: dict[str, dict[str, Any]] = {
        "GetSigningProfile": {"profileName": "prod"},
        "ListSigningProfiles": {"statuses": ["Revoked"]},
        "DescribeSigningJob": {"jobId": job},
        "ListSigningJobs": {},
        "ListSigningPlatforms": {},
        "ListProfilePermissions": {"profileName": "prod"},
    }
    for operation, words in asked.items():
        answer = ask(desk.signer, operation, **words)
        assert any(answer.values()), operation
        check(service_model("signer").operation_model(operation).output_shape, answer, operation)


def test_state_is_the_same_after_a_restart(desk: Desk) -> None:
    job = desk.ended()["jobId"]
    ask(desk.signer, "RevokeSignature", jobId=job, reason="stolen")
    ask(
        desk.signer,
        "AddProfilePermission",
        profileName="prod",
        action="signer:StartSigningJob",
        principal=OTHER_ACCOUNT,
        statementId="s",
    )
    desk.signer.fail_next("planned")
    again = restarted(desk)
    assert again.snapshot() == desk.signer.snapshot()
    assert ask(again, "DescribeSigningJob", jobId=job) == desk.describe(job)
    assert desk.start() == job, "tokens are kept"


def test_a_job_that_was_running_ends_after_a_restart(desk: Desk) -> None:
    job = desk.start()
    again = restarted(desk)
    desk.clock.pass_time(days=3)
    told = ask(again, "DescribeSigningJob", jobId=job)
    assert told["status"] == "Succeeded"
    assert (told["completedAt"] - told["createdAt"]).total_seconds() == 1, "it ended when it was due"


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"profiles": []}, {"profiles": {}, "jobs": {"x": {}}, "tokens": {}, "planned": []}, {"$time": "never"}],
)
def test_a_damaged_state_is_refused_and_the_old_one_kept(desk: Desk, value: Any) -> None:
    before = desk.signer.snapshot()
    with pytest.raises(ConfigError, match="damaged"):
        desk.signer.restore(value)
    assert desk.signer.snapshot() == before


class AskingBack(Memory):
    """An object store whose front settles before each request, as the endpoint's does."""

    settle: Callable[[], None] = staticmethod(lambda: None)

    def region(self, bucket: str) -> str:
        self.settle()
        return super().region(bucket)


def test_an_object_store_may_settle_while_it_is_asked(local_root: LocalRoot) -> None:
    desk = Desk(local_root)
    store = AskingBack(desk.objects.regions, desk.objects.states, desk.objects.objects)
    signer = Signer(desk.clock, store, local_root)
    signer.restore(desk.signer.snapshot())
    store.settle = signer.settle  # as the front does it, when both exist
    jobs = [ask(signer, "StartSigningJob", **desk.words(clientRequestToken=f"t{number}"))["jobId"] for number in range(5)]
    desk.clock.pass_time(seconds=1)
    assert {ask(signer, "DescribeSigningJob", jobId=job)["status"] for job in jobs} == {"Succeeded"}


class Slow(Memory):
    """A store that waits for a sign before it writes."""

    def __init__(self, other: Memory) -> None:
        super().__init__(other.regions, other.states, other.objects)
        self.writes, self.go = threading.Event(), threading.Event()

    def write(self, bucket: str, key: str, body: bytes) -> str | None:
        self.writes.set()
        assert self.go.wait(timeout=120)
        return super().write(bucket, key, body)


def test_while_one_thread_signs_others_are_answered_and_sign_nothing_twice(local_root: LocalRoot) -> None:
    desk = Desk(local_root)
    store = Slow(desk.objects)
    signer = Signer(desk.clock, store, local_root)
    signer.restore(desk.signer.snapshot())
    job = ask(signer, "StartSigningJob", **desk.words())["jobId"]
    desk.clock.pass_time(seconds=1)
    thread = threading.Thread(target=signer.settle)
    thread.start()
    assert store.writes.wait(timeout=120)
    assert ask(signer, "DescribeSigningJob", jobId=job)["status"] == "InProgress"
    assert thread.is_alive()  # it did not have to end first
    store.go.set()
    thread.join(timeout=120)
    assert ask(signer, "DescribeSigningJob", jobId=job)["status"] == "Succeeded"
    assert len(store.objects["builds", f"signed/{job}.zip"]) == 1


def test_many_threads_start_one_job_with_one_token(desk: Desk) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(desk.start())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(found) == 16
    assert len(set(found)) == 1


def test_an_error_of_the_store_that_is_none_of_awss_leaves_the_job_to_be_done_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.start()
    desk.clock.pass_time(seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr(desk.objects, "read", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            desk.signer.settle()
    assert desk.describe(job)["status"] == "Succeeded"
