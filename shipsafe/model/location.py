"""Where to look, never what it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Location:
    """A place in a file of the project.

    `path` is POSIX and relative to the project root (or absolute where the file lies outside it); `line` and `column`
    count from 1 and are None where the whole file is meant.
    """

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path}:{self.line}"
