"""Version constraints in Poetry's grammar: `^1.2`, `~1.2`, `1.*`, `>=1,<2 || ^3`.

Source: https://python-poetry.org/docs/dependency-specification/.
"""

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_PART = re.compile(r"(\^|~=|~|===|==|!=|>=|<=|>|<|=)?\s*([0-9A-Za-z.*+!_-]+)")
_LONGEST = 500  # characters


def admits(constraint: str, version: str) -> bool:
    """Whether a version is one that the constraint means.

    Raises:
        ValueError: it is none that Poetry would read.
    """
    if len(constraint) > _LONGEST:
        raise ValueError(constraint[:40])
    return any(_all_admit(one, version) for one in re.split(r"\|\|?", constraint))


def _all_admit(constraint: str, version: str) -> bool:
    text = constraint.strip()
    if text in ("", "*"):
        return True
    parts = list(_PART.finditer(text))
    if re.sub(r"[\s,]", "", _PART.sub("", text)):
        raise ValueError(constraint)
    return all(_admits(part[1] or "==", part[2], version) for part in parts)


def _admits(operator: str, text: str, version: str) -> bool:
    if text == "*":
        return True
    try:
        match operator:
            case "^" | "~":
                lower = Version(text)
                return lower <= Version(version) < Version(_above(lower, caret=operator == "^"))
            case "=":
                operator = "=="
        return SpecifierSet(f"{operator}{text}").contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion) as error:
        raise ValueError(f"{operator}{text}") from error


def _above(lower: Version, *, caret: bool) -> str:
    """The first version that is too new. The caret keeps the first number that is not 0, the tilde the first two that are written."""
    release = lower.release
    last = len(release) - 1
    place = next((number for number, part in enumerate(release) if part), last) if caret else min(last, 1)
    return ".".join(str(part) for part in (*release[:place], release[place] + 1)) + ".dev0"
