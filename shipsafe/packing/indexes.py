"""Which indexes there are, what each is asked for, and who we are there.

    claimed        `acme-*` come from the index that claims them, and from nowhere else (uv: explicit)
    everything else  from the first of the extra indexes, then the default, that has the name at all

Credentials come from `${VARIABLE}` in a URL of the policy, `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD`, the keyring (with
`UV_KEYRING_PROVIDER=subprocess`), or a netrc, which uv reads itself. They reach uv through its environment and are in no noun's
text, argument list or file.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from shipsafe.adapters.keyring import ask_keyring
from shipsafe.adapters.uv import PYPI, without_credentials
from shipsafe.errors import IncompleteError
from shipsafe.model.policy import Policy

_PYPI = (PYPI, "https://pypi.python.org/simple")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One index: the name that uv knows it by, its address without credentials, and who we are there."""

    name: str
    url: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def auth(self) -> tuple[str, str] | None:
        """For HTTP; None when the netrc may know more."""
        return (self.username, self.password) if self.username or self.password else None

    @property
    def prefix(self) -> str:
        """How the names of its variables begin, as uv makes them."""
        return f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', self.name.upper())}"

    def environment(self) -> dict[str, str]:
        """The credentials as uv takes them."""
        pairs = (("USERNAME", self.username), ("PASSWORD", self.password))
        return {f"{self.prefix}_{what}": value for what, value in pairs if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """All indexes of a policy. `named` are those that claim names, and `links` folders and pages of wheels by what they are called."""

    default: Index
    extra: tuple[Index, ...] = ()
    named: Mapping[str, Index] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def every(self) -> tuple[Index, ...]:
        """All of them, in the order in which a name is looked for; those that claim names first."""
        return (*self.named.values(), *self.extra, self.default)

    def at(self, url: str) -> Index | None:
        """The index of that address; where two are, the one that credentials are known for."""
        found = [one for one in self.every if same(one.url, url)]
        return next((one for one in found if one.auth), found[0] if found else None)

    def for_name(self, name: str, policy: Policy) -> tuple[Index, ...]:
        """Where a distribution may come from, in the order in which to look for it."""
        own = policy.claimant(name)
        return (self.named[own.name],) if own else (*self.extra, self.default)

    def only(self, index: str | None) -> list[str]:
        """For installing what comes from one index, page or folder; None: nobody knows from which."""
        if index is None:
            return self.flags()
        if index in self.links:
            return ["--no-index", "--find-links", self.links[index]]
        found = self.at(index)
        return ["--default-index", f"{found.name}={found.url}" if found else index]

    def flags(self) -> list[str]:
        """For resolving what nobody claims."""
        flags = ["--default-index", f"{self.default.name}={self.default.url}"]
        for one in self.extra:
            flags += ["--index", f"{one.name}={one.url}"]
        for place in self.links.values():
            flags += ["--find-links", place]
        return flags

    def environment(self) -> dict[str, str]:
        """Credentials of all indexes, for uv."""
        found: dict[str, str] = {}
        for one in self.every:
            found |= one.environment()
        return found

    def shown(self, annotated: str) -> str:
        """What uv says a distribution came from, as reports have it: no credentials, no path of this machine."""
        for shown, place in self.links.items():
            if not is_url(place) and annotated.startswith("file:") and unquote(urlsplit(annotated).path) == place:
                return shown
        return without_credentials(annotated)

    def how_to_sign_in(self, address: str) -> str:
        """What to do when an index does not know us."""
        found = self.at(without_credentials(address))
        if found is None or found.name not in self.named:
            return "Give credentials, with `${UV_INDEX_...}` in its URL under [indexes], a netrc or a keyring, or correct them."
        return f"Set {found.prefix}_USERNAME and {found.prefix}_PASSWORD, or use a netrc or a keyring."

    def scrub(self, text: str) -> str:
        """A text without any of the secrets: a server could send them back in an error."""
        for one in self.every:
            for secret in {one.password, quote(one.password, safe="")} - {""}:
                text = text.replace(secret, "***")
        return text


def open_indexes(policy: Policy, *, offline: bool, environ: Mapping[str, str] = os.environ) -> Indexes:
    """The indexes of a policy, with credentials; offline nobody is asked for any.

    Raises:
        IncompleteError: a variable that a URL names is not set, or a folder of wheels cannot be used.
    """
    links = {one.shown: one.place for one in policy.find_links}
    for shown, place in links.items():
        if not is_url(place):
            _check_folder(shown, Path(place))
    return Indexes(
        default=_index("shipsafe-default", policy.index or PYPI, environ, offline=offline),
        extra=tuple(
            _index(f"shipsafe-extra-{number}", url, environ, offline=offline) for number, url in enumerate(policy.extra_indexes, 1)
        ),
        named={one.name: _index(one.name, one.url, environ, offline=offline) for one in policy.named_indexes},
        links=links,
    )


def _index(name: str, url: str, environ: Mapping[str, str], *, offline: bool) -> Index:
    shown = without_credentials(url)
    bare = Index(name=name, url=shown)
    if offline:
        return bare
    parts = urlsplit(url)
    username, password = (_expand(unquote(part or ""), shown, environ) for part in (parts.username, parts.password))
    username = username or environ.get(f"{bare.prefix}_USERNAME", "")
    password = password or environ.get(f"{bare.prefix}_PASSWORD", "")
    if not password and environ.get("UV_KEYRING_PROVIDER") == "subprocess" and not same(shown, PYPI):
        username, password = ask_keyring(shown, username)
    return Index(name=name, url=shown, username=username, password=password)


def _expand(text: str, shown: str, environ: Mapping[str, str]) -> str:
    for name in _VARIABLE.findall(text):
        if name not in environ:
            raise IncompleteError(f"The variable {name}, which holds credentials for the index {shown}, is not set.",
                                  remedy="Set it, and run again.")  # fmt: skip
    return _VARIABLE.sub(lambda found: environ[found[1]], text)


def _check_folder(shown: str, place: Path) -> None:
    """Uv follows links; a wheel must lie in the folder itself."""
    try:
        files = list(place.iterdir())
    except OSError as error:
        raise IncompleteError(f"The folder of wheels {shown} cannot be read: {error.strerror or error}.",
                              remedy="Correct `find-links` under [indexes].") from error  # fmt: skip
    link = next((file.name for file in files if file.is_symlink()), None)
    if link is not None:
        raise IncompleteError(f"{ascii(link)[1:-1]} in the folder of wheels {shown} is a link.", remedy="Put the file itself there.")


def is_url(place: str) -> bool:
    """Whether wheels are on a page rather than in a folder."""
    return "://" in place


def same(one: str, other: str) -> bool:
    """Whether two addresses are of one index."""
    return one.partition("#")[0].rstrip("/") == other.partition("#")[0].rstrip("/")


def is_pypi(index: str, policy: Policy) -> bool:
    """Whether what comes from there is what PyPI has: PyPI itself, or what the policy calls a mirror of it."""
    return any(same(index, one) for one in (*_PYPI, *policy.pypi_mirrors))


def is_own(index: str | None, name: str, policy: Policy) -> bool:
    """Whether a distribution may come from there: from the index that claims it, or from any where none does."""
    own = policy.claimant(name)
    return own is None or (index is not None and same(index, without_credentials(own.url)))
