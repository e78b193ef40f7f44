"""One thing on the AWS side, how it was found, and what would make it right."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from shipsafe.errors import ExitCode


class State(StrEnum):
    """How a thing was found. `note`: worth knowing, nothing to do. `unknown`: could not look, which is never `ok`."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"
    UNKNOWN = "unknown"
    WRONG = "wrong"


_CODES = {State.MISSING: ExitCode.INCOMPLETE, State.UNKNOWN: ExitCode.INCOMPLETE, State.WRONG: ExitCode.INTEGRITY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One change, for a person to read, and the call that makes it. A call whose effect is there already changes nothing."""

    what: str
    why: str
    act: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.what} ({self.why})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look.

    Attributes:
        targets: names of the targets it is about; empty for what is about the account.
        about: the thing: `bucket`, `versioning`, `profile`, `code-signing configuration` ...
        says: what was found, one sentence or less.
        remedy: what to do, or "".
        mends: what `bootstrap` does about it, in order; empty where it does nothing.
        stops: `bootstrap` changes nothing at all while it is so.
    """

    targets: tuple[str, ...]
    about: str
    state: State
    says: str
    remedy: str = ""
    mends: tuple[Mend, ...] = ()
    stops: bool = False

    @property
    def code(self) -> ExitCode:
        """How a run ends that finds this and leaves it."""
        return _CODES.get(self.state, ExitCode.PASS)
