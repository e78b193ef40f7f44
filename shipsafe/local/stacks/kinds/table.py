"""Which type of resource is which kind."""

from collections.abc import Mapping

from shipsafe.local.stacks.kinds.attached import INVOKE_CONFIG, MAPPING, PERMISSION, URL
from shipsafe.local.stacks.kinds.deployments import APPLICATION, GROUP
from shipsafe.local.stacks.kinds.functions import FUNCTION
from shipsafe.local.stacks.kinds.kind import Kind
from shipsafe.local.stacks.kinds.layers import LAYER_PERMISSION, LAYER_VERSION
from shipsafe.local.stacks.kinds.recorded import RECORDED
from shipsafe.local.stacks.kinds.roles import ROLE
from shipsafe.local.stacks.kinds.signing import CODE_SIGNING, PROFILE, PROFILE_PERMISSION
from shipsafe.local.stacks.kinds.versions import ALIAS, VERSION
from shipsafe.local.stacks.world import not_reproduced

KINDS: Mapping[str, Kind] = {
    "AWS::CodeDeploy::Application": APPLICATION,
    "AWS::CodeDeploy::DeploymentGroup": GROUP,
    "AWS::IAM::Role": ROLE,
    "AWS::Lambda::Alias": ALIAS,
    "AWS::Lambda::CodeSigningConfig": CODE_SIGNING,
    "AWS::Lambda::EventInvokeConfig": INVOKE_CONFIG,
    "AWS::Lambda::EventSourceMapping": MAPPING,
    "AWS::Lambda::Function": FUNCTION,
    "AWS::Lambda::LayerVersion": LAYER_VERSION,
    "AWS::Lambda::LayerVersionPermission": LAYER_PERMISSION,
    "AWS::Lambda::Permission": PERMISSION,
    "AWS::Lambda::Url": URL,
    "AWS::Lambda::Version": VERSION,
    "AWS::Signer::ProfilePermission": PROFILE_PERMISSION,
    "AWS::Signer::SigningProfile": PROFILE,
}
_LOUD = ("AWS::CloudFormation::", "AWS::Lambda::", "AWS::Serverless::", "AWS::Signer::")  # what is recorded of them alone would mislead


def kind_of(type_name: str) -> Kind:
    """What a type of resource is to a stack.

    Raises:
        ApiError: 501 for one that others would ask Lambda or CloudFormation for.
    """
    if type_name not in KINDS and type_name.startswith(_LOUD):
        raise not_reproduced(f"resources of the type {type_name}")
    return KINDS.get(type_name, RECORDED)
