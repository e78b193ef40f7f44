"""Where a resource stands: its block in the `.tf` files of its module, which lie beside the plan. A plan has no lines."""

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.readers.plan.document import Steps, table
from shipsafe.readers.plan.expressions import expression
from shipsafe.readers.template.nesting import location_path

_MOST = 500  # files of one module
_LIMIT = 2 * MEBIBYTE
_LONGEST = 1024
_EXPRESSIONS = 10_000  # that are looked at in one configuration
_LOCAL = ("./", "../")
_INSTALLED = ".terraform/modules/modules.json"
_BLOCK = re.compile(r'(?P<kind>resource|module|locals)(?:\s+"(?P<first>[\w-]{1,200})")?(?:\s+"(?P<second>[\w-]{1,200})")?\s*\{')
_ARGUMENT = re.compile(r"(?P<indent>[ \t]{1,16})(?P<name>[a-zA-Z_][\w-]{0,60})\s*(?P<sign>=(?!=)|\{)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block: where it stands, where each of its arguments stands, and the column (from 0) at which their expressions begin."""

    location: Location
    arguments: Mapping[str, Location] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    lines: Sequence[str] = ()


class Places:
    """Finds blocks in the modules of one configuration; a folder is read once."""

    def __init__(self, root: Path, configuration: Mapping[str, Any]) -> None:
        self._root = root
        self._configuration = configuration
        self._boundary = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
        self._folders: dict[str, Mapping[tuple[str, str], Block]] = {}
        self._installed = _installed(root)
        self._left = _EXPRESSIONS

    def block(self, steps: Steps, kind: str, name: str) -> Block | None:
        """The block of a resource by its type and name, of a call by `module` and its name, of a local value by `locals` and its name.

        None where the files of its module are not here.
        """
        folder = self._folder(steps)
        if folder is None:
            return None
        if folder not in self._folders:
            self._folders[folder] = self._read(folder)
        return self._folders[folder].get((kind, name))

    def text(self, steps: Steps, kind: str, name: str, argument: str) -> str | None:
        """The expression of an argument, None where it is not here or is more than an expression is."""
        block = self.block(steps, kind, name)
        self._left -= 1
        if block is None or argument not in block.columns or self._left < 0:
            return None
        return expression(block.lines, block.arguments[argument].line or 1, block.columns[argument])

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
    """Every block, as `terraform fmt` writes them: the brace that ends one stands at the beginning of a line."""
    found: list[tuple[tuple[str, str], Block]] = []
    block, kind, indent = Block(location=Location(path=path)), "", ""
    arguments: dict[str, Location] = {}
    columns: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if opened := _BLOCK.match(line):
            arguments, columns, kind, indent = {}, {}, opened["kind"], ""
            block = Block(location=Location(path=path, line=number), arguments=arguments, columns=columns, lines=lines)
            key = (opened["first"] or "", opened["second"] or "") if kind == "resource" else (kind, opened["first"] or "")
            found.append((key, block))
        elif line.startswith("}"):
            kind = ""
        elif kind and (argument := _ARGUMENT.match(line)) and (not indent or argument["indent"] == indent):
            indent, name = argument["indent"], argument["name"]
            arguments.setdefault(name, Location(path=path, line=number))
            if argument["sign"] == "=":
                columns.setdefault(name, argument.end())
            if kind == "locals":
                found.append((("locals", name), block))
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
