"""What a function's tags remember of a deployment, so that any later run on any machine finishes it or takes it back.

    shipsafe:release  hex SHA-256 of the unsigned zip, or none where nobody knows it
    shipsafe:before   live=7               the alias and the version that it led to
                      live=7+9=0.1         and a second one with its share of the calls
                      live=none            there was no such alias
                      latest=BASE64        no alias: the CodeSha256 of $LATEST
    shipsafe:step     began | code | published 8 | shifting 8 | done 8 | restored 8 | left 8
    shipsafe:deploy   ID 2026-11-21T17:30:00Z 2026-11-21T18:00:00Z      which deployment, when it began, when it must have ended

They are written before the first change. Tags have no revision, so they lock nothing: what keeps two deployments apart is the RevisionId of
every change. What they hold is believed only as far as it can be checked: whoever may tag a function may write anything here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from shipsafe.adapters.aws import brake
from shipsafe.adapters.aws.functions import Alias
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IntegrityError

RELEASE, BEFORE, STEP, DEPLOY = NAMES = ("shipsafe:release", "shipsafe:before", "shipsafe:step", "shipsafe:deploy")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_CLOSE = 1e-6  # two weights
_NONE, _LATEST = "none", "latest"
# A tag's value has letters, digits, spaces and _ . : / = + - @ ("Tag naming limits and requirements"): no comma, no `$`.
_VERSION = r"[1-9][0-9]{0,18}"
_ALIAS = r"(?![0-9]+=)[A-Za-z0-9_-]{1,128}"
_BEFORE = re.compile(
    rf"(?P<alias>{_ALIAS})=(?:none|(?P<version>{_VERSION})(?:\+(?P<other>{_VERSION})=(?P<weight>[01](?:\.[0-9]{{1,24}})?))?)"
    r"|latest=(?P<code>[A-Za-z0-9+/]{43}=)",
    re.ASCII,
)
_DEPLOY = re.compile(r"(?P<id>[0-9a-f]{8,40}) (?P<began>[0-9TZ:-]{20}) (?P<deadline>[0-9TZ:-]{20})", re.ASCII)
_RELEASE = re.compile(rf"[0-9a-f]{{64}}|{_NONE}", re.ASCII)


class Phase(StrEnum):
    """How far a deployment is."""

    BEGAN = "began"  # nothing is changed yet
    CODE = "code"  # $LATEST is, or may be, the new code
    PUBLISHED = "published"  # a version holds it; nobody calls that
    SHIFTING = "shifting"  # the alias is on its way
    DONE = "done"
    RESTORED = "restored"  # the alias leads where it led before
    LEFT = "left"  # somebody else has moved the alias; it was left to them


def alike(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether two looks at the weights of an alias saw the same: shares are whole percents, and a service may keep them as it likes.

    >>> alike({"8": 0.1}, {"8": 0.10000000149011612})
    True
    """
    return one.keys() == other.keys() and all(abs(one[version] - other[version]) < _CLOSE for version in one)


_SETTLED = (Phase.DONE, Phase.RESTORED, Phase.LEFT)
_STEP = re.compile(rf"(?P<phase>{'|'.join(Phase)})(?: (?P<version>{_VERSION}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """Where callers went before.

    Attributes:
        alias: "" where the function is called without one.
        version: that it led to, "" where there was no such alias. weights: the shares of others, 0 to 1.
        code_sha256: base64, of `$LATEST`, where there is no alias.
    """

    alias: str = ""
    version: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    code_sha256: str = ""

    @classmethod
    def of(cls, alias: str, found: Alias | None) -> "Before":
        """As an alias stands now; `found` is None where there is none."""
        return cls(alias=alias, version=found.version, weights=dict(found.weights)) if found else cls(alias=alias)

    def leads(self, found: Alias | None) -> bool:
        """Whether an alias leads there."""
        if found is None:
            return not self.version
        return found.version == self.version and alike(found.weights, self.weights)

    def __str__(self) -> str:
        if not self.alias:
            return f"{_LATEST}={self.code_sha256}"
        others = "".join(f"+{version}={Decimal(repr(weight)):f}" for version, weight in self.weights.items())
        return f"{self.alias}={self.version or _NONE}{others}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """One deployment of one function, as its tags remember it.

    Attributes:
        id: of the deployment, hex. began, deadline: UTC, whole seconds.
        release: hex SHA-256 of the unsigned zip, "" where nobody knows it.
        before: where callers went.
        version: the published one, "" before there is one.
    """

    id: str
    began: datetime
    deadline: datetime
    release: str
    before: Before
    phase: Phase = Phase.BEGAN
    version: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.phase in _SETTLED

    def at(self, phase: Phase, version: str = "") -> "Marks":
        """The same deployment, further on."""
        return replace(self, phase=phase, version=version or self.version)

    def tags(self) -> dict[str, str]:
        """As tags."""
        return {
            RELEASE: self.release or _NONE,
            BEFORE: str(self.before),
            STEP: f"{self.phase} {self.version}".rstrip(),
            DEPLOY: f"{self.id} {self.began.astimezone(UTC).strftime(_TIME)} {self.deadline.astimezone(UTC).strftime(_TIME)}",
        }


def of_tags(function: str, tags: Mapping[str, str]) -> Marks | None:
    """What the tags of a function (its ARN) say; None where no deployment of ours has begun there.

    Raises:
        IntegrityError: they say what shipsafe never writes.
    """
    found = {name: tags[name] for name in NAMES if name in tags}
    if not found:
        return None
    before, step, deploy = (shape.fullmatch(found.get(name, "")) for shape, name in ((_BEFORE, BEFORE), (_STEP, STEP), (_DEPLOY, DEPLOY)))
    if before is None or step is None or deploy is None or not _RELEASE.fullmatch(found.get(RELEASE, "")):
        raise _not_ours(function, found)
    try:
        began, deadline = (datetime.strptime(deploy[name], _TIME).replace(tzinfo=UTC) for name in ("began", "deadline"))
    except ValueError as error:
        raise _not_ours(function, found) from error
    return Marks(
        id=deploy["id"],
        began=began,
        deadline=deadline,
        release=found[RELEASE].removeprefix(_NONE),
        before=Before(
            alias=before["alias"] or "",
            version=before["version"] or "",
            weights={before["other"]: float(before["weight"])} if before["other"] else {},
            code_sha256=before["code"] or "",
        ),
        phase=Phase(step["phase"]),
        version=step["version"] or "",
    )


def _not_ours(function: str, found: Mapping[str, str]) -> IntegrityError:
    said = ", ".join(f"{name}={value[:60]!r}" for name, value in found.items())
    return IntegrityError(
        f"The tags of {function} say of a deployment what shipsafe does not write: {said}.",
        remedy="Find out who wrote them, look where the alias leads, then remove them: "
        f"aws lambda untag-resource --resource {function} --tag-keys {' '.join(NAMES)}",
    )


def read(aws: Aws, function: str, pace: Pace) -> Marks | None:
    """What a function (its ARN) remembers.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
        IntegrityError: the tags say what shipsafe never writes.
    """
    pace.turn()
    return of_tags(function, brake.tags(aws, function))


def write(aws: Aws, function: str, marks: Marks, pace: Pace) -> None:
    """Remember: all four tags in one call, so that none is of another deployment.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    pace.turn()
    brake.tag(aws, function, marks.tags())


def clear(aws: Aws, function: str, pace: Pace) -> None:
    """Forget.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    pace.turn()
    brake.untag(aws, function, NAMES)


def withdraw(aws: Aws, function: str, ours: Marks, earlier: Marks | None, pace: Pace) -> None:
    """Take back the marks of a deployment that has changed nothing: those of `earlier` stand again. Somebody else's stay.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    pace.turn()
    if brake.tags(aws, function).get(DEPLOY) != ours.tags()[DEPLOY]:
        return
    if earlier is None:
        clear(aws, function, pace)
    else:
        write(aws, function, earlier, pace)
