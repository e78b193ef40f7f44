"""What functions and layers of a plan are called: their addresses without what all of them share.

    aws_lambda_function.create                           create
    module.api["eu"].aws_lambda_function.create[0]       api.eu.create.0

Two that would be called the same keep the type, and at last a part of a digest: names become names of files.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from shipsafe.readers.plan.document import Planned

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,139}")
_DOUBTFUL = re.compile(r"[^A-Za-z0-9_-]+")


def names(resources: Sequence[Planned]) -> Mapping[str, str]:
    """Address -> name."""
    ways = [{one.address: way(one) for one in resources} for way in (_short, _long, _longest)]
    taken = [Counter(name.casefold() for name in way.values()) for way in ways]
    found: dict[str, str] = {}
    for one in resources:
        usable = (way[one.address] for way, count in zip(ways, taken, strict=True)
                  if count[way[one.address].casefold()] == 1 and _NAME.fullmatch(way[one.address]))  # fmt: skip
        found[one.address] = next(usable, _digest(one))
    return found


def _short(one: Planned) -> str:
    return _joined([*_modules(one), one.name, _key(one)])


def _long(one: Planned) -> str:
    return _joined([*_modules(one), one.type, one.name, _key(one)])


def _longest(one: Planned) -> str:
    return f"{_long(one)[:120].rstrip('.')}-{_digest(one)}"


def _digest(one: Planned) -> str:
    return hashlib.sha256(one.address.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _modules(one: Planned) -> list[str]:
    return [part for name, key in one.modules for part in (name, "" if key is None else str(key))]


def _key(one: Planned) -> str:
    return "" if one.key is None else str(one.key)


def _joined(parts: list[str]) -> str:
    return ".".join(clean for part in parts if (clean := _DOUBTFUL.sub("-", part).strip("-_.")))
