"""Code-signing enforcement as desired state: what the policy wants of which functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


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
