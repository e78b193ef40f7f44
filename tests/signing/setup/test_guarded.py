"""Functions of a stack get the code-signing configuration that bootstrap made, where nobody names one."""

from dataclasses import replace
from pathlib import Path

from shipsafe.adapters.aws.session import Place, open_aws
from shipsafe.flows.guarded_target import guarded
from shipsafe.local.endpoint import Endpoint
from shipsafe.signing.setup.wanted import description
from tests.local_endpoint import REGION, client
from tests.signing.setup.pipeline_side import make, policy
from tests.signing.setup.side import Side


def test_it_is_the_one_of_the_profile_and_none_that_only_warns(local_aws: Endpoint, tmp_path: Path) -> None:
    side, wanted = Side(local_aws), policy(tmp_path)
    target = wanted.sign.targets[0]
    aws = open_aws(Place(region=REGION))
    assert guarded(target, aws) == target, "nothing was made yet"
    make(side, wanted)
    arn = side.standing(target).configuration
    assert arn is not None
    assert guarded(target, aws) == replace(target, code_signing_config=arn)
    assert guarded(replace(target, profile="another"), aws).code_signing_config is None
    publishers = client("lambda").get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]["AllowedPublishers"]
    client("lambda").update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    client("lambda").create_code_signing_config(Description=description("other"), AllowedPublishers=publishers)
    assert guarded(target, aws) == target
