"""Which files make up a policy: the project's own, what it extends, and what that extends, the base first.

A file or URL is extended by its SHA-256, so that nobody can change an organisation's policy under a repository.
"""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from shipsafe.adapters.files import MEBIBYTE, read_bounded, write_atomic
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.policy.document import Document, parse

PRESETS = ("baseline", "strict")
_SHARED, _TABLE = "pyproject.toml", "tool.shipsafe"
_LIMIT = MEBIBYTE
_LONGEST = 8
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The project's policy file; `table` is set when it is a table of pyproject.toml."""

    path: Path
    table: str = ""

    @classmethod
    def at(cls, path: Path) -> Self:
        """The policy in a file that somebody named: the whole file, but of a `pyproject.toml` the table.

        Raises:
            ConfigError: the `pyproject.toml` has no such table.
        """
        if path.name != _SHARED:
            return cls(path=path)
        if f"[{_TABLE}" not in _text(path):
            raise ConfigError(f"It has no [{_TABLE}], and so no policy.", remedy="Name another file.", path=str(path))
        return cls(path=path, table=_TABLE)


def find_policy(root: Path) -> Found | None:
    """The nearest `shipsafe.toml`, or `[tool.shipsafe]` of a `pyproject.toml`, from `root` up to the repository.

    Raises:
        ConfigError: both stand in one folder.
    """
    for folder in (root, *root.parents):
        own, shared = folder / "shipsafe.toml", folder / _SHARED
        in_shared = shared.is_file() and f"[{_TABLE}" in _text(shared)
        if own.is_file() and in_shared:
            raise ConfigError("Both shipsafe.toml and [tool.shipsafe] of pyproject.toml are here.", remedy="Keep one of them.",
                              path=str(own))  # fmt: skip
        if own.is_file():
            return Found(path=own)
        if in_shared:
            return Found(path=shared, table=_TABLE)
        if (folder / ".git").exists():
            break
    return None


def read_chain(found: Found | None, *, shown: str | None, offline: bool, cache: Path, fetch: Callable[[str], bytes]) -> list[Document]:
    """Every document, the base first; without a file it is the preset `baseline` alone.

    Raises:
        ConfigError: a file cannot be read or is not a policy, or the chain is too long.
        IntegrityError: a base is not the one that its SHA-256 names.
        IncompleteError: a URL cannot be fetched.
    """
    if found is None:
        return _presets("baseline")
    document = parse(_text(found.path), name=shown or str(found.path), table=found.table)
    chain, folder = [document], found.path.parent
    while True:
        extends: Any = chain[0].values.get("extends", "baseline")
        if isinstance(extends, str):
            if extends not in PRESETS:
                raise chain[0].error("extends", f"There is no preset `{extends}`.", f"Choose one of {', '.join(PRESETS)}.")
            return [*_presets(extends), *chain]
        if len(chain) >= _LONGEST:
            raise chain[0].error("extends", f"Policies extend each other more than {_LONGEST} deep.", "Extend a preset sooner.")
        base, folder = _base(chain[0], extends, folder, offline=offline, cache=cache, fetch=fetch)
        chain.insert(0, base)


def preset_text(name: str) -> str:
    """The text of a preset."""
    return (files("shipsafe.policy") / "data" / f"{name}.toml").read_text(encoding="utf-8")


def _presets(name: str) -> list[Document]:
    documents = [parse(preset_text(name), name=f"preset {name}")]
    while "extends" in documents[0].values:
        base = documents[0].values["extends"]
        documents.insert(0, parse(preset_text(base), name=f"preset {base}"))
    return documents


def _base(
    document: Document, extends: dict[str, str], folder: Path, *, offline: bool, cache: Path, fetch: Callable[[str], bytes]
) -> tuple[Document, Path]:
    stated = _DIGEST.fullmatch(extends["sha256"])
    if stated is None:
        raise document.error("extends", "`extends.sha256` is not a SHA-256.", "Write the 64 hex digits of `sha256sum FILE`.")
    digest = stated[1].lower()
    if "path" in extends:
        path = (folder / extends["path"]).resolve()
        data, name, next_folder = read_bounded(path, limit=_LIMIT), extends["path"], path.parent
    else:
        name, next_folder = extends["url"], folder
        data = _fetched(document, name, digest, offline=offline, cache=cache, fetch=fetch)
    actual = hashlib.sha256(data).hexdigest()
    if actual != digest:
        where, line = document.place("extends")
        raise IntegrityError(f"{name} has the SHA-256 {actual}, and {digest} is stated.",
                             remedy="Look at what changed before you state the new one.", path=where, line=line)  # fmt: skip
    return parse(_decoded(data, name), name=name), next_folder


def _fetched(document: Document, url: str, digest: str, *, offline: bool, cache: Path, fetch: Callable[[str], bytes]) -> bytes:
    """A policy by URL, kept in the cache under its digest."""
    if not url.startswith("https://"):
        raise document.error("extends", f"{url} is not an https URL.", "Use https.")
    kept = cache / "policies" / f"{digest}.toml"
    with suppress(OSError):  # not there, or not to be read: it is fetched
        data = kept.read_bytes()
        if hashlib.sha256(data).hexdigest() == digest:
            return data
    if offline:
        raise IncompleteError(f"The policy {url} is not in the cache, and --offline opens no socket.", remedy="Run once without it.")
    data = fetch(url)
    if hashlib.sha256(data).hexdigest() == digest:
        write_atomic(kept, data)
    return data


def _text(path: Path) -> str:
    return _decoded(read_bounded(path, limit=_LIMIT), str(path))


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Save the file as UTF-8.", path=name) from error
