"""Faults on request: the next calls of an operation are refused, fail, never end or are cut off, before or after they took effect.

A fault *after* the effect is the one that clients get wrong: the job was started, the object written, and the answer was lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.local.asked import Answered, Asked
from shipsafe.local.call import ApiError
from shipsafe.local.refused import refuse
from shipsafe.local.server import ResetError

_KINDS = ("error", "timeout", "reset")
_WHEN = ("before", "after")
_FOR_EVER = 3600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What befalls the next `times` calls of an operation.

    Attributes:
        service: `s3`, `signer`, `lambda`, `sts` ...; `*` for all.
        operation: such as `StartSigningJob`; `*` for all.
        times: how many calls; 0 for all that come until the faults are cleared.
        kind: `error` answers `code` and `status`; `timeout` answers nothing for `seconds`; `reset` cuts the connection.
        when: `before` the call takes effect (it never does), or `after` it did.
        skip: so many calls go well first.
    """

    service: str = "*"
    operation: str = "*"
    times: int = 1
    kind: str = "error"
    when: str = "before"
    code: str = "InternalServiceException"
    message: str = "A fault that was asked for."
    status: int = 500
    seconds: float = _FOR_EVER
    skip: int = 0


def fault_of(value: Mapping[str, Any]) -> Fault:
    """A fault from parsed JSON.

    Raises:
        ConfigError: a name or value that no fault has.
    """
    try:
        told = Fault(**value)
    except TypeError as error:
        raise ConfigError(f"That is no fault: {error}.", remedy="See docs/guides/local.md for its names.") from error
    defaults = Fault()
    for name in Fault.__slots__:
        wanted = type(getattr(defaults, name))
        if not isinstance(getattr(told, name), wanted if wanted is not float else (int, float)):
            raise ConfigError(f"A fault's `{name}` cannot be {getattr(told, name)!r}.", remedy="See docs/guides/local.md.")
    if told.kind not in _KINDS or told.when not in _WHEN or told.times < 0 or told.skip < 0:
        raise ConfigError("A fault's `kind` is error, timeout or reset, its `when` before or after, its `times` and `skip` 0 or more.")
    if not 400 <= told.status < 600:  # noqa: PLR2004 - HTTP's errors
        raise ConfigError("A fault's `status` is between 400 and 599.")
    return told


class Faults:
    """The faults that wait for their calls."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = Lock()
        self._stopped = Event()

    def add(self, fault: Fault) -> None:
        """Add one; those that were added first come first."""
        with self._lock:
            self._waiting.append(fault)

    def waiting(self) -> list[Fault]:
        """Those that have not befallen anybody yet."""
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Take all back."""
        with self._lock:
            self._waiting.clear()

    def stop(self) -> None:
        """Let go of the calls that are made to wait."""
        self._stopped.set()

    def take(self, service: str, operation: str) -> Fault | None:
        """The fault of this call, and one time less of it."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.service not in ("*", service) or fault.operation not in ("*", operation):
                    continue
                if fault.skip:
                    self._waiting[index] = replace(fault, skip=fault.skip - 1)
                    return None
                if fault.times == 1:
                    del self._waiting[index]
                elif fault.times:
                    self._waiting[index] = replace(fault, times=fault.times - 1)
                return fault
        return None

    def befall(self, fault: Fault, asked: Asked) -> Answered:
        """What the client gets.

        Raises:
            ResetError: nothing, and no connection either.
        """
        if fault.kind == "error":
            return refuse(asked, ApiError(fault.code, fault.message, fault.status))
        if fault.kind == "timeout":
            self._stopped.wait(fault.seconds)
        raise ResetError
