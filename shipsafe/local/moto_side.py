"""moto beside our cores: S3, IAM, STS, KMS, CloudWatch and whatever else it has, loaded when it is first used.

It is unchanged but for what bucket_policies.py and kms_digests.py say, and that it lists its own parts once.

moto keeps its state in the process, not in a server: there can be one endpoint that uses it in a process at a time, and starting one
empties it.
"""

import os
import sys
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from shipsafe.local.asked import Answered, Asked
from shipsafe.local.bucket_policies import count_loopback_as_secure
from shipsafe.local.call import ApiError
from shipsafe.local.identity import account_of
from shipsafe.local.kms_digests import take_digests

_OWN = (
    "/moto-api"  # moto's own control calls: they empty it past `--state`, and its recorder writes a file wherever the endpoint was started
)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Moto:
    """moto's own server application; `loaded` says whether it was needed yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._application: Application | None = None
        if "moto.backends" in sys.modules:
            _forget()  # what an earlier endpoint of this process left

    @property
    def loaded(self) -> bool:
        """Whether moto was imported by this endpoint."""
        return self._application is not None

    def answer(self, asked: Asked) -> Answered:
        """Hand a request to moto as it came, and tell it the account.

        Raises:
            ApiError: NotImplemented (501): moto has no such service or operation.
        """
        environ = asked.environ
        if str(environ.get("PATH_INFO", "")).startswith(_OWN):
            raise ApiError("NotImplemented", "The local endpoint has control calls of its own, below /_shipsafe/, in place of moto's.", 501)
        application = self._load()
        _keep_underscores(environ)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account_of(asked.scope.access_key)
        if not _knows(application, asked):
            raise _unknown(asked, "moto has no such service")
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
            told[:] = [(status, headers)]

        try:
            parts = application(environ, start_response)
        except NotImplementedError as error:  # what moto raises for an operation that it has not
            raise _unknown(asked, "moto has no such operation") from error
        except ModuleNotFoundError as error:  # moto[s3] is what is installed; some other services of moto need more
            raise _unknown(asked, f"moto needs the package {error.name} for it") from error
        (status, headers) = told[0]
        if status.startswith("404") and asked.service != "s3" and asked.method != "HEAD":
            body = b"".join(parts)
            if not body.lstrip().startswith((b"<?xml", b"<Error", b"{")):  # nobody has refused it: no part of moto has such a path
                raise _unknown(asked, "moto has no such operation")
            parts = [body]
        return status, headers, parts

    def seed(self, value: int) -> None:
        """Let moto's next ids be those that follow from a number."""
        self._load()
        from moto.moto_api._internal import mock_random  # noqa: PLC0415 - only with moto

        mock_random.seed(value)

    def reset(self) -> None:
        """Forget all state."""
        if self.loaded:
            _forget()

    def _load(self) -> Application:
        with self._lock:
            if self._application is None:
                os.environ.pop("MOTO_ACCOUNT_ID", None)  # it would overrule every credential
                from moto.moto_server import werkzeug_app  # noqa: PLC0415 - 0.6 s and 60 MB, for those who use S3 and the like

                count_loopback_as_secure()
                take_digests()
                _list_once()
                self._application = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
            return self._application


def _list_once() -> None:
    """Let moto list its parts once: it looks at 350 folders for each request."""
    from moto import backends  # noqa: PLC0415 - only with moto

    listed = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: listed


def _knows(application: Any, asked: Asked) -> bool:
    """Whether any part of moto is meant; moto itself would print that there is none, and fail."""
    if not asked.scope.service:
        return True
    host = application.infer_service_region_host(asked.environ, asked.environ.get("PATH_INFO", ""))
    from moto import backends  # noqa: PLC0415 - only with moto

    named = host is None or host in backends.list_of_moto_modules()
    return named or any(pattern.match(f"http://{host}") for _, pattern in application.backend_url_patterns)


def _unknown(asked: Asked, why: str) -> ApiError:
    what = " ".join(filter(None, (asked.service or "this service", asked.operation)))
    return ApiError("NotImplemented", f"The local endpoint does not reproduce {what}: {why}.", 501)


def _forget() -> None:
    from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415 - only with moto

    moto_api_backend.reset()


def _keep_underscores(environ: dict[str, Any]) -> None:
    """Add headers with an underscore (S3 metadata may have one), which WSGI servers drop, as moto's own server does."""
    from moto.core import request as moto_request  # noqa: PLC0415 - only with moto

    headers = environ.pop("shipsafe.headers", ())
    dashed = {moto_request.environ_key_for_header(name) for name, _ in headers if "_" not in name}
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in headers:
        key = moto_request.environ_key_for_header(name)
        if moto_request.should_preserve_original_header_name(name) and key not in dashed:
            names.setdefault(key, name)
            values.setdefault(key, []).append(value)
    environ.update({key: ",".join(several) for key, several in values.items()})
    environ[moto_request.PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
