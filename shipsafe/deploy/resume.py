"""What an earlier deployment has left half-way, and what whoever comes next makes of it: goes on with it, takes it back, or begins anew.

Tags lock nothing and may be anybody's: they are believed only as far as where the alias stands bears them out. An alias of which a part of
the calls goes to the version of the marks is on its way; taking that part back asks nobody's word, for most calls go to the other version
anyway. Where all calls go to the version of the marks already, going back would rest on the tags alone: nobody is taken there unseen.
Should the other process still be alive, its next change is refused by RevisionId, and it says so.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from shipsafe.adapters.aws.functions import Alias
from shipsafe.deploy.marks import Marks


class Resumption(StrEnum):
    """What is to be done about it."""

    FRESH = "fresh"  # nothing was left, or nothing that has to be undone
    FINISH = "finish"  # the same release: where the alias led before is what the marks say
    TAKE_BACK = "take-back"  # a part of the calls goes to a version that is not wanted


def believed(earlier: Marks | None, aliases: Sequence[Alias]) -> Marks | None:
    """What was left half-way, as far as the alias bears it out: of one that is on its way the shares that it had before are not known.

    Who takes a part of the calls back leads them to where the other calls go, and never to a version that the tags alone name.
    """
    if earlier is None or earlier.settled:
        return None
    now = next((one for one in aliases if one.name == earlier.before.alias), None)
    if on_its_way(earlier, now) and not earlier.before.leads(now):
        return replace(earlier, before=replace(earlier.before, weights={}))
    return earlier


def resumption(earlier: Marks | None, *, release: str, alias: str, aliases: Sequence[Alias]) -> Resumption:
    """What is to be done before a release goes live.

    Args:
        earlier: what the tags say, None for nothing.
        release: hex SHA-256 of the unsigned zip that is wanted.
        alias: that is to lead to it, "" for none.
        aliases: of the function, as they are.
    """
    if earlier is None or earlier.settled:
        return Resumption.FRESH
    before = earlier.before
    now = next((one for one in aliases if one.name == before.alias), None)
    stands = on_its_way(earlier, now)
    if earlier.release == release and before.alias == alias and (stands or before.leads(now) or arrived(earlier, now)):
        return Resumption.FINISH
    return Resumption.TAKE_BACK if stands else Resumption.FRESH


def on_its_way(marks: Marks, now: Alias | None) -> bool:
    """Whether a part of an alias's calls goes to the version of the marks, and the rest where all went before."""
    return bool(marks.version) and now is not None and now.version == marks.before.version and set(now.weights) == {marks.version}


def arrived(marks: Marks, now: Alias | None) -> bool:
    """Whether all calls of an alias go to the version of the marks."""
    return bool(marks.version) and now is not None and now.version == marks.version and not now.weights
