"""`ship` asks nothing of AWS that the policies of its legs do not grant: docs/guides/ship.md tells to give it those of four commands."""

from functools import partial
from pathlib import Path

import pytest

from shipsafe.adapters.aws.session import open_aws
from shipsafe.errors import ExitCode
from shipsafe.flows.ship import ship
from shipsafe.flows.targets import once_a_place
from shipsafe.local.endpoint import Endpoint
from tests.flows.line import Agreeing, Watching, made, project, request
from tests.iam.rights import Recorder, grants
from tests.local_endpoint import ACCOUNT, REGION, client

LEGS = ("sign", "enforce", "deploy", "verify")


@pytest.fixture
def recorder(tmp_path: Path, local_aws: Endpoint) -> Recorder:
    root = project(tmp_path)
    made(root)
    local_aws.functions.configure({"creating": 0.0, "updating": 0.0})
    recorder = Recorder()
    asked = request(root, local_aws, connect=once_a_place(partial(open_aws, record=recorder)))
    assert ship(asked, Watching(), Agreeing()).exit_code is ExitCode.PASS
    (root / "src" / "pay" / "app.py").write_text("def handler(event, context):\n    return 2\n")
    assert ship(asked, Watching(), Agreeing()).exit_code is ExitCode.PASS
    return recorder


def test_the_policies_of_its_legs_are_all_that_it_needs(recorder: Recorder) -> None:
    profile = client("signer").list_signing_profiles()["profiles"][0]
    facts = {"account": ACCOUNT, "region": REGION, "partition": "aws", "bucket": f"orders-{ACCOUNT}", "role": "orders"}
    facts |= {"profile": profile["profileName"], "version": profile["profileVersion"]}
    facts |= dict.fromkeys(("application", "evidence", "signing_key"), "none")
    held = [grant for leg in LEGS for grant in grants(leg, facts)]
    needs = recorder.needs(facts)
    asked = {need.call for need in needs}
    assert asked >= {"signer:StartSigningJob", "lambda:CreateFunction", "lambda:UpdateAlias", "lambda:UpdateFunctionCode"}
    assert not [need for need in needs if not any(grant.allows(need, facts) for grant in held)]
    changing = {"lambda:CreateCodeSigningConfig", "lambda:UpdateCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig"}
    assert not changing & asked, "of enforce it only reads"
