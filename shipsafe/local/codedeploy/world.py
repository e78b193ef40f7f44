"""What every operation of the local CodeDeploy is given: the state, the time, and the ways to Lambda's aliases and to alarms."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from shipsafe.local.call import ApiError, Call, Clock
from shipsafe.local.codedeploy.state import Application, Deployment, Group, Place, State, empty_place, nothing

AS_AWS = "as AWS"


class Alarming(Protocol):
    """Who knows alarms: CloudWatch."""

    def __call__(self, account: str, region: str, names: Sequence[str]) -> list[str]:
        """Those of the names that are in ALARM now."""


@dataclass(slots=True, kw_only=True)
class World:
    """Everything outside of a call.

    Attributes:
        ask_lambda: makes a call of Lambda.
        minute: seconds that a minute of a deployment configuration takes; a control call may make it shorter.
    """

    clock: Clock
    ask_lambda: Callable[[Call], dict[str, Any]]
    alarming: Alarming
    minute: float = 60.0
    state: State = field(default_factory=nothing)

    def place(self, call: Call) -> Place:
        """What the caller's account has in the call's Region."""
        return self.state["places"].setdefault(f"{call.account}/{call.region}", empty_place())

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.now().timestamp()

    def deployment_id(self) -> str:
        """As AWS makes them: `d-` and nine capital letters and digits."""
        return "d-" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(9))


class Operation(NamedTuple):
    """One operation: what answers it, and how near to AWS that is."""

    run: Callable[[World, Call], dict[str, Any]]
    note: str = AS_AWS


def refusal(code: str, message: str) -> ApiError:
    """CodeDeploy's exceptions are all HTTP 400 and have no members of their own."""
    return ApiError(code, message, 400)


def not_reproduced(what: str) -> ApiError:
    """Loud, so that nobody takes an empty answer for AWS's."""
    return ApiError("NotImplemented", f"The local endpoint does not reproduce {what}.", 501)


def application(place: Place, given: Mapping[str, Any]) -> Application:
    """The application that a call names.

    Raises:
        ApiError: there is none.
    """
    name = given["applicationName"]
    if name not in place["applications"]:
        raise refusal("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return place["applications"][name]


def group(it: Application, name: str) -> Group:
    """The group of an application.

    Raises:
        ApiError: there is none.
    """
    if name not in it["groups"]:
        raise refusal("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return it["groups"][name]


def deployment(place: Place, given: Mapping[str, Any]) -> Deployment:
    """The deployment that a call names.

    Raises:
        ApiError: there is none.
    """
    name = given["deploymentId"]
    if name not in place["deployments"]:
        raise refusal("DeploymentDoesNotExistException", f"The deployment {name} could not be found")
    return place["deployments"][name]
