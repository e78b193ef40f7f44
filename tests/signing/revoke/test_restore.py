"""`revoke --restore`: what runs again, exactly as it did, and what does not."""

from collections.abc import Mapping

import pytest

from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError, ExitCode, NothingError
from shipsafe.flows.restore import Rest, let_run, look, places
from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignPolicy, SignTarget
from shipsafe.signing.revoke.brake import MEMORY, stop
from tests.local_endpoint import REGION
from tests.signing.revoke.fleet import ELSEWHERE, Fleet, function_arn, pace

JOB = "arn:aws:signer:eu-west-1:123456789012:/signing-jobs/0b39c1d4-8d3e-4a55-9c86-2a1e2b3c4d5e"


def chain(hold: Hold, subject: str = "function:pay") -> Chain:
    return Chain(subject=subject, links=(Link(id="code-sha256", hold=hold, sentence=f"It is {hold}."),))


class Verifier:
    """Says of each function what it is told to: held, where nothing is said."""

    def __init__(self, **holds: Hold) -> None:
        self.holds: Mapping[str, Hold] = holds
        self.asked: list[str] = []

    def __call__(self, _aws: Aws, function: str) -> Verification:
        name = function.rpartition(":")[2]
        self.asked.append(name)
        return Verification(chains=(chain(self.holds.get(name, Hold.HELD)),), policy=None, policy_digest="")


def stopped(fleet: Fleet, **reserved: int | None) -> Aws:
    """Functions that had so much reserved, stopped."""
    aws = open_aws(Place(region=REGION))
    for name, number in reserved.items():
        fleet.create(name)
        if number is not None:
            fleet.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number)
        stop(aws, function_arn(name), JOB, pace())
        assert fleet.reserved(name) == 0
    return aws


def restored(aws: Aws, verify: Verifier, *names: str) -> tuple[Rest, list[str]]:
    said: list[str] = []
    rest = look([aws], [FunctionName.parse(name) for name in names], verify, pace=pace, say=lambda _: None)
    assert not let_run(rest, pace=pace, say=said.append).failed
    return rest, said


def test_what_holds_runs_again_exactly_as_it_did(fleet: Fleet) -> None:
    aws = stopped(fleet, pay=25, mail=None, off=0)
    fleet.create("apart")
    rest, said = restored(aws, Verifier())
    assert rest.exit_code is ExitCode.PASS
    assert {name: fleet.reserved(name) for name in ("pay", "mail", "off", "apart")} == {"pay": 25, "mail": None, "off": 0, "apart": None}
    assert all(fleet.tags(name) == {} for name in ("pay", "mail", "off"))
    assert f"{function_arn('mail')}: runs again, with no reserved concurrency." in said
    assert f"{function_arn('off')}: stays at 0, as it was." in said


@pytest.mark.parametrize(
    ("hold", "code"),
    [(Hold.BROKEN, ExitCode.INTEGRITY), (Hold.UNANSWERED, ExitCode.INCOMPLETE), (Hold.DISALLOWED, ExitCode.FINDINGS)],
)
def test_what_does_not_hold_stays_stopped(fleet: Fleet, hold: Hold, code: ExitCode) -> None:
    aws = stopped(fleet, pay=25, mail=10)
    rest, _ = restored(aws, Verifier(pay=hold))
    assert rest.exit_code is code
    assert [one.function for one in rest.kept] == [function_arn("pay")]
    assert (fleet.reserved("pay"), fleet.reserved("mail")) == (0, 10)
    assert fleet.tags("pay")[MEMORY] == "25"


def test_only_what_is_named_is_verified_and_restored(fleet: Fleet) -> None:
    aws = stopped(fleet, pay=25, mail=10)
    fleet.create("apart")
    verify = Verifier()
    rest, _ = restored(aws, verify, "mail", function_arn("apart"))
    assert verify.asked == ["mail"]
    assert rest.running == (function_arn("apart"),)
    assert (fleet.reserved("pay"), fleet.reserved("mail")) == (0, 10)


def test_a_function_that_is_not_there_or_is_a_version(fleet: Fleet) -> None:
    aws = stopped(fleet, pay=25)
    for name, message in {
        "nobody": "no function 'nobody'",
        "pay:1": "is one version",
        function_arn("pay", ELSEWHERE): "no function",
    }.items():
        with pytest.raises(ConfigError, match=message):
            restored(aws, Verifier(), name)
    assert fleet.reserved("pay") == 0


def test_nothing_that_is_stopped_is_nothing_to_do(fleet: Fleet) -> None:
    fleet.create("apart")
    with pytest.raises(NothingError, match="No function is stopped in eu-west-1"):
        restored(open_aws(Place(region=REGION)), Verifier())


def test_a_memory_that_was_changed_is_not_believed(fleet: Fleet) -> None:
    aws = stopped(fleet, pay=25)
    fleet.client("lambda").tag_resource(Resource=function_arn("pay"), Tags={MEMORY: "0x19"})
    rest, _ = restored(aws, Verifier())
    assert rest.exit_code is ExitCode.INTEGRITY
    assert fleet.reserved("pay") == 0


def test_what_somebody_let_run_by_hand_is_left_as_it_is(fleet: Fleet) -> None:
    aws = stopped(fleet, pay=25)
    fleet.client("lambda").put_function_concurrency(FunctionName="pay", ReservedConcurrentExecutions=50)
    _, said = restored(aws, Verifier())
    assert said == [f"{function_arn('pay')}: was let run by somebody else, with reserved concurrency 50: left as it is."]
    assert (fleet.reserved("pay"), fleet.tags("pay")) == (50, {})


def test_interrupted_before_it_forgets_it_is_continued(fleet: Fleet) -> None:
    aws = stopped(fleet, pay=25)
    fleet.deny("UntagResource")
    rest = look([aws], [], Verifier(), pace=pace, say=lambda _: None)
    assert let_run(rest, pace=pace, say=lambda _: None).failed
    assert (fleet.reserved("pay"), fleet.tags("pay")[MEMORY]) == (25, "25")
    restored(aws, Verifier())
    assert (fleet.reserved("pay"), fleet.tags("pay")) == (25, {})


def test_one_that_may_not_be_looked_at_is_told_and_the_others_run_again(fleet: Fleet) -> None:
    aws = stopped(fleet, pay=25, mail=10)
    fleet.deny("ListTags")
    rest, _ = restored(aws, Verifier())
    assert rest.exit_code is ExitCode.INCOMPLETE
    assert {fleet.reserved("pay"), fleet.reserved("mail")} in ({0, 10}, {0, 25})


@pytest.mark.usefixtures("local_aws")
def test_places_are_those_of_the_policys_targets() -> None:
    """Or of the regions that are named, or what AWS's configuration says."""
    target = SignTarget(name="prod", profile="orders", bucket="b", region=ELSEWHERE)

    def found(targets: tuple[SignTarget, ...], *regions: str) -> list[str]:
        policy = Policy(path=None, digest="", sign=SignPolicy(targets=targets))
        return [aws.region for aws in places(policy, open_aws, regions, all_regions=False)]

    assert found(()) == [REGION]
    assert found((target,)) == [ELSEWHERE]
    assert found((target,), "us-east-1") == ["us-east-1"]
    assert found((target,), "us-east-1", ELSEWHERE) == [ELSEWHERE, "us-east-1"]
