"""The layers gate: one exact version, from a publisher that is trusted, or the reason why not."""

import re
from pathlib import Path

import pytest

from shipsafe.gates.layers import GATE, known_publishers
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import Policy
from shipsafe.model.project import LayerRef, Unresolved
from tests.gates.asking import function, inquiry, layer, rules

_PLACE = Location(path="template.yaml", line=21)
_POWERTOOLS = "017000801446"


def _ref(account: str = "111122223333", version: int | None = 3, name: str = "tools") -> LayerRef:
    arn = f"arn:aws:lambda:eu-west-1:{account}:layer:{name}" + (f":{version}" if version else "")
    return LayerRef(text=arn, arn=arn, version=version, account=account, region="eu-west-1", location=_PLACE)


def _ask(*layers: LayerRef, policy: Policy | None = None) -> Outcome:
    return GATE.run(inquiry(Path(), function("app.handler", "python3.13", *layers), policy=policy))


def _only(outcome: Outcome) -> Finding:
    [finding] = outcome.findings
    return finding


def test_a_pinned_layer_of_aws_is_fine() -> None:
    outcome = _ask(_ref(_POWERTOOLS, 18))
    assert outcome.state is State.ANSWERED
    assert outcome.findings == ()
    assert outcome.evidence == {"layers": 1, "pinned": 1}


def test_a_layer_of_the_project_is_pinned_by_construction() -> None:
    assert _ask(LayerRef(text="!Ref Common", local="Common")).findings == ()


def test_a_function_without_layers_is_answered() -> None:
    outcome = _ask()
    assert (outcome.state, outcome.findings) == (State.ANSWERED, ())


def test_a_layer_is_not_asked() -> None:
    outcome = GATE.run(inquiry(Path(), layer()))
    assert outcome.state is State.NOT_ASKED
    assert outcome.reason == "Common is a layer, and a layer uses no layers."


def test_an_arn_without_a_version_is_unpinned() -> None:
    finding = _only(_ask(_ref(_POWERTOOLS, None)))
    assert finding.rule == "layers/unpinned"
    assert finding.message.endswith("layer:tools names no version.")
    assert finding.location == _PLACE


def test_a_value_that_can_change_between_two_deploys_is_unpinned_and_nothing_else() -> None:
    """One cause, one finding: that it is not known either follows from it."""
    ref = LayerRef(text="!Ref Monitoring", changeable="Monitoring is an SSM parameter", unresolved="it has no value", location=_PLACE)
    finding = _only(_ask(ref))
    assert finding.rule == "layers/unpinned"
    assert finding.message == "!Ref Monitoring can change between two deploys: Monitoring is an SSM parameter."


def test_the_awslayer_form_is_its_own_finding() -> None:
    arn = "arn:aws:lambda:::awslayer:AmazonLinux1703"
    assert rules(_ask(LayerRef(text=arn, arn=arn))) == ["unversioned-awslayer"]


def test_an_unknown_account_is_untrusted() -> None:
    finding = _only(_ask(_ref("999988887777")))
    assert finding.rule == "layers/untrusted-publisher"
    assert "account 999988887777" in finding.message


@pytest.mark.parametrize(
    "policy", [Policy(path=None, digest="", accounts=("999988887777",)), Policy(path=None, digest="", publishers=("999988887777",))]
)
def test_an_account_that_the_policy_names_is_trusted(policy: Policy) -> None:
    assert _ask(_ref("999988887777"), policy=policy).findings == ()


def test_the_account_of_the_deployment_is_ours() -> None:
    assert _ask(_ref("${AWS::AccountId}")).findings == ()


def test_an_unpinned_layer_of_a_stranger_is_both() -> None:
    assert rules(_ask(_ref("999988887777", None))) == ["unpinned", "untrusted-publisher"]


def test_what_cannot_be_resolved_makes_the_verdict_incomplete() -> None:
    ref = LayerRef(text="!ImportValue shared", unresolved="it is the export of another stack", location=_PLACE)
    finding = _only(_ask(ref))
    assert finding.rule == "layers/unresolved"
    assert finding.effect is Effect.INCOMPLETE


def test_layers_that_cannot_be_read_at_all_are_unanswered() -> None:
    subject = function(unresolved=(Unresolved(field="layers", reason="a macro writes them", location=_PLACE),))
    outcome = GATE.run(inquiry(Path(), subject))
    assert outcome.state is State.UNANSWERED
    assert outcome.reason == "template.yaml:21: a macro writes them"


def test_six_layers_are_too_many_and_five_are_not() -> None:
    five = [_ref(_POWERTOOLS, 1, f"l{number}") for number in range(5)]
    assert _ask(*five).findings == ()
    finding = _only(_ask(*five, _ref(_POWERTOOLS, 1, "l5")))
    assert finding.rule == "layers/too-many"
    assert finding.message == "App uses 6 layers; Lambda takes 5."


def test_a_finding_keeps_its_identity_when_lines_move() -> None:
    before = _only(_ask(_ref("999988887777")))
    moved = LayerRef(text="x", arn=before.key, version=3, account="999988887777", location=Location(path="template.yaml", line=99))
    assert _only(_ask(moved)).identity == before.identity


def test_the_table_of_publishers_holds_accounts_and_where_they_are_from() -> None:
    publishers = known_publishers()
    assert all(re.fullmatch(r"\d{12}", account) for account in publishers)
    assert publishers["580247275435"] == "CloudWatch Lambda Insights"
    assert publishers["177933569100"] == "AWS Parameters and Secrets Lambda extension"
    assert publishers["027255383542"] == "AWS AppConfig Lambda extension"
    assert publishers[_POWERTOOLS].startswith("Powertools")
    assert "464622532012" not in publishers, "Datadog is not AWS: whoever uses it says so in the policy"
    assert len(publishers) > 90


def test_every_rule_has_its_page() -> None:
    for rule in GATE.rules:
        assert rule.why
        assert rule.bad
        assert rule.good
        assert rule.references
