"""A place where a project's functions can be described."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipsafe.model.policy import Policy
from shipsafe.model.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One such place; exactly one of them describes a project.

    Attributes:
        claims: what in the folder or file describes functions (`template.yaml`, `[[functions]]`), or None when nothing does.
        read: reads them; the mapping holds `--parameter-overrides`.
        gives_way: it claims any file, so another reader that knows the file comes first.
        before: what to run first in a folder that it would claim afterwards (`cdk synth`), or None.
    """

    id: str
    summary: str
    claims: Callable[[Path, Policy], str | None]
    read: Callable[[Path, Policy, Mapping[str, str]], Project]
    gives_way: bool = False
    before: Callable[[Path], str | None] | None = None
