"""Where functions are looked for: by ARN, in a Region that is named, in all that were signed for, and as whom."""

from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.envelope import read_envelope, statement_of
from shipsafe.evidence.store import open_store
from shipsafe.verify.live import verify_functions
from shipsafe.verify.request import VerifyRequest
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.place import make_bucket, make_profile
from tests.verify.live_world import CODE, ROLE, World, broken, code_of, make_configuration, the, told

SECOND = "eu-central-1"


@pytest.fixture
def two(orders: World) -> World:
    """`orders` in two Regions, each signed there."""
    make_bucket(f"artifacts-{ACCOUNT}-{SECOND}", region=SECOND)
    profile = make_profile(region=SECOND)
    target = replace(orders.targets[0], name="second", region=SECOND)
    orders.targets = (*orders.targets, target)
    one = orders.signed("Orders", {"app.py": CODE}, target=target)
    configuration = make_configuration([profile], region=SECOND)
    aws = client("lambda", region=SECOND)
    aws.create_function(FunctionName="orders", Runtime="python3.13", Handler="app.handler", Role=ROLE, Code=code_of(one),
                        CodeSigningConfigArn=configuration)  # fmt: skip
    aws.publish_version(FunctionName="orders")
    aws.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    return orders


def test_all_regions_are_those_that_signing_records_name(two: World) -> None:
    found = two.verify("orders:live", all_regions=True)
    assert found.exit_code == 0, told(found)
    assert [chain.subject for chain in found.chains] == [
        f"arn:aws:lambda:{SECOND}:{ACCOUNT}:function:orders:live",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders:live",
    ]


def test_a_region_that_is_named_is_where_a_function_is_looked_for(two: World) -> None:
    client("lambda", region=SECOND).delete_function_code_signing_config(FunctionName="orders")
    assert two.verify("orders:live").exit_code == 0
    assert broken(two.verify("orders:live", region=SECOND)) == ("code-signing-config", 5)
    found = two.verify("orders:live", all_regions=True)
    assert [int(chain.exit_code) for chain in found.chains] == [5, 0]


def test_a_function_that_one_region_lacks_could_not_be_looked_at(two: World) -> None:
    client("lambda", region=SECOND).delete_function(FunctionName="orders")
    assert two.verify("orders:live", all_regions=True).exit_code == 4


def test_a_region_that_gives_no_answer_does_not_keep_the_others_from_theirs(two: World) -> None:
    def connect(place: Place) -> Aws:
        if place.region == SECOND:
            raise IncompleteError("Could not ask AWS who we are: AWS gave no answer.")
        return two.connect(place)

    found = two.verify("orders:live", all_regions=True, connect=connect)
    assert [int(chain.exit_code) for chain in found.chains] == [4, 0]


def test_two_ways_to_say_where_are_one_too_many(two: World) -> None:
    with pytest.raises(ConfigError, match="One Region and all of them"):
        two.verify("orders", region=SECOND, all_regions=True)


def test_all_regions_of_nothing_is_an_error(world: World) -> None:
    world.targets = ()
    with pytest.raises(ConfigError, match="Neither a signing record that counts"):
        world.verify("orders", all_regions=True)


def test_all_regions_of_kept_evidence_are_those_of_the_policy(two: World, tmp_path: Path) -> None:
    store = open_store("kept", home=tmp_path)
    for line in two.evidence:
        store.keep(envelope := read_envelope(line, shown="orders"), statement_of(envelope, shown="orders"))
    request = VerifyRequest(policy=two.policy(), now=two.site.now(), store=store)
    found = verify_functions(["orders:live"], request, two.connect, all_regions=True)
    assert found.exit_code == 0, told(found)
    assert len(found.chains) == 2


def test_an_arn_of_an_account_that_we_are_not_could_not_be_looked_at(orders: World) -> None:
    found = orders.verify(f"arn:aws:lambda:{REGION}:210987654321:function:orders")
    assert broken(found) == ("code-sha256", 4)
    assert "account 210987654321 is meant" in the(found.chains[0], "code-sha256").sentence


def test_the_role_of_a_target_leads_to_its_account(orders: World) -> None:
    """The endpoint's STS leads to the account of whatever role is named."""
    other = "210987654321"
    role = f"arn:aws:iam::{other}:role/verifier"
    orders.targets = (*orders.targets, replace(orders.targets[0], name="other", account=other, role=role))
    found = orders.verify(f"arn:aws:lambda:{REGION}:{other}:function:orders")
    assert f"There is no function orders:$LATEST in account {other}" in the(found.chains[0], "code-sha256").sentence


def test_evidence_that_is_kept_is_enough(orders: World, tmp_path: Path) -> None:
    """No release and no bundle: what runs is found by its digest, as a function would that has no disk."""
    store = open_store("kept", home=tmp_path)
    for line in orders.evidence:
        store.keep(envelope := read_envelope(line, shown="orders"), statement_of(envelope, shown="orders"))
    request = VerifyRequest(policy=orders.policy(), now=orders.site.now(), store=store)
    found = verify_functions(["orders"], request, orders.connect)
    assert found.exit_code == 0, told(found)
    assert broken(verify_functions(["orders"], replace(request, store=None), orders.connect)) == ("code-sha256", 5)


def test_evidence_that_cannot_be_read_is_unanswered(orders: World) -> None:
    class Gone:
        def about(self, sha256: str) -> tuple[()]:
            raise IncompleteError(f"The store could not be asked about {sha256[:8]}.")

    request = VerifyRequest(policy=orders.policy(), now=orders.site.now(), store=Gone())
    found = verify_functions(["orders:live"], request, orders.connect)
    assert broken(found) == ("code-sha256", 4)


def test_twenty_functions_ask_aws_for_each_thing_once(world: World) -> None:
    """Jobs, profiles, configurations and layers are shared; a function costs two calls, and an alias one more."""
    one = world.signed("Orders", {"app.py": CODE})
    names = [f"orders{number}" for number in range(20)]
    for name in names:
        world.deploy(name, one)
    calls: list[str] = []

    def connect(place: Place) -> Aws:
        from shipsafe.adapters.aws.session import open_aws  # noqa: PLC0415 - boto3 is loaded by now

        return open_aws(place, record=lambda _service, operation, _parameters: calls.append(operation))

    waits: list[float] = []
    found = world.verify(*(f"{name}:$LATEST" for name in names), connect=connect, clock=lambda: 0.0, sleep=waits.append)
    assert found.exit_code == 0, told(found)
    assert {name: calls.count(name) for name in set(calls)} == {
        "GetCallerIdentity": 1, "GetFunction": 20, "GetFunctionCodeSigningConfig": 20, "GetCodeSigningConfig": 1,
        "ListFunctionsByCodeSigningConfig": 1, "DescribeSigningJob": 1, "GetSigningProfile": 1,
    }  # fmt: skip
    assert sum(wait > 0.01 for wait in waits) == 22 - 12, "twelve calls may come at once; after that they take turns, 12 a second"
    assert max(waits) == pytest.approx(10 / 12)


def test_one_name_in_two_accounts_is_two_functions(orders: World) -> None:
    """A chain that holds must not stand for one that does not."""
    other = "210987654321"
    role = f"arn:aws:iam::{other}:role/verifier"
    orders.targets = (*orders.targets, replace(orders.targets[0], name="other", account=other, role=role))
    names = ("orders:live", f"{other}:function:orders:live", f"{ACCOUNT}:function:orders:live")
    found = orders.verify(*names)
    assert {chain.subject: int(chain.exit_code) for chain in found.chains} == {
        "function:orders:live": 0,
        f"arn:aws:lambda:{REGION}:{other}:function:orders:live": 4,
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders:live": 0,
    }
