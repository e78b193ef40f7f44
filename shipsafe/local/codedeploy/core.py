"""The local CodeDeploy: applications, groups, configurations and deployments of Lambda aliases.

    codedeploy = CodeDeploy(clock, ask_lambda=functions.handle, alarming=alarms)
    codedeploy.handle(Call(service="codedeploy", operation="CreateDeployment", parameters={...}, account="111122223333", region="..."))

What is in neither table of operations is answered 501.
"""

import copy
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.local.call import Call, Clock
from shipsafe.local.codedeploy import deployments, groups, shifting
from shipsafe.local.codedeploy.state import FORMAT, State
from shipsafe.local.codedeploy.world import Alarming, World, not_reproduced
from shipsafe.local.functions.shapes import taken_up
from shipsafe.local.validation import validate

_OPERATIONS = {**groups.OPERATIONS, **deployments.OPERATIONS}
REPRODUCED: Mapping[str, str] = {name: _OPERATIONS[name].note for name in sorted(_OPERATIONS)}


class CodeDeploy:
    """A `Core`, for every account and Region. It may be used from several threads."""

    def __init__(self, clock: Clock, *, ask_lambda: Callable[[Call], dict[str, Any]], alarming: Alarming) -> None:
        self._lock = threading.RLock()
        self._world = World(clock=clock, ask_lambda=ask_lambda, alarming=alarming)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer a call.

        Raises:
            ApiError: as CodeDeploy would refuse it; status 501 for an operation that is not reproduced.
        """
        operation = _OPERATIONS.get(call.operation)
        if operation is None:
            raise not_reproduced(f"CodeDeploy's {call.operation}")
        validate(call, code="InvalidInputException")
        with self._lock:
            shifting.settle(self._world)
            return copy.deepcopy(operation.run(self._world, call))

    def operations(self) -> frozenset[str]:
        """The operations that are reproduced."""
        return frozenset(_OPERATIONS)

    def reproduced(self) -> Mapping[str, str]:
        """Each of `operations` with how: `as AWS`, or what is simpler."""
        return REPRODUCED

    def settle(self) -> None:
        """Let the deployments go on that are due: to be asked before anybody looks at an alias."""
        with self._lock:
            shifting.settle(self._world)

    def configure(self, values: Mapping[str, Any]) -> None:
        """`minute`: how many seconds a minute of a deployment configuration takes, for deployments that are made from now on.

        Raises:
            ConfigError: there is no such setting, or the value cannot be.
        """
        minute = values.get("minute")
        if set(values) != {"minute"} or isinstance(minute, bool) or not isinstance(minute, int | float) or not 0 <= minute < math.inf:
            raise ConfigError("CodeDeploy has one setting, `minute`: a number of seconds from 0.")
        with self._lock:
            self._world.minute = float(minute)

    def snapshot(self) -> Any:
        """All state as a JSON value."""
        with self._lock:
            return copy.deepcopy(self._world.state)

    def restore(self, value: Any) -> None:
        """Take up what `snapshot` gave.

        Raises:
            IncompleteError: it is no such snapshot, or one of another version of shipsafe.
        """
        state: State = taken_up(value, State, FORMAT, "CodeDeploy")
        with self._lock:
            self._world.state = state
