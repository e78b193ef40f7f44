"""The local CloudFormation: stacks that are changed by change sets, and what they are made of.

    stacks = CloudFormation(clock, ask=ask, tag_function=functions.tag_as_aws, ask_moto=ask_moto, objects=objects)
    stacks.handle(Call(service="cloudformation", operation="CreateChangeSet", parameters={...}, account="111122223333", region="..."))

What is in none of the tables of operations is answered 501.
"""

import copy
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.local.call import Call, Clock, Objects
from shipsafe.local.functions.shapes import taken_up
from shipsafe.local.stacks import change_sets, running, stacks, templates
from shipsafe.local.stacks.state import FORMAT, State
from shipsafe.local.stacks.world import AskMoto, TagFunction, World, not_reproduced
from shipsafe.local.validation import validate

_OPERATIONS = {**change_sets.OPERATIONS, **stacks.OPERATIONS, **templates.OPERATIONS}
REPRODUCED: Mapping[str, str] = {name: _OPERATIONS[name].note for name in sorted(_OPERATIONS)}


class CloudFormation:
    """A `Core`, for every account and Region. It may be used from several threads."""

    def __init__(
        self, clock: Clock, *, ask: Callable[[Call], dict[str, Any]], tag_function: TagFunction, ask_moto: AskMoto, objects: Objects
    ) -> None:
        self._lock = threading.RLock()
        self._world = World(clock=clock, ask=ask, tag_function=tag_function, ask_moto=ask_moto, objects=objects)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer a call.

        Raises:
            ApiError: as CloudFormation would refuse it; status 501 for an operation that is not reproduced.
        """
        operation = _OPERATIONS.get(call.operation)
        if operation is None:
            raise not_reproduced(f"CloudFormation's {call.operation}")
        validate(call, code="ValidationError")
        with self._lock:
            self.settle()
            told = operation.run(self._world, call)
            self.settle()
            return copy.deepcopy(told)

    def operations(self) -> frozenset[str]:
        """The operations that are reproduced."""
        return frozenset(_OPERATIONS)

    def reproduced(self) -> Mapping[str, str]:
        """Each of `operations` with how: `as AWS`, or what is simpler."""
        return REPRODUCED

    def settle(self) -> None:
        """Let the stacks go on that are on their way: to be asked before anybody looks at a function."""
        with self._lock:
            for place in list(self._world.state["places"].values()):
                for stack in list(place["stacks"].values()):
                    running.advance(self._world, stack)

    def configure(self, values: Mapping[str, Any]) -> None:
        """`making`: how many seconds the making of a change set takes, for those that are made from now on.

        Raises:
            ConfigError: there is no such setting, or the value cannot be.
        """
        making = values.get("making")
        if set(values) != {"making"} or isinstance(making, bool) or not isinstance(making, int | float) or not 0 <= making < math.inf:
            raise ConfigError("CloudFormation has one setting, `making`: a number of seconds from 0.")
        with self._lock:
            self._world.making = float(making)

    def snapshot(self) -> Any:
        """All state as a JSON value."""
        with self._lock:
            return copy.deepcopy(self._world.state)

    def restore(self, value: Any) -> None:
        """Take up what `snapshot` gave.

        Raises:
            IncompleteError: it is no such snapshot, or one of another version of shipsafe.
        """
        state: State = taken_up(value, State, FORMAT, "CloudFormation")
        with self._lock:
            self._world.state = state
