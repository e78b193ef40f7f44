"""The user's keyring, asked as uv asks it: through the `keyring` program, and only with `UV_KEYRING_PROVIDER=subprocess`.

Source: https://docs.astral.sh/uv/concepts/authentication/http/; `keyring get --mode creds`.
"""

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from shipsafe.adapters.process import run
from shipsafe.errors import IncompleteError

_PATIENCE = 60.0  # seconds; a keyring that asks its user something has nobody to ask


@cache
def ask_keyring(url: str, username: str) -> tuple[str, str]:
    """Who we are at an address: user and password, from the entry of the address or of its host; the password "" for nobody.

    The answer stays in memory for this run. An index without credentials answers for itself: a keyring that is missing or fails
    is no error here.
    """
    for service in (url, urlsplit(url).netloc):
        lines = _get(service, username)
        if username and lines:
            return username, lines[0]
        if len(lines) > 1:
            return lines[0], lines[1]
    return username, ""


def _get(service: str, username: str) -> list[str]:
    """What it prints. The user's own program sees the user's own environment: keyrings of clouds need it."""
    arguments = ["get", service, username] if username else ["--mode", "creds", "get", service]
    with TemporaryDirectory(prefix="shipsafe-") as nowhere:  # not the project's folder, which could hold a configuration
        try:
            done = run(["keyring", *arguments], cwd=Path(nowhere), env=dict(os.environ), timeout=_PATIENCE)
        except IncompleteError:
            return []
    return done.stdout.splitlines() if done.returncode == 0 else []
