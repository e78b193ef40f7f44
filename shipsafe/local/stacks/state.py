"""All that the local CloudFormation remembers, as JSON values. Times are seconds since 1970."""

from typing import Any, Literal, TypedDict

Doing = Literal["create", "update", "delete"]


class Event(TypedDict):
    """One event of a stack, of itself or of a resource."""

    id: str
    at: float
    logical: str
    physical: str
    type: str
    status: str
    reason: str
    properties: str  # JSON, "" for those of the stack itself
    token: str


class Resource(TypedDict):
    """What a stack has. `properties` are resolved, as the resource was last made or changed with; `rest` is the template's beside them."""

    logical: str
    type: str
    physical: str
    status: str
    reason: str
    at: float
    properties: dict[str, Any]
    attributes: dict[str, Any]
    tags: dict[str, str]  # those of the stack when the resource was made or changed
    rest: dict[str, Any]  # DeletionPolicy, DependsOn and the like


class Source(TypedDict):
    """What a stack is made from: a template and everything that is given beside it.

    `parameters` has every parameter's value, as text.
    """

    text: str
    processed: dict[str, Any]
    parameters: dict[str, str]
    tags: dict[str, str]
    role: str
    capabilities: list[str]
    notify: list[str]


class Change(TypedDict):
    """What a change set would do with one resource: the members of a ResourceChange that a change has."""

    action: str
    policy: str
    logical: str
    physical: str
    type: str
    replacement: str
    scope: list[str]
    details: list[dict[str, Any]]


class ChangeSet(TypedDict):
    """A change set; `ready`: when its making is done."""

    id: str
    name: str
    kind: str
    status: str
    reason: str
    execution: str
    description: str
    created: float
    ready: float
    token: str
    on_failure: str
    source: Source
    changes: list[Change]


class Step(TypedDict):
    """What is done with one resource: `doing` is "" until its turn comes, and where nothing is to be done.

    `rest` is the template's beside its properties; `phase`: how many calls were made of those that it takes. `former`: the resource
    before; on the way back, what it is to be again.
    """

    logical: str
    rest: dict[str, Any]
    doing: Literal["", "create", "update"]
    begun: bool
    phase: int
    former: Resource | None


class Gone(TypedDict):
    """What the template has no more, or what was replaced. `kept`: its policy retains it."""

    resource: Resource
    kept: bool


class Work(TypedDict):
    """What a stack is busy with.

    `steps` come one after the other, `at` is the one whose turn it is; `gone` is deleted when they are all done, while `cleaning`.
    `back`: it goes back to what it was. `keep`: what fails stays as it is. `trouble`: the logical ids of what could not be deleted.
    """

    kind: Doing
    steps: list[Step]
    at: int
    gone: list[Gone]
    cleaning: bool
    back: bool
    keep: bool
    trouble: list[str]
    token: str
    source: Source


class Stack(TypedDict):
    """A stack."""

    id: str
    name: str
    status: str
    reason: str
    created: float
    updated: float
    deleted: float
    description: str
    source: Source | None
    outputs: list[dict[str, str]]
    resources: dict[str, Resource]
    events: list[Event]
    change_sets: dict[str, ChangeSet]
    change_set: str  # the one that was executed last
    work: Work | None


class Place(TypedDict):
    """What one account has in one Region: stacks by id, those that are deleted, too."""

    stacks: dict[str, Stack]


class State(TypedDict):
    """Everything, by ACCOUNT/REGION. `format` rises when an older snapshot could not be read any more."""

    format: int
    places: dict[str, Place]


FORMAT = 1


def nothing() -> State:
    """The state before the first call."""
    return {"format": FORMAT, "places": {}}
