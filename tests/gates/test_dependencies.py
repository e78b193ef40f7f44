"""The gate `dependencies`: what ships is looked up, and what nobody can look up is never called clean."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipsafe.advisories.records import Record
from shipsafe.advisories.sources import open_advisories
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.gates.dependencies import GATE
from shipsafe.model.advisory import Advisories
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.gate import Inquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import AdvisoryPolicy, AdvisorySource
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Source
from tests.advisories.writing import export, record
from tests.answers import answers_of
from tests.gates.own_code import ask_about

PYPI = "https://pypi.org/simple"
PRIVATE = "https://packages.example.com/simple"
LINE = Location(path="src/orders/requirements.txt", line=4)
V3 = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
TWO_BRANCHES = ({"introduced": "0"}, {"fixed": "2.11"}, {"introduced": "3.0"}, {"fixed": "3.1.4"})
FLAW = record("jinja2", *TWO_BRANCHES, aliases=["CVE-2026-1"], severity=[V3])
UNFIXED = record("nofix", {"introduced": "0"}, id="GHSA-aaaa-bbbb-cccc")
ATTACK = record("colourama", id="MAL-2026-1", versions=["0.1.6"])
ACME = record("acme-billing", {"introduced": "0"}, id="PYSEC-2026-9")


def distribution(name: str, version: str | None, **others: Any) -> Distribution:
    """A distribution from PyPI, pinned at line 4, unless `others` says something else."""
    return Distribution(**{"name": name, "version": version, "source": Source.INDEX, "index": PYPI, "location": LINE, **others})


@pytest.fixture
def advisories(tmp_path: Path) -> Advisories:
    """A small snapshot, opened as the flow opens it."""
    return snapshot(tmp_path, FLAW, UNFIXED, ATTACK, ACME)


def snapshot(folder: Path, *records: Record) -> Advisories:
    """A zip of these records as a source."""
    settings = AdvisoryPolicy(source=AdvisorySource.FOLDER, path=str(export(folder / "all.zip", *records)), label="example data")
    none: Mapping[str, Any] = {"today": None, "now": None, "say": None}
    return open_advisories(settings, cache=folder / "cache", answers=answers_of(folder / "cache"), offline=True, **none)


def inquiry(
    folder: Path, *distributions: Distribution, advisories: Advisories | ShipsafeError | None, first_party: tuple[str, ...] = ()
) -> Inquiry:
    """What the flow hands to the gate."""
    asked = ask_about(folder, {"app.py": "def handler(event, context): ...\n"}, gate="dependencies", distributions=distributions)
    return replace(asked, advisories=advisories, policy=replace(asked.policy, first_party=first_party))


def ask(folder: Path, *distributions: Distribution, advisories: Advisories | ShipsafeError | None, **options: Any) -> Outcome:
    """The gate's outcome about a tree with these distributions."""
    return GATE.run(inquiry(folder, *distributions, advisories=advisories, **options))


def only(outcome: Outcome) -> Finding:
    """Its one finding."""
    [finding] = outcome.findings
    return finding


def test_a_vulnerable_distribution_is_found_with_all_that_is_known_of_it(tmp_path: Path, advisories: Advisories) -> None:
    outcome = ask(tmp_path, distribution("jinja2", "3.1.2"), distribution("clean", "1.0"), advisories=advisories)
    assert outcome.state is State.ANSWERED
    finding = only(outcome)
    assert finding == Finding(
        rule="dependencies/vulnerable",
        subject="function:Orders",
        message="jinja2 3.1.2 has PYSEC-2026-1 (CVE-2026-1): PYSEC-2026-1 in jinja2.",
        remedy="Upgrade jinja2 to 3.1.4 or later.",
        severity=Severity.CRITICAL,
        location=LINE,
        key="jinja2",
        advisory="PYSEC-2026-1",
        aliases=("CVE-2026-1",),
        package="jinja2",
        version="3.1.2",
        fixed_versions=("3.1.4",),
        score=9.8,
        path=("jinja2",),
        references=("https://osv.dev/vulnerability/PYSEC-2026-1",),
    )
    assert finding.ids == {"dependencies/vulnerable", "PYSEC-2026-1", "CVE-2026-1"}
    assert outcome.evidence == {"distributions": 2, "asked": 2, "advisories": "example data"}


def test_the_fixed_version_has_no_finding(tmp_path: Path, advisories: Advisories) -> None:
    outcome = ask(tmp_path, distribution("jinja2", "3.1.4"), advisories=advisories)
    assert (outcome.state, outcome.findings, outcome.notes) == (State.ANSWERED, (), ())


def test_the_path_leads_from_the_direct_dependency_and_the_remedy_names_it(tmp_path: Path, advisories: Advisories) -> None:
    finding = only(ask(tmp_path, distribution("jinja2", "2.10", via=("flask", "flask-extra")), advisories=advisories))
    assert finding.path == ("flask", "flask-extra", "jinja2")
    assert finding.remedy == "Upgrade jinja2 to 2.11 or later (it comes with flask)."


@pytest.mark.parametrize(("via", "through"), [((), ""), (("flask",), " (it comes with flask)")])
def test_without_a_fixed_version_the_remedy_is_another_distribution_or_a_waiver(
    via: tuple[str, ...], through: str, tmp_path: Path, advisories: Advisories
) -> None:
    finding = only(ask(tmp_path, distribution("nofix", "1.0", via=via), advisories=advisories))
    assert finding.remedy == f"No fixed version is known; replace nofix{through}, or waive it with a reason and an end."
    assert (finding.fixable, finding.severity, finding.score) == (False, Severity.UNSCORED, None)
    assert finding.message == "nofix 1.0 has GHSA-aaaa-bbbb-cccc: GHSA-aaaa-bbbb-cccc in nofix."


def test_a_fix_of_an_older_branch_is_no_fix(tmp_path: Path) -> None:
    flaw = record("old", {"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2.0"})
    finding = only(ask(tmp_path, distribution("old", "2.1"), advisories=snapshot(tmp_path, flaw)))
    assert (finding.fixable, finding.fixed_versions) == (False, ())
    assert finding.remedy.startswith("No fixed version is known")


def test_a_malicious_distribution_is_critical_and_its_remedy_is_not_an_upgrade(tmp_path: Path, advisories: Advisories) -> None:
    finding = only(ask(tmp_path, distribution("colourama", "0.1.6"), advisories=advisories))
    assert (finding.rule, finding.severity, finding.effect) == ("dependencies/malicious", Severity.CRITICAL, Effect.FAIL)
    assert finding.remedy.startswith("Remove it, find out where it ran")


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (
            distribution("tool", "1.0", source=Source.BUNDLED, index=None),
            "tool 1.0 lies in the code, so that nobody can say where it came from.",
        ),
        (distribution("tool", "1.0", index=PRIVATE), f"tool 1.0 came from {PRIVATE}, which advisories do not cover."),
        (distribution("tool", "1.0", index=f"{PRIVATE}?token=secret"), f"tool 1.0 came from {PRIVATE}, which advisories do not cover."),
        (
            distribution("tool", "1.0", index="https://pypi.org.example.com/simple"),
            "tool 1.0 came from https://pypi.org.example.com/simple, which advisories do not cover.",
        ),
        (distribution("tool", "1.0", index=None), "tool 1.0 came from an index that is not known."),
        (distribution("tool", None), "tool has no version that advisories could name."),
        (distribution("tool", "2.0-custom"), "tool has no version that advisories could name."),
        (distribution("tool", "9" * 5000), "tool has no version that advisories could name."),
    ],
)
def test_what_no_feed_can_know_is_unaudited_and_makes_the_verdict_incomplete(
    one: Distribution, message: str, tmp_path: Path, advisories: Advisories
) -> None:
    finding = only(ask(tmp_path, one, advisories=advisories))
    assert (finding.rule, finding.effect, finding.severity) == ("dependencies/unaudited", Effect.INCOMPLETE, Severity.MEDIUM)
    assert (finding.message, finding.key, finding.location, finding.path) == (message, "tool", LINE, ("tool",))


@pytest.mark.parametrize("index", ["https://pypi.org/simple", "https://pypi.org/simple/", "https://pypi.python.org/simple"])
def test_pypi_is_known_by_each_of_its_addresses(index: str, tmp_path: Path, advisories: Advisories) -> None:
    assert ask(tmp_path, distribution("tool", "1.0", index=index), advisories=advisories).findings == ()


def test_a_bundled_distribution_is_unaudited_and_what_is_known_of_its_name_is_told_too(tmp_path: Path, advisories: Advisories) -> None:
    outcome = ask(tmp_path, distribution("jinja2", "3.1.2", source=Source.BUNDLED, index=None), advisories=advisories)
    assert sorted(finding.rule for finding in outcome.findings) == ["dependencies/unaudited", "dependencies/vulnerable"]


@pytest.mark.parametrize("pattern", ["acme-*", "ACME_*", "acme-billing"])
def test_first_party_distributions_pass_and_it_says_so(pattern: str, tmp_path: Path, advisories: Advisories) -> None:
    outcome = ask(tmp_path, distribution("acme-billing", None, index=PRIVATE), advisories=advisories, first_party=(pattern,))
    assert (outcome.state, outcome.findings) == (State.ANSWERED, ())
    assert outcome.notes == ("acme-billing is first-party and was not looked up.",)


def test_a_pattern_of_another_name_does_not_make_a_distribution_first_party(tmp_path: Path, advisories: Advisories) -> None:
    outcome = ask(tmp_path, distribution("jinja2", "3.1.2"), advisories=advisories, first_party=("acme-*", "jinja"))
    assert only(outcome).rule == "dependencies/vulnerable"


def test_a_local_version_is_looked_up_without_its_suffix_and_it_says_so(tmp_path: Path, advisories: Advisories) -> None:
    outcome = ask(tmp_path, distribution("jinja2", "3.1.2+cpu"), advisories=advisories)
    assert outcome.notes == ("jinja2 3.1.2+cpu was looked up as 3.1.2.",)
    assert (only(outcome).version, only(outcome).remedy) == ("3.1.2+cpu", "Upgrade jinja2 to 3.1.4 or later.")


def test_a_finding_stays_the_same_finding_when_its_line_moves_and_differs_by_advisory(tmp_path: Path, advisories: Advisories) -> None:
    moved = replace(LINE, line=90)
    here = only(ask(tmp_path / "a", distribution("jinja2", "3.1.2"), advisories=advisories))
    there = only(ask(tmp_path / "b", distribution("jinja2", "3.1.3", location=moved), advisories=advisories))
    other = only(ask(tmp_path / "c", distribution("nofix", "3.1.3"), advisories=advisories))
    assert here.identity == there.identity != other.identity


@pytest.mark.parametrize("error", [IncompleteError("The snapshot is of 2026-01-01.", remedy="Run `shipsafe advisories pull`."), None])
def test_without_advisories_the_gate_is_unanswered_and_keeps_what_it_found(error: ShipsafeError | None, tmp_path: Path) -> None:
    outcome = ask(tmp_path, distribution("jinja2", "3.1.2"), distribution("tool", "1.0", index=PRIVATE), advisories=error)
    assert outcome.state is State.UNANSWERED
    assert outcome.reason == (str(error) if error else "There is no source of advisories.")
    assert only(outcome).rule == "dependencies/unaudited"


def test_without_anything_to_look_up_no_advisories_are_needed(tmp_path: Path) -> None:
    error = IncompleteError("There is no advisory snapshot here.")
    assert ask(tmp_path / "a", advisories=error).state is State.ANSWERED
    first_party = ask(tmp_path / "b", distribution("acme-billing", "1.0"), advisories=error, first_party=("acme-*",))
    assert first_party.state is State.ANSWERED


def test_a_source_that_fails_when_it_is_asked_is_never_taken_for_clean(tmp_path: Path, advisories: Advisories) -> None:
    ask(tmp_path / "before", distribution("jinja2", "3.1.6"), advisories=advisories)
    [store] = (tmp_path / "cache/advisories").glob("*.sqlite")
    store.write_bytes(b"")
    outcome = ask(tmp_path / "after", distribution("jinja2", "3.1.2"), advisories=advisories)
    assert outcome.state is State.UNANSWERED
    assert outcome.reason.startswith("The advisory snapshot is damaged")
