"""Kinds of tampering with what keeps other code out, and with layers."""

from tests.local_endpoint import ACCOUNT, client
from tests.tampering.live import (
    STRANGER,
    Deployed,
    configuration,
    deny,
    deploy,
    evil,
    evil_layer,
    in_lambda,
    layer,
    on_deployed,
    profile,
    signed_elsewhere,
)
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words
from tests.tampering.world import LAYER, PROFILE

CONFIGURATION = Group("The code-signing configuration")
LAYERS = Group("Layers")


@on_deployed(CONFIGURATION, "detached", 5)
def _(live: Deployed) -> None:
    """The configuration was taken off the function."""
    live.detach()


@on_deployed(CONFIGURATION, "Warn instead of Enforce", 5)
def _(live: Deployed) -> None:
    """The configuration only warns."""
    live.aws.update_code_signing_config(
        CodeSigningConfigArn=live.configuration, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}
    )


@on_deployed(CONFIGURATION, "a stranger among the publishers", 5)
def _(live: Deployed) -> None:
    """A second publisher is allowed, in an account that is not ours."""
    arn = live.trial.world.profile_version
    live.aws.update_code_signing_config(
        CodeSigningConfigArn=live.configuration,
        AllowedPublishers={"SigningProfileVersionArns": [arn, arn.replace(ACCOUNT, STRANGER)]},
    )


@on_deployed(CONFIGURATION, "a publisher without a version", 5)
def _(live: Deployed) -> None:
    """A publisher is the ARN of a profile, and not of a version of it."""
    state, here = in_lambda(live.trial)
    config = here["code_signing"][live.configuration]
    config["publishers"] = [*config["publishers"], live.trial.world.profile_version.rpartition("/")[0]]
    live.trial.world.endpoint.functions.restore(state)


@on_deployed(CONFIGURATION, "a publisher that did not sign", 5)
def _(live: Deployed) -> None:
    """Only another profile of ours is allowed: what runs could not be deployed again."""
    live.attach(configuration(profile("other")))


@CONFIGURATION("replaced", 5)
def _(trial: Trial) -> Words:
    """The policy pins the configuration of the target, and another one is attached."""
    live = deploy(trial)
    pinned = f'code-signing-config = "{live.configuration}"\n'
    trial.policy(lambda text: text.replace(f'profile = "{PROFILE}"\n', f'profile = "{PROFILE}"\n{pinned}'))
    live.attach(configuration(trial.world.profile_version))
    return "verify", "--function", "Pay:live", "--release", "dist"


@on_deployed(CONFIGURATION, "shared", 1)
def _(live: Deployed) -> None:
    """A function that nobody here knows hangs on the same configuration."""
    aws = client("lambda")
    aws.create_function(
        FunctionName="Foreign", Role="arn:aws:iam::123456789012:role/foreign", Runtime="python3.13", Handler="app.handler",
        Code={"ZipFile": evil()},
    )  # fmt: skip
    aws.put_function_code_signing_config(FunctionName="Foreign", CodeSigningConfigArn=live.configuration)


@on_deployed(CONFIGURATION, "a configuration that nobody may read", 4)
def _(live: Deployed) -> None:
    """AWS denies GetFunctionCodeSigningConfig."""
    live.trial.world.endpoint.faults.add(deny("GetFunctionCodeSigningConfig"))


def _layers(live: Deployed, *arns: str) -> None:
    live.set(Layers=list(arns))


@on_deployed(LAYERS, "an unsigned layer", 5, "Pay")
def _(live: Deployed) -> None:
    """The layer was published again without a signature, and attached."""
    _layers(live, layer(evil_layer()))


@on_deployed(LAYERS, "a layer by a profile that is not trusted", 5, "Pay")
def _(live: Deployed) -> None:
    """Another version of the layer, signed by a profile that the policy does not name."""
    zipped, _ = signed_elsewhere(evil_layer(), "theirs")
    _layers(live, layer(zipped))


@on_deployed(LAYERS, "a foreign layer", 5, "Pay")
def _(live: Deployed) -> None:
    """A layer of another account is attached beside ours."""
    _layers(live, f"{LAYER}:1", layer(live.trial.world.layer, "telemetry", account=STRANGER))


@on_deployed(LAYERS, "a re-published layer", 5, "Pay")
def _(live: Deployed) -> None:
    """The same bytes with the same good signature were published as the next version, and that is attached."""
    _layers(live, layer(live.trial.world.layer))


@on_deployed(LAYERS, "a layer that was taken off", 5, "Pay")
def _(live: Deployed) -> None:
    """The function runs without its layer."""
    _layers(live)


@on_deployed(LAYERS, "a deleted layer", 5)
def _(live: Deployed) -> None:
    """The layer's version was deleted: the function runs on with it, and nobody can look at it."""
    live.aws.delete_layer_version(LayerName="common", VersionNumber=1)


@on_deployed(LAYERS, "a layer that cannot be read", 4)
def _(live: Deployed) -> None:
    """AWS denies GetLayerVersionByArn."""
    for operation in ("GetLayerVersionByArn", "GetLayerVersion"):
        live.trial.world.endpoint.faults.add(deny(operation))
