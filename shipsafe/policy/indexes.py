"""`[indexes]` of a policy: where packages come from, with every word that could give credentials away refused.

A policy is committed, so that an index URL in it holds no credentials, but may say where they are: `https://${UV_INDEX_ACME_TOKEN}@...`.
Whoever can edit the policy can name any variable and any server; so only variables that were made for an index can be named.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipsafe.model.policy import FindLinks, NamedIndex
from shipsafe.policy.document import Document

# `user:${X}@` is the spelling of most private indexes, where the user is a constant such as `aws`.
_VARIABLES = re.compile(r"(?:[A-Za-z0-9._-]+:)?\$\{[A-Z0-9_]+\}(?::\$\{[A-Z0-9_]+\})?")
_NAMED = re.compile(r"\$\{([^}]*)\}")
_ALLOWED = ("UV_INDEX_", "SHIPSAFE_INDEX_")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def check_indexes(document: Document, indexes: Mapping[str, Any]) -> None:
    """Refuse what an index cannot be.

    Raises:
        ConfigError: a URL holds credentials or a variable that was not made for an index, or two indexes have one name.
    """
    named = indexes.get("named", ())
    for url in (indexes.get("default", ""), *indexes.get("extra", ()), *(one["url"] for one in named)):
        _check_url(document, url)
    for url in (*indexes.get("mirrors-pypi", ()), *indexes.get("find-links", ())):
        if _userinfo(url) or "${" in url:
            raise document.error("indexes", "An index URL holds credentials.", "Name it here without them.")
    seen: set[str] = set()
    for one in named:
        if not _NAME.fullmatch(one["name"]) or one["name"].startswith("shipsafe-"):
            raise document.error(
                "indexes.named.0", f"{one['name'][:80]!r} cannot be the name of an index.", "Use letters, digits and dashes."
            )
        folded = re.sub(r"[^A-Z0-9]", "_", one["name"].upper())  # as uv makes the names of its variables
        if folded in seen:
            raise document.error("indexes.named.0", f"Two indexes are called {one['name']!r}.", "Give each a name of its own.")
        seen.add(folded)


def _userinfo(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[0]


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))


def _shown(url: str) -> str:
    return url.replace(f"{_userinfo(url)}@", "", 1)[:200]


def _check_url(document: Document, url: str) -> None:
    userinfo = _userinfo(url)
    if userinfo and not _VARIABLES.fullmatch(userinfo):
        raise document.error("indexes", "An index URL holds credentials.", "Keep them out of the policy, which is committed.")
    if "${" in url.replace(userinfo, "", 1):
        raise document.error("indexes", "An index URL has a variable where no credentials stand.", "Write the address as it is.")
    if url and not _is_safe(url):
        raise document.error("indexes", f"{_shown(url)} is not an https URL.", "Use https: what comes over http can be changed on the way.")
    for name in _NAMED.findall(userinfo):
        if not name.startswith(_ALLOWED):
            raise document.error(
                "indexes", f"An index URL names the variable {name}, which was not made for an index.",
                f"Whoever edits the policy could send any secret anywhere: hand it over as {_ALLOWED[1]}{name}.")  # fmt: skip


def named_indexes(indexes: Mapping[str, Any]) -> tuple[NamedIndex, ...]:
    """The indexes that claim names, in the order of the file."""
    found = indexes.get("named", ())
    return tuple(NamedIndex(name=one["name"], url=one["url"], packages=tuple(one["packages"])) for one in found)


def find_links(document: Document, indexes: Mapping[str, Any], home: Path) -> tuple[FindLinks, ...]:
    """Folders (relative to the policy's own, `home`) and pages of wheels.

    Raises:
        ConfigError: a folder lies outside the repository, or a page is neither https nor on this machine.
    """
    boundary = next((folder for folder in (home, *home.parents) if (folder / ".git").exists()), home).resolve()
    found = []
    for shown in indexes.get("find-links", ()):
        if "://" in shown:
            if not _is_safe(shown):
                raise document.error("indexes.find-links", f"{shown[:200]} is not an https page.", "Use https, or a folder.")
            found.append(FindLinks(shown=shown, place=shown))
            continue
        place = (home / shown).resolve()
        if not place.is_relative_to(boundary):
            raise document.error("indexes.find-links", f"{shown[:200]} lies outside the repository.", "Move the wheels into it.")
        found.append(FindLinks(shown=shown, place=str(place)))
    return tuple(found)
