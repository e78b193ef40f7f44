"""A deployed function, and hands that reach it past the release."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shipsafe.local.faults import Fault
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.zips import zip_bytes
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words
from tests.tampering.world import LAYER, PLATFORM, ROLE, signed_by_signer

STRANGER = "999988887777"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Pay as it was signed, under a configuration that enforces; version 1 is published, and alias `live` leads there."""

    trial: Trial
    configuration: str

    @property
    def aws(self) -> Any:
        return client("lambda")

    def update(self, zipped: bytes) -> None:
        """Put other code into `$LATEST` while the configuration is off for a moment."""
        self.detach()
        self.aws.update_function_code(FunctionName="Pay", ZipFile=zipped)
        self.attach(self.configuration)

    def set(self, **members: Any) -> None:
        """Other settings of `$LATEST`."""
        self.detach()
        self.aws.update_function_configuration(FunctionName="Pay", **members)
        self.attach(self.configuration)

    def publish(self) -> str:
        """The next version."""
        found: str = self.aws.publish_version(FunctionName="Pay")["Version"]
        return found

    def detach(self) -> None:
        self.aws.delete_function_code_signing_config(FunctionName="Pay")

    def attach(self, arn: str) -> None:
        self.aws.put_function_code_signing_config(FunctionName="Pay", CodeSigningConfigArn=arn)


def deploy(trial: Trial) -> Deployed:
    """Deploy Pay as the release has it."""
    aws, place = client("lambda"), trial.artifact(trial.manifest)["signatures"][0]["object"]
    arn = configuration(trial.world.profile_version)
    aws.create_function(
        FunctionName="Pay",
        Role=ROLE,
        Runtime="python3.13",
        Handler="app.handler",
        Layers=[f"{LAYER}:1"],
        Code={"S3Bucket": place["bucket"], "S3Key": place["key"], "S3ObjectVersion": place["version"]},
        CodeSigningConfigArn=arn,
    )
    found = Deployed(trial=trial, configuration=arn)
    aws.create_alias(FunctionName="Pay", Name="live", FunctionVersion=found.publish())
    return found


def configuration(*publishers: str, policy: str = "Enforce") -> str:
    """A new code-signing configuration."""
    made = client("lambda").create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": list(publishers)}, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}
    )
    arn: str = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    return arn


def profile(name: str, *, account: str = ACCOUNT) -> str:
    """The version of a new signing profile."""
    arn: str = client("signer", account=account).put_signing_profile(profileName=name, platformId=PLATFORM)["profileVersionArn"]
    return arn


def layer(zipped: bytes, name: str = "common", *, account: str = ACCOUNT) -> str:
    """A new version of a layer."""
    aws = client("lambda", account=account)
    made = aws.publish_layer_version(LayerName=name, Content={"ZipFile": zipped})
    if account != ACCOUNT:
        aws.add_layer_version_permission(
            LayerName=name, VersionNumber=made["Version"], StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
        )
    arn: str = made["LayerVersionArn"]
    return arn


def evil() -> bytes:
    """A zip that nobody built."""
    return zip_bytes({"app.py": b"import os\ndef handler(event, context):\n    return dict(os.environ)\n"})


def evil_layer() -> bytes:
    return zip_bytes({"python/common.py": b"import os\nRATE = os.environ\n"})


def signed_elsewhere(unsigned: bytes, name: str) -> tuple[bytes, str]:
    """A zip that a profile of ours, which the policy does not trust, has signed; and the version of that profile."""
    version = profile(name)
    return signed_by_signer(unsigned, name), version


def deny(operation: str, *, service: str = "lambda") -> Fault:
    """AccessDenied on every call of an operation."""
    return Fault(
        service=service, operation=operation, times=0, code="AccessDeniedException", message="User: ci is not authorized.", status=403
    )


def in_lambda(trial: Trial) -> tuple[Any, Any]:
    """A copy of what Lambda holds, whole and of this account; `trial.world.endpoint.functions.restore` takes it up again."""
    state = trial.world.endpoint.functions.snapshot()
    return state, state["places"][f"{ACCOUNT}/{REGION}"]


def on_deployed(group: Group, kind: str, code: int, asked: str = "Pay:live") -> Callable[[Callable[[Deployed], object]], None]:
    """A row on a deployed function; `asked` is what `verify` is asked about."""

    def add(act: Callable[[Deployed], object]) -> None:
        def whole(trial: Trial) -> Words:
            act(deploy(trial))
            return "verify", "--function", asked, "--release", "dist"

        whole.__doc__ = act.__doc__
        group(kind, code)(whole)

    return add
