"""Text from parts, some of which may not be known; and what CloudFormation replaces in text at deployment."""

import re
from collections.abc import Iterable

from shipsafe.adapters.shown import shown
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.values import Absent, Pointer, Text, Unknown, Value

HOLE = re.compile(r"\$\{([^{}]*)\}")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
_DYNAMIC = re.compile(r"\{\{resolve:(ssm-secure|ssm|secretsmanager):([^{}]*)\}\}")


def checked(text: Text) -> Text | Unknown:
    """The text, unless CloudFormation replaces a part of it at deployment (`{{resolve:ssm:NAME}}`)."""
    if "{{resolve:" not in text.text or not (found := _DYNAMIC.search(text.text)):
        return text
    service, reference = found.groups()
    # ssm:NAME:VERSION is fixed for good. A secret changes in place, whatever its version stage says.
    if service != "secretsmanager" and re.search(r":[0-9]+$", reference):
        return Unknown(reason=f"{service} parameter {shown(reference)} is not in the template", partial=text.text)
    what = "a secret" if service == "secretsmanager" else f"{service} parameter {shown(reference)} without a version"
    return Unknown(reason=f"{what} is read at deployment", changeable=f"{what} is read anew at every deployment", partial=text.text)


def concatenate(parts: Iterable[tuple[str, Value]], budget: Budget) -> Value:
    """Text from parts; each comes with what to show where its value is a hole. One part alone keeps what it is."""
    known = list(parts)
    if len(known) == 1:
        alone = known[0][1]
        return checked(alone) if isinstance(alone, Text) else alone
    texts: list[str] = []
    holes: list[Unknown] = []
    symbolic = secret = False
    for mark, value in known:
        match value:
            case Text():
                texts.append(value.text)
                symbolic, secret = symbolic or value.symbolic, secret or value.secret
            case Absent():
                continue
            case Unknown():
                holes.append(value)
                texts.append(value.partial or mark)
            case Pointer():
                holes.append(Unknown(reason=value.reason))
                texts.append(mark)
            case _:
                return Unknown(reason=f"{mark} is a list or a mapping where text is needed")
        budget.spend_text(len(texts[-1]))
    text = "".join(texts)
    if holes:
        changeable = next((hole.changeable for hole in holes if hole.changeable), "")
        return Unknown(reason=holes[0].reason, changeable=changeable, partial="" if secret else text)
    return checked(Text(text=text, symbolic=symbolic, secret=secret))


def plain(value: Value) -> Text | Unknown:
    """The text when nothing about it is open; else why not."""
    match value:
        case Text(symbolic=True):
            name = next(iter(HOLE.findall(value.text)), "a pseudo parameter")
            return Unknown(reason=f"it depends on {name}, which has no value here")
        case Text() | Unknown():
            return value
        case Pointer():
            return Unknown(reason=value.reason)
        case Absent():
            return Unknown(reason="it has no value")
        case _:
            return Unknown(reason="it is a list or a mapping where text is needed")
