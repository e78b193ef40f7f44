"""GitHub's REST API: what a job may ask with the token that it has. https only, but for loopback.

Bounded, retried where that does no harm, never redirected, and its errors are ours. The token goes into one header of requests to the one
host that `GITHUB_API_URL` names, and into nothing else: no message, no log, no argument of a program.

    github = open_github(os.environ)
    github.get("repos/acme/orders/pulls/12/reviews", page=1)
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from shipsafe import __version__
from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.http import check_url
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError, IncompleteError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_PUBLIC = "https://api.github.com"
_VERSION = "2022-11-28"  # https://docs.github.com/en/rest/about-the-rest-api/api-versions
_TIMEOUT = (10, 30)  # seconds to connect, and between two pieces
_PAUSES = (1.0, 4.0)  # seconds before the second and the third try
_LONGEST_PAUSE = 60.0  # seconds: longer than that GitHub may ask, and nobody waits
_LIMIT = 8 * MEBIBYTE  # of an answer; a hundred pull requests with long texts take two
_PAGE = 100  # what GitHub gives at most
_MOST_PAGES = 20
_AGAIN = (408, 429, 500, 502, 503, 504)
# `NAME` of people may end in `_COMPANY` where a company manages them, and in `[bot]` where they are none.
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}", re.ASCII)
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?", re.ASCII)


class NotThereError(IncompleteError):
    """GitHub knows no such thing, or does not show it to this token (404)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """The API at one address, asked with one token."""

    url: str
    token: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, **query: int | str) -> Any:
        """The JSON at a path (`repos/acme/orders/commits/SHA/pulls`), which the caller has made of checked parts.

        Raises:
            NotThereError: there is no such thing for this token.
            IncompleteError: it cannot be had.
        """
        return self._ask("GET", path, query=query)

    def every(self, path: str) -> Iterator[Mapping[str, Any]]:
        """Every entry of a list, page after page. GitHub's links to further pages are not followed: they could lead anywhere.

        Raises:
            IncompleteError: it cannot be had whole, or is longer than 2,000 entries.
        """
        for page in range(1, _MOST_PAGES + 1):
            found = self.get(path, per_page=_PAGE, page=page)
            if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
                raise IncompleteError(f"GitHub's answer to {path} is no list.", remedy="Look at GITHUB_API_URL.")
            yield from found
            if len(found) < _PAGE:
                return
        raise IncompleteError(f"GitHub lists more than {_PAGE * _MOST_PAGES} entries at {path}.", remedy="Ask for less.")

    def patch(self, path: str, body: Mapping[str, str]) -> Any:
        """Change what lies at a path; twice is once.

        Raises:
            IncompleteError: it cannot be changed.
        """
        return self._ask("PATCH", path, body=body)

    def post(self, path: str, body: Mapping[str, str]) -> Any:
        """Add something. It is not tried again where nobody knows whether it was added.

        Raises:
            IncompleteError: nobody knows that it was added.
        """
        return self._ask("POST", path, body=body, again=False)

    def _ask(
        self, method: str, path: str, *, query: Mapping[str, int | str] | None = None, body: Mapping[str, str] | None = None,
        again: bool = True,
    ) -> Any:  # fmt: skip
        import requests  # noqa: PLC0415 - 60 ms that most commands do not need

        for pause in (*_PAUSES, None):
            try:
                with requests.Session() as session, session.request(
                    method, f"{self.url}/{path}", params=query, json=body, auth=self._signed, timeout=_TIMEOUT, allow_redirects=False,
                    stream=True,
                    headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _VERSION,
                             "User-Agent": f"shipsafe/{__version__}"},
                ) as response:  # fmt: skip
                    waits = _wait(response, pause)
                    if waits is None:
                        return _value(response, path)
                    reason, throttled = f"GitHub answered {response.status_code}", response.status_code in (403, 429)
            except requests.RequestException as error:
                waits, reason, throttled = pause or 0.0, f"GitHub cannot be reached: {type(error).__name__}", False
            if pause is None or waits > _LONGEST_PAUSE or not (again or throttled):
                raise IncompleteError(f"{reason} ({method} {path}).", remedy="Run it again later.")
            self.sleep(waits)
        raise AssertionError  # the last round returned or raised

    def _signed(self, request: "PreparedRequest") -> "PreparedRequest":
        """As `auth` of requests: a header alone would be replaced by what a netrc says of the host."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def open_github(environment: Mapping[str, str]) -> GitHub:
    """GitHub as a job of its Actions knows it: `GITHUB_TOKEN`, and `GITHUB_API_URL` where that is not github.com.

    Raises:
        ConfigError: there is no token, or the address is not https.
    """
    url = environment.get("GITHUB_API_URL") or _PUBLIC
    check_url(url)
    token = environment.get("GITHUB_TOKEN", "")
    if not token:
        raise ConfigError("There is no token for GitHub's API.", remedy="Set GITHUB_TOKEN: `env: {GITHUB_TOKEN: ${{ github.token }}}`.")
    if not token.isascii() or not token.isprintable() or " " in token:  # a line break would be another header
        raise ConfigError("GITHUB_TOKEN holds what no token holds.", remedy="Set it to the token alone.")
    return GitHub(url=url.rstrip("/"), token=token)


def repository_here(environment: Mapping[str, str], stated: str | None) -> str:
    """Which repository is meant: the one that is stated, which the job's own (`GITHUB_REPOSITORY`) has to be.

    Raises:
        ConfigError: nobody says which, or two are named.
    """
    here = environment.get("GITHUB_REPOSITORY") or ""
    if here and stated and here.casefold() != stated.casefold():
        raise ConfigError(f"This is a job of {shown(here)}, and {shown(stated)} is meant.",
                          remedy="Correct `[pipeline] repository`, or run it there.")  # fmt: skip
    name = stated or here
    if not name:
        raise ConfigError(
            "Nobody says which repository on GitHub is meant.", remedy="State `[pipeline] repository`, or set GITHUB_REPOSITORY."
        )
    if not REPOSITORY.fullmatch(name) or name.endswith(("/.", "/..")):
        raise ConfigError(f"{shown(name)!r} is no repository of GitHub's.", remedy="Write OWNER/NAME.")
    return name


def _wait(response: "Response", pause: float | None) -> float | None:
    """Seconds after which it is worth asking again; None where this is the answer."""
    # https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: throttled calls are answered 403 or 429
    if response.status_code == HTTPStatus.FORBIDDEN and "retry-after" not in response.headers:
        spent = response.headers.get("x-ratelimit-remaining") == "0"
        return _LONGEST_PAUSE + 1 if spent else None  # it begins anew within the hour: nobody waits for that
    if response.status_code != HTTPStatus.FORBIDDEN and response.status_code not in _AGAIN:
        return None
    asked = response.headers.get("retry-after", "")
    return float(asked) if re.fullmatch(r"\d{1,6}", asked, re.ASCII) else pause or 0.0


def _value(response: "Response", path: str) -> Any:
    """What was answered.

    Raises:
        NotThereError: nothing is there.
        IncompleteError: it was refused, or what was answered cannot be read.
    """
    status = response.status_code
    body = bytearray()
    for chunk in response.iter_content(MEBIBYTE):
        body += chunk
        if len(body) > _LIMIT:
            raise IncompleteError(f"GitHub's answer to {path} is larger than {_LIMIT // MEBIBYTE} MiB.", remedy="Look at GITHUB_API_URL.")
    try:
        value = json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise IncompleteError(f"GitHub's answer to {path} is no JSON ({status}).", remedy="Look at GITHUB_API_URL.") from error
    if status in (HTTPStatus.OK, HTTPStatus.CREATED):
        return value
    said = value.get("message") if isinstance(value, dict) else None
    why = f": {shown(said, 200).rstrip('.')}" if isinstance(said, str) and said else ""
    if status == HTTPStatus.NOT_FOUND:
        remedy = "Look at the name and number, and at the `permissions` of the job: what a token may not see is not there for it."
        raise NotThereError(f"GitHub has no {path} for this token.", remedy=remedy)
    if status == HTTPStatus.UNAUTHORIZED:
        raise IncompleteError(f"GitHub does not take this token{why}.", remedy="Set GITHUB_TOKEN to one that has not ended.")
    if status == HTTPStatus.FORBIDDEN:
        remedy = "Give the job the right under `permissions`; a pull request from a fork gets none that writes."
        raise IncompleteError(f"GitHub does not let this token do that ({path}){why}.", remedy=remedy)
    if status in (301, 302, 307, 308):
        raise IncompleteError(f"GitHub has moved {path} elsewhere.", remedy="Name the repository as it is called now.")
    raise IncompleteError(f"GitHub answered {status} to {path}{why}.", remedy="Look at GitHub's status, then run it again.")
