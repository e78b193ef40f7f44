"""Where a resource stands: the lines of its block in the `.tf` files of its module, which lie beside the plan. A plan has no lines."""

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.readers.plan.document import Steps, table
from shipsafe.readers.template.nesting import location_path

_MOST = 500  # files of one module
_LIMIT = 2 * MEBIBYTE
_LONGEST = 1024
_LOCAL = ("./", "../")
_INSTALLED = ".terraform/modules/modules.json"
_BLOCK = re.compile(r'\s{0,8}resource\s+"(?P<type>[\w-]{1,100})"\s+"(?P<name>[\w-]{1,200})"\s*\{')
_ARGUMENT = re.compile(r"(?P<indent>[ \t]{1,16})(?P<name>[a-z][a-z0-9_]{0,60})\s*(?:=(?!=)|\{)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A `resource` block, and where each of its arguments stands."""

    location: Location
    arguments: Mapping[str, Location] = field(default_factory=dict)


class Places:
    """Finds blocks in the modules of one configuration; a folder is read once."""

    def __init__(self, root: Path, configuration: Mapping[str, Any]) -> None:
        self._root = root
        self._configuration = configuration
        self._boundary = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
        self._folders: dict[str, Mapping[tuple[str, str], Block]] = {}
        self._installed = _installed(root)

    def block(self, steps: Steps, kind: str, name: str) -> Block | None:
        """The block of a resource, or None where its module's files are not here."""
        folder = self._folder(steps)
        if folder is None:
            return None
        if folder not in self._folders:
            self._folders[folder] = self._read(folder)
        return self._folders[folder].get((kind, name))

    def _folder(self, steps: Steps) -> str | None:
        """The folder of a module, relative to the root."""
        folder, module = "", self._configuration
        for depth, (name, _) in enumerate(steps, 1):
            call = table(table(module, "module_calls"), name)
            source, module = call.get("source"), table(call, "module")
            if isinstance(source, str) and source.startswith(_LOCAL):
                folder = posixpath.normpath(posixpath.join(folder, source))
            elif (known := self._installed.get(".".join(step for step, _ in steps[:depth]))) is not None:
                folder = known
            else:
                return None
        return folder

    def _read(self, folder: str) -> Mapping[tuple[str, str], Block]:
        found: dict[tuple[str, str], Block] = {}
        try:
            place = (self._root / folder).resolve()
            files = sorted(place.glob("*.tf"))[:_MOST] if len(folder) <= _LONGEST and place.is_relative_to(self._boundary) else []
        except (OSError, ValueError):
            return {}
        for file in files:
            name = posixpath.normpath(posixpath.join(folder, file.name))
            try:
                lines = read_bounded(file, limit=_LIMIT, shown=name).decode("utf-8", "replace").splitlines()
            except ConfigError:  # a line is a service, and the plan is what is read
                continue
            for key, block in _blocks(lines, location_path(self._root, name)):
                found.setdefault(key, block)
        return found


def _blocks(lines: list[str], path: str) -> list[tuple[tuple[str, str], Block]]:
    """Every `resource` block, as `terraform fmt` writes them: the brace that ends one stands at the beginning of a line."""
    found: list[tuple[tuple[str, str], Block]] = []
    arguments: dict[str, Location] = {}
    indent = ""
    for number, line in enumerate(lines, 1):
        if block := _BLOCK.match(line):
            arguments, indent = {}, ""
            found.append(((block["type"], block["name"]), Block(location=Location(path=path, line=number), arguments=arguments)))
        elif line.startswith("}"):
            arguments = {}
        elif (argument := _ARGUMENT.match(line)) and (not indent or argument["indent"] == indent):
            indent = argument["indent"]
            arguments.setdefault(argument["name"], Location(path=path, line=number))
    return found


def _installed(root: Path) -> Mapping[str, str]:
    """Modules that `terraform init` has downloaded: their name in the configuration -> folder."""
    path = root / _INSTALLED
    if not path.is_file():
        return {}
    try:
        listed = json.loads(read_bounded(path, limit=_LIMIT, shown=_INSTALLED)).get("Modules")
    except (ConfigError, ValueError, RecursionError, AttributeError):  # a line is a service
        return {}
    return {one["Key"]: one["Dir"] for one in (listed if isinstance(listed, list) else ())
            if isinstance(one, dict) and isinstance(one.get("Key"), str) and isinstance(one.get("Dir"), str)}  # fmt: skip
