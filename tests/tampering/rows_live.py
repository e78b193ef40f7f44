"""Kinds of tampering with what runs, with the objects that it came from, and with what Signer has written down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local_endpoint import client
from tests.tampering import zips
from tests.tampering.live import STRANGER, Deployed, deny, deploy, evil, on_deployed, profile
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words
from tests.tampering.world import BUCKET, PROFILE, signed_by_signer

RUNNING = Group("What runs")
OBJECTS = Group("The objects in the bucket")
SIGNER = Group("Signer's records")


@on_deployed(RUNNING, "nothing is changed", 0)
def _(_: Deployed) -> None:
    """The function as it was deployed, through its alias."""


@on_deployed(RUNNING, "code updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """The configuration was off for a moment, and code that nobody signed was put in."""
    live.update(evil())


@on_deployed(RUNNING, "code of another artifact", 5, "Pay")
def _(live: Deployed) -> None:
    """Pay runs what was signed as Stock."""
    live.update(live.trial.world.signed["Stock"])


@RUNNING("code of an older release", 5)
def _(trial: Trial) -> Words:
    """It runs what was genuinely signed, with the same profile, for another release than the one that is named."""
    deploy(trial).update(signed_by_signer((trial.another_build() / "Pay.zip").read_bytes(), PROFILE))
    return "verify", "--function", "Pay", "--release", "dist"


@on_deployed(RUNNING, "code that another account signed", 5, "Pay")
def _(live: Deployed) -> None:
    """The very zip that was audited, signed by a profile of that name in an account that is not ours."""
    profile(PROFILE, account=STRANGER)
    live.update(signed_by_signer((live.trial.dist / "Pay.zip").read_bytes(), PROFILE, account=STRANGER))


@on_deployed(RUNNING, "the zip as it was built", 5, "Pay")
def _(live: Deployed) -> None:
    """Pay runs the very zip that was audited, without a signature."""
    live.update((live.trial.dist / "Pay.zip").read_bytes())


@on_deployed(RUNNING, "the signed zip, packed anew", 5, "Pay")
def _(live: Deployed) -> None:
    """The same names and bodies under the same signature, stored: Lambda takes it even while it enforces."""
    client("lambda").update_function_code(FunctionName="Pay", ZipFile=zips.recompressed(live.trial.world.signed["Pay"]))


@on_deployed(RUNNING, "runtime updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """It runs on another Python than it was built for."""
    live.set(Runtime="python3.12")


@on_deployed(RUNNING, "handler updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """Its handler is another function of the same signed code."""
    live.set(Handler="lib.prices.handler")


@on_deployed(RUNNING, "architecture updated behind our back", 5, "Pay")
def _(live: Deployed) -> None:
    """It runs on another processor than it was built for."""
    live.detach()
    live.aws.update_function_code(FunctionName="Pay", ZipFile=live.trial.world.signed["Pay"], Architectures=["arm64"])
    live.attach(live.configuration)


@on_deployed(RUNNING, "a variable that wraps the runtime", 0, "Pay")
def _(live: Deployed) -> None:
    """A variable lets another program start before the handler; no evidence says which variables there should be."""
    live.set(Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/evil", "TABLE": "prices"}})


@on_deployed(RUNNING, "an alias with weight on an unknown version", 5)
def _(live: Deployed) -> None:
    """A tenth of the calls goes to a version that nobody signed."""
    live.update(evil())
    live.aws.update_alias(FunctionName="Pay", Name="live", RoutingConfig={"AdditionalVersionWeights": {live.publish(): 0.1}})


@on_deployed(RUNNING, "an alias that was pointed elsewhere", 5)
def _(live: Deployed) -> None:
    """The alias leads to a version that nobody signed; the old one is still there."""
    live.update(evil())
    live.aws.update_alias(FunctionName="Pay", Name="live", FunctionVersion=live.publish())


@on_deployed(RUNNING, "a function that is not there", 4, "Billing")
def _(_: Deployed) -> None:
    """Nobody deployed a function of that name: nothing could be looked at."""


@on_deployed(RUNNING, "a function that nobody may read", 4)
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


@on_deployed(SIGNER, "a revoked signature", 5)
def _(live: Deployed) -> None:
    """The job's signature was revoked."""
    client("signer").revoke_signature(jobId=live.trial.job.rpartition("/")[2], reason="a key leaked")


@on_deployed(SIGNER, "an expired signature", 5)
def _(live: Deployed) -> None:
    """The signature expired: it is twelve years later."""
    live.trial.clock(timedelta(days=12 * 366))


@on_deployed(SIGNER, "a cancelled profile", 0)
def _(_: Deployed) -> None:
    """The profile was cancelled after it had signed: it signs nothing more, and what it has signed stays good."""
    client("signer").cancel_signing_profile(profileName=PROFILE)


@on_deployed(SIGNER, "a revoked profile", 5)
def _(live: Deployed) -> None:
    """The profile was revoked with effect from the day before it signed."""
    _revoke(live, datetime.now(UTC) - timedelta(days=1))


@on_deployed(SIGNER, "a profile revoked after it signed", 0)
def _(live: Deployed) -> None:
    """The profile is revoked from the moment after it signed."""
    job = client("signer").describe_signing_job(jobId=live.trial.job.rpartition("/")[2])
    _revoke(live, job["completedAt"] + timedelta(seconds=2))


def _revoke(live: Deployed, effective: datetime) -> None:
    version = live.trial.world.profile_version.rpartition("/")[2]
    live.trial.world.endpoint.advance(timedelta(seconds=5))
    client("signer").revoke_signing_profile(profileName=PROFILE, profileVersion=version, reason="a key leaked", effectiveTime=effective)


@on_deployed(SIGNER, "records that nobody may read", 4)
def _(live: Deployed) -> None:
    """AWS denies DescribeSigningJob."""
    live.trial.world.endpoint.faults.add(deny("DescribeSigningJob", service="signer"))
