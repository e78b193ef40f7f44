"""What AWS is asked while functions are looked at: each thing once for all of them, and not more often than Lambda takes.

A refusal is an error that everybody who asks the same thing gets; it is never taken for "there is none".
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from shipsafe.adapters.aws.brake import tags
from shipsafe.adapters.aws.code_signing import Configuration, find_configuration, functions_under, list_configurations
from shipsafe.adapters.aws.functions import (
    Alias,
    LayerVersion,
    Running,
    attached_configuration,
    find_alias,
    find_function,
    find_layer,
    list_aliases,
)
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import Job, Profile, describe_job, find_profile
from shipsafe.adapters.once import Once
from shipsafe.errors import ShipsafeError

Value = TypeVar("Value")

_RATE, _BURST = 12.0, 12  # of the 15 calls a second that all users of the account share
_FUNCTIONS = 80.0  # of the 100 calls of GetFunction
_METRICS, _METRICS_BURST = 8.0, 8  # of the 9 calls of DescribeAlarms, which CloudWatch counts apart from the 50 of GetMetricData
_LATELY = 20.0  # seconds


@dataclass(slots=True)
class Looks:
    """An account and Region, looked at. May be used by many threads; what was refused once is not asked again.

    Every method raises IncompleteError where AWS refused or gave no answer. `metrics` is the pace of CloudWatch, for who asks it.
    """

    aws: Aws
    pace: Pace
    functions: Pace
    metrics: Pace
    _known: Once[tuple[str, ...], Any] = field(default_factory=Once)
    _lately: Once[tuple[str, ...], Any] = field(default_factory=Once)  # of all that came of `again`
    _anew: bool = False

    def again(self) -> "Looks":
        """Looks that believe nothing of these.

        Functions share code-signing configurations, and everybody would list all functions of one: so what is told of a configuration
        counts for up to 20 seconds for all looks that come from here.
        """
        return replace(self, _known=Once(), _anew=True)

    def function(self, name: str, qualifier: str) -> Running | None:
        """What a version or alias runs. It has a quota of its own."""
        return self._paced(("function", name, qualifier), lambda: find_function(self.aws, name, qualifier), self.functions)

    def alias(self, name: str, alias: str) -> Alias | None:
        """Where an alias leads."""
        return self._paced(("alias", name, alias), lambda: find_alias(self.aws, name, alias))

    def aliases(self, name: str) -> tuple[Alias, ...]:
        """All aliases of a function."""
        return self._paced(("aliases", name), lambda: list_aliases(self.aws, name))

    def attached(self, name: str) -> str | None:
        """The ARN of a function's code-signing configuration."""
        return self._paced(("attached", name), lambda: attached_configuration(self.aws, name))

    def tags(self, name: str) -> dict[str, str]:
        """The tags of a function."""
        return self._paced(("tags", name), lambda: tags(self.aws, self.aws.function_arn(name)))

    def configurations(self) -> tuple[Configuration, ...]:
        """All code-signing configurations."""
        return self._paced(("configurations",), lambda: list_configurations(self.aws))

    def configuration(self, arn: str) -> Configuration | None:
        """A code-signing configuration."""
        return self._of_many(("configuration", arn), lambda: find_configuration(self.aws, arn))

    def sharers(self, arn: str) -> tuple[str, ...]:
        """ARNs of the functions that a code-signing configuration is attached to."""
        return self._of_many(("sharers", arn), lambda: functions_under(self.aws, arn))

    def layer(self, arn: str) -> LayerVersion | None:
        """A version of a layer."""
        return self._paced(("layer", arn), lambda: find_layer(self.aws, arn))

    def job(self, job: str) -> Job | None:
        """A signing job of this account."""
        return self._once(("job", job), lambda: describe_job(self.aws, job))

    def profile(self, name: str, owner: str | None) -> Profile | None:
        """A signing profile; `owner` is its account where that is another."""
        return self._once(("profile", name, owner or ""), lambda: find_profile(self.aws, name, owner))

    def _of_many(self, key: tuple[str, ...], look: Callable[[], Value]) -> Value:
        if not self._anew:
            return self._paced(key, look)
        lately = (*key, f"{self.pace.clock() // _LATELY}")
        found: Value = self._once(key, lambda: self._lately.get(lately, lambda: _in_turn(look, self.pace)))  # a refusal is nobody else's
        return found

    def _paced(self, key: tuple[str, ...], look: Callable[[], Value], pace: Pace | None = None) -> Value:
        return self._once(key, lambda: _in_turn(look, pace or self.pace))

    def _once(self, key: tuple[str, ...], look: Callable[[], Value]) -> Value:
        value, error = self._known.get(key, lambda: _answer(look))
        if error is not None:
            raise error
        found: Value = value
        return found


def _in_turn(look: Callable[[], Value], pace: Pace) -> Value:
    pace.turn()
    return look()


def _answer(look: Callable[[], Value]) -> tuple[Value | None, ShipsafeError | None]:
    try:
        return look(), None
    except ShipsafeError as error:
        return None, error


def open_looks(aws: Aws, clock: Callable[[], float], sleep: Callable[[float], None]) -> Looks:
    """Looks at an account and Region, at the pace that Lambda takes."""
    return Looks(aws, pace=Pace(_RATE, _BURST, clock, sleep), functions=Pace(_FUNCTIONS, int(_FUNCTIONS), clock, sleep),
                 metrics=Pace(_METRICS, _METRICS_BURST, clock, sleep))  # fmt: skip
