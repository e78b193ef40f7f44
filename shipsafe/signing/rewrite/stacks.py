"""A template and the stacks nested in it, each written anew where something in it was signed.

    template.yaml -> out.yaml, services/child.yaml of stack Billing -> out.Billing.yaml beside it

A template that two stacks use becomes two: they are two functions, signed twice.
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.deployable import Deployable
from shipsafe.signing.rewrite.edits import Edits
from shipsafe.signing.rewrite.relocate import relocate
from shipsafe.signing.rewrite.template import sign_resources

Trail = tuple[tuple[str, str], ...]
_LOCATIONS = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}


class Stacks:
    """One template with what is nested in it, on its way to another place.

    Args:
        top: the template, POSIX, relative to the project's root; `out` where it is to go, likewise.
        signed: trail of a function or layer (`Function.trail`) -> what it is to take.
        templates: all that the project has: no result may lie on one.
        load: the text of a template.
        exists: whether there is a file or folder at a path relative to the root.
    """

    def __init__(
        self, top: str, out: str, signed: Mapping[Trail, Deployable], *, templates: Iterable[str], load: Callable[[str], str],
        exists: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self._top = top
        self._out = out
        self._signed = signed
        self._templates = {posixpath.normpath(path).casefold() for path in templates}
        self._load = load
        self._exists = exists
        self.texts: dict[str, str] = {}
        self.remarks: list[str] = []
        self.visited: set[tuple[str, ...]] = set()

    def rewrite(self) -> None:
        """Fill `texts` (path -> text), `remarks`, and `visited` (logical ids of the nested stacks that were looked into).

        Raises:
            ConfigError: something cannot be rewritten faithfully, or two templates would have one name.
        """
        self._stack(self._top, (), self._out)
        names = [path.casefold() for path in self.texts]
        for path in self.texts:
            if path.casefold() in self._templates or names.count(path.casefold()) > 1:
                raise ConfigError("A template would be written over one that is read, or over another one.",
                                  remedy="Choose another name for the result.", path=path)  # fmt: skip

    def _stack(self, template: str, ids: tuple[str, ...], out: str) -> None:
        depth = len(ids)
        self.visited.add(ids)
        inside = {
            trail: one for trail, one in self._signed.items() if tuple(step[1] for step in trail[:depth]) == ids and len(trail) > depth
        }
        own = {trail[depth][1]: one for trail, one in inside.items() if len(trail) == depth + 1}
        children = {trail[depth][1]: trail[depth + 1][0] for trail in inside if len(trail) > depth + 1}
        edits = Edits(self._load(template), name=template, json_only=template.endswith(".json"))
        self.remarks += sign_resources(edits, template, own)
        for logical_id, child in children.items():
            path = self._name((*ids, logical_id), child)
            body = edits.root.get("Resources", logical_id)
            kind = body.get("Type") if body else None
            key = _LOCATIONS.get(kind.text if kind else "")
            old = body.get("Properties", key) if body and key else None
            if key is None or old is None or "Fn::If" in set(old.calls()):
                edits.refuse(body, f"Which template stack {logical_id} has depends on a condition.", "Name one template.")
            edits.put(("Resources", logical_id, "Properties"), key, posixpath.basename(path))
            self._stack(child, (*ids, logical_id), path)
        relocate(edits, posixpath.dirname(template), posixpath.dirname(out), exists=self._exists, skip=frozenset((*own, *children)))
        self.texts[posixpath.normpath(out)] = edits.result()

    def _name(self, ids: tuple[str, ...], child: str) -> str:
        """Beside the result, called after it and after the stacks on the way."""
        stem, _ = posixpath.splitext(self._out)
        return f"{stem}.{'.'.join(ids)}{posixpath.splitext(child)[1] or '.yaml'}"
