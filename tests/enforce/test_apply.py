"""What happens between the plan and the change, and when AWS fails in the middle: nothing is overwritten, and the next run goes on."""

from datetime import timedelta

import pytest

from shipsafe.enforce.changes import Alter, Attach
from shipsafe.flows.enforce import carry_out
from shipsafe.local.faults import Fault
from shipsafe.model.enforcement import EnforcePolicy
from tests.enforce.shop import STRANGER, TARGET, Shop, apis, held

AT_ONCE = EnforcePolicy(quiet=timedelta())
OURS = f"shipsafe: code signed by profile {TARGET.profile}"


def test_what_somebody_else_attached_meanwhile_is_not_overwritten(shop: Shop) -> None:
    shop.function()
    found = shop.survey()
    theirs = shop.configuration(STRANGER)
    shop.attach("orders", theirs)
    (done,) = carry_out(found, say=lambda _place, _change: None)
    ((change, error),) = done.failed
    assert isinstance(change, Attach)
    assert f"another configuration than when the plan was made: {theirs}. It was left as it is." in str(error)
    assert shop.attached()["CodeSigningConfigArn"] == theirs
    assert [one.step.api for one in done.left] == ["lambda:TagResource"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(shop: Shop) -> None:
    arn = shop.configuration(shop.profile, STRANGER, description=OURS)
    shop.attach(shop.function(), arn)
    found = shop.survey()
    shop.lambda_.update_code_signing_config(CodeSigningConfigArn=arn, AllowedPublishers={"SigningProfileVersionArns": [STRANGER]})
    (done,) = carry_out(found, say=lambda _place, _change: None)
    ((change, error),) = done.failed
    assert isinstance(change, Alter)
    assert "was changed by somebody else since the plan was made" in str(error)
    assert shop.attached()["AllowedPublishers"]["SigningProfileVersionArns"] == [STRANGER]


def test_a_function_that_is_being_updated_is_waited_for(shop: Shop) -> None:
    shop.enforce = AT_ONCE
    shop.function()
    shop.endpoint.faults.add(
        Fault(service="lambda", operation="PutFunctionCodeSigningConfig", times=2, code="ResourceConflictException", status=409)
    )
    pauses: list[float] = []
    (done,) = carry_out(shop.survey(), sleep=pauses.append, say=lambda _place, _change: None)
    assert not done.failed
    assert pauses == [1, 2]
    assert shop.mode() == "Enforce"


def test_what_fails_of_one_function_does_not_keep_the_others_from_being_done(shop: Shop) -> None:
    for name in ("a", "b", "c"):
        shop.function(name)
    shop.endpoint.faults.add(
        Fault(service="lambda", operation="PutFunctionCodeSigningConfig", skip=1, code="AccessDeniedException", status=403)
    )
    _, (done,) = shop.enforced()
    assert [one.function for one, _ in done.failed if isinstance(one, Attach)] == ["b"]
    assert {name: shop.mode(name) for name in ("a", "b", "c")} == {"a": "Warn", "b": "none", "c": "Warn"}
    again, _ = shop.enforced()
    assert apis(again) == ["PutFunctionCodeSigningConfig", "TagResource"]
    assert apis(shop.survey()) == []


@pytest.mark.parametrize("operation", ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig", "TagResource", "UpdateCodeSigningConfig"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_failure_at_any_change_one_more_run_ends_where_it_should(shop: Shop, operation: str, when: str) -> None:
    """Also where the change was made, and its answer was lost; AWS's own client has tried again by then."""
    shop.configuration(shop.profile, STRANGER, policy="Warn", description=f"{OURS} (warn)") if operation.startswith("Update") else None
    arn = shop.function()
    shop.endpoint.faults.add(Fault(service="lambda", operation=operation, when=when, code="AccessDeniedException", status=403))
    shop.enforced()
    shop.enforced()
    assert shop.mode() == "Warn"
    assert shop.attached()["AllowedPublishers"]["SigningProfileVersionArns"] == [shop.profile]
    assert "shipsafe:warned" in shop.lambda_.list_tags(Resource=arn)["Tags"]
    assert apis(shop.survey()) == []
    assert len(shop.lambda_.list_code_signing_configs()["CodeSigningConfigs"]) == 1


def test_where_cloudwatch_does_not_answer_nobody_is_ready(shop: Shop) -> None:
    shop.function()
    shop.enforced()
    shop.wait(8)
    shop.endpoint.faults.add(Fault(service="monitoring", operation="GetMetricData", times=0, code="AccessDenied", status=403))
    found = shop.survey()
    assert len(found.unlooked) == 1
    assert apis(found) == []
    assert "Nobody knows how many SignatureValidationErrors there were." in held(found)


def test_a_tag_that_shipsafe_did_not_write_counts_for_nothing(shop: Shop) -> None:
    """A date in the future, or no date: the time begins anew."""
    arn = shop.function()
    shop.enforced()
    for value in ("2199-01-01T00:00:00Z", "long ago"):
        shop.lambda_.tag_resource(Resource=arn, Tags={"shipsafe:warned": value})
        shop.wait(8)
        found, _ = shop.enforced()
        assert apis(found) == ["TagResource"]
        assert "Lambda has to warn for 7 days first." in held(found)
    assert shop.mode() == "Warn"


@pytest.mark.parametrize("operation", ["CreateCodeSigningConfig", "PutFunctionCodeSigningConfig"])
def test_an_answer_that_is_lost_on_the_way_leaves_nothing_to_be_done(shop: Shop, operation: str) -> None:
    """AWS's client asks again by itself. A configuration may then be there twice, for Lambda takes no token: no function changes places."""
    shop.function()
    shop.endpoint.faults.add(Fault(service="lambda", operation=operation, kind="reset", when="after"))
    _, (done,) = shop.enforced()
    assert not done.failed
    assert shop.mode() == "Warn"
    assert apis(shop.survey()) == []
