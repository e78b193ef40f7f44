"""HTTP, for what is fetched: advisory snapshots, policies, and pages of package indexes. https only, but for loopback.

Bounded, retried with growing pauses, and its errors are ours. A URL in a message never holds credentials.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import ConfigError, IncompleteError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT = (10, 60)  # seconds to connect, and between two pieces
_PAUSES = (1.0, 3.0)  # seconds before the second and the third try
_CHUNK = MEBIBYTE
_RETRIED = (408, 425, 429, 500, 502, 503, 504)
_NOT_MODIFIED, _OK = 304, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a GET gave: whether it is unchanged since the stated ETag, and the new ETag where there is one."""

    unchanged: bool
    etag: str | None


def fetch(
    url: str,
    *,
    limit: int = MEBIBYTE,
    accept: str = "*/*",
    auth: tuple[str, str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> bytes:
    """The bytes at a URL. `auth` is user and password; without it, the user's netrc may know them.

    Raises:
        ConfigError: the URL is not https.
        IncompleteError: it cannot be fetched, or is larger than `limit`.
    """
    sink = BytesIO()
    _retry(url, sink, limit, {"Accept": accept}, auth, sleep)
    return sink.getvalue()


def download(url: str, sink: IO[bytes], *, limit: int, etag: str | None = None, sleep: Callable[[float], None] = time.sleep) -> Fetched:
    """Stream a URL into `sink`, trying again where that may help.

    Raises:
        ConfigError: the URL is not https.
        IncompleteError: it cannot be fetched, or is larger than `limit`.
    """
    return _retry(url, sink, limit, {"If-None-Match": etag} if etag else {}, None, sleep)


def _retry(
    url: str, sink: IO[bytes], limit: int, headers: dict[str, str], auth: tuple[str, str] | None, sleep: Callable[[float], None]
) -> Fetched:
    check_url(url)
    for pause in (*_PAUSES, None):
        try:
            return _get(url, sink, limit, headers, auth)
        except _TryAgainError as error:
            if pause is None:
                raise IncompleteError(f"{shown(url)} cannot be fetched: {error}.", remedy="Try again later.") from error
            sink.seek(0)
            sink.truncate()
            sleep(pause)
    raise AssertionError  # the last round returned or raised


def check_url(url: str) -> None:
    """Refuse what is neither https nor on this machine.

    Raises:
        ConfigError: so it is.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigError(f"{shown(url)} is not an https URL.", remedy="Use https, or a file.")


def shown(url: str) -> str:
    """A URL as messages may show it: without credentials and query."""
    return re.sub(r"//[^/?#]*@", "//", url).partition("?")[0]


class _TryAgainError(Exception):
    """A failure that another try may not meet."""


def _get(url: str, sink: IO[bytes], limit: int, headers: dict[str, str], auth: tuple[str, str] | None) -> Fetched:
    import requests  # noqa: PLC0415 - 60 ms that most commands do not need

    try:
        with requests.Session() as session:
            session.trust_env = True
            with session.get(url, headers=headers, auth=auth, stream=True, timeout=_TIMEOUT) as response:
                for step in (*response.history, response):
                    check_url(step.url)
                if response.status_code == _NOT_MODIFIED:
                    return Fetched(unchanged=True, etag=headers.get("If-None-Match"))
                if response.status_code in _RETRIED:
                    raise _TryAgainError(f"the server answered {response.status_code}")
                if response.status_code != _OK:
                    raise IncompleteError(f"{shown(url)} answered {response.status_code}.", remedy="Check the URL.")
                _copy(response.iter_content(_CHUNK), sink, limit, url, response.headers.get("Content-Length"))
                return Fetched(unchanged=False, etag=response.headers.get("ETag"))
    except requests.RequestException as error:
        raise _TryAgainError(type(error).__name__) from error


def _copy(chunks: Iterable[bytes], sink: IO[bytes], limit: int, url: str, length: str | None) -> None:
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if written > limit:
            raise IncompleteError(f"{shown(url)} is larger than {limit // MEBIBYTE} MiB.", remedy="Check the URL.")
        sink.write(chunk)
    if length and length.isdigit() and sink.tell() < int(length):
        raise _TryAgainError("the connection ended early")


def is_url(text: str) -> bool:
    """Whether a word is a URL rather than a file."""
    return "://" in text and not Path(text).exists()
