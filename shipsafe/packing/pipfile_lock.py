"""Pipfile.lock: its `default` packages, and the categories that the policy names as groups (`develop` is one of them).

The lock holds what was resolved for one Python on one machine, so it is refused for another Python. What a Pipfile beside it asks for
itself is what is direct.

Source: https://pipenv.pypa.io/, and Pipenv's own reading of `Pipfile.lock`.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from shipsafe.adapters.files import MEBIBYTE, relative
from shipsafe.adapters.json_file import read_json
from shipsafe.adapters.uv import PYPI, without_credentials
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.policy import LockChoice
from shipsafe.packing.choice import check_known, refuse_choice
from shipsafe.packing.graph import Package, as_needs, holds, twice
from shipsafe.packing.lock_file import open_lock
from shipsafe.packing.needs import Needs

_LIMIT = 64 * MEBIBYTE
_MAIN = "default"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_KEY = re.compile(r'\s*"([^"\\]+)":\s*\{')
# What Pipfile calls the sections that the lock calls otherwise.
_SECTIONS = {"default": "packages", "develop": "dev-packages"}


def read_pipfile_lock(path: Path, *, root: Path, boundary: Path, environment: Mapping[str, str], choice: LockChoice) -> Needs:
    """What ships of a Pipfile.lock.

    Raises:
        ConfigError: the policy chooses a category that there is not, or an extra or member, which Pipenv does not have.
        IncompleteError: the lock cannot be used, or takes something from elsewhere than an index or a folder of the repository.
    """
    shown = relative(path, root)
    try:
        document = read_json(path, limit=_LIMIT, shown=shown)
    except ConfigError as error:
        raise IncompleteError(error.what, remedy="Run `pipenv lock` again.", path=shown, line=error.line) from error
    if not isinstance(document, dict) or not isinstance(document.get(_MAIN), dict):
        raise _broken(shown, "it has no `default` packages")
    if choice.extras or choice.member is not None:
        refuse_choice(shown, choice, "extras or members, only categories")
    categories = [name for name, value in document.items() if name != "_meta" and isinstance(value, dict)]
    aliases = {written: name for name, written in _SECTIONS.items()}
    groups = [aliases.get(name, name) for name in choice.groups]
    check_known(shown, "category", groups, categories)
    meta = _table(document.get("_meta"))
    _check_python(_table(meta.get("requires")), environment["python_version"], shown)
    chosen: dict[str, Package] = {}
    lines = _lines(path)
    for group in [*(() if choice.only_groups else (_MAIN,)), *groups]:
        for name, said in document[group].items():
            one = _package(str(name), _table(said), Location(path=shown, line=lines.get((group, str(name)))), meta)
            if not holds(_text(_table(said).get("markers")), environment, frozenset(), one.place):
                continue
            there = chosen.setdefault(one.name, one)
            if (there.version, set(there.hashes), there.folder) != (one.version, set(one.hashes), one.folder):
                raise twice(one)
    return as_needs(chosen.values(), shown=shown, home=path.parent, root=root, boundary=boundary, environment=environment,
                    direct=_direct(path.parent / "Pipfile", root, [_MAIN, *groups], chosen))  # fmt: skip


def _package(name: str, said: Mapping[str, Any], place: Location, meta: Mapping[str, Any]) -> Package:
    if not _NAME.fullmatch(name):
        raise _broken(place.path or "", f"{name[:80]!r} is no name of a package")
    kind = next((one for one in ("git", "hg", "svn", "bzr", "file") if said.get(one)), None)
    folder = _text(said.get("path"))
    hashes = said.get("hashes")
    return Package(
        name=canonicalize_name(name),
        version=(_text(said.get("version")) or "").removeprefix("=="),
        place=place,
        hashes=tuple(str(one) for one in hashes) if isinstance(hashes, list) else (),
        index=_index(said.get("index"), meta),
        folder=folder if kind is None else None,
        elsewhere=f"{kind} {without_credentials(str(said[kind]))}" if kind else "",
    )


def _index(name: object, meta: Mapping[str, Any]) -> str:
    """The index that a source's name stands for; the first source where none is named."""
    listed = meta.get("sources")
    sources = [_table(one) for one in listed] if isinstance(listed, list) else []
    found = next((one for one in sources if one.get("name") == name), sources[0] if sources else {})
    return without_credentials(str(found.get("url", PYPI)))


def _check_python(requires: Mapping[str, Any], python: str, shown: str) -> None:
    """Pipenv locks for one Python: what another one needs besides does not stand in the lock."""
    wanted = _text(requires.get("python_full_version")) or _text(requires.get("python_version"))
    if wanted is not None and wanted != "*" and ".".join(wanted.split(".")[:2]) != python:
        remedy = "Lock for the runtime's Python (`[requires] python_version`), or change the runtime."
        raise IncompleteError(f"The lock is for Python {wanted[:20]}, and the runtime has {python}.", remedy=remedy, path=shown)


def _direct(path: Path, root: Path, sections: list[str], chosen: Mapping[str, Package]) -> dict[str, AbstractSet[str]] | None:
    """What the Pipfile asks for, with extras; None where there is no Pipfile."""
    if not path.is_file():
        return None
    document = open_lock(path, root, "").document
    direct: dict[str, AbstractSet[str]] = {}
    for section in sections:
        for name, said in _table(document.get(_SECTIONS.get(section, section))).items():
            extras = _table(said).get("extras")
            if (called := canonicalize_name(str(name))) in chosen:
                direct[called] = frozenset(str(one) for one in extras) if isinstance(extras, list) else frozenset()
    return direct


def _lines(path: Path) -> dict[tuple[str, str], int]:
    """(category, package) -> line, in a lock that is written as Pipenv writes it: four blanks a level."""
    found: dict[tuple[str, str], int] = {}
    category = ""
    for number, line in _numbered(path):
        if key := _KEY.match(line):
            depth = len(line) - len(line.lstrip())
            category = key[1] if depth == 4 else category  # noqa: PLR2004 - Pipenv's indentation
            found.setdefault((category, key[1]), number)
    return found


def _numbered(path: Path) -> Iterator[tuple[int, str]]:
    return enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _broken(shown: str, why: str) -> IncompleteError:
    return IncompleteError(f"Not a usable Pipfile.lock: {without_credentials(why)}.", remedy="Run `pipenv lock` again.", path=shown)
