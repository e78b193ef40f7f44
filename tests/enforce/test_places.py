"""Several places: targets in two Regions, and a stage in another account than the one that signs for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shipsafe.errors import ExitCode, IncompleteError, NothingError
from shipsafe.model.deployment import DeployPolicy, Stage
from shipsafe.model.enforcement import EnforcePolicy, Ring
from shipsafe.model.signing import SignPolicy
from tests.enforce.shop import PLATFORM, ROLE, TARGET, Shop, apis, whats
from tests.local.functions.world import zipped
from tests.local_endpoint import REGION, client

ELSEWHERE, OTHER = "eu-central-1", "222233334444"


def test_each_place_gets_configurations_of_its_own(shop: Shop) -> None:
    there = client("lambda", region=ELSEWHERE)
    client("signer", region=ELSEWHERE).put_signing_profile(profileName=TARGET.profile, platformId=PLATFORM)
    shop.sign = SignPolicy(targets=(TARGET, replace(TARGET, name="there", region=ELSEWHERE)))
    shop.enforce = EnforcePolicy(quiet=timedelta())
    shop.function()
    there.create_function(FunctionName="billing", Role=ROLE, Runtime="python3.13", Handler="app.main", Code={"ZipFile": zipped()})
    found, applied = shop.enforced()
    assert [len(one.done) for one in applied] == [2, 2]
    assert {one.case.name: place.wanted.region for place, one in found.functions} == {"orders": REGION, "billing": ELSEWHERE}
    (there_now,) = there.list_code_signing_configs()["CodeSigningConfigs"]
    assert ELSEWHERE in there_now["AllowedPublishers"]["SigningProfileVersionArns"][0]
    assert apis(shop.survey()) == []
    assert [place.wanted.region for place in shop.survey(targets=("there",)).places] == [ELSEWHERE]


def test_targets_of_one_place_share_a_configuration_whichever_is_looked_at(shop: Shop) -> None:
    """`ship --target prod` must not call it wrong that `enforce` has let in another target of the same policy."""
    shop.new_profile("orders_dev")
    shop.sign = SignPolicy(targets=(TARGET, replace(TARGET, name="dev", profile="orders_dev")))
    shop.enforce = EnforcePolicy(quiet=timedelta())
    shop.function()
    shop.enforced()
    for targets in ((), ("prod",), ("dev",)):
        found = shop.survey(targets=targets)
        assert (whats(found), apis(found)) == (["unsigned-code"], []), targets
    own = shop.attached()["CodeSigningConfigArn"]
    shop.sign = SignPolicy(targets=(replace(TARGET, code_signing_config=own), replace(TARGET, name="dev", profile="orders_dev")))
    assert whats(shop.survey(targets=("prod",))) == ["foreign-publisher", "unsigned-code"], (
        "a configuration of its own is for that target alone"
    )


def test_a_place_that_could_not_be_looked_at_does_not_hide_what_is_wrong_in_another(shop: Shop) -> None:
    shop.sign = SignPolicy(targets=(TARGET, replace(TARGET, name="there", region=ELSEWHERE)))
    shop.function()
    found = shop.survey()
    assert (whats(found), found.exit_code) == (["no-configuration"], ExitCode.INTEGRITY)
    assert [str(error) for error in found.unlooked] == [
        f"There is no signing profile orders_2026 in account 123456789012, {ELSEWHERE}. `shipsafe bootstrap` creates it."
    ]
    shop.enforce = EnforcePolicy(rings=(Ring(name="nobody", functions=("nobody",)),))
    with pytest.raises(IncompleteError, match="There is no signing profile"):  # who knows whom it has there
        shop.survey(everything=False)
    shop.enforce = EnforcePolicy()
    shop.sign = SignPolicy(targets=(replace(TARGET, region=ELSEWHERE),))
    with pytest.raises(IncompleteError, match="There is no signing profile"):
        shop.survey()


def test_a_stage_in_another_account_lets_in_the_profile_that_signs_for_it(shop: Shop) -> None:
    """Its functions are there, the profile is not: its owner lets the other account look at it."""
    shop.client("signer").add_profile_permission(
        profileName=TARGET.profile, action="signer:GetSigningProfile", principal=OTHER, statementId="look"
    )  # fmt: skip
    theirs = client("lambda", account=OTHER)
    theirs.create_function(FunctionName="orders", Role=ROLE, Runtime="python3.13", Handler="app.main", Code={"ZipFile": zipped()})
    stage = Stage(name="prod", target="prod", account=OTHER, role=f"arn:aws:iam::{OTHER}:role/deployer")
    shop.deploy = DeployPolicy(stages=(stage,))
    shop.enforce = EnforcePolicy(quiet=timedelta(), rings=(Ring(name="other", accounts=(OTHER,)),))
    found, applied = shop.enforced(everything=False)
    assert [(place.wanted.account, one.case.ring) for place, one in found.functions] == [(OTHER, "other")]
    assert not [one.failed for one in applied if one.failed]
    (made,) = theirs.list_code_signing_configs()["CodeSigningConfigs"]
    assert made["AllowedPublishers"]["SigningProfileVersionArns"] == [shop.profile]
    shop.enforce = EnforcePolicy(rings=(Ring(name="nobody", accounts=("999900001111",)),))
    with pytest.raises(NothingError, match="No function is meant in account 123456789012, eu-west-1, account 222233334444, eu-west-1"):
        shop.survey(everything=False)


@pytest.mark.parametrize(
    "name",
    [f"arn:aws:lambda:{REGION}:{OTHER}:function:pay", f"{OTHER}:function:pay", f"arn:aws:lambda:{ELSEWHERE}:123456789012:function:pay"],
)
def test_a_function_that_is_named_where_nobody_looks_is_not_in_order(shop: Shop, name: str) -> None:
    shop.enforce = EnforcePolicy(quiet=timedelta())
    shop.function(Code={"ZipFile": shop.signed()})
    shop.enforced()
    assert shop.survey("orders").exit_code is ExitCode.PASS
    found = shop.survey("orders", name)
    assert found.exit_code is ExitCode.INCOMPLETE
    assert [str(error).partition(":")[0] for error in found.unlooked] == [f"Function {name.partition(':')[0]}"]
    with pytest.raises(IncompleteError, match="is where no target of the policy is"):
        shop.survey(name)


def test_a_ring_in_an_account_where_nobody_looks_is_not_in_order(shop: Shop) -> None:
    ours, far = Ring(name="ours", functions=("orders",)), Ring(name="far", accounts=(OTHER,))
    shop.enforce = EnforcePolicy(quiet=timedelta(), rings=(ours,))
    shop.function(Code={"ZipFile": shop.signed()})
    shop.enforced(everything=False)
    assert shop.survey(everything=False).exit_code is ExitCode.PASS
    shop.enforce = EnforcePolicy(quiet=timedelta(), rings=(ours, far))
    found = shop.survey(everything=False)
    assert (found.exit_code, ["Ring far names account" in str(error) for error in found.unlooked]) == (ExitCode.INCOMPLETE, [True])
    assert shop.survey(everything=False, targets=("prod",)).exit_code is ExitCode.PASS, "somebody chose what is looked at"
