"""The table of outcomes: what stands where a gate and a subject meet, for every report that has one."""

from collections.abc import Iterable

from shipsafe.model.finding import Finding
from shipsafe.model.outcome import State
from shipsafe.model.record import RunRecord
from shipsafe.reports.tally import gate_of, known, observed, severity_counts, unchanged, worst_first

Place = tuple[str, str]  # gate and subject


class Cells:
    """What stands in each cell of a run's table."""

    def __init__(self, record: RunRecord) -> None:
        self._states = {(outcome.gate, outcome.subject): outcome.state for outcome in record.outcomes}
        self._unchanged = {(outcome.gate, outcome.subject) for outcome in unchanged(record)}
        self._missing = {(missing.gate, missing.subject) for missing in record.verdict.unanswered}
        self._blocking = by_place(record.verdict.blocking)
        self._observed = by_place(observed(record))
        self._waived = by_place(waived.finding for waived in record.verdict.waived)
        self._known = by_place(known(record))

    def state(self, gate: str, subject: str) -> State | None:
        """The state, UNANSWERED too where the verdict says so for another reason; None where there is no outcome."""
        if (gate, subject) in self._missing:
            return State.UNANSWERED
        return self._states.get((gate, subject))

    def blocked(self, gate: str, subject: str) -> bool:
        """Whether findings block there."""
        return (gate, subject) in self._blocking

    def known(self, gate: str, subject: str) -> bool:
        """Whether the baseline knows findings there."""
        return (gate, subject) in self._known

    def words(self, gate: str, subject: str) -> str:
        """`pass`, `2 high`, `observed 2 high`, `pass, 1 waived`, `3 known`, `unanswered`, `not asked`, `unchanged`, `-`, and so on."""
        place = (gate, subject)
        state = self.state(gate, subject)
        said = []
        if state is None and place not in self._blocking:
            return "-"
        if state is State.NOT_ASKED:
            said.append("unchanged" if place in self._unchanged else "not asked")
        elif state is State.UNANSWERED:
            said.append("unanswered")
        if place in self._blocking:
            said.append(severity_counts(self._blocking[place]))
        if place in self._observed:
            said.append(f"observed {severity_counts(self._observed[place])}")
        if place in self._known:
            said.append(f"{len(self._known[place])} known")
        if not said:
            said.append("pass")
        if place in self._waived:
            said.append(f"{len(self._waived[place])} waived")
        return ", ".join(said)


def by_place(findings: Iterable[Finding]) -> dict[Place, list[Finding]]:
    """Findings by the place in the table where they count, in the order of reports."""
    places: dict[Place, list[Finding]] = {}
    for finding in worst_first(findings):
        places.setdefault((gate_of(finding), finding.subject), []).append(finding)
    return places
