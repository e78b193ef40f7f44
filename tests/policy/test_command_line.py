"""What the command line may set over the policy, and what it may not."""

import hashlib
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy
from shipsafe.model.severity import Severity
from shipsafe.policy import load, show
from shipsafe.policy.command_line import NOTHING_GIVEN, Given
from shipsafe.policy.keys import GATES
from tests.policy.test_load import TODAY


def read(folder: Path, given: Given = NOTHING_GIVEN, *, own: str = "", base: str = "") -> Policy:
    """Load a policy of a repository that extends a base of its organisation."""
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "org.toml").write_text(base)
    digest = hashlib.sha256(base.encode()).hexdigest()
    (folder / "shipsafe.toml").write_text(f'extends = {{ path = "org.toml", sha256 = "{digest}" }}\n{own}')
    return load(folder, offline=True, cache=folder / "cache", fetch=lambda _: pytest.fail("fetched"), today=TODAY, given=given)


def said(folder: Path, given: Given, *, own: str = "", base: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, given, own=own, base=base)
    return str(caught.value)


def test_fail_on_holds_for_every_gate_in_both_directions(tmp_path: Path) -> None:
    for word in ("critical", "low:fixable", "never"):
        policy = read(tmp_path, Given(fail_on=(word,)), own='[gates.lint]\nfail-on = "medium"\n')
        assert {str(policy.gate(gate).fail_on) for gate in GATES} == {word}


def test_fail_on_may_name_a_gate_and_the_last_word_counts(tmp_path: Path) -> None:
    policy = read(tmp_path, Given(fail_on=("critical", "lint=low", "lint=medium")))
    assert policy.gate("lint").fail_on.threshold is Severity.MEDIUM
    assert policy.gate("package").fail_on.threshold is Severity.CRITICAL


def test_it_is_part_of_the_policy_of_that_run(tmp_path: Path) -> None:
    given = Given(fail_on=("critical",))
    policy = read(tmp_path, given)
    assert policy.digest != read(tmp_path).digest
    assert policy.overrides == ("--fail-on critical",)
    assert 'fail-on = "critical"  # --fail-on' in show(policy, origin=True)


def test_it_cannot_loosen_what_a_base_has_fixed(tmp_path: Path) -> None:
    base = 'fixed = ["gates.lint"]\n[gates.lint]\nfail-on = "medium"\n'
    assert said(tmp_path, Given(fail_on=("high",)), base=base) == (
        "--fail-on: `gates.lint.fail-on` is fixed as 'medium' by org.toml:3, and 'high' loosens it. Tighten it, or leave it out."
    )
    assert read(tmp_path, Given(fail_on=("low",)), base=base).gate("lint").fail_on.threshold is Severity.LOW
    assert read(tmp_path, Given(fail_on=("package=critical",)), base=base).gate("lint").fail_on.threshold is Severity.MEDIUM


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("hihg", "--fail-on 'hihg': there is no severity 'hihg'. Choose one of critical, high, medium, low, never; "),
        ("never:fixable", "--fail-on 'never:fixable': there is no severity 'never:fixable'. "),
        ("lnt=high", "--fail-on 'lnt=high': there is no gate 'lnt'. Choose one of dependencies, lint, sbom, layers, package, workflows."),
        ("=high", "--fail-on '=high': there is no gate ''. "),
        ("", "--fail-on '': there is no severity ''. "),
    ],
)
def test_a_word_that_means_nothing_is_refused(tmp_path: Path, word: str, message: str) -> None:
    assert said(tmp_path, Given(fail_on=(word,))).startswith(message)


def test_the_policy_names_a_baseline_beside_itself(tmp_path: Path) -> None:
    assert read(tmp_path).baseline is None
    assert read(tmp_path, own='baseline = "known/b.toml"\n').baseline == str(tmp_path / "known" / "b.toml")
    assert read(tmp_path, own='baseline = "off"\n', base='baseline = "b.toml"\n').baseline is None


def test_the_command_line_names_another_one_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = 'baseline = "b.toml"\n'
    assert read(tmp_path, Given(baseline="other.toml"), own=own).baseline == str(tmp_path / "other.toml")
    assert read(tmp_path, Given(baseline="off"), own=own).baseline is None


def test_the_digest_does_not_depend_on_where_the_repository_lies(tmp_path: Path) -> None:
    digests = set()
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        digests.add(read(folder, Given(baseline=str(folder / "b.toml"))).digest)
    assert len(digests) == 1


@pytest.mark.parametrize("base", ['fixed = ["baseline"]\n', 'fixed = ["waivers"]\n', 'fixed = ["baseline"]\nbaseline = "off"\n'])
def test_a_repository_cannot_bring_a_baseline_where_the_organisation_has_none(tmp_path: Path, base: str) -> None:
    assert "loosens it" in said(tmp_path, NOTHING_GIVEN, own='baseline = "b.toml"\n', base=base)
    assert said(tmp_path, Given(baseline=str(tmp_path / "b.toml")), base=base).startswith("--baseline: `baseline` is fixed ")
    assert read(tmp_path, Given(baseline="off"), base=base).baseline is None


def test_a_repository_cannot_let_entries_grow_older_than_the_organisation_does(tmp_path: Path) -> None:
    base = 'fixed = ["longest-baseline"]\nlongest-baseline = "30d"\n'
    assert "loosens it" in said(tmp_path, NOTHING_GIVEN, own='longest-baseline = "60d"\n', base=base)
    assert "loosens it" in said(tmp_path, NOTHING_GIVEN, own='longest-baseline = "off"\n', base=base)
    assert read(tmp_path, own='longest-baseline = "10d"\n', base=base).longest_baseline is not None
