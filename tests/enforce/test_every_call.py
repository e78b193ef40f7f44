"""At every call that `enforce` makes, a refusal: nothing is loosened, nothing passes that nobody looked at, and one more run gets there."""

import pytest

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ExitCode, IncompleteError
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from tests.enforce.shop import Shop, apis
from tests.iam.rights import Recorder

CALLS = (
    "signer:GetSigningProfile", "signer:DescribeSigningJob", "lambda:ListFunctions", "lambda:ListTags", "lambda:GetFunction",
    "lambda:ListAliases", "lambda:GetLayerVersionByArn", "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig",
    "lambda:ListFunctionsByCodeSigningConfig", "lambda:ListCodeSigningConfigs", "cloudwatch:GetMetricData",
    "lambda:CreateCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig", "lambda:UntagResource", "lambda:TagResource",
)  # fmt: skip


def _begun(endpoint: Endpoint, opened: dict[Place, Aws]) -> Shop:
    """A function that is ready for Enforce, one that enforces, and a new one."""
    endpoint.reset()
    shop = Shop(endpoint, opened=opened)  # clients take longer to make than all the rest
    signed = shop.signed()
    shop.function("ready", Layers=[shop.layer(signed)])
    shop.enforced()
    shop.wait(8)
    shop.function("strict", CodeSigningConfigArn=shop.configuration(shop.profile), Code={"ZipFile": signed})
    shop.function("new")
    return shop


def test_a_refusal_at_any_call_loosens_nothing_and_the_next_run_gets_there(shop: Shop) -> None:
    endpoint, opened = shop.endpoint, shop.opened
    for call in CALLS:
        shop = _begun(endpoint, opened)
        service, _, operation = call.partition(":")
        service = "monitoring" if service == "cloudwatch" else service
        endpoint.faults.add(Fault(service=service, operation=operation, times=0, code="AccessDeniedException", status=403))
        try:
            found, applied = shop.enforced()
        except IncompleteError:
            pass
        else:
            assert found.exit_code != ExitCode.PASS, call
            assert any(one.failed for one in applied) or found.unlooked or not all(one.case.standing.known for _, one in found.functions), (
                call
            )
        endpoint.faults.clear()
        assert (shop.mode("strict"), shop.mode("ready") in ("Warn", "Enforce")) == ("Enforce", True), call
        shop.enforced()
        assert [shop.mode(name) for name in ("ready", "strict", "new")] == ["Enforce", "Enforce", "Warn"], call
        assert apis(shop.survey()) == [], call


def test_these_calls_are_all_that_it_makes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr("tests.enforce.shop.open_aws", lambda place: open_aws(place, record=recorder))
    shop = _begun(shop.endpoint, {})
    recorder.calls.clear()
    shop.enforced()
    assert {f"{service}:{operation}" for service, operation, _ in recorder.calls} == {*CALLS}
