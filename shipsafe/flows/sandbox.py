"""`ship --sandbox`: the local endpoint in this process for one line, and everything on it that the line needs. No account, no credentials.

    with sandbox(target_of(policy, names), None) as box:
        ship(request, view, agree, ahead=box.ahead)

It is a real line: the same flows make the same calls, and the endpoint judges signatures as Lambda does. What is told of it says LOCAL. The
policy holds, but for what exists in a real account alone: `amend` says what is another here.
"""

import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError
from shipsafe.flows.bootstrap import carry_out, survey
from shipsafe.flows.local import Wanted, endpoint, local_environment
from shipsafe.flows.sandbox_functions import Planted, plant
from shipsafe.flows.ship_legs import Run, policy_under
from shipsafe.local.identity import DEFAULT_ACCOUNT, DEFAULT_REGION
from shipsafe.model.deployment import DeployRule, Rollout
from shipsafe.model.policy import Policy
from shipsafe.model.ship import Leg
from shipsafe.model.signing import SignTarget

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

TARGET = SignTarget(name="sandbox", profile="sandbox", bucket="sandbox-${AWS::AccountId}-${AWS::Region}", region=DEFAULT_REGION)
ALIAS = "live"
_CHANGING = 0.05  # seconds that a change of a function takes here
_STEPS: Mapping[str, object] = {"rollout": Rollout.LINEAR, "percent": 40, "every": timedelta(seconds=1)}  # three: 40, 80, 100


@dataclass(slots=True)
class Sandbox:
    """A running endpoint, and a folder that is gone with it.

    `target` is where the line signs and deploys. `ready` ends when the endpoint has a bucket, a profile and a code-signing configuration.
    """

    endpoint: "Endpoint"
    folder: Path
    target: SignTarget
    ready: "Future[None]"
    rules: tuple[DeployRule, ...] = (DeployRule(function="*", changes=_STEPS),)
    planted: tuple[Planted, ...] = field(default=())

    def amend(self, policy: Policy) -> Policy:
        """The policy, as it can hold here: one place, no account's own names and pins, a roll-out in seconds, evidence in the folder."""
        return replace(
            policy,
            sign=replace(policy.sign, targets=(self.target,)),
            deploy=replace(policy.deploy, rules=(*policy.deploy.rules, *self.rules), stages=()),
            enforce=replace(policy.enforce, configuration=None),
            break_glass=replace(policy.break_glass, role=None, profile=None),
            evidence=str(self.folder / "evidence") if policy.evidence else None,
        )

    def ahead(self, leg: Leg, run: Run) -> None:
        """What is done before a leg: something must be there to sign with, and functions that run an earlier version.

        Raises:
            ShipsafeError: the endpoint refused something.
        """
        if leg is Leg.SIGN:
            self.ready.result()
        if leg is Leg.ENFORCE and not self.planted:
            release = run.held()
            _, policy = policy_under(run, release)
            self.planted = plant(
                self.endpoint, release, policy, self.target, run.request.connect, alias=ALIAS, scratch=self.folder, say=run.view.say
            )
            self.rules += tuple(DeployRule(function=one.artifact, changes={"alias": ALIAS}) for one in self.planted if one.alias_is_ours)


def target_of(policy: Policy, names: tuple[str, ...]) -> SignTarget:
    """The target of the policy that the sandbox plays, without what exists in its account alone; one of its own where there is none.

    Raises:
        ConfigError: the policy has no target of that name.
    """
    known = {one.name: one for one in policy.sign.targets}
    if missing := [name for name in names if name not in known]:
        raise ConfigError(f"The policy has no [[sign.target]] {missing[0][:80]!r}.", remedy=f"There are: {', '.join(known) or 'none'}.",
                          path=policy.path)  # fmt: skip
    chosen = [known[name] for name in names] or list(policy.sign.targets) or [TARGET]
    return replace(chosen[0], account=None, role=None, external_id=None, aws_profile=None, profile_owner=None, profile_version=None,
                   kms_key=None, code_signing_config=None)  # fmt: skip


@contextmanager
def sandbox(target: SignTarget, account: str | None, connect: Callable[[Place], Aws]) -> Generator[Sandbox]:
    """Start the endpoint, lead this process to it, and begin to make what signing at the target needs.

    Args:
        target: from `target_of`.
        account: the one that the endpoint plays, or None for its own.
        connect: opens AWS at a place.

    Raises:
        ConfigError: the extra `local` is not installed, or an endpoint runs in this process.
    """
    import requests  # noqa: F401, PLC0415 - moto and the gates both need it: two threads that begin to import it would see half of it

    account = account or DEFAULT_ACCOUNT
    with (
        tempfile.TemporaryDirectory(prefix="shipsafe-sandbox-") as name,
        endpoint(Wanted(delay=timedelta(), account=account)) as running,
        ThreadPoolExecutor(1, thread_name_prefix="shipsafe-sandbox") as pool,
    ):
        running.functions.configure({"creating": _CHANGING, "updating": _CHANGING})
        folder = Path(name)
        config, credentials = folder / "config", folder / "credentials"
        config.touch()
        credentials.touch()
        with _environment(local_environment(running.url, running.fingerprint, os.environ, account, config, credentials)):
            yield Sandbox(endpoint=running, folder=folder, target=target, ready=pool.submit(_made, target, connect))


def _made(target: SignTarget, connect: Callable[[Place], Aws]) -> None:
    """A bucket, a signing profile and a code-signing configuration that enforces."""
    carry_out(survey((target,), connect), say=lambda _: None, sleep=sleep)


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
