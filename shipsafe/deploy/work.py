"""What every step of a deployment works with: an account and Region, time and pace, and the moment at which it has to be over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy.patience import patiently
from shipsafe.deploy.shifting import Hands
from shipsafe.errors import RolledBackError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One function's deployment, while it goes on.

    Attributes:
        aws: where.
        hands: time, who listens, and the pace of every call but GetFunction, which has `functions`. Both are shared with all that goes
            on there.
        until: UTC; from then on nothing is tried again.
    """

    aws: Aws
    hands: Hands
    functions: Pace
    until: datetime

    @property
    def over(self) -> bool:
        """Whether its time is over."""
        return self.hands.now() >= self.until

    def check(self) -> None:
        """To be called between steps.

        Raises:
            RolledBackError: somebody interrupted.
        """
        if said := self.hands.interrupted():
            raise RolledBackError(f"It was interrupted ({said}).", remedy="Run it again, when it may go on.")

    def look(self, call: Callable[[], Value]) -> Value:
        """Look at something in its turn, and again while nobody answers and there is time.

        Raises:
            ShipsafeError: it was refused, or could not be looked at in time.
        """

        def in_turn() -> Value:
            self.hands.pace.turn()
            return call()

        return self.again(in_turn)

    def again(self, call: Callable[[], Value]) -> Value:
        """Make a call that may be made twice, and that takes its own turn, until it goes well or the time is over.

        Raises:
            ShipsafeError: it was refused, or there was no answer in time.
        """
        return patiently(call, self.hands, self.until)
