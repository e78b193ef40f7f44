"""One HTTP request as the front sees it: for which service, which operation, by whom; its body where it can be read twice."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import parse_qs

from shipsafe.local.identity import Scope, scope_of
from shipsafe.local.routes import match

_IN_MEMORY = 8 * 1024 * 1024  # bytes of a body; what is larger waits on disk
_CHUNK = 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
_LARGEST_FORM = 1024 * 1024  # bytes of a form that are looked at for its Action
_RPC = re.compile(r"/service/[^/]+/operation/(\w+)")  # Smithy RPC v2
_PATH_STYLE = re.compile(r"(localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])(:\d+)?", re.IGNORECASE)
# Who is meant by an unsigned request, by its path; everything else that is not signed is S3's.
_UNSIGNED = (
    (re.compile(r"/20\d\d-\d\d-\d\d/"), "lambda"),
    (re.compile(r"/(signing-(profiles|jobs|platforms)|revocations)(/|$)"), "signer"),
)
_XML = ("route53", "cloudfront")  # take XML, and refuse as those that take forms do
_UNSIGNED_FORMS = {"AssumeRoleWithWebIdentity": "sts", "AssumeRoleWithSAML": "sts"}  # what is sent is the credential
_ALIASES = {"signer-data": "signer"}  # its one operation is Signer's own, and it signs as `signer` too

Answered = tuple[str, list[tuple[str, str]], Iterable[bytes]]  # status line, headers, body
Run = Callable[["Asked"], Answered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. `path` is not decoded; `operation` is "" where it cannot be told.

    `begun`: when its head was read, before its body came; seconds of the monotonic clock.
    """

    environ: dict[str, Any]
    scope: Scope
    service: str
    operation: str
    method: str
    path: str
    query: dict[str, list[str]]
    body: IO[bytes]
    begun: float

    @property
    def protocol(self) -> str:
        """How its refusals are written: `json`, `rest-xml` (S3) or `query`."""
        if self.service == "s3":
            return "rest-xml"
        form = self.environ.get("CONTENT_TYPE", "").startswith(_FORM)
        return "query" if form or self.service in _XML else "json"

    def header(self, name: str) -> str:
        """A header's value, "" if there is none."""
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))


def raw_path(environ: dict[str, Any]) -> str:
    """The path of a request, undecoded."""
    target = str(environ.get("RAW_URI") or environ.get("PATH_INFO", "/")).partition("?")[0]
    return target if target.startswith("/") else "/" + target.partition("//")[2].partition("/")[2]


def ask(environ: dict[str, Any]) -> Asked:
    """Read a request to its end. The body is put back into `environ`, and must be closed."""
    query_string, path = str(environ.get("QUERY_STRING", "")), raw_path(environ)
    scope = scope_of(environ.get("HTTP_AUTHORIZATION", ""), query_string)
    service = _ALIASES.get(scope.service, scope.service) or next((name for found, name in _UNSIGNED if found.match(path)), "")
    form = environ.get("CONTENT_TYPE", "").startswith(_FORM)
    if not service and not form and "HTTP_X_AMZ_TARGET" not in environ:
        service = "s3"
    begun = environ.pop("shipsafe.begun", None) or time.monotonic()
    body = _spool(environ)
    query = parse_qs(query_string, keep_blank_values=True)
    path = _with_bucket(environ, path) if service == "s3" else path
    operation = _operation(environ, service, path, query, body)
    service = service or _UNSIGNED_FORMS.get(operation, "")
    return Asked(
        environ=environ,
        scope=scope,
        service=service,
        operation=operation,
        method=environ["REQUEST_METHOD"],
        path=path,
        query=query,
        body=body,
        begun=begun,
    )


def header_names(environ: dict[str, Any]) -> frozenset[str]:
    """The names of a request's headers, in lower case."""
    return frozenset(name[5:].replace("_", "-").lower() for name in environ if name.startswith("HTTP_"))


def whole(run: Run, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status line, headers and whole body of the answer to a request of our own, with everything closed that it held."""
    asked = ask(environ)
    try:
        status, headers, parts = run(asked)
        try:
            return status, headers, b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
    finally:
        asked.body.close()


def _spool(environ: dict[str, Any]) -> IO[bytes]:
    source, left = environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
    endless = environ.pop("wsgi.input_terminated", False)
    kept: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by the front, when the answer is written
    try:
        while part := source.read(_CHUNK if endless else min(left, _CHUNK)):
            kept.write(part)
            left -= len(part)
    except BaseException:
        kept.close()
        raise
    environ["CONTENT_LENGTH"] = str(kept.tell())
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    kept.seek(0)
    environ["wsgi.input"] = kept
    return kept


def _with_bucket(environ: dict[str, Any], path: str) -> str:
    host = environ.get("HTTP_HOST", "localhost")
    return path if _PATH_STYLE.fullmatch(host) or "." not in host else f"/{host.split('.')[0]}{path}"


def _operation(environ: dict[str, Any], service: str, path: str, query: dict[str, list[str]], body: IO[bytes]) -> str:
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if service in ("s3", "signer", "lambda"):
        found = match(service, environ["REQUEST_METHOD"], path, query, header_names(environ))
        return found.route.operation if found is not None else ""
    if environ.get("CONTENT_TYPE", "").startswith(_FORM):
        form = parse_qs(body.read(_LARGEST_FORM).decode(errors="replace"))
        body.seek(0)
        return form.get("Action", [""])[0]
    named = _RPC.fullmatch(path)
    return named[1] if named else query.get("Action", [""])[0]
