"""What was already wrong when somebody began to look: findings that are known, dated and owned, and do not block.

A baseline is no waiver: nobody has said that its findings may stay. It only separates them from what a change brings in.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from shipsafe.model.finding import Effect, Finding
from shipsafe.model.location import Location
from shipsafe.model.severity import Severity

# An attack that ships is never "known and old". Findings that say that nobody could look (`Effect.INCOMPLETE`) are not either.
NEVER = frozenset({"dependencies/malicious"})
_TEXT = 200  # characters of a message


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineEntry:
    """One finding, as it was recorded.

    Attributes:
        rule, subject, key: of the finding; together with the advisory they are its identity, which has no line in it.
        message, severity: as they were, for whoever reviews the file; they decide nothing.
        recorded: the day on which it was first seen.
        owner: who answers for it.
        expires: the last day on which it holds; None for no end of its own.
        advisory, aliases: every id that the advisory had; a finding that shares one of them is the same finding.
        location: where the entry stands.
    """

    rule: str
    subject: str
    key: str
    message: str
    severity: Severity
    recorded: date
    owner: str
    expires: date | None = None
    advisory: str | None = None
    aliases: tuple[str, ...] = ()
    location: Location | None = None

    @classmethod
    def of(cls, finding: Finding, *, today: date, owner: str, expires: date | None = None) -> "BaselineEntry":
        """The entry that records a finding today."""
        return cls(
            rule=_plain(finding.rule),
            subject=_plain(finding.subject),
            key=_plain(finding.key),
            message=_plain(finding.message)[:_TEXT],
            severity=finding.severity,
            recorded=today,
            owner=owner,
            expires=expires,
            advisory=_plain(finding.advisory) if finding.advisory else None,
            aliases=tuple(sorted({_plain(alias) for alias in finding.aliases if alias and not any(map(str.isspace, alias))})),
        )

    @property
    def gate(self) -> str:
        """The gate whose finding it is."""
        return self.rule.partition("/")[0]

    def last_day(self, longest: timedelta | None) -> date | None:
        """The last day on which it holds, where the policy lets an entry grow `longest` old; None for no end."""
        ends = [end for end in (self.expires, _later(self.recorded, longest) if longest is not None else None) if end is not None]
        return min(ends, default=None)

    @property
    def order(self) -> tuple[str, ...]:
        """The sort key of entries: by subject, as a reviewer reads."""
        ends = self.expires.isoformat() if self.expires else ""
        return (self.subject, self.rule, self.key, self.advisory or "", *self.aliases, self.recorded.isoformat(), self.owner, ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFile:
    """Which baseline a run was judged with: its path as the user knows it, its SHA-256 (hex), and its number of entries."""

    path: str
    sha256: str
    entries: int


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The entries of one file.

    Attributes:
        path: the file as the user knows it; for findings of another revision, its name.
        entries: sorted by `BaselineEntry.order`.
        sha256: hex, of the file's bytes; "" where it is no file.
    """

    path: str
    entries: tuple[BaselineEntry, ...] = ()
    sha256: str = ""

    def about(self, finding: Finding) -> tuple[BaselineEntry, ...]:
        """Every entry that records this finding, in order; whether one still holds is not asked here."""
        found = {entry: None for name in _names(finding) for entry in self._by_name.get(name, ())}
        return tuple(sorted(found, key=lambda entry: entry.order))

    def where(self, asked: Callable[[BaselineEntry], bool]) -> "Baseline":
        """The entries that a run speaks of which does not ask everything."""
        return replace(self, entries=tuple(entry for entry in self.entries if asked(entry)))

    def beside(self, other: "Baseline | None") -> "Baseline":
        """The entries of both, under the names of both."""
        if other is None:
            return self
        both = sorted({*self.entries, *other.entries}, key=lambda entry: entry.order)
        return Baseline(path=f"{other.path} and {self.path}", entries=tuple(both), sha256=other.sha256 or self.sha256)

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, ...], tuple[BaselineEntry, ...]]:
        names: dict[tuple[str, ...], tuple[BaselineEntry, ...]] = {}
        for entry in self.entries:
            for name in _names(entry):
                names[name] = (*names.get(name, ()), entry)
        return names


def can_be_recorded(finding: Finding, unwaivable: Iterable[str]) -> bool:
    """Whether a baseline may speak of it: no attack, nothing that nobody could look at, nothing that the policy lets nobody waive."""
    ids = {name.casefold() for name in finding.ids}
    forbidden = {name.casefold() for name in unwaivable} | NEVER
    return finding.effect is Effect.FAIL and not ids & forbidden and not any(name.startswith("mal-") for name in ids)


def _names(one: Finding | BaselineEntry) -> list[tuple[str, ...]]:
    """What it is known by: rule, subject and key, once with each id of its advisory, which may change its first name."""
    base = (_plain(one.rule), _plain(one.subject), _plain(one.key))
    if not one.advisory:
        return [base]
    return [(*base, _plain(name).casefold()) for name in dict.fromkeys((one.advisory, *one.aliases)) if name]


def _plain(text: str) -> str:
    """Text that every file can hold: half of a character becomes `?`, as in `Finding.identity`."""
    return text.encode(errors="replace").decode()


def _later(day: date, longest: timedelta) -> date:
    return day + longest if longest < date.max - day else date.max
