"""`enforce` from no configuration over Warn to Enforce, with a layer of our own and a publisher that has to go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shipsafe.flows.enforce import Connect, EnforceRequest, carry_out, survey
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignPolicy, SignTarget
from tests.enforce.shop import ROLE, STRANGER, apis
from tests.local_endpoint import client
from tests.signing.place import Site


def enforce_to_the_end(endpoint: Endpoint, folder: Path, policy: Policy, target: SignTarget, connect: Connect) -> None:
    """Every call that `enforce` can make, through `connect`."""
    endpoint.functions.configure({"creating": 0, "updating": 0})
    (signed,) = Site(endpoint, folder, target=target).run().signed
    code, functions = {"S3Bucket": signed.object.bucket, "S3Key": signed.object.key}, client("lambda")
    layer = functions.publish_layer_version(LayerName="shared", Content=code)["LayerVersionArn"]
    functions.create_function(FunctionName="orders", Role=ROLE, Runtime="python3.13", Handler="app.main", Code=code, Layers=[layer])
    version = functions.publish_version(FunctionName="orders")["Version"]
    functions.create_alias(FunctionName="orders", Name="live", FunctionVersion=version)
    request = EnforceRequest(
        policy=replace(policy, sign=SignPolicy(targets=(replace(target, code_signing_config=None),))), everything=True
    )  # fmt: skip
    now, steps = datetime.now(UTC), list[str]()
    for later in (0, 8, 9):
        if later == 9:
            arn = functions.get_function_code_signing_config(FunctionName="orders")["CodeSigningConfigArn"]
            publishers = [signed.profile_version, STRANGER]
            functions.update_code_signing_config(CodeSigningConfigArn=arn, AllowedPublishers={"SigningProfileVersionArns": publishers})
        found = survey(request, connect, now=now + timedelta(days=later))
        steps += apis(found)
        assert not [one.failed for one in carry_out(found, say=lambda _place, _change: None) if one.failed]
    last = survey(request, connect, now=now + timedelta(days=10))
    assert (last.exit_code, apis(last)) == (0, [])
    assert steps == [
        "CreateCodeSigningConfig", "PutFunctionCodeSigningConfig", "TagResource", "PutFunctionCodeSigningConfig", "UntagResource",
        "UpdateCodeSigningConfig",
    ]  # fmt: skip
