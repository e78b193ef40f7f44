"""One base error, one kind per exit code; every message says what happened, to what, and what to do next.

Nothing else in shipsafe decides how a process ends: an error carries its exit code, a verdict carries its own, and
`shipsafe.__main__` is the only place that leaves with one. The table is in docs/exit-codes.md.

    >>> str(ConfigError("Unknown key `requird`.", remedy="Did you mean `required`?", path="shipsafe.toml", line=3))
    'shipsafe.toml:3: Unknown key `requird`. Did you mean `required`?'
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """How a run ended. Precedence where several hold: 5 > 6 > 4 > 1; 2 and 3 end a run before anything is asked."""

    PASS = 0
    FINDINGS = 1
    USAGE = 2
    NOTHING = 3
    INCOMPLETE = 4
    INTEGRITY = 5
    ROLLED_BACK = 6
    INTERRUPTED = 130
    TERMINATED = 143


_GRAVITY = (
    ExitCode.PASS,
    ExitCode.FINDINGS,
    ExitCode.INCOMPLETE,
    ExitCode.ROLLED_BACK,
    ExitCode.INTEGRITY,
    ExitCode.NOTHING,
    ExitCode.USAGE,
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
)


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """The code that says most where several hold: an end by a signal, 2 and 3 first, then 5 > 6 > 4 > 1; 0 where there is none.

    >>> gravest([ExitCode.ROLLED_BACK, ExitCode.INTEGRITY])
    <ExitCode.INTEGRITY: 5>
    """
    return max(codes, key=_GRAVITY.index, default=ExitCode.PASS)


class ShipsafeError(Exception):
    """What a user can be told: `what` happened and to what, and the `remedy`.

    Attributes:
        what: one or two sentences, ending with a full stop.
        remedy: what to do next, one sentence.
        path: the file it is about, as the user knows it (relative where possible), or None.
        line: from 1, or None.
        column: from 1, or None.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INCOMPLETE

    def __init__(self, what: str, *, remedy: str = "", path: str | None = None, line: int | None = None, column: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.path = path
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        text = f"{self.what} {self.remedy}".strip()
        return f"{place}: {text}" if place else text


class ConfigError(ShipsafeError):
    """The command line, the policy, a waiver or the template cannot be used as it is (exit 2)."""

    exit_code = ExitCode.USAGE


class NothingError(ShipsafeError):
    """There is nothing to examine (exit 3)."""

    exit_code = ExitCode.NOTHING


class FindingsError(ShipsafeError):
    """Nothing was tampered with, and today's policy does not allow it (exit 1)."""

    exit_code = ExitCode.FINDINGS


class IncompleteError(ShipsafeError):
    """Something could not be looked at or done: a feed, a tool, the disk, one function's input (exit 4)."""

    exit_code = ExitCode.INCOMPLETE


class IntegrityError(ShipsafeError):
    """A digest is not what it should be (exit 5)."""

    exit_code = ExitCode.INTEGRITY


class RolledBackError(ShipsafeError):
    """A deployment was stopped, and what callers reach is what it was before (exit 6)."""

    exit_code = ExitCode.ROLLED_BACK
