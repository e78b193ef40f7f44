"""What a key of a policy is: of which kind its value, and in which direction it gets tighter. `keys.py` lists them all."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value may be."""

    TEXT = "text"
    TEXTS = "list of texts"
    TEXT_OR_TEXTS = "text, or list of texts"
    FLAG = "true or false"
    DATE = "date"
    AGE = "age"  # "7d", or "off"
    SPAN = "duration"  # "30s", "5m", "24h", "7d"
    THRESHOLD = "severity"  # "high", "high:fixable", "never"
    CHOICE = "one of"
    TEXT_TABLE = "table of texts"
    COUNT = "count"  # a whole number from 1
    EXTENDS = "preset or source"
    SOURCE = "source of advisories"


class Tighter(StrEnum):
    """In which direction a value gets tighter, where a base has fixed it."""

    SAME = "same"  # may not change at all
    SUBSET = "subset"
    SUPERSET = "superset"
    SHORTER = "shorter"
    LONGER = "longer"
    EARLIER = "earlier"
    LOWER = "lower"  # a threshold
    HIGHER = "higher"  # a count
    LAST_CHOICE = "last choice"  # choices are listed from loose to tight
    TRUE = "true"
    FALSE = "false"
    OFF = "off"  # may be switched off, and else not change


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: dotted path (`*` stands for each entry of a list of tables), kind, and a sentence for people."""

    path: str
    kind: Kind
    doc: str
    example: str
    choices: tuple[str, ...] = ()
    tighter: Tighter = Tighter.SAME
    needed: bool = False
