"""How a contender's programs are led to a local AWS endpoint, which runs in a thread of the bench."""

import os

from shipsafe.local.endpoint import Endpoint

ACCOUNT, REGION = "123456789012", "eu-central-1"


def leads_to(endpoint: Endpoint) -> dict[str, str]:
    """The variables of somebody who uses the endpoint; the machine's own settings for AWS are out of sight."""
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SHIPSAFE_LOCAL_ROOT": endpoint.fingerprint,
        "SAM_CLI_TELEMETRY": "0",
    }
