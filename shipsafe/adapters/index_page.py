"""A project's page on a package index: its files, their hashes, and when each was uploaded.

JSON is asked for (PEP 691, times: PEP 700); an index that knows HTML alone (PEP 503) gives files and hashes, and mostly no times.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.http import fetch
from shipsafe.errors import IncompleteError

_LIMIT = 64 * MEBIBYTE
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_ALGORITHMS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """One file: its name, where it is, its hashes (`sha256:...`), and when it was uploaded, where the index says so (UTC)."""

    name: str
    url: str
    hashes: frozenset[str] = field(default_factory=frozenset)
    uploaded: datetime | None = None

    def is_of(self, name: str, version: str) -> bool:
        """Whether it is a wheel or a source distribution of that release; the name is normalised."""
        try:
            parse = parse_wheel_filename if self.name.endswith(".whl") else parse_sdist_filename
            return parse(self.name)[:2] == (name, Version(version))
        except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
            return False


def read_page(index: str, name: str, *, auth: tuple[str, str] | None = None) -> tuple[IndexFile, ...]:
    """The files that an index has of a distribution, by its normalised name.

    Raises:
        ConfigError: the index is neither https nor on this machine.
        IncompleteError: it does not know the name, cannot be asked, or its answer cannot be read.
    """
    return read_links(f"{index.rstrip('/')}/{name}/", auth=auth)


def read_links(url: str, *, auth: tuple[str, str] | None = None) -> tuple[IndexFile, ...]:
    """The files that a page links to, whatever they are of.

    Raises:
        ConfigError, IncompleteError: as `read_page`.
    """
    body = fetch(url, limit=_LIMIT, accept=_ACCEPT, auth=auth)
    try:
        text = body.decode()
        found = _from_json(text, url) if text.lstrip().startswith("{") else _from_html(text, url)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise IncompleteError(f"{url} cannot be read: {type(error).__name__}.", remedy="Check the index.") from error
    return tuple(found)


def fetch_file(file: IndexFile, index: str, *, auth: tuple[str, str] | None, limit: int) -> bytes:
    """The bytes of a file; credentials go to the host of the index alone.

    Raises:
        ConfigError, IncompleteError: as `read_page`.
    """
    ours = urlsplit(file.url)[:2] == urlsplit(index)[:2]
    return fetch(file.url, limit=limit, auth=auth if ours else None)


def as_time(text: object) -> datetime | None:
    """A time as RFC 3339 has it, in UTC; None for anything else."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if time is None:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _from_json(text: str, base: str) -> list[IndexFile]:
    page: Any = json.loads(text)
    return [
        IndexFile(name=str(one["filename"]), url=urljoin(base, str(one["url"])), hashes=_hashes(one.get("hashes", {})),
                  uploaded=as_time(one.get("upload-time")))
        for one in page.get("files", [])
        if "filename" in one and "url" in one
    ]  # fmt: skip


def _hashes(table: Mapping[str, object]) -> frozenset[str]:
    return frozenset(f"{name}:{str(table[name]).lower()}" for name in _ALGORITHMS if name in table)


def _from_html(text: str, base: str) -> list[IndexFile]:
    page = _Page()
    page.feed(text)
    found = []
    for link in page.links:
        url, fragment = urldefrag(urljoin(base, link["href"]))
        algorithm, _, digest = fragment.partition("=")
        name = unquote(urlsplit(url).path.rpartition("/")[2])
        # `data-upload-time` is in no standard, but some mirrors write it.
        found.append(IndexFile(name=name, url=url, hashes=_hashes({algorithm: digest}), uploaded=as_time(link.get("data-upload-time"))))
    return found


class _Page(HTMLParser):
    """The links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a link."""
        link = {name: value for name, value in attrs if value is not None}
        if tag == "a" and "href" in link:
            self.links.append(link)
