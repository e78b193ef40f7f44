"""The signing platforms of Signer, as ListSigningPlatforms and GetSigningPlatform give them.

Lambda's record is confirmed by recordings of the live service. Of the record for container registries, id and name are confirmed; its
partner, target and size are not.
"""

from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import ApiError, Call
from shipsafe.local.signer_pages import page
from shipsafe.local.signer_state import World
from shipsafe.signing.layout import PLATFORM

LAMBDA = PLATFORM
NOTATION = "Notation-OCI-SHA384-ECDSA"


def get_signing_platform(world: World, call: Call) -> dict[str, Any]:  # noqa: ARG001 - each operation is given the world
    """GetSigningPlatform."""
    platform = PLATFORMS.get(call.parameters["platformId"])
    if platform is None:
        raise ApiError("ResourceNotFoundException", f"Platform with id {call.parameters['platformId']} does not exist", status=404)
    return dict(platform)


def list_signing_platforms(world: World, call: Call) -> dict[str, Any]:  # noqa: ARG001 - likewise
    """ListSigningPlatforms, with its filters."""
    asked = {name: call.parameters[name] for name in ("category", "partner", "target") if call.parameters.get(name) is not None}
    found = ((id_, platform) for id_, platform in PLATFORMS.items() if all(platform[name] == value for name, value in asked.items()))
    return page("platforms", found, call.parameters)


def _platform(
    id_: str, display: str, partner: str, target: str, *, keys: list[str], digest: str, form: str, size: int, revocation: bool = False
) -> Mapping[str, Any]:
    return {
        "platformId": id_,
        "displayName": display,
        "partner": partner,
        "target": target,
        "category": "AWS",
        "signingConfiguration": {
            "encryptionAlgorithmOptions": {"allowedValues": keys, "defaultValue": keys[0]},
            "hashAlgorithmOptions": {"allowedValues": [digest], "defaultValue": digest},
        },
        "signingImageFormat": {"supportedFormats": [form], "defaultFormat": form},
        "maxSizeInMB": size,
        "revocationSupported": revocation,
    }


PLATFORMS: Mapping[str, Mapping[str, Any]] = {
    platform["platformId"]: platform
    for platform in (
        _platform(
            "AWSIoTDeviceManagement-SHA256-ECDSA",
            "AWS IoT Device Management SHA256-ECDSA ",
            "AWSIoTDeviceManagement",
            "SHA256-ECDSA",
            keys=["ECDSA"],
            digest="SHA256",
            form="JSONDetached",
            size=2048,
        ),
        _platform(
            LAMBDA,
            "AWS Lambda",
            "AWSLambda",
            "SHA384-ECDSA",
            keys=["ECDSA"],
            digest="SHA384",
            form="JSONDetached",
            size=250,
            revocation=True,
        ),
        _platform(
            "AmazonFreeRTOS-TI-CC3220SF",
            "Amazon FreeRTOS SHA1-RSA CC3220SF-Format",
            "AmazonFreeRTOS",
            "SHA1-RSA-TISHA1",
            keys=["RSA"],
            digest="SHA1",
            form="JSONEmbedded",
            size=16,
        ),
        _platform(
            "AmazonFreeRTOS-Default",
            "Amazon FreeRTOS SHA256-ECDSA",
            "AmazonFreeRTOS",
            "SHA256-ECDSA",
            keys=["ECDSA", "RSA"],
            digest="SHA256",
            form="JSONEmbedded",
            size=16,
        ),
        _platform(
            NOTATION,
            "Notation for container registries",
            "Notation",
            "SHA384-ECDSA",
            keys=["ECDSA"],
            digest="SHA384",
            form="JSONEmbedded",
            size=1,
            revocation=True,
        ),
    )
}
