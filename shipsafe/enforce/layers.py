"""The layer pre-flight: would Lambda, under Enforce, let a function with these layers be deployed, and if not, what is to be allowed?

    for layer in preflight(looks, arns, wanted.publishers, now):
        layer.allowed or print(layer.sentence, layer.remedy)

Under Enforce each layer of a deployment has to be signed by an allowed publisher, those of other vendors too. Lambda itself says it only
when a deployment fails; each layer version says who signed it before (GetLayerVersionByArn).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shipsafe.adapters.aws.functions import LayerVersion
from shipsafe.adapters.aws.looks import Looks
from shipsafe.errors import ConfigError, ExitCode, ShipsafeError
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.signing import SigningJob

_ANEW = "Sign it again, publish it and attach that version."


class Letting(StrEnum):
    """What Lambda would do with a layer under Enforce."""

    ALLOWED = "allowed"
    UNSIGNED = "unsigned"
    FOREIGN = "foreign"  # its signer is not allowed
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNPINNED = "unpinned"  # its ARN names no version: what it is tomorrow nobody knows
    GONE = "gone"  # deleted: functions that have it run on, and nobody can attach it any more
    UNLOOKED = "unlooked"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTrust:
    """A layer version and whether it would be let in. `profile_version` is the ARN of its signer, "" where nobody is known."""

    arn: str
    letting: Letting
    sentence: str
    remedy: str = ""
    profile_version: str = ""

    @property
    def allowed(self) -> bool:
        """Whether a deployment with it would get through."""
        return self.letting is Letting.ALLOWED

    @property
    def code(self) -> ExitCode:
        """5, or 4 where nobody could look."""
        if self.allowed:
            return ExitCode.PASS
        return ExitCode.INCOMPLETE if self.letting is Letting.UNLOOKED else ExitCode.INTEGRITY


def preflight(looks: Looks, arns: Iterable[str], publishers: Collection[str], now: datetime) -> tuple[LayerTrust, ...]:
    """Look at each layer version once, in the order given. Changes nothing; what could not be looked at is one of the answers.

    Args:
        looks: at the account and Region of the functions.
        arns: of layer versions, of whichever account.
        publishers: ARNs of the profile versions that the configuration allows, or is to allow.
        now: UTC, for the expiry of signatures.
    """
    return tuple(_trust(looks, arn, publishers, now) for arn in dict.fromkeys(arns))


def _trust(looks: Looks, arn: str, publishers: Collection[str], now: datetime) -> LayerTrust:
    if layer_arn(arn, text=arn, location=None).version is None:
        sentence = f"Layer {arn} is not pinned to a version, so that nobody can say who signed it."
        return LayerTrust(arn=arn, letting=Letting.UNPINNED, sentence=sentence, remedy="Name a version of it.")
    try:
        layer = looks.layer(arn)
    except ShipsafeError as error:
        return _unlooked(arn, error)
    if layer is None:
        sentence = f"Layer {arn} is not there (any more): it cannot be attached."
        return LayerTrust(arn=arn, letting=Letting.GONE, sentence=sentence, remedy="Name a version that is there.")
    if not layer.profile_version:
        sentence = f"Layer {arn} has no signature: Enforce would block every deployment with it."
        return LayerTrust(arn=arn, letting=Letting.UNSIGNED, sentence=sentence, remedy=f"`shipsafe layers vendor {arn}` signs a copy.")
    if layer.profile_version not in publishers:
        sentence = f"Layer {arn} is signed by {layer.profile_version}, which is not allowed: Enforce would block every deployment with it."
        remedy = (
            f'Add "{layer.profile_version}" to `publishers` of [sign] in the policy, if you trust it; else `shipsafe layers vendor {arn}`.'
        )
        return LayerTrust(arn=arn, letting=Letting.FOREIGN, sentence=sentence, remedy=remedy, profile_version=layer.profile_version)
    return _signature(looks, layer, now)


def _signature(looks: Looks, layer: LayerVersion, now: datetime) -> LayerTrust:
    """Whether the signature of an allowed publisher still counts. Of another account's jobs, or another Region's, Signer tells nothing."""
    try:
        job = SigningJob.parse(layer.job)
        told = looks.job(job.id) if (job.account, job.region) == (looks.aws.account, looks.aws.region) else None
    except ConfigError:
        sentence = f"Lambda names no signing job of layer {layer.arn}, so that nobody can see whether its signature was revoked."
        return LayerTrust(arn=layer.arn, letting=Letting.UNLOOKED, sentence=sentence, remedy="Run this again.")
    except ShipsafeError as error:
        return _unlooked(layer.arn, error)
    by = layer.profile_version
    if told is not None and told.revoked is not None:
        sentence = f"The signature of layer {layer.arn} was revoked: {told.revoked}."
        return LayerTrust(arn=layer.arn, letting=Letting.REVOKED, sentence=sentence, remedy=_ANEW, profile_version=by)
    if told is not None and told.expires is not None and told.expires <= now:
        sentence = f"The signature of layer {layer.arn} expired on {told.expires:%Y-%m-%d}."
        return LayerTrust(arn=layer.arn, letting=Letting.EXPIRED, sentence=sentence, remedy=_ANEW, profile_version=by)
    return LayerTrust(arn=layer.arn, letting=Letting.ALLOWED, sentence=f"Layer {layer.arn} is signed by {by}.", profile_version=by)


def _unlooked(arn: str, error: ShipsafeError) -> LayerTrust:
    return LayerTrust(arn=arn, letting=Letting.UNLOOKED, sentence=error.what, remedy=error.remedy)
