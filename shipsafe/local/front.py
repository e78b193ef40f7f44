"""What stands at the endpoint's door: each request goes to our core of its service, or to moto.

    signer, signer-data, lambda, codedeploy, cloudformation -> our cores        /_shipsafe/... -> control calls
    s3, sts -> our checks, then moto                                            everything else -> moto

Which service is meant is read off the SigV4 scope, as moto does, or off the path where a request is not signed.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from shipsafe.errors import ShipsafeError
from shipsafe.local import query, rest_json
from shipsafe.local.asked import Answered, Asked, Run, ask, raw_path
from shipsafe.local.call import ApiError, Call, Clock, Core
from shipsafe.local.faults import Faults
from shipsafe.local.identity import account_of, caller_of, partition_of
from shipsafe.local.moto_side import Moto
from shipsafe.local.refused import http, line, refuse
from shipsafe.local.rest_json import Request
from shipsafe.local.routes import Match
from shipsafe.local.state import State
from shipsafe.local.throttle import Throttle
from shipsafe.local.trail import Trail
from shipsafe.local.visitors import refused

CONTROL = "/_shipsafe/"
_PACKAGES = "packages/"
_LARGEST_CONTROL = 1024 * 1024  # bytes
_HERE = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST = 70_167_211  # bytes of a request that Lambda takes (its own number, in the message below)
_LARGEST_ZIP = 52_428_800  # bytes of `ZipFile`; Lambda looks at this first
_TOO_LARGE = 256 * 1024 * 1024  # bytes of a request that a core is given at all

_FORMS = frozenset(("cloudformation",))  # our cores whose requests are forms
_AROUND = {  # services of moto that would make functions and profiles of moto's own, where no signature is checked
    "cloudcontrolapi": "its functions would not be those that Lambda knows here. Create them with Lambda's own calls, or CloudFormation's.",
}


class Front:
    """The WSGI application. It is made first and opened when the cores, which need the way through it to moto, are there."""

    def __init__(self, moto: Moto, *, clock: Clock, faults: Faults, trail: Trail) -> None:
        self.moto = moto
        self.cores: Mapping[str, Core] = {}
        self.control: Callable[[str, str, bytes], tuple[int, Any]] | None = None
        self.throttle: Throttle | None = None
        self._clock, self._faults, self._trail = clock, faults, trail
        self._behind: _Behind | None = None

    def open(
        self,
        cores: Mapping[str, Core],
        *,
        checks: Mapping[str, Callable[[Asked, Run], Answered]],
        settle: Mapping[str, Callable[[str, str], None]],
        package: Callable[[str], bytes],
        state: State | None,
    ) -> None:
        """Take what stands behind the front.

        Args:
            cores: by service.
            checks: by service, of requests that moto answers then.
            settle: by service, what is to be done before it is asked, with the account and Region of the call: signing jobs that are due
                write their objects before S3 is.
            package: the bytes of a function's package by its digest; KeyError where there are none.
            state: keeps what the calls change.
        """
        self.cores = cores
        self._behind = _Behind(checks, settle, package, state)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if why := refused(environ):
            status, headers, parts = _forbidden(f"The local endpoint does not answer {why}.")
            start_response(status, headers)
            return parts
        if raw_path(environ).startswith(CONTROL):
            status, headers, parts = self._controlled(environ)
            start_response(status, headers)
            return parts
        asked = ask(environ)
        try:
            status, headers, parts = self._answer(asked)
        except ApiError as error:
            status, headers, parts = refuse(asked, error)
        except ShipsafeError as error:  # the disk that holds the state is full, or the like: nothing may be answered as done
            status, headers, parts = refuse(asked, ApiError("InternalFailure", f"The local endpoint: {error}", 500))
        except BaseException:
            asked.body.close()
            raise
        start_response(status, headers)
        return _Parts(parts, asked)

    def _answer(self, asked: Asked) -> Answered:
        fault = self._faults.take(asked.service, asked.operation)
        if fault is not None and fault.when == "before":
            return self._faults.befall(fault, asked)
        if asked.service in _AROUND:
            raise ApiError("NotImplemented", f"The local endpoint does not reproduce {asked.service}: {_AROUND[asked.service]}", 501)
        if self._behind is not None and (settle := self._behind.settle.get(asked.service)) is not None:
            settle(account_of(asked.scope.access_key), asked.scope.region)
            self._keep()
        answered = self._from_core(asked) if asked.service in self.cores else self._from_moto(asked)
        if fault is None:
            return answered
        _close(answered[2])
        return self._faults.befall(fault, asked)

    def _from_core(self, asked: Asked) -> Answered:
        call = _call(asked)
        try:
            if self.throttle is not None:
                self.throttle.check(call.service, call.operation, call.account, call.region)
            call, told = self._handle(asked, call)
        except ApiError as error:
            self._trail.note(call, at=self._clock.now(), error=error.code, status=error.status)
            return refuse(asked, error)
        self._trail.note(call, at=self._clock.now())
        return http(_wire(asked.service).answer(asked.service, asked.operation, told))

    def _handle(self, asked: Asked, call: Call) -> tuple[Call, Mapping[str, Any]]:
        request, wire = _request(asked), _wire(asked.service)
        found = wire.operation_of(asked.service, request)
        core = self.cores[asked.service]
        if call.operation not in core.operations():
            raise rest_json.unknown(asked.service, call.operation)
        parameters = wire.parameters(asked.service, found, request)
        zipped = parameters.get("ZipFile") or (parameters.get("Code") or {}).get("ZipFile") or b""
        if len(request.body) > _LARGEST and len(zipped) <= _LARGEST_ZIP:
            message = f"Request must be smaller than {_LARGEST} bytes for the {call.operation} operation"
            raise ApiError("RequestEntityTooLargeException", message, 413)
        call = replace(call, parameters=parameters)
        try:
            return call, core.handle(call)
        finally:
            self._keep()

    def _keep(self) -> None:
        if self._behind is not None and self._behind.state is not None:
            self._behind.state.after_core()

    def _from_moto(self, asked: Asked) -> Answered:
        try:
            answered = self.from_moto(asked)
        except ApiError as error:
            self._trail.note(_call(asked), at=self._clock.now(), error=error.code, status=error.status)
            raise
        self._trail.note(_call(asked), at=self._clock.now(), status=int(answered[0].split(" ")[0]))
        return answered

    def from_moto(self, asked: Asked) -> Answered:
        """Let moto answer, behind our checks of the service, and keep what changed. The cores read and write their objects here, too."""
        behind = self._behind
        if behind is None:
            return self.moto.answer(asked)
        run = self.moto.answer if behind.state is None else partial(behind.state.moto, run=self.moto.answer)
        check = behind.checks.get(asked.service)
        return run(asked) if check is None else check(asked, run)

    def _controlled(self, environ: dict[str, Any]) -> Answered:
        path = raw_path(environ)[len(CONTROL) :]
        body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), _LARGEST_CONTROL))
        if self.control is None or environ.get("HTTP_ORIGIN") or not _HERE.fullmatch(environ.get("HTTP_HOST", "")):
            return line(403), [("Content-Length", "0")], []
        if path.startswith(_PACKAGES):
            return self._package(path[len(_PACKAGES) :])
        try:
            status, told = self.control(environ["REQUEST_METHOD"], path, body)
        except ShipsafeError as error:
            status, told = 400, {"error": str(error)}
        return http(rest_json.Answer(status, *_json(told)))

    def _package(self, digest: str) -> Answered:
        """A package, as `Code.Location` of GetFunction names it."""
        try:
            body = self._behind.package(digest) if self._behind is not None and _DIGEST.fullmatch(digest) else None
        except KeyError:
            body = None
        if body is None:
            return line(404), [("Content-Length", "0")], []
        return line(200), [("Content-Type", "application/zip"), ("Content-Length", str(len(body)))], [body]


class _Wire(Protocol):
    """How a service's requests and answers are written: `rest_json` or `query`."""

    def operation_of(self, service: str, request: Request) -> Match:
        """Which operation a request means."""

    def parameters(self, service: str, found: Match, request: Request) -> dict[str, Any]:
        """The members of a call's input."""

    def answer(self, service: str, operation: str, told: Mapping[str, Any]) -> rest_json.Answer:
        """What a core answered, as HTTP."""


def _wire(service: str) -> _Wire:
    return query if service in _FORMS else rest_json


@dataclass(frozen=True, slots=True)
class _Behind:
    checks: Mapping[str, Callable[[Asked, Run], Answered]]
    settle: Mapping[str, Callable[[str, str], None]]
    package: Callable[[str], bytes]
    state: State | None


def _call(asked: Asked) -> Call:
    account, region = account_of(asked.scope.access_key), asked.scope.region
    return Call(
        service=asked.service,
        operation=asked.operation,
        parameters={},
        account=account,
        region=region,
        partition=partition_of(region),
        caller=caller_of(asked.scope.access_key, account, region),
    )


def _json(told: Any) -> tuple[list[tuple[str, str]], bytes]:
    body = json.dumps(told).encode()
    return [("Content-Type", rest_json.JSON), ("Content-Length", str(len(body)))], body


def _request(asked: Asked) -> Request:
    body = asked.body.read(_TOO_LARGE + 1)
    if len(body) > _TOO_LARGE:
        raise ApiError("RequestEntityTooLargeException", f"Request must be smaller than {_LARGEST} bytes", 413)
    headers = {name[5:].replace("_", "-").lower(): str(value) for name, value in asked.environ.items() if name.startswith("HTTP_")}
    return Request(asked.method, asked.path, asked.query, headers, body)


def _forbidden(why: str) -> Answered:
    return http(rest_json.Answer(403, *_json({"error": why})))


def _close(parts: Iterable[bytes]) -> None:
    if hasattr(parts, "close"):
        parts.close()


class _Parts:
    """The body of an answer; the request's is closed with it."""

    def __init__(self, parts: Iterable[bytes], asked: Asked) -> None:
        self._parts, self._asked = parts, asked

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        """Both ends."""
        _close(self._parts)
        self._asked.body.close()
