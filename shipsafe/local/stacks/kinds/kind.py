"""What a type of resource is to a stack: how it is created, changed and deleted, and what of it other resources can ask for.

A change is a list of calls that are made one after the other, each when the resource has rested from the one before: Lambda takes no
update while another one is under way. The list is made anew each time that the stack goes on, so it must follow from its arguments alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from shipsafe.local.call import ApiError, Call
from shipsafe.local.stacks.world import World

Properties = Mapping[str, Any]
Todo = Callable[[], object]  # one call
INVALID = "PropertiesInvalid"  # the code of what a resource's schema refuses, before any service is asked
_OWN_CODES = ("AlreadyExists", "NotStabilized")  # what we say of a resource, and no service
_LONGEST_STACK = 24  # characters of a stack's name in a name that is made up
_HANDLER_CODES = {
    "AccessDeniedException": "AccessDenied",
    "ResourceConflictException": "AlreadyExists",
    "ResourceNotFoundException": "NotFound",
    "TooManyRequestsException": "Throttling",
    "EntityAlreadyExists": "AlreadyExists",
    "NoSuchEntity": "NotFound",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """A stack that does something with one of its resources.

    Attributes:
        call: has its account, Region and who is acting.
        tags: the stack's.
        policy: the resource's UpdatePolicy, resolved; empty on the way back.
        occasion: the change set that is being executed.
    """

    world: World
    call: Call
    stack: str
    stack_id: str
    logical: str
    type: str
    tags: Mapping[str, str]
    policy: Mapping[str, Any]
    occasion: str

    def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a call of Lambda.

        Raises:
            ApiError: as Lambda refuses it.
        """
        return self.ask_of("lambda", operation, **parameters)

    def ask_of(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a call of one of our services.

        Raises:
            ApiError: as the service refuses it.
        """
        return self.world.ask(replace(self.call, service=service, operation=operation, parameters=parameters))

    def ask_iam(self, action: str, **form: str) -> bytes:
        """Make a call of IAM; what it answers, as XML.

        Raises:
            ApiError: as IAM refuses it.
        """
        return self.world.ask_moto("iam", self.call.account, self.call.region, {"Action": action, "Version": "2010-05-08", **form})

    def name(self, most: int) -> str:
        """A name that CloudFormation makes up: of the stack, of the resource, and twelve characters."""
        room = most - 14
        stack = self.stack[: max(_LONGEST_STACK, room - len(self.logical))]
        return f"{stack}-{self.logical[: room - len(stack)]}-{self.world.suffix()}"

    @property
    def own_tags(self) -> dict[str, str]:
        """The tags that CloudFormation gives to what it makes, and nobody else can give."""
        prefix = "aws:cloudformation:"
        return {f"{prefix}stack-name": self.stack, f"{prefix}stack-id": self.stack_id, f"{prefix}logical-id": self.logical}

    def arn(self, service: str, rest: str, *, region: bool = True) -> str:
        """An ARN of the stack's account."""
        return f"arn:{self.call.partition}:{service}:{self.call.region if region else ''}:{self.call.account}:{rest}"


def _nothing_more(_acting: Acting, _physical: str, _properties: Properties) -> Sequence[Todo]:
    return ()


def _no_change(_acting: Acting, _physical: str, _old: Properties, _new: Properties) -> Sequence[Todo]:
    return ()


def _no_attributes(_acting: Acting, _physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {}


class Condition(NamedTuple):
    """How a resource is: `busy` while it is becoming what it was told to be, or with why it could not."""

    busy: bool = False
    trouble: str = ""


def _at_rest(_acting: Acting, _physical: str) -> Condition:
    return Condition()


class Kind(NamedTuple):
    """A type of resource.

    Attributes:
        create: makes it; its physical id, which is what `Ref` gives.
        delete: deletes it; a resource that is not there is no error.
        replaced_by: properties whose change needs a new one; None for all.
        finish: further calls after `create`.
        update: calls that lead from old to new properties.
        attributes: what `Fn::GetAtt` gives.
        condition: whether it rests from what it was told, and how that went.
        tagged: whether the stack's tags are its own, too.
        open: whether it has attributes that nobody here knows; they are made up.
    """

    create: Callable[[Acting, Properties], str]
    delete: Callable[[Acting, str, Properties], object]
    replaced_by: frozenset[str] | None = frozenset()
    finish: Callable[[Acting, str, Properties], Sequence[Todo]] = _nothing_more
    update: Callable[[Acting, str, Properties, Properties], Sequence[Todo]] = _no_change
    attributes: Callable[[Acting, str, Properties], Mapping[str, Any]] = _no_attributes
    condition: Callable[[Acting, str], Condition] = _at_rest
    tagged: bool = False
    open: bool = False

    def replaces(self, changed: set[str]) -> bool:
        """Whether a change of these properties needs a new resource."""
        return bool(changed) and (self.replaced_by is None or bool(changed & self.replaced_by))


def if_there(todo: Todo) -> None:
    """Delete what may be gone already.

    Raises:
        ApiError: as the service refuses it, but for what is not there.
    """
    try:
        todo()
    except ApiError as error:
        if error.code not in ("ResourceNotFoundException", "NoSuchEntity"):
            raise


def reason_of(error: ApiError, acting: Acting) -> str:
    """What an event says of a refusal, as CloudFormation words it."""
    if error.code == INVALID:
        return f"Properties validation failed for resource {acting.logical} with message:\n[{error.message}]"
    if error.code in _OWN_CODES:
        words, code = error.message, error.code
    else:
        service = acting.type.split("::")[1]
        words = f"{error.message} (Service: {service}, Status Code: {error.status}, Request ID: {acting.world.new_id()})"
        code = _HANDLER_CODES.get(error.code, "InvalidRequest")
    return f'Resource handler returned message: "{words}" (RequestToken: {acting.world.new_id()}, HandlerErrorCode: {code})'
