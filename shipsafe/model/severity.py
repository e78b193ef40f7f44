"""How bad a finding is; `unscored` is a level of its own, because "nobody rated it" is not "harmless"."""

from enum import StrEnum


class Severity(StrEnum):
    """A level; `rank` orders them, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNSCORED = "unscored"

    @property
    def rank(self) -> int:
        """0 for critical to 4 for unscored: sort by it to show the worst first."""
        return _ORDER.index(self)

    def at_least(self, threshold: "Severity") -> bool:
        """Whether this level reaches the threshold. Unscored reaches only unscored: the policy decides about it apart."""
        if self is Severity.UNSCORED or threshold is Severity.UNSCORED:
            return self is threshold
        return self.rank <= threshold.rank


_ORDER = tuple(Severity)
