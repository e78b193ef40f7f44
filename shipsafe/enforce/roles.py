"""The two configurations of a place, one that enforces and one that warns: which they are, and how far each may be changed.

The one that the policy names, or one that shipsafe made and finds by its description. Whoever is under a configuration is concerned by its
change: it is narrowed only where everybody under it was looked at and would still be let in, and not at all where strangers share it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shipsafe.adapters.aws.code_signing import ENFORCE, Configuration
from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.adapters.aws.looks import Looks
from shipsafe.enforce.changes import Alter
from shipsafe.enforce.look import Standing, strangers_under
from shipsafe.enforce.wanted import Wanted
from shipsafe.errors import ConfigError
from shipsafe.model.enforcement import Enforcing

_SHOWN = 5  # names in a sentence


class Goal(StrEnum):
    """What a function is to have once the plan is carried out."""

    ENFORCE = "enforce"
    WARN = "warn"
    AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A function as it was looked at: its ring ("" for none), what is wanted of it, and its tags; None where they could not be read."""

    standing: Standing
    ring: str
    mode: Enforcing
    tags: Mapping[str, str] | None

    @property
    def name(self) -> str:
        """Of the function."""
        return self.standing.name


@dataclass(slots=True, kw_only=True)
class Role:
    """The configuration that functions get that are to enforce, or to warn.

    Attributes:
        mode: which of the two.
        one: as it is there, None where it has to be made.
        alter: how it is changed, None for not at all.
        blocked: why it cannot be made as it should be, as a sentence. usable: whether functions may come under it all the same.
    """

    mode: Enforcing
    one: Configuration | None
    alter: Alter | None = None
    blocked: str = ""
    usable: bool = True


def roles_at(looks: Looks, wanted: Wanted) -> dict[Enforcing, Role]:
    """Both, the one that warns first.

    Raises:
        ConfigError: there is no configuration of the ARN that the policy names.
        IncompleteError: Lambda refused or gave no answer.
    """
    return {mode: Role(mode=mode, one=_chosen(looks, wanted, mode)) for mode in (Enforcing.WARN, Enforcing.ENFORCE)}


def _chosen(looks: Looks, wanted: Wanted, mode: Enforcing) -> Configuration | None:
    """The one that the policy names; else one of those that shipsafe made: as it should be before others, then always the same.

    One that warned, and that somebody has set to Enforce since, is left as it is.
    """
    if mode is Enforcing.ENFORCE and wanted.named is not None:
        named = looks.configuration(wanted.named)
        if named is None:
            remedy = "Correct it in the policy; without the key, `shipsafe enforce` finds or makes one."
            raise ConfigError(f"There is no {wanted.named}.", remedy=remedy)
        return named
    made = [one for one in looks.configurations() if one.description == wanted.description(mode)]
    made = [one for one in made if mode is Enforcing.ENFORCE or one.policy != ENFORCE]
    return min(made, key=lambda one: (not is_right(one, wanted, mode), one.arn), default=None)


def is_right(one: Configuration, wanted: Wanted, mode: Enforcing) -> bool:
    """Whether a configuration says what is wanted."""
    return one.policy == mode.aws and {*one.publishers} == {*wanted.publishers}


def shape(
    looks: Looks, wanted: Wanted, role: Role, cases: Iterable[Case], goals: Mapping[str, Goal], known: Callable[[str], bool]
) -> None:  # fmt: skip
    """Say how the configuration of a role is to be altered, or why it cannot be.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    one = role.one
    if one is None or is_right(one, wanted, role.mode):
        return
    here = {case.name: case for case in cases}
    under = sorted({FunctionName.parse(arn).name for arn in looks.sharers(one.arn)})
    staying = [name for name in under if name not in here or goals[name] in (Goal.AS_IT_IS, role.mode.value)]
    unasked = [name for name in staying if name not in here or not here[name].standing.known]
    gone = {*one.publishers} - {*wanted.publishers}
    stricter = role.mode is Enforcing.ENFORCE and one.policy != ENFORCE
    role.blocked = _blocked(looks, role, one, unasked, known, narrower=bool(gone) or stricter)
    if not role.blocked and stricter and (waiting := [name for name in staying if goals[name] is not Goal.ENFORCE]):
        role.blocked = f"{_called(one)} cannot be set to Enforce: under it are {_some(waiting)}, not ready."
    if role.blocked:
        role.usable = not stricter and {*one.publishers} >= {*wanted.publishers}
        return
    layers = [layer for name in staying if name in here for layer in here[name].standing.layers]
    needed = {layer.profile_version for layer in layers} & gone if role.mode is Enforcing.ENFORCE else set()
    publishers = tuple(sorted({*wanted.publishers} | needed))
    if {*publishers} != {*one.publishers} or one.policy != role.mode.aws:
        role.alter = Alter(seen=one, mode=role.mode, publishers=publishers)


def _blocked(
    looks: Looks, role: Role, one: Configuration, unasked: Sequence[str], known: Callable[[str], bool], *, narrower: bool
) -> str:  # fmt: skip
    strangers = list(strangers_under(looks, one.arn, known)) if unasked else []
    if strangers:
        return f"{_called(one)} cannot be changed: it is shared with {_some(strangers)}, which the policy does not know."
    if unasked and narrower and role.mode is Enforcing.ENFORCE:
        return f"{_called(one)} cannot be made stricter: under it are {_some(unasked)}, not looked at. Name them, too."
    return ""


def _called(one: Configuration) -> str:
    return one.arn.rpartition(":")[2]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
