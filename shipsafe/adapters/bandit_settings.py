"""What a project lets bandit say: `[tool.bandit]` in its pyproject.toml (https://bandit.readthedocs.io/en/latest/config.html)."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.adapters.pyproject import pyprojects
from shipsafe.errors import ConfigError

_LISTS = ("skips", "tests", "exclude_dirs")


@dataclass(frozen=True, slots=True, kw_only=True)
class BanditSettings:
    """`[tool.bandit]` of the nearest pyproject.toml that has it.

    `base` is the folder that its paths are relative to; `shown` the file as the user knows it; `table` None when there is none.
    """

    base: Path
    shown: str = ""
    table: Mapping[str, Any] | None = None

    def excludes(self, name: str) -> bool:
        """Whether `exclude_dirs` names that file (relative to `base`), by bandit's rule: a glob, or a part of the path."""
        path = f"./{name}"  # as `bandit -r .` beside the file names it
        return any(fnmatch.fnmatch(path, pattern) or pattern in path for pattern in (self.table or {}).get("exclude_dirs") or ())


def settings_for(start: Path, root: Path) -> BanditSettings:
    """The settings that hold for code in the folder `start`.

    Raises:
        ConfigError: a pyproject.toml on the way is not TOML, or `[tool.bandit]` is not what bandit expects.
    """
    for path, content in pyprojects(start, root):
        tool = content.get("tool")
        table = tool.get("bandit") if isinstance(tool, dict) else None
        if table is None:
            continue
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        if not isinstance(table, dict):
            raise ConfigError("`tool.bandit` is not a table.", remedy="Write it as [tool.bandit].", path=shown)
        for key in _LISTS:
            value = table.get(key, [])
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise ConfigError(f"`tool.bandit.{key}` is not a list of strings.", remedy='Write it as ["..."].', path=shown)
        both = sorted(set(table.get("tests", [])) & set(table.get("skips", [])))
        if both:
            raise ConfigError(f"`tool.bandit` has {both[0]} both in tests and in skips.", remedy="Take it out of one.", path=shown)
        return BanditSettings(base=path.parent, shown=shown, table=table)
    return BanditSettings(base=root)
