"""Kinds of tampering with what runs: Signer's records, the code-signing configuration, layers, aliases, code and settings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local_endpoint import ACCOUNT, client
from tests.tampering import zips
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
    profile,
    signed_elsewhere,
)
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words
from tests.tampering.world import BUCKET, LAYER, PROFILE, signed_by_signer

OBJECTS = Group("The objects in the bucket")
SIGNER = Group("Signer's records")
CONFIGURATION = Group("The code-signing configuration")
LAYERS = Group("Layers")
RUNNING = Group("What runs")
AskedOf = Callable[[Deployed], str]


def _row(group: Group, kind: str, code: int, asked: str = "Pay:live") -> Callable[[Callable[[Deployed], object]], None]:
    """A row on a deployed function; `asked` is what `verify` is asked about."""

    def add(act: Callable[[Deployed], object]) -> None:
        def whole(trial: Trial) -> Words:
            act(deploy(trial))
            return "verify", "--function", asked, "--release", "dist"

        whole.__doc__ = act.__doc__
        group(kind, code)(whole)

    return add


@_row(RUNNING, "nothing is changed", 0)
def _(_: Deployed) -> None:
    """The function as it was deployed, through its alias."""


@_row(RUNNING, "code updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """The configuration was off for a moment, and code that nobody signed was put in."""
    live.update(evil())


@_row(RUNNING, "code of another artifact", 5, "Pay")
def _(live: Deployed) -> None:
    """Pay runs what was signed as Stock."""
    live.update(live.trial.world.signed["Stock"])


@RUNNING("code of an older release", 5)
def _(trial: Trial) -> Words:
    """It runs what was genuinely signed, with the same profile, for another release than the one that is named."""
    deploy(trial).update(signed_by_signer((trial.another_build() / "Pay.zip").read_bytes(), PROFILE))
    return "verify", "--function", "Pay", "--release", "dist"


@_row(RUNNING, "code that another account signed", 5, "Pay")
def _(live: Deployed) -> None:
    """The very zip that was audited, signed by a profile of that name in an account that is not ours."""
    profile(PROFILE, account=STRANGER)
    live.update(signed_by_signer((live.trial.dist / "Pay.zip").read_bytes(), PROFILE, account=STRANGER))


@_row(RUNNING, "the zip as it was built", 5, "Pay")
def _(live: Deployed) -> None:
    """Pay runs the very zip that was audited, without a signature."""
    live.update((live.trial.dist / "Pay.zip").read_bytes())


@_row(RUNNING, "the signed zip, packed anew", 5, "Pay")
def _(live: Deployed) -> None:
    """The same names and bodies under the same signature, stored: Lambda takes it even while it enforces."""
    client("lambda").update_function_code(FunctionName="Pay", ZipFile=zips.recompressed(live.trial.world.signed["Pay"]))


@_row(RUNNING, "runtime updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """It runs on another Python than it was built for."""
    live.set(Runtime="python3.12")


@_row(RUNNING, "handler updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """Its handler is another function of the same signed code."""
    live.set(Handler="lib.prices.handler")


@_row(RUNNING, "architecture updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """It runs on another processor than it was built for."""
    live.detach()
    live.aws.update_function_code(FunctionName="Pay", ZipFile=live.trial.world.signed["Pay"], Architectures=["arm64"])
    live.attach(live.configuration)


@_row(RUNNING, "a variable that wraps the runtime", 0, "Pay")
def _(live: Deployed) -> None:
    """A variable lets another program start before the handler; no evidence says which variables there should be."""
    live.set(Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/evil", "TABLE": "prices"}})


@_row(RUNNING, "an alias with weight on an unknown version", 5)
def _(live: Deployed) -> None:
    """A tenth of the calls goes to a version that nobody signed."""
    live.update(evil())
    live.aws.update_alias(FunctionName="Pay", Name="live", RoutingConfig={"AdditionalVersionWeights": {live.publish(): 0.1}})


@_row(RUNNING, "an alias that was pointed elsewhere", 5)
def _(live: Deployed) -> None:
    """The alias leads to a version that nobody signed; the old one is still there."""
    live.update(evil())
    live.aws.update_alias(FunctionName="Pay", Name="live", FunctionVersion=live.publish())


@_row(RUNNING, "a function that is not there", 4, "Billing")
def _(_: Deployed) -> None:
    """Nobody deployed a function of that name: nothing could be looked at."""


@_row(RUNNING, "a function that nobody may read", 4)
def _(live: Deployed) -> None:
    """AWS denies GetFunctionConfiguration and GetFunction."""
    for operation in ("GetFunctionConfiguration", "GetFunction"):
        live.trial.world.endpoint.faults.add(deny(operation))


@OBJECTS("the upload overwritten before signing", 5)
def _(trial: Trial) -> Words:
    """Somebody put another zip under the key that was uploaded, had it signed by our own profile, and deployed that."""
    live = deploy(trial)
    live.update(signed_by_signer(evil(), PROFILE))
    return "verify", "--function", "Pay", "--release", "dist"


@OBJECTS("the signed object overwritten after signing", 5)
def _(trial: Trial) -> Words:
    """Another zip lies under the key of the signed object, and a deployment that pinned no version took it."""
    live, place = deploy(trial), trial.artifact(trial.manifest)["signatures"][0]["object"]
    client("s3").put_object(Bucket=BUCKET, Key=place["key"], Body=evil())
    live.detach()
    live.aws.update_function_code(FunctionName="Pay", S3Bucket=BUCKET, S3Key=place["key"])
    live.attach(live.configuration)
    return "verify", "--function", "Pay", "--release", "dist"


def _signer(kind: str, code: int, done: str, act: Callable[[Deployed, Any, Any], object]) -> None:
    """A row for which Signer's job and profile say something else, as only AWS could."""

    def whole(trial: Trial) -> Words:
        live, endpoint = deploy(trial), trial.world.endpoint
        state = endpoint.signer.snapshot()
        job = state["jobs"][trial.job.rpartition("/")[2]]
        act(live, job, state)
        endpoint.signer.restore(state)
        return "verify", "--function", "Pay:live", "--release", "dist"

    whole.__doc__ = done
    SIGNER(kind, code)(whole)


def _later(job: Any, days: int) -> Any:
    """The time in a snapshot, some days later."""
    (key,) = job["expires"]
    moment = datetime.fromisoformat(job["expires"][key])
    return {key: (moment + timedelta(days=days)).isoformat()}


_signer("the job of another profile", 5, "Signer says that the job used another profile.", lambda _, job, __: job.update(profile="theirs"))
_signer("the job of another version", 5, "Signer says that the job used another version of the profile.",
        lambda _, job, __: job.update(profile_version="AbCdE12345"))  # fmt: skip
_signer("the job of another platform", 5, "Signer says that the job signed for container registries.",
        lambda _, job, __: job.update(platform="Notation-OCI-SHA384-ECDSA"))  # fmt: skip
_signer("a job that signed another object", 5, "Signer says that the job read another version than we uploaded.",
        lambda _, job, __: job["transfer"].update(version="another"))  # fmt: skip
_signer("a job that wrote another object", 5, "Signer says that the job wrote under another key.",
        lambda _, job, __: job.update(signed_key="signed/other.zip"))  # fmt: skip
_signer("a job with another expiry", 5, "Signer says another day on which the signature expires.",
        lambda _, job, __: job.update(expires=_later(job, 400)))  # fmt: skip
_signer("a job that nobody knows", 5, "Signer knows no such job.", lambda _, job, state: state["jobs"].pop(job["id"]))


@_row(SIGNER, "a revoked signature", 5)
def _(live: Deployed) -> None:
    """The job's signature was revoked."""
    client("signer").revoke_signature(jobId=live.trial.job.rpartition("/")[2], reason="a key leaked")


@_row(SIGNER, "an expired signature", 5)
def _(live: Deployed) -> None:
    """The signature expired: it is twelve years later."""
    live.trial.clock(timedelta(days=12 * 366))


@_row(SIGNER, "a cancelled profile", 0)
def _(_: Deployed) -> None:
    """The profile was cancelled after it had signed: it signs nothing more, and what it has signed stays good."""
    client("signer").cancel_signing_profile(profileName=PROFILE)


@_row(SIGNER, "a revoked profile", 5)
def _(live: Deployed) -> None:
    """The profile was revoked with effect from the day before it signed."""
    _revoke(live, datetime.now(UTC) - timedelta(days=1))


@_row(SIGNER, "a profile revoked after it signed", 0)
def _(live: Deployed) -> None:
    """The profile is revoked from the moment after it signed."""
    job = client("signer").describe_signing_job(jobId=live.trial.job.rpartition("/")[2])
    _revoke(live, job["completedAt"] + timedelta(seconds=2))


def _revoke(live: Deployed, effective: datetime) -> None:
    version = live.trial.world.profile_version.rpartition("/")[2]
    live.trial.world.endpoint.advance(timedelta(seconds=5))
    client("signer").revoke_signing_profile(profileName=PROFILE, profileVersion=version, reason="a key leaked", effectiveTime=effective)


@_row(SIGNER, "records that nobody may read", 4)
def _(live: Deployed) -> None:
    """AWS denies DescribeSigningJob."""
    live.trial.world.endpoint.faults.add(deny("DescribeSigningJob", service="signer"))


@_row(CONFIGURATION, "detached", 5)
def _(live: Deployed) -> None:
    """The configuration was taken off the function."""
    live.detach()


@_row(CONFIGURATION, "Warn instead of Enforce", 5)
def _(live: Deployed) -> None:
    """The configuration only warns."""
    live.aws.update_code_signing_config(
        CodeSigningConfigArn=live.configuration, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}
    )


@_row(CONFIGURATION, "a stranger among the publishers", 5)
def _(live: Deployed) -> None:
    """A second publisher is allowed, in an account that is not ours."""
    arn = live.trial.world.profile_version
    live.aws.update_code_signing_config(
        CodeSigningConfigArn=live.configuration,
        AllowedPublishers={"SigningProfileVersionArns": [arn, arn.replace(ACCOUNT, STRANGER)]},
    )


@_row(CONFIGURATION, "a publisher without a version", 5)
def _(live: Deployed) -> None:
    """A publisher is the ARN of a profile, and not of a version of it."""
    state, here = in_lambda(live.trial)
    config = here["code_signing"][live.configuration]
    config["publishers"] = [*config["publishers"], live.trial.world.profile_version.rpartition("/")[0]]
    live.trial.world.endpoint.functions.restore(state)


@_row(CONFIGURATION, "a publisher that did not sign", 5)
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


@_row(CONFIGURATION, "shared", 1)
def _(live: Deployed) -> None:
    """A function that nobody here knows hangs on the same configuration."""
    aws = client("lambda")
    aws.create_function(
        FunctionName="Foreign", Role="arn:aws:iam::123456789012:role/foreign", Runtime="python3.13", Handler="app.handler",
        Code={"ZipFile": evil()},
    )  # fmt: skip
    aws.put_function_code_signing_config(FunctionName="Foreign", CodeSigningConfigArn=live.configuration)


@_row(CONFIGURATION, "a configuration that nobody may read", 4)
def _(live: Deployed) -> None:
    """AWS denies GetFunctionCodeSigningConfig."""
    live.trial.world.endpoint.faults.add(deny("GetFunctionCodeSigningConfig"))


def _layers(live: Deployed, *arns: str) -> None:
    live.set(Layers=list(arns))


@_row(LAYERS, "an unsigned layer", 5, "Pay")
def _(live: Deployed) -> None:
    """The layer was published again without a signature, and attached."""
    _layers(live, layer(evil_layer()))


@_row(LAYERS, "a layer by a profile that is not trusted", 5, "Pay")
def _(live: Deployed) -> None:
    """Another version of the layer, signed by a profile that the policy does not name."""
    zipped, _ = signed_elsewhere(evil_layer(), "theirs")
    _layers(live, layer(zipped))


@_row(LAYERS, "a foreign layer", 5, "Pay")
def _(live: Deployed) -> None:
    """A layer of another account is attached beside ours."""
    _layers(live, f"{LAYER}:1", layer(live.trial.world.layer, "telemetry", account=STRANGER))


@_row(LAYERS, "a re-published layer", 5, "Pay")
def _(live: Deployed) -> None:
    """The same bytes with the same good signature were published as the next version, and that is attached."""
    _layers(live, layer(live.trial.world.layer))


@_row(LAYERS, "a layer that was taken off", 5, "Pay")
def _(live: Deployed) -> None:
    """The function runs without its layer."""
    _layers(live)


@_row(LAYERS, "a deleted layer", 5)
def _(live: Deployed) -> None:
    """The layer's version was deleted: the function runs on with it, and nobody can look at it."""
    live.aws.delete_layer_version(LayerName="common", VersionNumber=1)


@_row(LAYERS, "a layer that cannot be read", 4)
def _(live: Deployed) -> None:
    """AWS denies GetLayerVersionByArn."""
    for operation in ("GetLayerVersionByArn", "GetLayerVersion"):
        live.trial.world.endpoint.faults.add(deny(operation))
