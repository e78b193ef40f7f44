"""The layers of a template, turned from one version to another where its ARN is written.

Layers:                                                           becomes
  - arn:aws:lambda:eu-west-1:999988887777:layer:tools:7             - arn:aws:lambda:eu-west-1:111122223333:layer:tools:1

It may stand in `Layers` of a function or of `Globals`, in the Default of a parameter (alone or in a list), or in `Mappings`. An IAM
statement about the layer is left alone. As with every rewriting, what is read again must mean that and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from shipsafe.signing.rewrite.edits import Edits, Path
from shipsafe.signing.rewrite.written import Part

_LAYERS = "Layers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The new text of a template, and the lines where it is another one, from 1."""

    text: str
    lines: tuple[int, ...]


def pin_layer(text: str, old: str, new: str, *, name: str, pseudo: Mapping[str, str], json_only: bool = False) -> Pinned:
    """Turn every place where a layer version is written to another one.

    Args:
        text: of the template.
        old: the ARN as Lambda knows it.
        new: the ARN that takes its place.
        name: of the template, for messages.
        pseudo: what pseudo parameters (`AWS::Region`) stand for where the layer is.
        json_only: the template is JSON and nothing else.

    Raises:
        ConfigError: it cannot be read, or cannot be changed without changing more.
    """
    edits = Edits(text, name=name, json_only=json_only)
    change = partial(_other, old=old, new=new, pseudo=pseudo)
    lines = [line for path, key in _places(edits.root) for line in edits.exchange(path, key, change)]
    return Pinned(text=edits.result() if edits.changed else text, lines=tuple(sorted(set(lines))))


def _other(text: str, *, old: str, new: str, pseudo: Mapping[str, str]) -> str:
    """One text: the ARN itself, or a list of them with commas, as the Default of a parameter has it."""
    if "," in text:
        return ",".join(_other(part, old=old, new=new, pseudo=pseudo) for part in text.split(","))
    plain = text.strip()
    for name, value in pseudo.items():
        plain = plain.replace(f"${{{name}}}", value)
    return text.replace(text.strip(), new) if plain == old else text


def _places(root: Part) -> Iterator[tuple[Path, str]]:
    """Path of a mapping and key in it, for every place where an ARN of a layer means a layer that is attached."""
    for logical_id, body in _entries(root, "Resources"):
        yield from _below(body, ("Resources", logical_id), "Properties", _LAYERS)
    yield from _below(root, (), "Globals", "Function", _LAYERS)
    for name, body in _entries(root, "Parameters"):
        yield from _below(body, ("Parameters", name), "Default")
    yield from _below(root, (), "Mappings")


def _below(part: Part, path: Path, *keys: str) -> Iterator[tuple[Path, str]]:
    """The place at those keys, where it stands there itself."""
    for key in keys:
        entry = part.own(key) if part.kind == "{" else None
        if entry is None:
            return
        part = entry.value
    yield (*path, *keys[:-1]), keys[-1]


def _entries(root: Part, key: str) -> Iterator[tuple[str, Part]]:
    entry = root.own(key)
    for one in entry.value.entries if entry and entry.value.kind == "{" else ():
        yield one.key.text, one.value
