"""`--restore` with the real verification: a function that runs what was revoked stays stopped until something else runs."""

from pathlib import Path

import pytest

from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.errors import ExitCode
from shipsafe.flows.restore import let_run, look, verifier
from shipsafe.flows.revoke import carry_out, survey
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.signing import SigningJob
from shipsafe.signing.revoke.wanted import Revocation
from shipsafe.verify.request import VerifyRequest
from tests.signing.revoke.fleet import pace
from tests.verify.live_world import World, code_of, make_world


@pytest.fixture
def world(local_aws: Endpoint, tmp_path: Path) -> World:
    return make_world(local_aws, tmp_path)


def reserved(world: World) -> int | None:
    found = world.lambda_.get_function_concurrency(FunctionName="orders").get("ReservedConcurrentExecutions")
    return None if found is None else int(found)


def restore(world: World, *, old: tuple[str, ...] = ()) -> ExitCode:
    bundle = world.folder / "all.intoto.jsonl"
    bundle.write_bytes(b"\n".join(world.evidence) + b"\n")
    request = VerifyRequest(policy=world.policy(), now=world.site.now(), bundles=(bundle,), local_root=world.endpoint.fingerprint)
    aws = world.site.connect(world.targets[0])
    rest = look([aws], [FunctionName.parse("orders")], verifier(request), pace=pace, say=lambda _: None)
    assert not let_run(rest, pace=pace, say=lambda _: None).failed
    assert [one.old for one in rest.stopped] == [old]
    for one in rest.kept:
        first = one.verified.first_broken
        assert first is not None
        assert first[1].id == "signing-job"
    return rest.exit_code


def test_from_a_leak_to_a_function_that_runs_again(world: World) -> None:
    """Stopped with what was signed by somebody else's hand; re-signed, deployed, and only then let run."""
    bad = world.signed("Orders", {"app.py": b"def handler(event, context): steal()\n"})
    world.deploy("orders", bad)
    world.publish("orders")
    world.lambda_.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=7)
    wanted = Revocation(what=SigningJob.parse(bad.job), reason="leaked", effective=None, now=world.site.now())
    found = survey(wanted, world.policy(), world.connect, regions=(), all_regions=False, pace=pace, say=lambda _: None)
    assert not carry_out(found, stopping=True, pace=pace, say=lambda _: None).failed
    assert reserved(world) == 0
    assert restore(world, old=("1",)) is ExitCode.INTEGRITY
    assert reserved(world) == 0
    good = world.signed("Orders", {"app.py": b"def handler(event, context): ...\n"})
    world.lambda_.update_function_code(FunctionName="orders", **code_of(good))
    assert restore(world, old=("1",)) is ExitCode.PASS
    assert reserved(world) == 7
