"""A rewritten template as CloudFormation itself is given it, without `sam` or `aws` between: what stands in the way, and what it needs.

    sent = read_sent(text, name="template.signed.yaml")
    sent.parameters["Stage"].default, sent.capabilities

`sam deploy` and `aws cloudformation package` upload files that a template names and put their URLs in place. CloudFormation takes URLs
alone, so a template that still names a file of this machine is refused, with the property's name.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.coded import Coded, coded, hanging
from shipsafe.signing.rewrite.edits import Path
from shipsafe.signing.rewrite.relocate import asset_places
from shipsafe.signing.rewrite.written import Part, read_written

_IAM, _NAMED_IAM, _AUTO_EXPAND = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"
_NAMES = ("RoleName", "GroupName", "UserName", "ManagedPolicyName", "InstanceProfileName")
_TRANSFORMS = ("Fn::Transform", "Transform")
_INCLUDE = "AWS::Include"
_NESTED = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9.-]+/.+", re.DOTALL)  # of a registry, and no name of an image here
_UNSEEN = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A parameter of the template: its default as it is written, None for none; `hidden` says `NoEcho`."""

    default: str | None
    hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A template that can be given to CloudFormation.

    Attributes:
        text: of it. name: for messages.
        parameters: that it declares, by name.
        capabilities: that CloudFormation wants to be told for it.
        coded: its functions and layers.
        hanging: hidden parameters on which something of these hangs, with the condition through which it does.
    """

    text: str
    name: str
    parameters: Mapping[str, Declared]
    capabilities: tuple[str, ...]
    coded: tuple[Coded, ...]
    hanging: Mapping[str, str]


def read_sent(text: str, *, name: str) -> Sent:
    """Read a rewritten template once more, for CloudFormation itself.

    Args:
        text: of the template.
        name: for messages: where it would be written.

    Raises:
        ConfigError: it still names a file of this machine.
    """
    root = read_written(text, name=name, json_only=name.endswith(".json"))
    for place in (*asset_places(root), *_includes(root, ()), ("Globals", "Function", "CodeUri")):
        part = root.get(*place)
        if part is not None and _is_here(place, part):
            what = f"{shown('.'.join(place))} is {shown(part.text, 120)!r}, a file of this machine, which CloudFormation cannot read."
            remedy = "Name its place in S3; or let a tool upload it and deploy: `shipsafe deploy --via sam` prints the command."
            raise ConfigError(what, remedy=remedy, path=name, line=part.line)
    declared = _declared(root)
    return Sent(text=text, name=name, parameters=declared, capabilities=tuple(_capabilities(root)), coded=tuple(coded(root)),
                hanging=hanging(root, [one for one, said in declared.items() if said.hidden]))  # fmt: skip


def same_template(text: str, kept: Any, *, name: str) -> bool:
    """Whether CloudFormation keeps the very template that it was given, byte for byte or value for value.

    It keeps a question mark for every character beyond ASCII (so `cdk diff` puts them there, too): these are not compared. Where it keeps
    one as it is, it has to be ours: with U+2028 a line ends, and what stood in a comment stands there no more.

    Args:
        text: that it was given.
        kept: what it answers: a text, or what a JSON template holds.
        name: for messages.
    """
    if not isinstance(kept, str):  # botocore reads JSON by itself
        return _same_json(text, kept)
    ours = text if _UNSEEN.search(kept) else _UNSEEN.sub("?", text)
    try:
        return ours == kept or _value(ours, name) == _value(kept, name)
    except ConfigError:  # what it keeps is no template
        return False


def _same_json(text: str, kept: Any) -> bool:
    theirs = _sorted(kept)
    ours = text if _UNSEEN.search(theirs) else _UNSEEN.sub("?", text)
    try:
        return _sorted(json.loads(ours)) == theirs
    except ValueError:  # ours is no JSON
        return False


def _sorted(value: Any) -> str:
    """As text, in which `1` is not `true`, as it is to Python."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _value(text: str, name: str) -> Any:
    return read_written(text, name=name, json_only=False).value()


def _is_here(place: Path, part: Part) -> bool:
    if part.kind != "s" or part.tag or not part.text or "://" in part.text or "Metadata" in place[:-1]:
        return False
    return place[-1] != "ImageUri" or not _IMAGE.fullmatch(part.text)


def _includes(part: Part, path: Path) -> Iterator[Path]:
    """Where the location of an `AWS::Include` stands, outside of lists."""
    for key, value in part.fields().items():
        included = value.get("Name")
        if key in _TRANSFORMS and included and included.text == _INCLUDE:
            yield (*path, key, "Parameters", "Location")
        else:
            yield from _includes(value, (*path, key))


def _declared(root: Part) -> dict[str, Declared]:
    section = root.get("Parameters")
    found: dict[str, Declared] = {}
    for name, body in section.fields().items() if section else ():
        if name.startswith("Fn::"):
            continue
        hidden, default = body.get("NoEcho"), body.get("Default")
        found[name] = Declared(default=default.text if default else None, hidden=bool(hidden and hidden.text.lower() == "true"))
    return found


def _capabilities(root: Part) -> Iterator[str]:
    """What is acknowledged.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    A transform may make roles (SAM's makes one for each function that names none), so one needs both; a nested stack may hold anything.
    """
    resources = root.get("Resources")
    bodies = resources.fields().values() if resources else ()
    kinds = {kind.text for body in bodies if (kind := body.get("Type"))}
    own = [body for body in bodies if (kind := body.get("Type")) and kind.text.startswith("AWS::IAM::")]
    expands = bool(root.get("Transform")) or any(call in _TRANSFORMS for call in root.calls())
    nested = bool(kinds.intersection(_NESTED))
    if any(body.get("Properties", name) for body in own for name in _NAMES) or nested:
        yield _NAMED_IAM
    if own or expands or nested:
        yield _IAM
    if expands or nested:
        yield _AUTO_EXPAND
