"""The local Lambda: one object that answers calls of the AWS API, and a few calls of its own to steer and to look.

    aws_lambda = Lambda(clock=clock, objects=objects, blobs=MemoryBlobs(), revoked=signer.revoked, roots=frozenset({root}))
    aws_lambda.handle(Call(service="lambda", operation="CreateFunction", parameters={...}, account="123456789012", region="eu-west-1"))

Every operation is in a module that ends in its table OPERATIONS; what is in none of them is answered 501.
"""

import copy
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.local.blobs import Blobs
from shipsafe.local.call import Call, Clock, Objects
from shipsafe.local.functions import (
    account,
    aliases,
    code_signing,
    concurrency,
    functions,
    invoke,
    layers,
    mappings,
    permissions,
    retries,
    runtimes,
    traffic,
    updates,
    urls,
    versions,
)
from shipsafe.local.functions.account import SYSTEM
from shipsafe.local.functions.refusals import not_reproduced
from shipsafe.local.functions.shapes import taken_up
from shipsafe.local.functions.state import FORMAT, Function, State, empty_place
from shipsafe.local.functions.windows import settle
from shipsafe.local.functions.world import Metric, Operation, Revoked, Settings, World
from shipsafe.local.validation import validate

_TABLES: tuple[Mapping[str, Operation], ...] = (
    functions.OPERATIONS,
    updates.OPERATIONS,
    versions.OPERATIONS,
    aliases.OPERATIONS,
    layers.OPERATIONS,
    code_signing.OPERATIONS,
    permissions.OPERATIONS,
    urls.OPERATIONS,
    concurrency.OPERATIONS,
    retries.OPERATIONS,
    mappings.OPERATIONS,
    runtimes.OPERATIONS,
    account.OPERATIONS,
    invoke.OPERATIONS,
)
_OPERATIONS: Mapping[str, Operation] = {name: operation for table in _TABLES for name, operation in table.items()}
_LEADING = frozenset({"CreateAlias", "UpdateAlias", "DeleteAlias", "DeleteFunction"})  # after these, calls go elsewhere
REPRODUCED: Mapping[str, str] = {name: _OPERATIONS[name].note for name in sorted(_OPERATIONS)}


class Lambda:
    """Lambda of every account and region. Calls are answered one after the other, from whichever thread they come."""

    def __init__(
        self,
        *,
        clock: Clock,
        objects: Objects,
        blobs: Blobs,
        revoked: Revoked,
        roots: frozenset[str],
        location: Callable[[str], str] = "local:{}".format,
        metric: Metric = lambda *_: None,
        settings: Settings | None = None,
        ids: Callable[[], uuid.UUID] = uuid.uuid4,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Begin empty.

        Args:
            clock: the endpoint's time.
            objects: S3, where packages come from.
            blobs: where packages are kept.
            revoked: asks the local Signer.
            roots: hex SHA-256 of the root certificates that a signature may end in.
            location: the URL of a package, from its hex SHA-256: the front serves `blobs.get` there.
            metric: adds a data point to CloudWatch's namespace AWS/Lambda.
            settings: lengths and switches, changed by `configure`.
            ids: new identifiers.
            chance: from 0 to 1, chooses between the two versions of an alias.
        """
        self._lock = threading.RLock()
        self._world = World(
            clock=clock,
            objects=objects,
            blobs=blobs,
            revoked=revoked,
            roots=roots,
            location=location,
            metric=metric,
            settings=settings or Settings(),
            ids=ids,
            chance=chance,
        )

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer a call.

        Raises:
            ApiError: as Lambda would refuse it; status 501 for an operation that is not reproduced.
        """
        operation = _OPERATIONS.get(call.operation)
        if operation is None:
            raise not_reproduced(f"Lambda's {call.operation}")
        validate(call)
        with self._lock:
            settle(self._world)
            if call.operation in _LEADING:
                traffic.settle(self._world)
            return copy.deepcopy(operation.run(self._world, replace(call, parameters=copy.deepcopy(call.parameters))))

    def settle(self) -> None:
        """End what is due, and count the traffic that came: to be asked before CloudWatch is."""
        with self._lock:
            settle(self._world)
            traffic.settle(self._world)

    def operations(self) -> frozenset[str]:
        """The operations that are reproduced."""
        return frozenset(_OPERATIONS)

    def reproduced(self) -> Mapping[str, str]:
        """Each of `operations` with how: `as AWS`, or what is simpler."""
        return REPRODUCED

    def snapshot(self) -> Any:
        """All state as a JSON value. Packages are not in it: they are with the blobs, under their SHA-256."""
        with self._lock:
            return copy.deepcopy(self._world.state)

    def restore(self, value: Any) -> None:
        """Take up what `snapshot` gave.

        Raises:
            IncompleteError: it is no such snapshot, or one of another version of shipsafe.
        """
        state: State = taken_up(value, State, FORMAT, "Lambda")
        with self._lock:
            self._world.traffic.clear()
            self._world.state = state

    def configure(self, values: Mapping[str, Any]) -> None:
        """Change settings by name (`Settings`).

        Raises:
            ConfigError: there is no such setting, or the value cannot be.
        """
        with self._lock:
            self._world.settings.change(values)

    def events(self) -> list[dict[str, Any]]:
        """What CloudTrail would have of deployments, oldest first: eventName, errorCode, additionalEventData {signatureStatus, ...}."""
        with self._lock:
            return copy.deepcopy(self._world.state["events"])

    def invocations(self) -> list[dict[str, Any]]:
        """What was invoked, oldest first: account, region, function, qualifier, version, type and error."""
        with self._lock:
            return copy.deepcopy(self._world.state["invocations"])

    def set_answer(
        self, account: str, region: str, function: str, *, version: str = "", payload: bytes = b"null", error: str = "", log: str = ""
    ) -> None:
        """Say what Invoke answers for a version, or for all that have no answer of their own.

        Args:
            account: twelve digits.
            region: where the function is.
            function: its name.
            version: "" for every version.
            payload: JSON.
            error: "", or `Handled` or `Unhandled`: FunctionError.
            log: the end of the log, for LogType Tail.

        Raises:
            ConfigError: there is no such function.
        """
        with self._lock:
            self._function(account, region, function)["answers"][version] = invoke.answered(payload, error, log)

    def send_traffic(self, value: Mapping[str, Any]) -> None:
        """Let calls come to a function from now on, in place of those that came to it before (functions/traffic.py has the members).

        Raises:
            ConfigError: there is no such function, or a member cannot be.
        """
        with self._lock:
            self.settle()
            made = traffic.traffic_of(value, self._world.now())
            self._function(made.account, made.region, made.function)
            self._world.traffic[made.account, made.region, made.function, made.qualifier] = made

    def count_layers(self, account: str, region: str, layer: str, *, before: int) -> None:
        """Let the next version of a layer get the number after this one, as if so many had been published and deleted."""
        with self._lock:
            place = self._world.state["places"].setdefault(f"{account}/{region}", empty_place())
            place["layers"].setdefault(layer, {"name": layer, "last_version": 0, "versions": {}})["last_version"] = before

    def manage(self, account: str, region: str, function: str, *, stack: str) -> None:
        """Let a CloudFormation stack be what manages a function: the tags that CloudFormation alone can give.

        Raises:
            ConfigError: there is no such function.
        """
        arn = f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/{uuid.uuid5(uuid.NAMESPACE_URL, stack)}"
        tags = {f"{SYSTEM}cloudformation:stack-name": stack, f"{SYSTEM}cloudformation:stack-id": arn}
        tags[f"{SYSTEM}cloudformation:logical-id"] = "".join(part for part in function.title() if part.isalnum())
        self.tag_as_aws(account, region, function, tags)

    def tag_as_aws(self, account: str, region: str, function: str, tags: Mapping[str, str]) -> None:
        """Give a function tags that AWS alone can give: those that begin with `aws:`.

        Raises:
            ConfigError: there is no such function.
        """
        with self._lock:
            self._function(account, region, function)["tags"] |= tags

    def fail_next(
        self, account: str, region: str, function: str, *, code: str = "InternalError", reason: str = "Failed on request."
    ) -> None:
        """Let the creation or update that goes on, or else the next update, end as Failed with this reason code and reason.

        Raises:
            ConfigError: there is no such function.
        """
        with self._lock:
            self._function(account, region, function)["latest"]["doom"] = {"code": code, "reason": reason}

    def _function(self, account: str, region: str, name: str) -> Function:
        settle(self._world)
        it = self._world.elsewhere(account, region)["functions"].get(name)
        if it is None:
            raise ConfigError(f"There is no function {name} in account {account}, {region}.", remedy="Create it first.")
        return it
