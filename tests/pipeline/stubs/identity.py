"""The token of a job, as @actions/core asks for it."""

import json
import os
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.pipeline.stubs.given import fail


def identity_token(audience: str) -> str:
    """A token of OpenID Connect for an audience; ends the step where the job may have none."""
    url, bearer = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not bearer:
        fail("Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable: has the job `id-token: write`?")
    request = Request(f"{url}&audience={quote(audience)}", headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310 - the loopback server
    with urlopen(request, timeout=300) as answer:  # noqa: S310 - likewise
        return str(json.load(answer)["value"])
