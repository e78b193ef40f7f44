"""Lines, tables and sections: what the screen is laid out in, before it is plain text or coloured."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How a word is meant; a terminal gives it a colour."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    WORST = "worst"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line. Its text is clean. In a table what wraps stands `hang` columns further in, below its words."""

    text: str
    tone: Tone = Tone.PLAIN
    hang: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `indent` columns stand before it, and before what wraps."""

    spans: tuple[Span, ...]
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the first row is its head. `folds`: where the screen is narrow, words of the last column are broken (they are digests)."""

    rows: tuple[tuple[Span, ...], ...]
    folds: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks that belong together; an empty line stands between sections."""

    blocks: tuple[Line | Grid, ...]
