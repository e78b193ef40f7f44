"""Functions and layers of a template as CloudFormation will make them, whatever their conditions: which take a zip, and who may change it.

    [one.logical_id for one in coded(root) if one.is_zip]
    {one.logical_id: one.configuration for one in coded(root) if one.is_function}

A condition is not asked: it may hang on a value that only the stack knows (a parameter with NoEcho).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from shipsafe.signing.rewrite.template import CODED, FUNCTIONS, NEVER_SIGNED, kind_of, setting
from shipsafe.signing.rewrite.written import Part

_CONFIGURATION = "CodeSigningConfigArn"
_NOTHING = "AWS::NoValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """One function or layer.

    Attributes:
        logical_id: of its resource. line: where that stands.
        is_function: no layer. is_zip: it takes a zip, and is no container image.
        configuration: the ARN of its code-signing configuration as it is written; None for an expression that comes to one; "" where it
            has none, or may have none.
    """

    logical_id: str
    line: int
    is_function: bool
    is_zip: bool
    configuration: str | None


def coded(root: Part) -> Iterator[Coded]:
    """Every function and layer of a template, in its order.

    Args:
        root: of the template.
    """
    resources = root.get("Resources")
    for logical_id, body in resources.fields().items() if resources else ():
        kind = kind_of(body)
        if kind not in (*CODED, *NEVER_SIGNED):
            continue
        package = setting(root, body, "PackageType")
        yield Coded(
            logical_id=logical_id, line=body.line, is_function=kind in (*FUNCTIONS, *NEVER_SIGNED),
            is_zip=not (package and package.call is None and package.text == "Image"),
            configuration=_configuration(setting(root, body, _CONFIGURATION)),
        )  # fmt: skip


def hanging(root: Part, parameters: Collection[str]) -> dict[str, str]:
    """Those of the parameters on whose value something of a function or layer hangs, through the condition that is given.

    Args:
        root: of the template.
        parameters: names.
    """
    section, resources = root.get("Conditions"), root.get("Resources")
    bodies = [body for body in (resources.fields().values() if resources else ()) if kind_of(body) in (*CODED, *NEVER_SIGNED)]
    used = {text for body in (*bodies, root.get("Globals")) if body for text in body.texts()}
    conditions = {name: set(body.texts()) for name, body in section.fields().items()} if section else {}
    found: dict[str, str] = {}
    for parameter in parameters:
        told = {name for name, texts in conditions.items() if any(text == parameter or f"${{{parameter}}}" in text for text in texts)}
        while more := {name for name, texts in conditions.items() if texts & told} - told:
            told |= more
        if decisive := sorted(told & used):
            found[parameter] = decisive[0]
    return found


def _configuration(part: Part | None) -> str | None:
    if part is None or _NOTHING in set(part.texts()):
        return ""
    return part.text if part.kind == "s" and not part.call else None
