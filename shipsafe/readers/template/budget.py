"""How much work one project may cause: a small template can describe a very large computation."""

from shipsafe.errors import ConfigError

_UNITS = 2_000_000  # values composed, expressions evaluated, and text made; a template of 1 MB needs about 100,000
_DEPTH = 50  # expressions inside expressions, through conditions and nested stacks; far below what Python itself can take
_CHARACTERS_A_UNIT = 64


class Budget:
    """The work that is left for one project, and how deep the evaluation stands. One per `read_project`.

    `path` is the project's template, for messages.
    """

    __slots__ = ("_depth", "_left", "_path")

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._left = _UNITS
        self._depth = 0

    def spend(self, units: int = 1) -> None:
        """Count some work.

        Raises:
            ConfigError: more has been spent than any template that CloudFormation takes can need.
        """
        self._left -= units
        if self._left < 0:
            raise ConfigError(
                "The template's expressions expand to more than shipsafe works through.",
                remedy="Take out repeated aliases, or split the template.",
                path=self._path,
            )

    def spend_text(self, characters: int) -> None:
        """Count text that is about to be made, before it is made."""
        self.spend(1 + characters // _CHARACTERS_A_UNIT)

    def enter(self) -> None:
        """Go one expression deeper; `leave` undoes it.

        Raises:
            ConfigError: the expressions are nested too deep.
        """
        if self._depth >= _DEPTH:
            raise ConfigError(
                f"The template's expressions are nested more than {_DEPTH} deep.",
                remedy="Write them flatter, or give the parameters they depend on a value.",
                path=self._path,
            )
        self._depth += 1

    def leave(self) -> None:
        """Come back from an expression."""
        self._depth -= 1
