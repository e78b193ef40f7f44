"""What CDK says of a function besides its template: the construct it is, the line that made it, and whether CDK added it itself."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.model.location import Location
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.stack import Resource

_FRAMES = 50  # looked at in one stack trace
_DEEPEST = 16  # folders of a path from another machine that are looked for here
_FRAME = re.compile(r"\(?(?:file://)?(?P<path>[^()\n]{1,1024}?):(?P<line>[0-9]{1,7}):(?P<column>[0-9]{1,7})\)?$")
_TRACES = ("aws:cdk:creationStack", "aws:cdk:logicalId")
_FOREIGN = frozenset(("node_modules", "site-packages", "cdk.out"))
_HANDLER = "aws:cdk:is-custom-resource-handler"
# Identifiers that CDK gives to helpers of its own, for versions that do not mark them: a name and 32 hex digits, or `Custom::`.
_HELPER = re.compile(r"(?:[A-Za-z]*[0-9a-f]{32}|Custom::.+|framework-(?:onEvent|isComplete|onTimeout))")
_LAST = ("Resource", "Default")  # what CDK calls the resource inside a construct
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")
_DOUBTFUL = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Construct:
    """Where a resource comes from: its path, the line of the application that made it, and whether it is a helper of CDK's."""

    path: str
    location: Location | None
    helper: bool

    @property
    def name(self) -> str | None:
        """`OrdersStack.CreateOrder` for `OrdersStack/CreateOrder/Resource`; None where that would not be a legal name."""
        parts = self.path.strip("/").split("/")
        if len(parts) > 1 and parts[-1] in _LAST:
            parts.pop()
        name = ".".join(_DOUBTFUL.sub("-", part).strip("-") for part in parts)
        return name if _NAME.fullmatch(name) and ".." not in name and not name.endswith(".") else None


class Constructs:
    """The constructs of one stack. `metadata` is what the manifest says: construct path -> entries."""

    def __init__(self, root: Path, metadata: Mapping[str, Any]) -> None:
        self._root = root
        self._entries = {path: [entry for entry in entries if isinstance(entry, dict)]
                         for path, entries in metadata.items() if isinstance(entries, list)}  # fmt: skip
        self._paths: dict[str, str | None] = {}
        for path, entries in self._entries.items():
            for entry in entries:
                name = entry.get("data")
                if entry.get("type") == "aws:cdk:logicalId" and isinstance(name, str):
                    # The same logical id in a nested stack: then it says nothing.
                    self._paths[name] = None if name in self._paths else path

    def of(self, resource: Resource) -> Construct | None:
        """The construct that made a resource, None where CDK was told not to say."""
        metadata = resource.body.fields.get("Metadata")
        written = _text(metadata.fields.get("aws:cdk:path")) if metadata else None
        path = written or self._paths.get(resource.name)
        if path is None:
            return None
        path = "/" + path.strip("/")
        entries = self._entries.get(path, [])
        return Construct(path=path, location=self._location(entries), helper=self._is_helper(path))

    def _is_helper(self, path: str) -> bool:
        parts = path.strip("/").split("/")
        above = ("/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1))
        marked = any(str(entry.get("type")).startswith(_HANDLER) for one in above for entry in self._entries.get(one, ()))
        return marked or any(_HELPER.fullmatch(part) for part in parts)

    def _location(self, entries: Iterable[Mapping[str, Any]]) -> Location | None:
        """The innermost line of the application itself, where a stack trace names one that lies in the project."""
        for entry in entries:
            if entry.get("type") not in _TRACES:
                continue
            for trace in (entry.get("data"), entry.get("trace")):
                for frame in trace[:_FRAMES] if isinstance(trace, list) else ():
                    if isinstance(frame, str) and (place := self._frame(frame)):
                        return place
        return None

    def _frame(self, frame: str) -> Location | None:
        found = _FRAME.search(frame)
        if found is None or not found["path"].isprintable():
            return None
        text = found["path"].split("(")[-1].removeprefix("file://")
        path = self._in_project(Path(text))
        return Location(path=path, line=int(found["line"]), column=int(found["column"])) if path else None

    def _in_project(self, path: Path) -> str | None:
        """Relative to the root; a trace from another machine counts where the end of its path is a file of this project."""
        if _FOREIGN.intersection(path.parts) or ".." in path.parts:
            return None
        if path.is_relative_to(self._root):
            return path.relative_to(self._root).as_posix()
        parts = (path.parts[1:] if path.is_absolute() else path.parts)[-_DEEPEST:]
        ends = (Path(*parts[start:]) for start in range(len(parts)))
        return next((end.as_posix() for end in ends if _is_file(self._root / end)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _text(node: Node | None) -> str | None:
    return node.value if node and isinstance(node.value, str) else None
