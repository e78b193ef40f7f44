"""What a change allowed, and who agreed: of each commit that brought a waiver, a VEX statement or an entry of the baseline."""

from dataclasses import dataclass
from enum import StrEnum


class Agreed(StrEnum):
    """Whether somebody other than its author agreed to a change."""

    APPROVED = "approved"
    REFUSED = "refused"  # somebody looked, and nobody whose word counts has agreed
    UNANSWERED = "unanswered"  # nobody could look


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A commit that brought something which lets findings pass.

    Attributes:
        commit: its id, as hex.
        brought: what, for people: `layers/unpinned for function:Pay (waiver in shipsafe.toml)`.
        agreed: whether it was approved. reason: why not; "" where it was.
        pull: the number of its pull request, 0 where it has none.
        authors: whose change it is. approved_by: who agreed, none of them among the authors.
    """

    commit: str
    brought: tuple[str, ...]
    agreed: Agreed
    reason: str = ""
    pull: int = 0
    authors: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = "; ".join(self.brought)
        where = f"#{self.pull}" if self.pull else self.commit[:12]
        if self.agreed is Agreed.APPROVED:
            return f"{named}: {where} by {', '.join(self.authors)}, approved by {', '.join(self.approved_by)}"
        return f"{named}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Who agreed to everything that a policy allows.

    Attributes:
        source: who was asked: `github`, or the name of another system.
        repository: `acme/orders`, "" where nobody says.
        commit: whose policy it is, as hex.
        since: the commit (hex) of which everything that it allowed is taken as agreed to; "" for none.
        allowances: `sha256:...` over everything that the policy allows (`policy/allowances.py`): what was asked about.
        changes: those that brought it, the newest first.
    """

    source: str
    commit: str
    allowances: str
    repository: str = ""
    since: str = ""
    changes: tuple[Change, ...] = ()

    def of(self, agreed: Agreed) -> tuple[Change, ...]:
        """The changes with that answer."""
        return tuple(one for one in self.changes if one.agreed is agreed)
