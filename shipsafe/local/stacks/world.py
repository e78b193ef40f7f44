"""What every operation of the local CloudFormation is given: the state, the time, and the ways to Lambda, to moto and to objects."""

import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from shipsafe.local.call import ApiError, Call, Clock, Objects
from shipsafe.local.stacks.state import ChangeSet, Place, Stack, State, nothing

AS_AWS = "as AWS"
_ALPHABET = string.ascii_letters + string.digits


class TagFunction(Protocol):
    """Who gives a function tags that only AWS itself can give: the local Lambda."""

    def __call__(self, account: str, region: str, function: str, tags: Mapping[str, str]) -> None:
        """Add tags."""


class AskMoto(Protocol):
    """The way to moto, for services that take forms."""

    def __call__(self, service: str, account: str, region: str, form: Mapping[str, str]) -> bytes:
        """The body of the answer.

        Raises:
            ApiError: what moto refuses.
        """


@dataclass(slots=True, kw_only=True)
class World:
    """Everything outside of a call.

    Attributes:
        ask: makes a call of one of our cores, by its service.
        ask_moto: makes a call of IAM.
        objects: S3, where templates may lie.
        making: seconds that a change set is being made.
    """

    clock: Clock
    ask: Callable[[Call], dict[str, Any]]
    tag_function: TagFunction
    ask_moto: AskMoto
    objects: Objects
    making: float = 1.0
    state: State = field(default_factory=nothing)

    def place(self, call: Call) -> Place:
        """What the caller's account has in the call's Region."""
        return self.state["places"].setdefault(f"{call.account}/{call.region}", {"stacks": {}})

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.now().timestamp()

    def new_id(self) -> str:
        """A UUID."""
        return str(uuid.uuid4())

    def suffix(self) -> str:
        """The end of a name that CloudFormation makes up."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(12))


class Operation(NamedTuple):
    """One operation: what answers it, and how near to AWS that is."""

    run: Callable[[World, Call], dict[str, Any]]
    note: str = AS_AWS


def invalid(message: str) -> ApiError:
    """What CloudFormation says of most that is wrong with a request."""
    return ApiError("ValidationError", message, 400)


def not_reproduced(what: str) -> ApiError:
    """Loud, so that nobody takes an empty answer for AWS's."""
    return ApiError("NotImplemented", f"The local endpoint does not reproduce {what}.", 501)


def find(world: World, call: Call, name: str, *, words: str = "Stack with id {} does not exist") -> Stack:
    """The stack that a name or an ARN means; one that is deleted only by its ARN.

    Raises:
        ApiError: ValidationError: there is none.
    """
    stacks = world.place(call)["stacks"]
    if name in stacks:
        return stacks[name]
    found = living(world, call, name)
    if found is None:
        raise invalid(words.format(name))
    return found


def living(world: World, call: Call, name: str) -> Stack | None:
    """The stack of a name that is not deleted."""
    return next((one for one in world.place(call)["stacks"].values() if one["name"] == name and not one["deleted"]), None)


def find_change_set(world: World, call: Call) -> tuple[Stack, ChangeSet]:
    """The change set that a call names, by its ARN or by its name and its stack's.

    Raises:
        ApiError: ChangeSetNotFound, or ValidationError for the stack.
    """
    named, given = str(call.parameters["ChangeSetName"]), call.parameters.get("StackName")
    if named.startswith("arn:"):
        for stack in world.place(call)["stacks"].values():
            for one in stack["change_sets"].values():
                if one["id"] == named:
                    return stack, one
        raise ApiError("ChangeSetNotFound", f"ChangeSet [{named}] does not exist", 404)
    if not given:
        raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
    stack = find(world, call, given, words="Stack [{}] does not exist")
    if named not in stack["change_sets"]:
        raise ApiError("ChangeSetNotFound", f"ChangeSet [{named}] does not exist", 404)
    return stack, stack["change_sets"][named]


def as_time(seconds: float) -> datetime:
    """A time of the state as boto3 gives it."""
    return datetime.fromtimestamp(seconds, UTC)
