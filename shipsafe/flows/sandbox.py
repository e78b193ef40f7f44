"""`ship --sandbox`: the local endpoint in this process for one line, and everything on it that the line needs. No account, no credentials.

    with sandbox(request) as box:
        ship(box.request, view, agree, ahead=box.ahead)

It is a real line: the same flows make the same calls, and the endpoint judges signatures as Lambda does. What is told of it says LOCAL. The
policy holds, but for what exists in a real account alone: `Sandbox.amend` says what is another here.
"""

import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.deploy.managed import Via, built_for
from shipsafe.errors import ConfigError
from shipsafe.flows.bootstrap import carry_out, survey
from shipsafe.flows.local import Wanted, endpoint, local_environment
from shipsafe.flows.sandbox_functions import Planted, plant
from shipsafe.flows.ship_legs import Run, policy_under
from shipsafe.flows.ship_request import ShipRequest
from shipsafe.flows.targets import policy_of
from shipsafe.local.identity import DEFAULT_ACCOUNT
from shipsafe.model.deployment import DeployRule, Rollout
from shipsafe.model.policy import Policy
from shipsafe.model.ship import Leg
from shipsafe.model.signing import SignTarget

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

ALIAS = "live"
STEPS: Mapping[str, object] = {"rollout": Rollout.LINEAR, "percent": 40, "every": timedelta(seconds=1)}  # three: 40, 80, 100
AT_ONCE: Mapping[str, object] = {"rollout": Rollout.ALL_AT_ONCE}
_CHANGING = 0.05  # seconds that a change of a function takes here
_OWN = SignTarget(name="sandbox", region="us-east-1", profile="sandbox", bucket="sandbox-${AWS::AccountId}-${AWS::Region}")


@dataclass(slots=True)
class Sandbox:
    """A running endpoint, and a folder that is gone with it.

    `request` is what was asked for, as it is asked for here. `target` is where the line signs and deploys. `ready` ends when the endpoint
    has a bucket, a profile and a code-signing configuration. `steps`: how the calls of every function move.
    """

    endpoint: "Endpoint"
    folder: Path
    request: ShipRequest
    target: SignTarget
    ready: "Future[None]"
    steps: Mapping[str, object]
    planted: tuple[Planted, ...] = ()

    def amend(self, policy: Policy) -> Policy:
        """The policy, as it can hold here: one place, no account's own names and pins, a roll-out in seconds, evidence in the folder."""
        rules = [
            replace(one, changes={key: value for key, value in one.changes.items() if key != "codedeploy"}) for one in policy.deploy.rules
        ]
        rules += [DeployRule(function="*", changes=self.steps)]
        rules += [DeployRule(function=one.artifact, changes={"alias": one.alias}) for one in self.planted if one.alias_is_ours]
        return replace(
            policy,
            sign=replace(policy.sign, targets=(self.target,)),
            deploy=replace(policy.deploy, rules=tuple(rules), stages=()),
            enforce=replace(policy.enforce, configuration=None),
            break_glass=replace(policy.break_glass, role=None, profile=None),
            evidence=str(self.folder / "evidence") if policy.evidence else None,
        )

    def ahead(self, leg: Leg, run: Run) -> None:
        """What is done before a leg: something must be there to sign with, and functions that run an earlier version.

        Raises:
            ConfigError: the release is one that another tool deploys.
            ShipsafeError: the endpoint refused something.
        """
        if leg is Leg.SIGN:
            self.ready.result()
        if leg is Leg.ENFORCE and not self.planted:
            release = run.held()
            if built_for(release) is Via.TERRAFORM:
                what = "Terraform deploys what is built from its plan, so that a sandbox, in which there is none, cannot."
                raise ConfigError(
                    what, remedy="Build and sign it without --sandbox, and hand it over with `shipsafe deploy --via terraform`."
                )
            _, policy = policy_under(run, release)
            connect, say = run.request.connect, run.view.say
            self.planted = plant(self.endpoint, release, policy, self.target, connect, alias=ALIAS, scratch=self.folder, say=say)


@contextmanager
def sandbox(request: ShipRequest, *, kept: Path | None, steps: Mapping[str, object] = STEPS) -> Generator[Sandbox]:
    """Start the endpoint, lead this process to it, and begin to make what signing needs.

    Args:
        request: what is asked for.
        kept: where the release is left, or None for nowhere.
        steps: as `Sandbox.steps`.

    Raises:
        ConfigError: the extra `local` is not installed, an endpoint runs in this process, or the policy cannot be used.
        ShipsafeError: as `policy_of`.
    """
    import requests  # noqa: F401, PLC0415 - moto and the gates both need it: two threads that begin to import it would see half of it

    policy = policy_of(request.build.path, request.build.policy, request.build.today)
    with tempfile.TemporaryDirectory(prefix="shipsafe-sandbox-") as name:
        folder = Path(name)
        played = _played(policy, request.targets)
        target = replace(played, account=None, role=None, external_id=None, aws_profile=None, profile_owner=None, profile_version=None,
                         kms_key=None, code_signing_config=None)  # fmt: skip
        account = played.account or DEFAULT_ACCOUNT
        # The pool comes last, and so ends first: what it still makes when a line ends early is made here, and in no real account.
        with (
            endpoint(Wanted(delay=timedelta(), account=account)) as running,
            _environment(account, running, folder),
            ThreadPoolExecutor(1, thread_name_prefix="shipsafe-sandbox") as pool,
        ):
            running.functions.configure({"creating": _CHANGING, "updating": _CHANGING})
            box = Sandbox(endpoint=running, folder=folder, request=request, target=target, steps=steps,
                          ready=pool.submit(_made, target, request.connect))  # fmt: skip
            build = replace(request.build, out=kept or folder / "dist")
            box.request = replace(request, build=build, targets=(target.name,), amend=box.amend, sandbox=True)
            yield box


def _played(policy: Policy, names: tuple[str, ...]) -> SignTarget:
    """The target of the policy that the sandbox plays; one of its own where the policy names none.

    Raises:
        ConfigError: there is none of that name.
    """
    known = {one.name: one for one in policy.sign.targets or (_OWN,)}
    if missing := [name for name in names if name not in known]:
        raise ConfigError(f"The policy has no [[sign.target]] {missing[0][:80]!r}.", remedy=f"There are: {', '.join(known)}.",
                          path=policy.path)  # fmt: skip
    return known[names[0]] if names else next(iter(known.values()))


def _made(target: SignTarget, connect: Callable[[Place], Aws]) -> None:
    """A bucket, a signing profile and a code-signing configuration that enforces; never in an account, wherever the environment leads now.

    Raises:
        ConfigError: somebody has ended the sandbox, and did not wait.
        ShipsafeError: the endpoint refused something.
    """

    def here(place: Place) -> Aws:
        aws = connect(place)
        if not aws.local:
            raise ConfigError("The sandbox has ended before it was whole: nothing was made.", remedy="Run this again.")
        return aws

    carry_out(survey((target,), here), say=lambda _: None, sleep=sleep)


@contextmanager
def _environment(account: str, running: "Endpoint", folder: Path) -> Generator[None]:
    """Lead this process to the endpoint, until the end. boto3 reads the environment whenever a session is opened."""
    config, credentials = folder / "config", folder / "credentials"
    config.touch()
    credentials.touch()
    before = dict(os.environ)
    ours = local_environment(running.url, running.fingerprint, os.environ, account, config, credentials)
    os.environ.clear()
    os.environ.update(ours)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
