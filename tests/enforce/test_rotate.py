"""A rotation: both profiles are let in first; the old one goes when the policy, the code and the layers have left it, and not before."""

from dataclasses import replace

import pytest

from shipsafe.enforce.rotate import Rotation, Turn
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.flows.enforce import EnforceRequest
from shipsafe.flows.rotate import carry_out, exit_code, for_the_policy, turns
from shipsafe.local.faults import Fault
from shipsafe.model.signing import ProfileVersion, SignPolicy
from shipsafe.signing.setup.wanted import description
from tests.enforce.shop import LONG_AGO, PLATFORM, STRANGER, TARGET, Shop, apis
from tests.local_endpoint import ACCOUNT, client

ROTATION = Rotation(old="orders_2026", new="orders_2027")


def plan(shop: Shop, rotation: Rotation = ROTATION) -> tuple[Turn, ...]:
    return turns(
        EnforceRequest(policy=shop.policy), rotation, shop.connect, clock=lambda: 0.0, sleep=lambda _s: None, say=lambda _line: None
    )


def rotate(shop: Shop) -> tuple[tuple[Turn, ...], tuple[ShipsafeError, ...]]:
    made = plan(shop)
    return made, carry_out(made, lambda _change: None)


def calls(made: tuple[Turn, ...]) -> list[str]:
    return [change.step.api.partition(":")[2] for turn in made for change in turn.changes]


def held(made: tuple[Turn, ...]) -> str:
    return "\n".join(why for turn in made for why in turn.held)


def publishers(shop: Shop) -> list[str]:
    return list(shop.attached()["AllowedPublishers"]["SigningProfileVersionArns"])


def new_arn(shop: Shop) -> str:
    return str(shop.client("signer").get_signing_profile(profileName="orders_2027")["profileVersionArn"])


def guarded(shop: Shop) -> str:
    """A function under a configuration that shipsafe made, with code and layer of the old profile; gives the configuration."""
    shop.function(Code={"ZipFile": shop.signed()}, Layers=[shop.layer(shop.signed())])
    one = shop.configuration(shop.profile, description=description("orders_2026"))
    shop.lambda_.put_function_code_signing_config(FunctionName="orders", CodeSigningConfigArn=one)
    return one


def turn_policy(shop: Shop) -> None:
    """As the rotation says: the target signs with the new one, and the old one is trusted for a while."""
    old = ProfileVersion.parse(shop.profile)
    shop.sign = SignPolicy(targets=(replace(TARGET, profile="orders_2027"),), publishers=(old,))


def test_both_are_let_in_first_and_the_plan_says_what_the_policy_has_to_say(shop: Shop) -> None:
    guarded(shop)
    made, failed = rotate(shop)
    assert calls(made) == ["PutSigningProfile", "UpdateCodeSigningConfig"]
    assert not failed
    assert publishers(shop) == [shop.profile, new_arn(shop)]
    assert shop.attached()["Description"] == description("orders_2027")
    again = plan(shop)
    assert (calls(again), again[0].finished) == ([], False)
    assert "The policy still signs with orders_2026 (target prod)." in held(again)
    lines = list(for_the_policy(again[0]))
    assert '  profile = "orders_2027"' in lines
    assert f'  "{shop.profile}"' in lines
    assert (exit_code(again, (), check=False), exit_code(again, (), check=True)) == (ExitCode.PASS, ExitCode.INCOMPLETE)


def test_the_old_one_stays_while_code_or_a_layer_of_it_is_run(shop: Shop) -> None:
    """At $LATEST, behind an alias, or in a layer; a version that nobody leads to holds nothing back."""
    guarded(shop)
    rotate(shop)
    turn_policy(shop)
    version = shop.lambda_.publish_version(FunctionName="orders")["Version"]
    shop.lambda_.create_alias(FunctionName="orders", Name="live", FunctionVersion=version)
    told = held(plan(shop))
    assert "orders runs its code signed with it (version $LATEST)" in told
    assert "(version 1, alias live)" in told
    assert "layer:plain:1 signed with it" in told
    shop.lambda_.update_function_code(FunctionName="orders", ZipFile=shop.signed("orders_2027"))
    shop.lambda_.update_function_configuration(FunctionName="orders", Layers=[])
    assert "$LATEST" not in held(plan(shop))
    assert calls(plan(shop)) == []
    shop.lambda_.delete_alias(FunctionName="orders", Name="live")
    assert calls(plan(shop)) == ["UpdateCodeSigningConfig"]


def test_then_it_goes_and_the_last_plan_is_empty(shop: Shop) -> None:
    guarded(shop)
    rotate(shop)
    turn_policy(shop)
    shop.lambda_.update_function_configuration(FunctionName="orders", Layers=[])
    shop.lambda_.update_function_code(FunctionName="orders", ZipFile=shop.signed("orders_2027"))
    made, failed = rotate(shop)
    assert not failed
    assert made[0].finished
    assert publishers(shop) == [new_arn(shop)]
    assert shop.mode() == "Enforce"
    last = plan(shop)
    assert (calls(last), last[0].finished, exit_code(last, (), check=True)) == ([], True, ExitCode.PASS)
    assert any("cancel-signing-profile" in line for line in for_the_policy(last[0]))


def test_the_profile_of_emergencies_stays_until_the_policy_has_another(shop: Shop) -> None:
    """At three in the morning its signatures have to count."""
    guarded(shop)
    rotate(shop)
    turn_policy(shop)
    shop.lambda_.delete_function(FunctionName="orders")
    policy = replace(shop.policy, break_glass=replace(shop.policy.break_glass, profile="orders_2026"))
    made = turns(EnforceRequest(policy=policy), ROTATION, shop.connect, clock=lambda: 0.0, sleep=lambda _s: None, say=lambda _line: None)
    assert held(made) == "The policy still signs with orders_2026 (break-glass)."
    assert '[break-glass]: profile = "orders_2027"' in list(for_the_policy(made[0]))
    assert calls(plan(shop)) == ["UpdateCodeSigningConfig"]


def test_a_target_that_is_not_named_counts_too(shop: Shop) -> None:
    """It signs for the same functions: its next deployment would be refused."""
    guarded(shop)
    rotate(shop)
    turn_policy(shop)
    shop.lambda_.delete_function(FunctionName="orders")
    shop.sign = replace(shop.sign, targets=(*shop.sign.targets, replace(TARGET, name="test")))
    request = EnforceRequest(policy=shop.policy, targets=("prod",))
    made = turns(request, ROTATION, shop.connect, clock=lambda: 0.0, sleep=lambda _s: None, say=lambda _line: None)
    assert held(made) == "The policy still signs with orders_2026 (target test)."


def test_enforce_takes_neither_of_them_out_meanwhile(shop: Shop) -> None:
    """The policy that the rotation asks for wants both, in the configuration that is there."""
    one = guarded(shop)
    rotate(shop)
    turn_policy(shop)
    assert apis(shop.survey()) == []
    assert shop.attached()["CodeSigningConfigArn"] == one


def test_other_publishers_and_the_mode_stay_as_they_are(shop: Shop) -> None:
    shop.function()
    one = shop.configuration(shop.profile, STRANGER, policy="Warn", description="ours")
    shop.lambda_.put_function_code_signing_config(FunctionName="orders", CodeSigningConfigArn=one)
    rotate(shop)
    assert publishers(shop) == [shop.profile, STRANGER, new_arn(shop)]
    assert (shop.mode(), shop.attached()["Description"]) == ("Warn", "ours")


def test_what_nobody_could_look_at_keeps_it(shop: Shop) -> None:
    guarded(shop)
    rotate(shop)
    turn_policy(shop)
    shop.lambda_.delete_function(FunctionName="orders")
    shop.endpoint.faults.add(Fault(service="lambda", operation="ListFunctions", times=0, code="AccessDeniedException", status=403))
    made = plan(shop)
    assert calls(made) == []
    assert "Not looked at: Could not list the functions" in held(made)
    assert exit_code(made, (), check=False) == ExitCode.INCOMPLETE


def test_one_that_was_revoked_goes_at_once(shop: Shop) -> None:
    """Lambda refuses what it signs anyway."""
    guarded(shop)
    rotate(shop)
    version = shop.profile.rpartition("/")[2]
    shop.client("signer").revoke_signing_profile(profileName="orders_2026", profileVersion=version, reason="leaked", effectiveTime=LONG_AGO)
    made, failed = rotate(shop)
    assert (calls(made), failed) == (["UpdateCodeSigningConfig"], ())
    assert publishers(shop) == [new_arn(shop)]


def test_a_configuration_that_somebody_changed_meanwhile_is_left(shop: Shop) -> None:
    one = guarded(shop)
    made = plan(shop)
    shop.lambda_.update_code_signing_config(
        CodeSigningConfigArn=one, AllowedPublishers={"SigningProfileVersionArns": [shop.profile, STRANGER]}
    )
    (error,) = carry_out(made, lambda _change: None)
    assert "was changed by somebody else" in str(error)
    assert publishers(shop) == [shop.profile, STRANGER]
    assert exit_code(made, (error,), check=False) == ExitCode.INCOMPLETE


@pytest.mark.parametrize("operation", ["PutSigningProfile", "UpdateCodeSigningConfig"])
def test_a_lost_answer_does_nothing_twice(shop: Shop, operation: str) -> None:
    guarded(shop)
    shop.endpoint.faults.add(Fault(service="*", operation=operation, when="after"))
    _, failed = rotate(shop)
    assert not failed
    assert publishers(shop) == [shop.profile, new_arn(shop)]


def test_a_run_that_ended_half_way_is_continued(shop: Shop) -> None:
    guarded(shop)
    shop.endpoint.faults.add(
        Fault(service="lambda", operation="UpdateCodeSigningConfig", times=1, code="AccessDeniedException", status=403)
    )
    assert rotate(shop)[1]
    made, failed = rotate(shop)
    assert (calls(made), failed) == (["UpdateCodeSigningConfig"], ())


def test_names_that_are_burnt_are_refused_before_anything_is_changed(shop: Shop) -> None:
    guarded(shop)
    signer = shop.client("signer")
    version = shop.new_profile("orders_2027").rpartition("/")[2]
    signer.cancel_signing_profile(profileName="orders_2027")
    with pytest.raises(IncompleteError, match="is Canceled, and its name cannot be used again"):
        plan(shop)
    version = shop.new_profile("orders_2028").rpartition("/")[2]
    signer.revoke_signing_profile(profileName="orders_2028", profileVersion=version, reason="leaked", effectiveTime=LONG_AGO)
    with pytest.raises(IntegrityError, match="was revoked"):
        plan(shop, Rotation(old="orders_2026", new="orders_2028"))
    assert publishers(shop) == [shop.profile]


def test_what_there_is_nothing_to_rotate_of_is_said(shop: Shop) -> None:
    with pytest.raises(IncompleteError, match=r"No code-signing configuration of account .* lets"):
        plan(shop)
    with pytest.raises(ConfigError, match=r"No \[\[sign.target\]\] signs with"):
        plan(shop, Rotation(old="mail_2026", new="mail_2027"))


def test_a_configuration_without_room_is_said(shop: Shop) -> None:
    many = [STRANGER.replace("theirs", f"theirs_{number}") for number in range(19)]
    shop.configuration(shop.profile, *many)
    with pytest.raises(ConfigError, match="lets in 20 profile versions"):
        plan(shop)


@pytest.mark.parametrize("text", ["a", "orders", "orders=orders", "orders_2026=", "=orders", "a-b=c-d", "a1=b1=c1", "a1=b1\n"])
def test_what_is_no_pair_of_names_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="does not name a profile and the next one"):
        Rotation.parse(text)


def test_the_account_of_a_profile_has_to_make_the_next_one(shop: Shop) -> None:
    """Nothing can be made there from here, and what is not there cannot be let in; then the rotation goes on."""
    theirs = client("signer", account="999988887777")
    old = theirs.put_signing_profile(profileName="orders_2026", platformId=PLATFORM)["profileVersionArn"]
    theirs.add_profile_permission(profileName="orders_2026", action="signer:GetSigningProfile", principal=ACCOUNT, statementId="look")
    shop.configuration(old)
    shop.sign = SignPolicy(targets=(replace(TARGET, profile_owner="999988887777"),))
    made = plan(shop)
    assert (calls(made), exit_code(made, (), check=False)) == ([], ExitCode.INCOMPLETE)
    assert "belongs to account 999988887777, and is not there" in held(made)
    theirs.put_signing_profile(profileName="orders_2027", platformId=PLATFORM)
    theirs.add_profile_permission(profileName="orders_2027", action="signer:GetSigningProfile", principal=ACCOUNT, statementId="look")
    assert calls(plan(shop)) == ["UpdateCodeSigningConfig"]
