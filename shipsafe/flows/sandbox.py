"""`ship --sandbox`: the local endpoint in this process for one line, and everything on it that the line needs. No account, no credentials.

    with sandbox(policy, today, say) as box:
        ship(box.request(request), view, agree)

It is a real line: the same flows make the same calls, and the endpoint judges signatures as Lambda does. What is told of it says LOCAL.
"""

import os
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.aws.session import open_aws
from shipsafe.flows.bootstrap import carry_out, survey
from shipsafe.flows.local import Wanted, endpoint, local_environment
from shipsafe.local.identity import DEFAULT_ACCOUNT
from shipsafe.model.signing import SignTarget

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

_SIGNING = timedelta()  # how long a job takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running endpoint, a folder that is gone with it, and the target that signs there."""

    endpoint: "Endpoint"
    folder: Path
    target: SignTarget


@contextmanager
def sandbox(target: SignTarget, say: Callable[[str], None]) -> Generator[Sandbox]:
    """Start the endpoint, lead this process to it, and make what signing at the target needs.

    Raises:
        ConfigError: the extra `local` is not installed, or an endpoint runs in this process.
        ShipsafeError: as `flows.bootstrap`.
    """
    account = target.account or DEFAULT_ACCOUNT
    with tempfile.TemporaryDirectory(prefix="shipsafe-sandbox-") as name, endpoint(Wanted(delay=_SIGNING, account=account)) as running:
        folder = Path(name)
        config, credentials = folder / "config", folder / "credentials"
        profile = f"[profile {target.aws_profile}]\n" if target.aws_profile else ""
        config.write_text(profile)
        credentials.touch()
        with _environment(local_environment(running.url, running.fingerprint, os.environ, account, config, credentials)):
            found = survey((target,), open_aws)
            carry_out(found, say=say, sleep=time.sleep)
            yield Sandbox(endpoint=running, folder=folder, target=target)


@contextmanager
def _environment(ours: Mapping[str, str]) -> Generator[None]:
    """This process's environment, until the end. boto3 reads it whenever a session is opened."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(ours)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
