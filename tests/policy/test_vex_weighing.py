"""What the judge makes of VEX statements: which one holds, and what none of them can do."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.judge import judge
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import GatePolicy, Policy, Waiver
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Verdict
from shipsafe.model.vex import Product, Statement, Status, VexNews

TODAY = date(2026, 11, 21)
AT = "function:Billing"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FINDING = Finding(
    rule="dependencies/vulnerable",
    subject=AT,
    message="m",
    remedy="r",
    severity=Severity.HIGH,
    key="requests",
    advisory="PYSEC-1",
    aliases=("CVE-1",),
    package="requests",
    version="2.30.0",
)
CLEARED = Statement(
    source="vex.json",
    pointer="/statements/0",
    vulnerability="CVE-1",
    status=Status.NOT_AFFECTED,
    products=(Product(text="pkg:pypi/requests", package="requests"),),
    author="sec",
    time=NOON,
    justification="component_not_present",
    detail="It is not shipped.",
)
AFFECTED = replace(
    CLEARED, pointer="/statements/1", status=Status.AFFECTED, justification="", detail="Upgrade.", time=NOON + timedelta(hours=1)
)


def judged(*statements: Statement, finding: Finding = FINDING, **policy: object) -> Verdict:
    held = Policy(path=None, digest="d", gates={"dependencies": GatePolicy()}, **policy)  # type: ignore[arg-type]  # the tests' own words
    return judge(held, [Outcome.answered("dependencies", finding.subject, [finding])], TODAY, statements=statements)


def notes(verdict: Verdict) -> list[tuple[VexNews, str]]:
    return [(note.news, note.message) for note in verdict.vex_notes]


def test_a_justified_statement_takes_a_finding_out_and_is_shown_as_what_did() -> None:
    verdict = judged(CLEARED)
    assert verdict.decision is Decision.PASS
    (waived,) = verdict.waived
    assert waived.statement == CLEARED
    assert waived.waiver.reason == "VEX not_affected in vex.json#/statements/0: component_not_present: It is not shipped."
    assert (waived.waiver.owner, waived.waiver.expires) == ("sec", None)
    assert notes(verdict) == []


def test_what_is_fixed_needs_no_justification() -> None:
    assert judged(replace(CLEARED, status=Status.FIXED, justification="", detail="")).decision is Decision.PASS


def test_a_bare_claim_changes_nothing_and_is_said_to() -> None:
    verdict = judged(replace(CLEARED, justification="", detail=""))
    assert verdict.decision is Decision.FAIL
    said = "CVE-1 at function:Billing: sec says not_affected (2026-11-01, /statements/0) without a justification, which changes nothing."
    assert notes(verdict) == [(VexNews.UNJUSTIFIED, said)]


@pytest.mark.parametrize("status", [Status.AFFECTED, Status.UNDER_INVESTIGATION])
def test_what_is_not_cleared_blocks_as_without_vex_and_is_told(status: Status) -> None:
    verdict = judged(replace(AFFECTED, status=status))
    assert verdict.decision is Decision.FAIL
    said = f"CVE-1 at function:Billing: sec says {status} (2026-11-01, /statements/1): Upgrade."
    assert notes(verdict) == [(VexNews(status.replace("_", "-")), said)]


def test_the_newest_statement_holds_and_the_other_is_reported() -> None:
    verdict = judged(CLEARED, AFFECTED)
    assert verdict.decision is Decision.FAIL
    (contradicted,) = [message for news, message in notes(verdict) if news is VexNews.CONTRADICTED]
    assert contradicted == (
        "CVE-1 at function:Billing: sec says not_affected (2026-11-01, /statements/0); "
        "vex.json#/statements/1 says affected later, and that holds."
    )
    later = judged(replace(CLEARED, time=NOON + timedelta(hours=2)), AFFECTED)
    assert later.decision is Decision.PASS
    assert [news for news, _ in notes(later)] == [VexNews.CONTRADICTED]


def test_of_the_same_time_the_more_cautious_holds_in_whatever_order() -> None:
    same = replace(AFFECTED, time=NOON)
    for order in ((CLEARED, same), (same, CLEARED)):
        verdict = judged(*order)
        assert verdict.decision is Decision.FAIL
        assert any("at the same time" in message for _, message in notes(verdict))


def test_one_without_a_date_is_older_than_any_other() -> None:
    assert judged(CLEARED, replace(AFFECTED, time=None)).decision is Decision.PASS
    assert judged(replace(CLEARED, time=None), AFFECTED).decision is Decision.FAIL


@pytest.mark.parametrize("name", ["dependencies/vulnerable", "cve-1", "PYSEC-1"])
def test_what_cannot_be_waived_cannot_be_cleared_either(name: str) -> None:
    verdict = judged(CLEARED, unwaivable=(name,))
    assert verdict.decision is Decision.FAIL
    ((news, message),) = notes(verdict)
    assert news is VexNews.REFUSED
    assert message.endswith("which changes nothing: it cannot be waived under this policy.")


def test_under_a_longest_waiver_a_statement_holds_for_so_long_from_its_date() -> None:
    allowed = judged(CLEARED, longest_waiver=timedelta(days=20))
    assert allowed.waived[0].waiver.expires == TODAY
    for statement, longest in ((CLEARED, 19), (replace(CLEARED, time=None), 90)):
        verdict = judged(statement, longest_waiver=timedelta(days=longest))
        assert verdict.decision is Decision.FAIL
        assert f"holds for {longest} days from its date" in verdict.vex_notes[0].message


def test_a_statement_from_the_future_cannot_win() -> None:
    verdict = judged(replace(CLEARED, time=datetime(2999, 1, 1, tzinfo=UTC)), AFFECTED)
    assert verdict.decision is Decision.FAIL
    assert notes(verdict)[0][0] is VexNews.REFUSED
    assert "that day has not come" in notes(verdict)[0][1]


@pytest.mark.parametrize("rule", ["dependencies/malicious", "dependencies/unaudited"])
def test_an_attack_and_what_nobody_could_audit_are_no_matter_of_vex(rule: str) -> None:
    effect = Effect.INCOMPLETE if rule.endswith("unaudited") else Effect.FAIL
    verdict = judged(CLEARED, finding=replace(FINDING, rule=rule, effect=effect))
    assert verdict.decision in (Decision.FAIL, Decision.INCOMPLETE)
    assert notes(verdict)[0][1].endswith(f"changes nothing: {rule} is not a matter of VEX.")


def test_what_speaks_of_nothing_that_was_found_is_reported_once_a_document() -> None:
    idle = [replace(CLEARED, vulnerability=f"CVE-{number}") for number in range(100, 112)]
    verdict = judged(*idle, replace(idle[0], source="other.json"))
    names = ", ".join(f"CVE-{number}" for number in range(100, 110))
    assert [(note.source, note.message) for note in verdict.vex_notes] == [
        ("vex.json", f"12 statements speak of nothing that was found: {names} and 2 more."),
        ("other.json", "1 statement speaks of nothing that was found: CVE-100."),
    ]


def test_another_product_or_version_is_another_matter() -> None:
    for product in (Product(text="x", package="requests", version="2.31.0"), Product(text="x", subject="layer:Billing"), Product(text="x")):
        assert judged(replace(CLEARED, products=(product,))).decision is Decision.FAIL


def test_a_waiver_goes_before_a_statement() -> None:
    waiver = Waiver(target="CVE-1", subject="*", reason="r", owner="o", expires=date(2027, 1, 1))
    (waived,) = judged(CLEARED, waivers=(waiver,)).waived
    assert (waived.waiver, waived.statement) == (waiver, None)


STATEMENTS = st.lists(
    st.builds(
        replace,
        st.sampled_from([CLEARED, AFFECTED]),
        status=st.sampled_from(Status),
        time=st.none() | st.datetimes(datetime(2026, 9, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants it plain
        justification=st.sampled_from(["", "component_not_present"]),
        vulnerability=st.sampled_from(["CVE-1", "PYSEC-1", "CVE-2"]),
    ),
    max_size=5,
)


@given(STATEMENTS, st.permutations(range(5)))
def test_the_order_of_the_documents_decides_nothing(statements: list[Statement], order: list[int]) -> None:
    shuffled = [statements[number] for number in order if number < len(statements)]
    assert judged(*statements).decision is judged(*shuffled).decision


@given(STATEMENTS)
def test_a_further_statement_that_affects_never_improves_a_verdict(statements: list[Statement]) -> None:
    last = replace(AFFECTED, time=datetime(2027, 2, 1, tzinfo=UTC))
    assert judged(*statements, last).decision is Decision.FAIL


@given(STATEMENTS)
def test_every_statement_is_used_told_of_or_agrees_with_what_holds(statements: list[Statement]) -> None:
    verdict = judged(*statements)
    if statements and verdict.decision is Decision.FAIL:
        assert verdict.vex_notes
