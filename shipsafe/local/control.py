"""Calls that steer the endpoint, for tests and for those who try things out: JSON over HTTP under `/_shipsafe/`.

    curl -X POST $AWS_ENDPOINT_URL/_shipsafe/delay -d '{"seconds": 5}'

docs/guides/local.md lists them. A page in a browser cannot use them: a request with an `Origin`, or for another host, is refused.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shipsafe import __version__
from shipsafe.errors import ConfigError
from shipsafe.local.faults import fault_of
from shipsafe.local.throttle import Throttle

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

_LONGEST = 200 * 365 * 86_400  # seconds that the clock may be moved at once
_DONE: dict[str, Any] = {}


class Control:
    """The control calls of one endpoint."""

    def __init__(self, endpoint: "Endpoint") -> None:
        self._endpoint = endpoint
        self._calls: dict[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {
            ("GET", "health"): self._health,
            ("GET", "root"): lambda _: {"fingerprint": endpoint.fingerprint},
            ("GET", "log"): lambda _: {"calls": endpoint.trail.events(), "deployments": endpoint.functions.events()},
            ("GET", "invocations"): lambda _: endpoint.functions.invocations(),
            ("GET", "faults"): lambda _: [asdict(fault) for fault in endpoint.faults.waiting()],
            ("POST", "faults"): lambda value: endpoint.faults.add(fault_of(value)),
            ("DELETE", "faults"): lambda _: endpoint.faults.clear(),
            ("POST", "delay"): self._delay,
            ("POST", "clock"): self._clock,
            ("POST", "jobs/fail"): lambda value: endpoint.signer.fail_next(_text(value, "reason", "Failed on request.")),
            ("POST", "jobs/hang"): lambda _: endpoint.signer.hang_next(),
            ("POST", "jobs/lose"): lambda _: endpoint.signer.lose_next(),
            ("POST", "functions/settings"): endpoint.functions.configure,
            ("POST", "functions/fail"): self._fail_function,
            ("POST", "functions/answer"): self._answer,
            ("POST", "functions/traffic"): endpoint.functions.send_traffic,
            ("POST", "functions/managed"): self._managed,
            ("POST", "codedeploy/settings"): endpoint.codedeploy.configure,
            ("POST", "stacks/settings"): endpoint.stacks.configure,
            ("POST", "throttle"): self._throttle,
            ("POST", "oidc"): endpoint.issuers.add,
            ("POST", "reset"): lambda _: endpoint.reset(),
        }

    def handle(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Answer a control call: HTTP status and a JSON value.

        Raises:
            ConfigError: its parameters cannot be.
        """
        call = self._calls.get((method, path))
        if call is None:
            known = sorted(f"{known} {name}" for known, name in self._calls)
            return 404, {"error": f"There is no control call {method} {path}.", "known": known}
        try:
            value = json.loads(body) if body.strip() else {}
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"The body is not JSON: {error}.") from error
        if not isinstance(value, dict):
            raise ConfigError("The body is not a JSON object.")
        told = call(value)
        if method != "GET":
            self._endpoint.keep()
        return 200, _DONE if told is None else told

    def _health(self, _: Mapping[str, Any]) -> Any:
        return {"status": "ready", "version": __version__, "moto": self._endpoint.front.moto.loaded, "root": self._endpoint.fingerprint}

    def _delay(self, value: Mapping[str, Any]) -> None:
        self._endpoint.signer.delay = timedelta(seconds=_seconds(value))

    def _clock(self, value: Mapping[str, Any]) -> Any:
        self._endpoint.advance(timedelta(seconds=_seconds(value)))
        return {"now": self._endpoint.clock.now().isoformat()}

    def _fail_function(self, value: Mapping[str, Any]) -> None:
        self._endpoint.functions.fail_next(
            _text(value, "account"),
            _text(value, "region"),
            _text(value, "function"),
            code=_text(value, "code", "InternalError"),
            reason=_text(value, "reason", "Failed on request."),
        )

    def _answer(self, value: Mapping[str, Any]) -> None:
        self._endpoint.functions.set_answer(
            _text(value, "account"),
            _text(value, "region"),
            _text(value, "function"),
            version=_text(value, "version", ""),
            payload=json.dumps(value.get("payload")).encode(),
            error=_text(value, "error", ""),
            log=_text(value, "log", ""),
        )

    def _managed(self, value: Mapping[str, Any]) -> None:
        stack = _text(value, "stack")
        self._endpoint.functions.manage(_text(value, "account"), _text(value, "region"), _text(value, "function"), stack=stack)

    def _throttle(self, value: Mapping[str, Any]) -> None:
        if not isinstance(value.get("on"), bool):
            raise ConfigError("`on` is true or false.")
        self._endpoint.front.throttle = Throttle() if value["on"] else None


def _text(value: Mapping[str, Any], name: str, default: str | None = None) -> str:
    told = value.get(name, default)
    if not isinstance(told, str):
        raise ConfigError(f"`{name}` is missing, or not a text.")
    return told


def _seconds(value: Mapping[str, Any]) -> float:
    told = value.get("seconds")
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told) or not 0 <= told <= _LONGEST:
        raise ConfigError("`seconds` is a number from 0.")
    return float(told)
