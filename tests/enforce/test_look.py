"""Every way in which a function may not be kept from unsigned code, by its name, and never a pass where nobody could look."""

from dataclasses import replace

import pytest

from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError
from shipsafe.local.faults import Fault
from shipsafe.model.enforcement import EnforcePolicy, Enforcing, Ring
from shipsafe.model.override import BreakGlassPolicy
from shipsafe.model.signing import ProfileVersion, SignPolicy
from tests.enforce.shop import LONG_AGO, ROLE, STRANGER, TARGET, Shop, apis, held, whats
from tests.local_endpoint import ACCOUNT, REGION


def test_a_function_that_is_as_it_should_be_has_nothing_wrong(shop: Shop) -> None:
    shop.function(CodeSigningConfigArn=shop.configuration(shop.profile), Code={"ZipFile": shop.signed()})
    found = shop.survey("orders")
    assert (whats(found), found.exit_code, apis(found)) == ([], ExitCode.PASS, [])


def test_a_configuration_that_warns_is_wrong_unless_the_ring_says_warn(shop: Shop) -> None:
    shop.function(CodeSigningConfigArn=shop.configuration(shop.profile, policy="Warn"), Code={"ZipFile": shop.signed()})
    assert whats(shop.survey()) == ["warn"]
    shop.enforce = EnforcePolicy(rings=(Ring(name="slow", mode=Enforcing.WARN),))
    found = shop.survey()
    assert (whats(found), found.exit_code) == ([], ExitCode.PASS)


def test_foreign_revoked_unknown_and_missing_publishers_are_told_apart(shop: Shop) -> None:
    """Lambda takes any ARN unseen; whoever revoked a profile has not taken it out."""
    old = shop.new_profile("old")
    shop.client("signer").revoke_signing_profile(profileName="old", profileVersion=old[-10:], reason="leaked", effectiveTime=LONG_AGO)
    never = shop.profile.replace("orders_2026", "never_was")
    other = shop.new_profile("other_team")
    shop.attach(shop.function(), shop.configuration(STRANGER, old, never, other))
    found = shop.survey()
    assert sorted(whats(found)) == [
        "foreign-publisher", "foreign-publisher", "foreign-publisher", "publisher-missing", "revoked-publisher", "unsigned-code",
    ]  # fmt: skip
    told = " ".join(wrong.sentence for _, one in found.functions for wrong in one.case.standing.wrongs)
    assert "of account 999988887777, eu-west-1: the policy does not trust it" in told
    assert f"{never}: there is no such profile version" in told
    assert f"{other}: the policy does not trust it" in told


def test_a_publisher_without_a_version_is_wrong(shop: Shop) -> None:
    """AWS has taken them, and no signature is one of its."""
    shop.attach(shop.function(), shop.configuration(shop.profile))
    state = shop.endpoint.functions.snapshot()
    place: dict[str, dict[str, list[str]]] = state["places"][f"{ACCOUNT}/{REGION}"]["code_signing"]
    place[shop.attached()["CodeSigningConfigArn"]]["publishers"].append(shop.profile.rpartition("/")[0])
    shop.endpoint.functions.restore(state)
    assert "publisher-without-version" in whats(shop.survey())


def test_strangers_under_the_configuration_are_named_and_our_own_are_not(shop: Shop) -> None:
    arn = shop.configuration(shop.profile)
    shop.function(CodeSigningConfigArn=arn, Code={"ZipFile": shop.signed()})
    shop.function("ours", CodeSigningConfigArn=arn, Code={"ZipFile": shop.signed()})
    assert whats(shop.survey("orders")) == []
    shop.attach(shop.function("theirs"), arn)
    found = shop.survey("orders")
    assert whats(found) == ["shared"]
    shop.enforce = EnforcePolicy(rings=(Ring(name="all", functions=("theirs",)),))
    assert whats(shop.survey("orders")) == []


def test_unsigned_code_behind_an_alias_is_found(shop: Shop) -> None:
    """It ran before the configuration came, and an alias leads to it still."""
    shop.function()
    shop.lambda_.publish_version(FunctionName="orders")
    shop.lambda_.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    shop.attach("orders", shop.configuration(shop.profile))
    shop.lambda_.update_function_code(FunctionName="orders", ZipFile=shop.signed())
    found = shop.survey()
    (wrong,) = [wrong for _, one in found.functions for wrong in one.case.standing.wrongs]
    assert wrong.sentence == "orders:1 (alias live) runs code that nobody signed, although a configuration is attached."
    assert found.exit_code == ExitCode.INTEGRITY


def test_images_cannot_be_covered_and_a_ring_that_warns_leaves_them_be(shop: Shop) -> None:
    shop.lambda_.create_function(
        FunctionName="orders", Role=ROLE, PackageType="Image", Code={"ImageUri": f"1.dkr.ecr.eu-west-1.amazonaws.com/a@sha256:{'0' * 64}"}
    )
    found = shop.survey()
    assert (whats(found), apis(found)) == (["image"], [])
    shop.enforce = EnforcePolicy(rings=(Ring(name="images", mode=Enforcing.WARN),))
    found = shop.survey()
    assert (whats(found), apis(found), found.exit_code) == ([], [], ExitCode.PASS)


@pytest.mark.parametrize("operation", ["GetFunction", "GetFunctionCodeSigningConfig", "GetCodeSigningConfig", "ListAliases", "ListTags"])
def test_what_could_not_be_looked_at_is_never_a_pass_and_changes_nothing(shop: Shop, operation: str) -> None:
    shop.function(CodeSigningConfigArn=shop.configuration(shop.profile), Code={"ZipFile": shop.signed()})
    shop.endpoint.faults.add(Fault(service="lambda", operation=operation, times=0, code="AccessDeniedException", status=403))
    found = shop.survey("orders")
    assert "unlooked" in whats(found)
    assert (found.exit_code, apis(found)) == (ExitCode.INCOMPLETE, [])


def test_what_is_wrong_wins_over_what_could_not_be_looked_at(shop: Shop) -> None:
    shop.function(Layers=[shop.layer()])
    shop.endpoint.faults.add(Fault(service="lambda", operation="GetLayerVersionByArn", times=0, code="AccessDeniedException", status=403))
    found = shop.survey()
    assert (sorted(whats(found)), found.exit_code) == (["no-configuration", "unlooked"], ExitCode.INTEGRITY)


def test_a_profile_that_was_revoked_or_is_not_there_signs_for_nobody(shop: Shop) -> None:
    shop.function()
    shop.sign = SignPolicy(targets=(replace(TARGET, profile="absent"),))
    with pytest.raises(IncompleteError, match="There is no signing profile absent"):
        shop.survey()
    shop.sign = SignPolicy(targets=(replace(TARGET, profile_version="AAAAAAAAAA"),))
    with pytest.raises(IntegrityError, match="the policy pins AAAAAAAAAA"):
        shop.survey()
    shop.sign = SignPolicy(targets=(TARGET,))
    shop.client("signer").revoke_signing_profile(
        profileName=TARGET.profile, profileVersion=shop.profile[-10:], reason="leaked", effectiveTime=LONG_AGO
    )
    with pytest.raises(IntegrityError, match="was revoked"):
        shop.survey()


def test_who_breaks_the_glass_and_whom_the_policy_names_may_sign_too(shop: Shop) -> None:
    """Enforce stays on when the glass is broken, so Lambda knows that profile before."""
    hotfix, gone = shop.new_profile("hotfix_2026"), shop.profile.replace("orders_2026", "never_was")
    publishers = tuple(ProfileVersion.parse(arn) for arn in (STRANGER, gone))
    shop.sign = SignPolicy(targets=(TARGET,), publishers=publishers)
    shop.break_glass = BreakGlassPolicy(profile="hotfix_2026")
    shop.function()
    (place,) = shop.survey().places
    assert place.wanted.publishers == tuple(sorted((shop.profile, hotfix, STRANGER)))
    assert [note for note in place.wanted.notes if gone in note]


def test_more_publishers_than_lambda_takes_are_refused(shop: Shop) -> None:
    many = tuple(ProfileVersion.parse(f"{STRANGER[:-2]}{number:02}") for number in range(20))
    shop.sign = SignPolicy(targets=(TARGET,), publishers=many)
    shop.function()
    with pytest.raises(ConfigError, match="21 profile versions may sign"):
        shop.survey()


def test_a_version_cannot_have_a_configuration(shop: Shop) -> None:
    shop.function()
    with pytest.raises(ConfigError, match="belongs to a whole function, and not to orders:live"):
        shop.survey("orders:live")


def test_a_layer_that_stands_in_the_way_is_named_with_the_way_out(shop: Shop) -> None:
    unsigned = shop.layer()
    shop.new_profile("vendor")
    foreign = shop.layer(shop.signed("vendor"), name="foreign")
    shop.enforce = EnforcePolicy(quiet=shop.now - shop.now)
    shop.function(Layers=[unsigned, foreign])
    found = shop.survey()
    assert apis(found) == ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig", "TagResource"]
    assert whats(found) == ["no-configuration", "layer", "layer"]
    assert f"`shipsafe layers vendor {unsigned}` signs a copy." in held(found)
    assert "/signing-profiles/vendor/" in held(found)
    assert "to `publishers` of [sign] in the policy" in held(found)
