"""The changes that `enforce` makes, one class each, and how a person reads them: a `Step` with its API, parameters and reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.adapters.aws.code_signing import Configuration
from shipsafe.enforce.readiness import WARNED
from shipsafe.model.deployment import Step
from shipsafe.model.enforcement import Enforcing

MADE = "(the one made before)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """Create a configuration."""

    mode: Enforcing
    description: str
    publishers: tuple[str, ...]

    @property
    def step(self) -> Step:
        """For people."""
        why = (
            "Lambda is to refuse what none of them has signed"
            if self.mode is Enforcing.ENFORCE
            else "Lambda is to count what it would refuse"
        )
        parameters = {"Description": self.description, "AllowedPublishers": self.publishers, "UntrustedArtifactOnDeployment": self.mode.aws}
        return Step(api="lambda:CreateCodeSigningConfig", parameters=parameters, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alter:
    """Change a configuration; `seen` is as the plan saw it. `description`: None for the one that it has."""

    seen: Configuration
    mode: Enforcing
    publishers: tuple[str, ...]
    description: str | None = None

    @property
    def step(self) -> Step:
        """For people."""
        added, gone = sorted({*self.publishers} - {*self.seen.publishers}), sorted({*self.seen.publishers} - {*self.publishers})
        parts = [f"let in {one}" for one in added] + [f"no longer let in {one}" for one in gone]
        parts += [f"{self.mode.aws} instead of {self.seen.policy or 'nothing'}"] if self.seen.policy != self.mode.aws else []
        parameters = {"CodeSigningConfigArn": self.seen.arn, "AllowedPublishers": self.publishers,
                      "UntrustedArtifactOnDeployment": self.mode.aws}  # fmt: skip
        return Step(api="lambda:UpdateCodeSigningConfig", parameters=parameters, why="; ".join(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Attach a configuration to a function. `before`: the ARN of the one that the plan saw, or None; `to`: None for the one made before."""

    function: str
    mode: Enforcing
    before: str | None
    to: str | None
    why: str

    @property
    def step(self) -> Step:
        """For people."""
        parameters = {"FunctionName": self.function, "CodeSigningConfigArn": self.to or MADE}
        return Step(api="lambda:PutFunctionCodeSigningConfig", parameters=parameters, why=self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Write tags of a function (its ARN), or remove `WARNED` where there are none."""

    function: str
    tags: Mapping[str, str]

    @property
    def step(self) -> Step:
        """For people."""
        parameters: dict[str, Any] = {"Resource": self.function}
        if self.tags:
            why = "any later run sees since when Lambda warns"
            return Step(api="lambda:TagResource", parameters=parameters | {"Tags": dict(self.tags)}, why=why)
        return Step(api="lambda:UntagResource", parameters=parameters | {"TagKeys": [WARNED]}, why="it enforces now")


Change = Make | Alter | Attach | Mark
