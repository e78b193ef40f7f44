"""From no configuration over Warn to Enforce, without an outage: what each run does, what it waits for, and that a second plan is empty."""

from datetime import timedelta

from shipsafe.local.faults import Fault
from shipsafe.model.enforcement import EnforcePolicy, Enforcing, Ring
from tests.enforce.shop import Shop, apis, held, whats
from tests.local.functions.world import zipped


def test_a_function_without_a_configuration_first_gets_one_that_warns(shop: Shop) -> None:
    arn = shop.function()
    found, (done,) = shop.enforced()
    assert apis(found) == ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig", "TagResource"]
    assert (found.exit_code, whats(found)) == (5, ["no-configuration"])
    assert not done.failed
    assert shop.mode() == "Warn"
    assert shop.attached()["AllowedPublishers"] == {"SigningProfileVersionArns": [shop.profile]}
    assert shop.lambda_.list_tags(Resource=arn)["Tags"] == {"shipsafe:warned": f"{shop.now:%Y-%m-%dT%H:%M:%SZ}"}


def test_the_second_plan_is_empty_and_says_until_when_it_waits(shop: Shop) -> None:
    shop.function()
    shop.enforced()
    again = shop.survey()
    assert apis(again) == []
    assert whats(again) == ["warn", "unsigned-code"]
    assert f"7 days are over on {shop.now + timedelta(days=7):%Y-%m-%d %H:%M} UTC" in held(again)


def test_after_quiet_days_it_enforces(shop: Shop) -> None:
    arn = shop.function(Code={"ZipFile": shop.signed()})
    shop.enforced()
    shop.wait(6.9)
    assert apis(shop.survey()) == []
    shop.wait(0.2)
    found, (done,) = shop.enforced()
    assert apis(found) == ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig", "UntagResource"]
    assert not done.failed
    assert shop.mode() == "Enforce"
    assert shop.lambda_.list_tags(Resource=arn)["Tags"] == {}
    last = shop.survey()
    assert (apis(last), whats(last), last.exit_code) == ([], [], 0)


def test_an_unsigned_deployment_under_warn_holds_it_back(shop: Shop) -> None:
    shop.function(Code={"ZipFile": shop.signed()})
    shop.enforced()
    shop.lambda_.update_function_code(FunctionName="orders", ZipFile=zipped())
    shop.wait(7)
    found = shop.survey()
    assert apis(found) == []
    assert "One deployment was let through in the last 7 days that Enforce would have blocked" in held(found)
    shop.wait(8)
    assert "PutFunctionCodeSigningConfig" in apis(shop.survey())


def test_without_a_quiet_time_it_enforces_at_once(shop: Shop) -> None:
    shop.enforce = EnforcePolicy(quiet=timedelta())
    shop.function()
    found, _ = shop.enforced()
    assert apis(found) == ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig"]
    assert shop.mode() == "Enforce"
    assert apis(shop.survey()) == []


def test_rings_are_names_tags_and_accounts_and_the_first_that_fits_counts(shop: Shop) -> None:
    shop.enforce = EnforcePolicy(
        quiet=timedelta(),
        rings=(
            Ring(name="first", functions=("ord*",), tags={"team": "a"}),
            Ring(name="elsewhere", accounts=("999988887777",)),
            Ring(name="rest", mode=Enforcing.WARN, functions=("o*",)),
        ),
    )
    shop.function("orders", Tags={"team": "a"})
    shop.function("ordinary", Tags={"team": "b"})
    shop.function("billing")
    found = shop.survey()
    assert {one.case.name: (one.case.ring, str(one.goal)) for _, one in found.functions} == {
        "orders": ("first", "enforce"), "ordinary": ("rest", "warn"), "billing": ("", "enforce"),
    }  # fmt: skip


def test_functions_of_no_ring_are_neither_planned_for_nor_known(shop: Shop) -> None:
    """A ring by tags makes nobody else of the account one of ours."""
    arn = shop.configuration(shop.profile)
    shop.attach(shop.function("orders", Tags={"team": "orders"}), arn)
    shop.attach(shop.function("theirs"), arn)
    shop.enforce = EnforcePolicy(rings=(Ring(name="ours", tags={"team": "orders"}),))
    found = shop.survey(everything=False)
    assert [one.case.name for _, one in found.functions] == ["orders"]
    assert "shared" in whats(found)


def test_what_the_plan_needs_and_nobody_tells_does_not_hide_what_is_wrong(shop: Shop) -> None:
    shop.function()
    shop.endpoint.faults.add(Fault(service="lambda", operation="ListCodeSigningConfigs", times=0, code="AccessDeniedException", status=403))
    found = shop.survey()
    assert (whats(found), apis(found), found.exit_code) == (["no-configuration"], [], 5)
    assert "ListCodeSigningConfigs answered AccessDeniedException" in held(found)
