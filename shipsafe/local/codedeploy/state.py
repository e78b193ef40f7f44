"""All that the local CodeDeploy remembers, as JSON values. Times are seconds since 1970."""

from typing import Any, TypedDict


class Group(TypedDict):
    """A deployment group. `rollback`: the events after which it goes back; `alarms`: names of CloudWatch alarms that stop it."""

    id: str
    name: str
    role: str
    config: str
    rollback: list[str]
    alarms: list[str]
    given: dict[str, Any]  # alarmConfiguration and autoRollbackConfiguration, as they were given


class Application(TypedDict):
    """An application with its groups."""

    id: str
    name: str
    created: float
    groups: dict[str, Group]


class Config(TypedDict):
    """A deployment configuration: `routing` is trafficRoutingConfig. AWS's own are made when they are asked for."""

    id: str
    name: str
    created: float
    routing: dict[str, Any]


class Deployment(TypedDict):
    """One deployment.

    `shares` are the shifts: seconds after `started`, and percent of the calls that the new version gets from then on. `done` is how many
    of them were made.
    """

    id: str
    application: str
    group: str
    config: str
    description: str
    revision: dict[str, str]  # content and sha256 of the AppSpec
    function: str
    alias: str
    current: str
    target: str
    status: str
    error: dict[str, str]
    creator: str
    created: float
    started: float
    completed: float
    shares: list[list[float]]
    done: int
    alarms: list[str]
    rollback: list[str]
    related: dict[str, str]  # rollbackInfo


class Place(TypedDict):
    """What one account has in one Region."""

    applications: dict[str, Application]
    configs: dict[str, Config]
    deployments: dict[str, Deployment]


class State(TypedDict):
    """Everything, by ACCOUNT/REGION. `format` rises when an older snapshot could not be read any more."""

    format: int
    places: dict[str, Place]


FORMAT = 1


def nothing() -> State:
    """The state before the first call."""
    return {"format": FORMAT, "places": {}}


def empty_place() -> Place:
    """An account that has nothing in a Region."""
    return {"applications": {}, "configs": {}, "deployments": {}}
