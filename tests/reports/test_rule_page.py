import pytest
from syrupy.assertion import SnapshotAssertion

from shipsafe.model.finding import Rule
from shipsafe.model.severity import Severity
from shipsafe.reports.rule_page import rule_text, rules_markdown
from tests.reports.sample import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_reads_like_this(rule: Rule, snapshot: SnapshotAssertion) -> None:
    assert rules_markdown(rule) == snapshot(name="markdown")
    assert rule_text(rule) == snapshot(name="terminal")


def test_the_terminal_has_every_word_of_the_page() -> None:
    for rule in RULES:
        kept = [word for word in rules_markdown(rule).split() if not set(word) <= set("#`")]
        assert [word for word in rule_text(rule).split() if not set(word) <= set("#`")] == kept


def test_a_fence_is_longer_than_any_in_the_example() -> None:
    rule = Rule(id="a/b", severity=Severity.LOW, summary="S.", remedy="R.", why="W.", bad="````\nx\n````")
    assert "\n`````\n````\nx\n````\n`````\n" in rules_markdown(rule)
    assert "\n    ````\n    x\n    ````\n" in rule_text(rule)
