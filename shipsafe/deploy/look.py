"""What there is of a function before anything is changed: `$LATEST`, its published versions and its aliases, in three calls."""

from collections.abc import Sequence
from dataclasses import dataclass

from shipsafe.adapters.aws.deploying import Whole, list_every_version
from shipsafe.adapters.aws.functions import LATEST, Alias, Running, list_aliases
from shipsafe.deploy.settle import settled_whole
from shipsafe.deploy.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A function as it is. `versions` are those that Lambda lists: `$LATEST`, and the published ones."""

    whole: Whole
    versions: tuple[Running, ...] = ()
    aliases: tuple[Alias, ...] = ()

    @property
    def latest(self) -> Running:
        """`$LATEST`."""
        return self.whole.latest

    def alias(self, name: str) -> Alias | None:
        """The alias of that name; None where there is none."""
        return next((one for one in self.aliases if one.name == name), None)


def look(work: Work, name: str) -> Live | None:
    """A function once nothing of it is being changed; None where there is none.

    Raises:
        IncompleteError: Lambda refused or gave no answer, or a change of it does not end.
    """
    whole = settled_whole(work, name)
    if whole is None:
        return None
    versions = work.look(lambda: list_every_version(work.aws, name))
    return Live(whole=whole, versions=versions, aliases=work.look(lambda: list_aliases(work.aws, name)))


def same_as(latest: Running, versions: Sequence[Running]) -> Running | None:
    """The newest published version that is exactly `$LATEST`: its code, its signature and its configuration; None where none is.

    Args:
        latest: `$LATEST`, as GetFunction tells of it.
        versions: as Lambda lists them. What a list leaves out it leaves out of `$LATEST`, too: that one is what they are held against.
    """
    listed = next((one for one in versions if one.version == LATEST and one.code_sha256 == latest.code_sha256), latest)
    alike = [
        one
        for one in versions
        if (one.code_sha256, one.job, one.settings) == (listed.code_sha256, listed.job, listed.settings) and one.version.isdigit()
    ]
    return max(alike, key=lambda one: int(one.version), default=None)
