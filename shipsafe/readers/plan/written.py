"""What a list in a `.tf` file names, element by element.

A plan says of a list with one unknown element that the whole list is unknown, and the configuration that comes with it keeps names
and loses texts: of `layers = [aws_lambda_layer_version.ours.arn, "arn:aws:lambda:...:theirs:4"]` it keeps the first alone. The second
is the one that somebody must look at, so it is read where it is written, through variables of modules and `locals`.
"""

import re

from shipsafe.adapters.shown import shown
from shipsafe.readers.plan.document import Key, Planned, Steps
from shipsafe.readers.plan.expressions import call, elements, holes
from shipsafe.readers.plan.places import Places
from shipsafe.readers.plan.references import Opaque, References, Target

_DEEPEST = 20
_MOST = 1_000  # expressions that are looked at for one argument
_NAME = re.compile(r"(?P<kind>var|local)\.(?P<name>[\w-]+)")
_PATH = re.compile(r'[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[(?:[0-9]+|"[^"\\]*"|each\.key|count\.index)\])+')
_REPEATED = re.compile(r"\[(?:each\.key|count\.index)\]")
_JOINING = frozenset(("concat", "compact", "flatten", "distinct", "tolist"))


class Written:
    """Reads the lists of one configuration."""

    def __init__(self, places: Places, references: References) -> None:
        self._places = places
        self._references = references
        self._left = 0

    def targets(self, planned: Planned, argument: str, *, kind: str) -> list[Target] | None:
        """What the elements of a list lead to, in their order; None where the file is not here, or has changed since the plan was made.

        Args:
            planned: the resource.
            argument: its argument.
            kind: the type of resource that the list is of; all that the plan names must be in the list.
        """
        text = self._places.text(planned.modules, planned.type, planned.name, argument)
        if not text:
            return None
        self._left = _MOST
        found = self._list(text, planned.modules, planned.key, 0)
        there = {one.address for one in found if isinstance(one, Planned)}
        targets = self._references.targets(planned, argument)
        named = {one.address for one in targets if isinstance(one, Planned) and one.type == kind and not one.data}
        return found if named <= there else None

    def _list(self, text: str, steps: Steps, key: Key, depth: int) -> list[Target]:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return [_opaque(text)]
        if text == "null":
            return []
        parts = elements(text)
        if parts is None and (called := call(text)) and called[0] in _JOINING:
            parts = called[1]
        if parts is not None:
            return [target for part in parts for target in self._list(part, steps, key, depth + 1)]
        if named := _NAME.fullmatch(text):
            return self._named(named["kind"], named["name"], steps, depth)
        if (texts := holes(text)) is not None:
            return [self._text(text, texts, steps, depth)]
        if _PATH.fullmatch(text):
            return self._references.follow(_REPEATED.sub("", text), steps, key if _REPEATED.search(text) else None)
        return [_opaque(text)]

    def _named(self, kind: str, name: str, steps: Steps, depth: int) -> list[Target]:
        """A variable's value where the module is called, or a local one where it stands."""
        outer, key = (steps[:-1], steps[-1][1]) if kind == "var" and steps else (steps, None)
        if kind == "local":
            text = self._places.text(steps, "locals", name, name)
        else:
            text = self._places.text(outer, "module", steps[-1][0], name) if steps else None
        if text is None:
            return self._references.follow(f"{kind}.{name}", steps, None)
        return self._list(text, outer, key, depth + 1)

    def _text(self, text: str, parts: list[tuple[str, bool]], steps: Steps, depth: int) -> Target:
        """A text with its holes filled; not known where one of them is not."""
        found = ""
        for part, is_hole in parts:
            value = self._list(part, steps, None, depth + 1) if is_hole else [part]
            filled = _filled(part, value[0]) if len(value) == 1 else None
            if filled is None:
                return _opaque(text)
            found += filled
        return found


def _filled(part: str, value: Target) -> str | None:
    """The text of a hole: `data.aws_region.current.name` is known where the data source has been read."""
    if isinstance(value, Planned):
        name = part.rpartition(".")[2]
        known = value.values.get(name) if value.sensitive.get(name) is not True else None
        return known if isinstance(known, str) else None
    return value if isinstance(value, str) else None


def _opaque(text: str) -> Opaque:
    return Opaque(name=shown(text), reason=f"{shown(text)} is known only after apply")
