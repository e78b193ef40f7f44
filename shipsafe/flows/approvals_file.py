"""Who approved what, as JSON: from the job that asks to the one that signs, or from another system.

{"version": 1, "source": "github", "repository": "acme/orders", "commit": "0123...", "since": "", "allowances": "sha256:...",
 "changes": [{"commit": "4567...", "brought": ["layers/unpinned for function:Pay (waiver in shipsafe.toml)"],
              "agreed": "approved", "reason": "", "pull": 12, "authors": ["ann"], "approved_by": ["bob"]}]}
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.json_file import read_json
from shipsafe.adapters.shown import shown as fit
from shipsafe.errors import ConfigError
from shipsafe.model.approval import Agreed, Approvals, Change

_VERSION = 1
_LIMIT = MEBIBYTE  # what an output of a job may hold
_MOST = 1000  # changes, and what one of them brings
_LONGEST = 1000  # characters of a text
_HEX = r"[0-9a-f]{40,64}"
_REMEDY = "Take it as `shipsafe policy approvals` writes it."
_TEXTS = {"source": r".+", "repository": r".*", "commit": _HEX, "since": rf"({_HEX})?", "allowances": r"sha256:[0-9a-f]{64}"}
_CHANGE_TEXTS = {"commit": _HEX, "agreed": "|".join(Agreed), "reason": r".*"}
_LISTS = ("brought", "authors", "approved_by")


def write_approvals(found: Approvals) -> str:
    """As JSON, on one line."""
    return json.dumps({"version": _VERSION, **asdict(found)}, ensure_ascii=True)


def read_approvals(path: Path) -> Approvals:
    """What a file says.

    Raises:
        ConfigError: it is missing, too large, or not of the form above; or it calls something approved that its own author approved.
    """
    return _approvals(read_json(path, limit=_LIMIT, shown=str(path)), shown=str(path))


def approvals_of(word: str | None) -> Approvals | None:
    """What `--approvals` says: a file, or the JSON itself, which an output of a job can hold; None where nobody says anything.

    Raises:
        ConfigError: as `read_approvals`.
    """
    if not word or not word.lstrip().startswith("{"):
        return read_approvals(Path(word)) if word else None
    try:
        raw = json.loads(word)
    except (ValueError, RecursionError) as error:
        raise ConfigError("--approvals is no JSON.", remedy=_REMEDY) from error
    return _approvals(raw, shown="--approvals")


def _approvals(raw: Any, *, shown: str) -> Approvals:
    try:
        told = _texts(raw, _TEXTS, {"version", "changes"})
        if raw["version"] != _VERSION or not isinstance(raw["changes"], list) or len(raw["changes"]) > _MOST:
            raise ValueError("version or changes")  # noqa: TRY301 - named to the user below
        return Approvals(**told, changes=tuple(_change(one) for one in raw["changes"]))
    except ValueError as error:
        raise ConfigError(f"It does not say who approved what: {fit(str(error))}.", remedy=_REMEDY, path=shown) from error


def _change(raw: Any) -> Change:
    told = _texts(raw, _CHANGE_TEXTS, {"pull", *_LISTS})
    lists = {name: _list(raw, name) for name in _LISTS}
    pull, agreed = raw["pull"], Agreed(told.pop("agreed"))
    if not isinstance(pull, int) or isinstance(pull, bool) or pull < 0 or not lists["brought"]:
        raise ValueError("pull or brought")
    people = {name.casefold() for name in lists["approved_by"]}
    if agreed is Agreed.APPROVED and (not people or not lists["authors"] or people & {name.casefold() for name in lists["authors"]}):
        raise ValueError("approved, and by nobody but its author")
    return Change(
        commit=told["commit"],
        brought=lists["brought"],
        agreed=agreed,
        reason=told["reason"],
        pull=pull,
        authors=lists["authors"],
        approved_by=lists["approved_by"],
    )


def _texts(raw: Any, shapes: Mapping[str, str], others: set[str]) -> dict[str, str]:
    """The texts of an object that has these and the other keys, and no more.

    Raises:
        ValueError: it has not.
    """
    if not isinstance(raw, dict) or set(raw) != set(shapes) | others:
        raise ValueError("its keys")
    for name, shape in shapes.items():
        if not _is_text(raw[name]) or not re.fullmatch(shape, raw[name]):
            raise ValueError(name)
    return {name: raw[name] for name in shapes}


def _list(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = raw[name]
    if not isinstance(value, list) or len(value) > _MOST or not all(_is_text(one) and one for one in value):
        raise ValueError(name)
    return tuple(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST
