"""Whose root a chain ends in: pinned as AWS Signer's, set by the policy, or that of the local endpoint.

A chain proves that one party made all of it, not which party. That is what the pinned fingerprints are for. They are data
(`data/roots.json`), each with where it was seen; AWS does not publish them. One that a single source shows is `unconfirmed`.
"""

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files

from shipsafe.adapters.aws.session import is_local
from shipsafe.errors import ConfigError, IntegrityError

LOCAL_ROOT = "SHIPSAFE_LOCAL_ROOT"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def trust(root_sha256: str, *, policy_roots: Collection[str], local_root: str | None) -> str:
    """Who vouches for a root: `local`, `policy`, or `aws`.

    Args:
        root_sha256: hex SHA-256 of the root certificate, DER.
        policy_roots: likewise, of `[sign] roots`.
        local_root: likewise, of the local endpoint, where it is honoured (see `local_root`).

    Raises:
        IntegrityError: nobody does; or it is pinned and unconfirmed, and the policy does not set it.
    """
    if root_sha256 == local_root:
        return "local"
    if root_sha256 in policy_roots:
        return "policy"
    status = pinned().get(root_sha256)
    if status is None:
        raise IntegrityError(
            f"The signature ends in a root that nobody vouches for: {root_sha256}.",
            remedy='If you know whose it is, add it to the policy: `[sign] roots = ["..."]`; '
            "that of `shipsafe local` counts only where SHIPSAFE_LOCAL_ROOT says it.",
        )
    if status != "confirmed":
        raise IntegrityError(
            f"The signature ends in a root that is listed as AWS Signer's, and not confirmed: {root_sha256}.",
            remedy='If you know it is, add it to the policy: `[sign] roots = ["..."]`.',
        )
    return "aws"


def local_root(environment: Mapping[str, str], *, local: bool) -> str | None:
    """The fingerprint of the local endpoint's root, where it is honoured: on a loopback endpoint, or after `--local`.

    Raises:
        ConfigError: SHIPSAFE_LOCAL_ROOT is not a SHA-256, or `--local` was given without it.
    """
    text = environment.get(LOCAL_ROOT, "")
    if not (local or is_local(environment)):
        return None
    if not text and local:
        raise ConfigError(f"--local honours the root in {LOCAL_ROOT}, which is not set.", remedy="Run this in `shipsafe local run -- ...`.")
    if text and not _FINGERPRINT.fullmatch(text):
        raise ConfigError(f"{LOCAL_ROOT} is not the SHA-256 of a certificate.", remedy="Write its 64 hexadecimal digits.")
    return text or None


@cache
def pinned() -> Mapping[str, str]:
    """The status, `confirmed` or `unconfirmed`, of each pinned root by hex SHA-256."""
    document = json.loads((files("shipsafe.signing") / "data" / "roots.json").read_text(encoding="utf-8"))
    return {root["sha256"]: root["status"] for root in document["roots"]}
