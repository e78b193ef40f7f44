"""What VEX statements say about findings, and which one holds: the judge asks here, and decides.

The newest statement about a vulnerability in a product holds; of two of the same time the more cautious one. One that clears a finding is
a waiver by another name, so it can do what a waiver could: nothing against `unwaivable`, and under `longest-waiver` for that long from the
day it was made. VEX speaks of vulnerabilities: a malicious distribution, or one that nobody could audit, is none.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from shipsafe.model.finding import Finding
from shipsafe.model.policy import Policy
from shipsafe.model.verdict import Waived
from shipsafe.model.vex import Statement, Status, VexNews, VexNote

_VULNERABLE = "dependencies/vulnerable"
_UNDATED = datetime.min.replace(tzinfo=UTC)
_ZONES = timedelta(days=1)  # where a statement is made, tomorrow may have begun
_MOST_NAMED = 10  # ids that one remark lists


class Weighing:
    """The statements of a run, and what they say about each finding."""

    def __init__(self, statements: Sequence[Statement], policy: Policy, today: date) -> None:
        self._statements = statements
        self._unwaivable = {name.casefold() for name in policy.unwaivable}
        self._longest = policy.longest_waiver
        self._today = today
        self._by_id: dict[str, list[int]] = {}
        for number, statement in enumerate(statements):
            for name in statement.ids:
                self._by_id.setdefault(name, []).append(number)

    def waived(self, finding: Finding) -> Waived | None:
        """The finding as one that is taken out, if the statement that holds does so and the policy lets it."""
        about = self._about(finding)
        if not about:
            return None
        holds = self._statements[about[-1]]
        if not holds.clears or self._why_not(finding, holds):
            return None
        waiver = holds.as_waiver(finding.subject, expires=self._last_day(holds))
        return Waived(finding=finding, waiver=waiver, statement=holds.about(finding))

    def notes(self, findings: Iterable[Finding], *, whole: bool) -> tuple[VexNote, ...]:
        """Everything worth saying, in the order of the documents.

        Args:
            findings: all that was found.
            whole: whether everybody who could find something was asked and answered; else what is unmatched may only be unseen.
        """
        places: dict[tuple[int, VexNews, str], list[str]] = {}
        matched: set[int] = set()
        for finding in findings:
            about = self._about(finding)
            matched.update(about)
            for number, news, what in self._news(finding, about):
                places.setdefault((number, news, what), []).append(finding.subject)
        said = []
        for (number, news, what), subjects in sorted(places.items()):
            one = self._statements[number]
            since = one.time.date().isoformat() if one.time else "without a date"
            who = f"{one.author or 'an unnamed author'} says {one.status} ({since}, {one.pointer})"
            message = f"{one.vulnerability} at {', '.join(sorted(set(subjects)))}: {who}{what}."
            said.append(VexNote(news=news, source=one.source, message=message))
        return (*said, *(self._unmatched(matched) if whole else ()))

    def _about(self, finding: Finding) -> list[int]:
        """The statements that speak of it, by number, the one that holds last."""
        if not self._by_id or finding.advisory is None:
            return []
        numbers = {number for name in (finding.advisory, *finding.aliases) for number in self._by_id.get(name.casefold(), ())}
        return sorted((number for number in numbers if self._statements[number].covers(finding)), key=self._order)

    def _order(self, number: int) -> tuple[datetime, int, int]:
        """The newest last; of the same time the most cautious (what is affected) last."""
        one = self._statements[number]
        caution = 2 if one.status is Status.AFFECTED else int(not one.clears)
        return (one.time or _UNDATED, caution, number)

    def _last_day(self, statement: Statement) -> date | None:
        if self._longest is None or statement.time is None:
            return None
        day = statement.time.date()
        return day + self._longest if self._longest < date.max - day else date.max

    def _why_not(self, finding: Finding, statement: Statement) -> str:
        """Why a statement that clears may not take a finding out, or ""."""
        if finding.rule != _VULNERABLE:
            return f"{finding.rule} is not a matter of VEX"
        if not self._unwaivable.isdisjoint(name.casefold() for name in finding.ids):
            return "it cannot be waived under this policy"
        if statement.time is not None and statement.time.date() > self._today + _ZONES:
            return "that day has not come"
        if self._longest is not None:
            last = self._last_day(statement)
            if last is None or self._today > last:
                return f"under this policy a statement holds for {self._longest.days} days from its date"
        return ""

    def _news(self, finding: Finding, about: list[int]) -> Iterator[tuple[int, VexNews, str]]:
        """Number of the statement, what is new about it, and the end of its sentence."""
        if not about:
            return
        number = about[-1]
        holds = self._statements[number]
        if holds.clears:
            if why_not := self._why_not(finding, holds):
                yield number, VexNews.REFUSED, f", which changes nothing: {why_not}"
        elif holds.status is Status.NOT_AFFECTED:
            yield number, VexNews.UNJUSTIFIED, " without a justification, which changes nothing"
        else:
            news = VexNews.AFFECTED if holds.status is Status.AFFECTED else VexNews.UNDER_INVESTIGATION
            yield number, news, f": {holds.detail.rstrip('.')}" if holds.detail else ""
        for other in about[:-1]:
            one = self._statements[other]
            if one.clears != holds.clears:
                when = "at the same time" if one.time == holds.time else "later"
                yield other, VexNews.CONTRADICTED, f"; {holds.place} says {holds.status} {when}, and that holds"

    def _unmatched(self, matched: set[int]) -> Iterator[VexNote]:
        """One remark a document, about all that speaks of nothing that was found."""
        idle: dict[str, list[Statement]] = {}
        for number, statement in enumerate(self._statements):
            if number not in matched:
                idle.setdefault(statement.source, []).append(statement)
        for source, found in idle.items():
            names = list(dict.fromkeys(statement.vulnerability for statement in found))
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            told = "1 statement speaks" if len(found) == 1 else f"{len(found)} statements speak"
            message = f"{told} of nothing that was found: {', '.join(names[:_MOST_NAMED])}{more}."
            yield VexNote(news=VexNews.UNMATCHED, source=source, message=message)
