"""`--stop`: what it sets, what it remembers, and that an interruption loses nothing."""

import pytest

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ExitCode
from shipsafe.signing.revoke.brake import MEMORY, REASON, stop
from tests.signing.revoke.fleet import Fleet, Run, function_arn, pace

BECAUSE = ("--reason", "the build machine was broken into", "--yes", "--stop")


def reserve(fleet: Fleet, name: str, number: int) -> None:
    fleet.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number)


def test_every_affected_function_is_stopped_once_and_remembers(fleet: Fleet, run: Run) -> None:
    job, code = fleet.sign()
    for name in ("pay", "mail", "off"):
        fleet.create(name, code)
    fleet.create("apart")
    fleet.client("lambda").publish_version(FunctionName="pay")
    reserve(fleet, "pay", 25)
    reserve(fleet, "off", 0)
    exit_code, out = run("--job", job, *BECAUSE)
    assert exit_code == ExitCode.PASS
    assert {name: fleet.reserved(name) for name in ("pay", "mail", "off", "apart")} == {"pay": 0, "mail": 0, "off": 0, "apart": None}
    assert fleet.tags("pay") == {MEMORY: "25", REASON: job}
    assert fleet.tags("mail") == {MEMORY: "none", REASON: job}
    assert fleet.tags("off") == {MEMORY: "0", REASON: job}
    assert fleet.tags("apart") == {}
    assert out.count(f"{function_arn('pay')}: stopped.") == 1
    assert f"{function_arn('off')}: was stopped already." in out


def test_a_second_brake_keeps_the_first_memory(fleet: Fleet, run: Run) -> None:
    """Also where another signature is revoked; and a revoked one is braked without being revoked again."""
    first, code = fleet.sign()
    second, layer = fleet.sign("layer")
    fleet.create("pay", code, Layers=[fleet.layer(layer)])
    reserve(fleet, "pay", 25)
    assert run("--job", first, "--reason", "why", "--yes")[0] == ExitCode.PASS
    assert fleet.reserved("pay") == 25
    assert run("--job", first, *BECAUSE)[0] == ExitCode.PASS
    assert run("--job", second, *BECAUSE)[0] == ExitCode.PASS
    assert run("--job", second, *BECAUSE)[0] == ExitCode.PASS
    assert fleet.tags("pay") == {MEMORY: "25", REASON: first}


def test_one_that_may_not_be_stopped_does_not_keep_the_others_running(fleet: Fleet, run: Run) -> None:
    job, code = fleet.sign()
    fleet.create("first", code)
    fleet.create("second", code)
    fleet.deny("PutFunctionConcurrency")
    exit_code, out = run("--job", job, *BECAUSE)
    assert exit_code == ExitCode.INCOMPLETE
    assert fleet.revoked(job)
    assert sorted([fleet.reserved("first"), fleet.reserved("second")], key=str) == [0, None]
    assert "NOT DONE: Could not reserve concurrency 0 for arn:aws:lambda:" in out


def test_a_refused_revocation_does_not_keep_functions_running(fleet: Fleet, run: Run) -> None:
    job, code = fleet.sign()
    fleet.create("pay", code)
    fleet.deny("RevokeSignature", "signer")
    exit_code, out = run("--job", job, *BECAUSE)
    assert exit_code == ExitCode.INCOMPLETE
    assert not fleet.revoked(job)
    assert fleet.reserved("pay") == 0
    assert "NOT DONE: Could not revoke the signature of" in out


def test_a_function_that_was_deleted_meanwhile_needs_no_brake(fleet: Fleet) -> None:
    fleet.create("pay")
    fleet.client("lambda").delete_function(FunctionName="pay")
    assert stop(fresh(), function_arn("pay"), "arn", pace()) == "was deleted meanwhile"


def test_what_cannot_be_remembered_is_not_stopped(fleet: Fleet, run: Run) -> None:
    job, code = fleet.sign()
    fleet.create("pay", code)
    fleet.deny("TagResource")
    assert run("--job", job, *BECAUSE)[0] == ExitCode.INCOMPLETE
    assert fleet.reserved("pay") is None


class KilledError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("operation", ["TagResource", "PutFunctionConcurrency"])
@pytest.mark.parametrize("event", ["before-send", "after-call"])
def test_killed_at_any_moment_it_loses_no_memory(fleet: Fleet, operation: str, event: str) -> None:
    """Before and after the tag and the stop: whoever runs it again ends with the same memory."""
    job, code = fleet.sign()
    fleet.create("pay", code)
    reserve(fleet, "pay", 25)
    doomed = open_aws(Place())

    def die(**_: object) -> None:
        raise KilledError

    doomed.client("lambda").meta.events.register(f"{event}.lambda.{operation}", die)
    with pytest.raises(KilledError):
        stop(doomed, function_arn("pay"), job, pace())
    assert fleet.reserved("pay") == 25 or fleet.tags("pay")[MEMORY] == "25"
    stop(fresh(), function_arn("pay"), job, pace())
    assert (fleet.reserved("pay"), fleet.tags("pay")) == (0, {MEMORY: "25", REASON: job})


def test_a_memory_of_a_function_that_runs_again_is_not_believed(fleet: Fleet) -> None:
    """Somebody lifted the brake by hand, and reserved something else: that is what is remembered next time."""
    job, code = fleet.sign()
    fleet.create("pay", code)
    reserve(fleet, "pay", 25)
    stop(fresh(), function_arn("pay"), job, pace())
    reserve(fleet, "pay", 50)
    stop(fresh(), function_arn("pay"), job, pace())
    assert fleet.tags("pay")[MEMORY] == "50"


def fresh() -> Aws:
    return open_aws(Place())
