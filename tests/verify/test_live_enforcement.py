"""The code-signing configuration of a function: detached, replaced, warning, shared, or open to strangers."""

from dataclasses import replace

import pytest

from shipsafe.model.chain import Hold
from shipsafe.model.enforcement import EnforcePolicy, Enforcing, Ring
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.place import make_profile
from tests.signing.zips import zip_bytes
from tests.verify.live_world import CODE, ROLE, World, broken, make_configuration, the, told

STRANGER = "arn:aws:signer:eu-west-1:999988887777:/signing-profiles/theirs/AbCdEfGhIj"


def _publishers(world: World, *arns: str) -> None:
    world.lambda_.update_code_signing_config(
        CodeSigningConfigArn=world.configuration, AllowedPublishers={"SigningProfileVersionArns": list(arns)}
    )


def test_a_detached_configuration_is_broken(orders: World) -> None:
    orders.lambda_.delete_function_code_signing_config(FunctionName="orders")
    found = orders.verify("orders:live")
    assert broken(found) == ("code-signing-config", 5)
    assert the(found.chains[0], "code-signing-config").found == "none"
    assert the(found.chains[0], "publishers").hold is Hold.NOT_ASKED


def test_a_configuration_that_only_warns_is_broken(orders: World) -> None:
    orders.lambda_.update_code_signing_config(CodeSigningConfigArn=orders.configuration,
                                              CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})  # fmt: skip
    found = orders.verify("orders:live")
    assert broken(found) == ("code-signing-config", 5)
    link = the(found.chains[0], "code-signing-config")
    assert (link.expected, link.found) == ("Enforce", "Warn")


def test_one_that_only_warns_holds_where_the_policy_says_so_for_now(orders: World) -> None:
    """A ring on its way to Enforce, by its tags; the note says what that means, and publishers count all the same."""
    orders.lambda_.update_code_signing_config(CodeSigningConfigArn=orders.configuration,
                                              CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})  # fmt: skip
    orders.enforce = EnforcePolicy(rings=(Ring(name="slow", tags={"team": "orders"}, mode=Enforcing.WARN),))
    assert broken(orders.verify("orders:live")) == ("code-signing-config", 5)
    orders.lambda_.tag_resource(Resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders", Tags={"team": "orders"})
    found = orders.verify("orders:live")
    assert found.exit_code == 0
    assert the(found.chains[0], "code-signing-config").notes == (
        "Lambda takes code for it that nobody signed, as [enforce] of the policy wants for now.",
    )
    _publishers(orders, orders.profile, STRANGER)
    assert broken(orders.verify("orders:live")) == ("publishers", 5)
    _publishers(orders, orders.profile)
    orders.refuse("ListTags")
    assert broken(orders.verify("orders:live")) == ("code-signing-config", 4)


def test_a_configuration_that_was_replaced_is_broken_where_the_policy_names_one(orders: World) -> None:
    another = make_configuration([orders.profile])
    orders.lambda_.put_function_code_signing_config(FunctionName="orders", CodeSigningConfigArn=another)
    assert orders.verify("orders:live").exit_code == 0
    orders.targets = (replace(orders.targets[0], code_signing_config=orders.configuration),)
    found = orders.verify("orders:live")
    assert broken(found) == ("code-signing-config", 5)
    link = the(found.chains[0], "code-signing-config")
    assert (link.expected, link.found) == (orders.configuration, another)
    orders.targets = (replace(orders.targets[0], code_signing_config=None),)
    orders.enforce = EnforcePolicy(configuration=orders.configuration)
    assert broken(orders.verify("orders:live")) == ("code-signing-config", 5)


def test_a_stranger_among_the_publishers_is_broken(orders: World) -> None:
    _publishers(orders, orders.profile, STRANGER)
    found = orders.verify("orders:live")
    assert broken(found) == ("publishers", 5)
    assert the(found.chains[0], "publishers").found == STRANGER


def test_a_publisher_without_a_version_is_broken(orders: World) -> None:
    """AWS has taken them, and no signature is one of its."""
    state = orders.endpoint.functions.snapshot()
    bare = orders.profile.rpartition("/")[0]
    place: dict[str, dict[str, list[str]]] = state["places"][f"{ACCOUNT}/{REGION}"]["code_signing"]
    place[orders.configuration]["publishers"].append(bare)
    orders.endpoint.functions.restore(state)
    found = orders.verify("orders:live")
    assert broken(found) == ("publishers", 5)
    link = the(found.chains[0], "publishers")
    assert link.found == bare
    assert "names no version" in link.sentence


def test_a_configuration_that_no_longer_allows_who_signed_is_broken(orders: World) -> None:
    new = make_profile("orders_2027")
    orders.targets = (*orders.targets, replace(orders.targets[0], name="next", profile="orders_2027"))
    _publishers(orders, new)
    found = orders.verify("orders:live")
    assert broken(found) == ("publishers", 5)
    link = the(found.chains[0], "publishers")
    assert (link.expected, link.found) == (orders.profile, new)


def test_two_trusted_profiles_hold_while_one_takes_over_from_the_other(orders: World) -> None:
    new = make_profile("orders_2027")
    orders.targets = (*orders.targets, replace(orders.targets[0], name="next", profile="orders_2027"))
    _publishers(orders, orders.profile, new)
    found = orders.verify("orders:live")
    assert found.exit_code == 0, told(found)


def test_a_configuration_that_a_stranger_shares_is_not_allowed(orders: World) -> None:
    """Nothing was tampered with: exit 1."""
    orders.lambda_.create_function(FunctionName="foreign", Runtime="python3.13", Handler="app.handler", Role=ROLE,
                                   Code={"ZipFile": zip_bytes({"app.py": b"1"})})  # fmt: skip
    orders.lambda_.put_function_code_signing_config(FunctionName="foreign", CodeSigningConfigArn=orders.configuration)
    found = orders.verify("orders:live")
    assert broken(found) == ("sharing", 1)
    assert the(found.chains[0], "sharing").found == "foreign"
    orders.enforce = EnforcePolicy(rings=(Ring(name="others", functions=("other-*",)),))
    assert broken(orders.verify("orders:live")) == ("sharing", 1)
    orders.enforce = EnforcePolicy(rings=(Ring(name="ours", functions=("for*",)),))  # then the policy knows it
    assert orders.verify("orders:live").exit_code == 0


def test_functions_that_run_what_was_signed_or_are_verified_too_are_no_strangers(orders: World) -> None:
    orders.deploy("billing", orders.signed("Billing", {"app.py": CODE + b"\n"}))
    assert orders.verify("orders:live").exit_code == 0
    strange = {"app.py": b"1"}
    orders.lambda_.create_function(FunctionName="third", Runtime="python3.13", Handler="app.handler", Role=ROLE,
                                   Code={"ZipFile": zip_bytes(strange)})  # fmt: skip
    orders.lambda_.put_function_code_signing_config(FunctionName="third", CodeSigningConfigArn=orders.configuration)
    found = orders.verify("orders:live", "third")
    assert broken(found)[1] == 5
    assert the(found.chains[0], "sharing").hold is Hold.HELD


@pytest.mark.parametrize(
    ("operation", "link"),
    [
        ("GetFunctionCodeSigningConfig", "code-signing-config"),
        ("GetCodeSigningConfig", "code-signing-config"),
        ("ListFunctionsByCodeSigningConfig", "sharing"),
        ("GetFunction", "code-sha256"),
        ("GetAlias", "alias"),
    ],
)
def test_what_may_not_be_looked_at_is_unanswered_and_the_right_is_named(orders: World, operation: str, link: str) -> None:
    orders.refuse(operation)
    found = orders.verify("orders:live")
    assert broken(found) == (link, 4)
    assert f"the right lambda:{operation};" in the(found.chains[0], link).remedy


@pytest.mark.parametrize(("operation", "link"), [("DescribeSigningJob", "signing-job"), ("GetSigningProfile", "signing-profile")])
def test_so_is_what_signer_may_not_be_asked(orders: World, operation: str, link: str) -> None:
    orders.refuse(operation, service="signer")
    found = orders.verify("orders:live")
    assert broken(found) == (link, 4)
    assert f"the right signer:{operation};" in the(found.chains[0], link).remedy


def test_aliases_that_may_not_be_listed_are_not_passed_over(orders: World) -> None:
    orders.refuse("ListAliases")
    found = orders.verify("orders")
    assert broken(found) == ("alias", 4)


def test_an_answer_of_another_shape_is_unanswered(orders: World) -> None:
    orders.refuse("GetFunction", code="InternalFailure", status=404)
    assert broken(orders.verify("orders:live")) == ("code-sha256", 4)
