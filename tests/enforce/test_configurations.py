"""How configurations themselves are changed: not under strangers, not so that a deployment is blocked, and never loosened."""

from datetime import timedelta

import pytest

from shipsafe.errors import ConfigError, ExitCode
from shipsafe.model.enforcement import EnforcePolicy, Enforcing, Ring
from shipsafe.model.signing import ProfileVersion, SignPolicy
from tests.enforce.shop import STRANGER, TARGET, Shop, apis, held, whats
from tests.local.functions.world import zipped

AT_ONCE = EnforcePolicy(quiet=timedelta())
OURS = f"shipsafe: code signed by profile {TARGET.profile}"


def test_a_publisher_that_nobody_wants_is_taken_out(shop: Shop) -> None:
    arn = shop.configuration(shop.profile, STRANGER, description=OURS)
    shop.function(CodeSigningConfigArn=arn, Code={"ZipFile": shop.signed()})
    found, _ = shop.enforced()
    assert apis(found) == ["UpdateCodeSigningConfig"]
    assert shop.attached()["AllowedPublishers"]["SigningProfileVersionArns"] == [shop.profile]
    assert (apis(shop.survey()), whats(shop.survey())) == ([], [])


def test_a_publisher_that_a_layer_needs_stays_until_the_layer_is_another(shop: Shop) -> None:
    """Taken out, it would block the function's next deployment; the plan says which layer, and what to do."""
    vendor = shop.new_profile("vendor")
    layer = shop.layer(shop.signed("vendor"))
    arn = shop.configuration(shop.profile, vendor, STRANGER, description=OURS)
    shop.function(CodeSigningConfigArn=arn, Code={"ZipFile": shop.signed()}, Layers=[layer])
    found, _ = shop.enforced()
    assert apis(found) == ["UpdateCodeSigningConfig"]
    assert sorted(shop.attached()["AllowedPublishers"]["SigningProfileVersionArns"]) == sorted((shop.profile, vendor))
    again = shop.survey()
    assert (apis(again), whats(again)) == ([], ["foreign-publisher", "layer"])
    assert f"Layer {layer} is signed by {vendor}, which is not allowed" in held(again)
    shop.sign = SignPolicy(targets=(TARGET,), publishers=(ProfileVersion.parse(vendor),))
    assert shop.survey().exit_code == ExitCode.PASS


def test_a_configuration_that_strangers_share_is_left_alone(shop: Shop) -> None:
    arn = shop.configuration(shop.profile, STRANGER, description=OURS)
    shop.function(CodeSigningConfigArn=arn, Code={"ZipFile": shop.signed()})
    shop.attach(shop.function("theirs"), arn)
    found = shop.survey("orders")
    assert apis(found) == []
    assert whats(found) == ["foreign-publisher", "shared"]
    assert "cannot be changed: it is shared with theirs, which the policy does not know" in held(found)


def test_it_is_not_made_stricter_for_functions_that_nobody_looked_at(shop: Shop) -> None:
    arn = shop.configuration(shop.profile, STRANGER, description=OURS)
    for name in ("orders", "billing"):
        shop.function(name, CodeSigningConfigArn=arn, Code={"ZipFile": shop.signed()})
    found = shop.survey("orders")
    assert apis(found) == []
    assert "cannot be made stricter: under it are billing, not looked at. Name them, too." in held(found)
    assert apis(shop.survey("orders", "billing")) == ["UpdateCodeSigningConfig"]


def test_a_foreign_configuration_that_enforces_is_replaced_by_ours_without_a_time_of_warning(shop: Shop) -> None:
    shop.attach(shop.function(), shop.configuration(STRANGER))
    found, _ = shop.enforced()
    assert apis(found) == ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig"]
    assert shop.mode() == "Enforce"
    assert shop.attached()["AllowedPublishers"]["SigningProfileVersionArns"] == [shop.profile]


def test_what_enforces_is_never_loosened(shop: Shop) -> None:
    shop.enforce = EnforcePolicy(rings=(Ring(name="slow", mode=Enforcing.WARN),))
    shop.function(CodeSigningConfigArn=shop.configuration(shop.profile), Code={"ZipFile": shop.signed()})
    shop.attach(shop.function("other"), shop.configuration(STRANGER))
    shop.enforced()
    assert (shop.mode(), shop.mode("other")) == ("Enforce", "Enforce")


def test_one_that_warned_and_was_set_to_enforce_is_not_set_back(shop: Shop) -> None:
    shop.attach(shop.function(), shop.configuration(shop.profile, STRANGER, description=f"{OURS} (warn)"))
    shop.function("new")
    shop.enforced()
    assert (shop.mode(), shop.mode("new")) == ("Enforce", "Warn")
    assert shop.attached()["AllowedPublishers"]["SigningProfileVersionArns"] == [shop.profile]
    assert apis(shop.survey()) == []


def test_the_configuration_of_the_policy_is_attached_and_another_is_told(shop: Shop) -> None:
    named = shop.configuration(shop.profile)
    shop.enforce = EnforcePolicy(quiet=timedelta(), configuration=named)
    shop.function(CodeSigningConfigArn=shop.configuration(shop.profile), Code={"ZipFile": shop.signed()})
    found, _ = shop.enforced()
    assert whats(found) == ["other-configuration"]
    assert shop.attached()["CodeSigningConfigArn"] == named
    assert apis(shop.survey()) == []
    shop.enforce = EnforcePolicy(configuration=f"{named[:-1]}z")
    with pytest.raises(ConfigError, match="There is no arn:aws:lambda"):
        shop.survey()


def test_a_named_configuration_that_warns_enforces_once_all_under_it_are_ready(shop: Shop) -> None:
    """Those that are not are put under one that warns first, and keep the time that they have waited."""
    named = shop.configuration(shop.profile, policy="Warn")
    shop.enforce = EnforcePolicy(quiet=timedelta(), configuration=named)
    shop.attach(shop.function(), named)
    shop.attach(shop.function("blocked", Layers=[shop.layer()]), named)
    found, (done,) = shop.enforced()
    assert not done.failed
    assert apis(found)[:2] == ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig"]
    assert "UpdateCodeSigningConfig" in apis(found)
    assert (shop.mode(), shop.mode("blocked")) == ("Enforce", "Warn")
    assert apis(shop.survey()) == []


def test_a_new_profile_is_let_in_beside_the_old_one_and_no_waiting_begins_anew(shop: Shop) -> None:
    """Rotation: the policy names both for a while."""
    shop.function(Code={"ZipFile": shop.signed()})
    shop.enforced()
    shop.wait(5)
    new = shop.new_profile("orders_2027")
    shop.sign = SignPolicy(targets=(TARGET,), publishers=(ProfileVersion.parse(new),))
    found, _ = shop.enforced()
    assert apis(found) == ["UpdateCodeSigningConfig"]
    shop.wait(2.1)
    shop.enforced()
    assert shop.mode() == "Enforce"


def test_the_one_that_bootstrap_made_is_used(shop: Shop) -> None:
    arn = shop.configuration(shop.profile, description=OURS)
    shop.enforce = AT_ONCE
    shop.function(Code={"ZipFile": zipped()})
    found, _ = shop.enforced()
    assert apis(found) == ["PutFunctionCodeSigningConfig"]
    assert shop.attached()["CodeSigningConfigArn"] == arn
