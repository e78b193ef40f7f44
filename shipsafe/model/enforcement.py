"""Code-signing enforcement as desired state: what the policy wants of which functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase


class Enforcing(StrEnum):
    """`UntrustedArtifactOnDeployment` of a code-signing configuration, as the policy spells it."""

    WARN = "warn"
    ENFORCE = "enforce"

    @property
    def aws(self) -> str:
        """As Lambda spells it."""
        return self.value.capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """An `[[enforce.ring]]`: functions that get to Enforce together. A function belongs to the first ring that fits all it names.

    `functions` are patterns of names; `tags` must all be there; `accounts` are twelve digits each; empty: any.
    """

    name: str
    functions: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    mode: Enforcing = Enforcing.ENFORCE

    def may_have(self, name: str) -> bool:
        """Whether a function of that name could belong to it, before anybody has read its tags."""
        return not self.functions or any(fnmatchcase(name, pattern) for pattern in self.functions)

    def has(self, name: str, account: str, tags: Mapping[str, str]) -> bool:
        """Whether a function belongs to it."""
        here = not self.accounts or account in self.accounts
        return here and self.may_have(name) and all(tags.get(key) == value for key, value in self.tags.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcePolicy:
    """What the policy wants.

    Attributes:
        mode: of functions that no ring has.
        rings: in their order.
        quiet: how long Warn must have seen no `SignatureValidationErrors` before Enforce.
        configuration: ARN of the code-signing configuration to use, None for the one that shipsafe finds or makes.
        role: ARN of the role that may change configurations and signing profiles, for `--guardrails`; None for nobody.
    """

    mode: Enforcing = Enforcing.ENFORCE
    rings: tuple[Ring, ...] = ()
    quiet: timedelta = timedelta(days=7)
    configuration: str | None = None
    role: str | None = None

    def ring_of(self, name: str, account: str, tags: Mapping[str, str]) -> Ring | None:
        """The first ring that a function belongs to; None where it belongs to none."""
        return next((ring for ring in self.rings if ring.has(name, account, tags)), None)

    def may_have(self, name: str) -> bool:
        """Whether some ring could have a function of that name."""
        return any(ring.may_have(name) for ring in self.rings)

    def ring_for(self, name: str, account: str, tags: Callable[[], Mapping[str, str]]) -> Ring | None:
        """As `ring_of`; the tags are asked for only where a ring could have the function because of them."""
        known = tags() if any(ring.tags and ring.may_have(name) for ring in self.rings) else {}
        return self.ring_of(name, account, known)

    def mode_of(self, name: str, account: str, tags: Callable[[], Mapping[str, str]]) -> Enforcing:
        """What is wanted of a function; its tags are asked for as `ring_for` does."""
        ring = self.ring_for(name, account, tags)
        return self.mode if ring is None else ring.mode
