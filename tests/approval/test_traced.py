"""Whatever a policy allows is traced to the commit of the branch that brought it, wherever it stands."""

import json
import subprocess
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from tests.approval.repositories import ASKS, brought, commit, git, repository, waiver

VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.example/vex/1", "author": "ann", "timestamp": "2026-11-01T00:00:00Z",
    "version": 1,
}  # fmt: skip
KNOWN = """version = 1

[[findings]]
rule = "lint/B602"
subject = "function:Pay"
severity = "high"
message = "a shell"
key = "{key}"
date = 2026-11-01
owner = "ann@acme.example"
"""


def statement(name: str) -> dict[str, object]:
    return {"vulnerability": {"name": name}, "products": [{"@id": "pkg:pypi/jinja2"}], "status": "not_affected",
            "justification": "component_not_present"}  # fmt: skip


def vex(*names: str) -> str:
    return json.dumps({**VEX, "statements": [statement(name) for name in names]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"shipsafe.toml": ASKS})


def test_a_policy_that_allows_nothing_was_brought_by_nobody(root: Path) -> None:
    found = brought(root)
    assert (found.changes, found.unknown, dict(found.allowed.found)) == ({}, (), {})


def test_each_waiver_is_of_the_commit_that_brought_it(root: Path) -> None:
    one = commit(root, {"shipsafe.toml": ASKS + waiver()})
    commit(root, {"app.py": "x = 1\n"})
    two = commit(root, {"shipsafe.toml": ASKS + waiver("lint/B602", "*") + waiver()})
    commit(root, {"shipsafe.toml": f"# a word\n{ASKS}{waiver('lint/B602', '*')}{waiver()}"})
    assert brought(root).changes == {
        two: ("lint/B602 for * (waiver in shipsafe.toml)",),
        one: ("layers/unpinned for function:Pay (waiver in shipsafe.toml)",),
    }


def test_a_commit_that_comes_after_does_not_hide_who_brought_it(root: Path) -> None:
    one = commit(root, {"shipsafe.toml": ASKS + waiver()})
    for number in range(3):
        commit(root, {"app.py": f"x = {number}\n"})
    assert list(brought(root).changes) == [one]


def test_since_a_revision_what_was_there_is_not_asked_about(root: Path) -> None:
    one = commit(root, {"shipsafe.toml": ASKS + waiver()})
    two = commit(root, {"shipsafe.toml": ASKS + waiver() + waiver("lint/B602")})
    assert list(brought(root, one).changes) == [two]
    assert brought(root, two).changes == {}
    assert list(brought(root, "0" * 40).changes) == [two, one]


def test_since_a_commit_of_another_line_only_what_both_had_is_taken(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "-q", "-b", "other")
    other = commit(root, {"shipsafe.toml": ASKS + waiver()})
    git(root, "checkout", "-q", "main")
    mine = commit(root, {"shipsafe.toml": ASKS + waiver()}, "mine")
    found = brought(root, other)
    assert (found.since, list(found.changes)) == (first, [mine])


@pytest.mark.parametrize("name", ["nowhere", "--output=x", "a\nb", " "])
def test_a_revision_that_is_none_is_refused(root: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no revision"):
        brought(root, name)


@pytest.mark.parametrize(
    "after",
    [
        waiver(expires="2027-01-31"),
        waiver(subject="*"),
        waiver().replace("expires = 2099-12-31\n", "until-fixed = true\n"),
        waiver().replace('rule = "layers/unpinned"', 'advisory = "CVE-2026-1"'),
    ],
)
def test_a_waiver_that_says_something_else_is_another(root: Path, after: str) -> None:
    commit(root, {"shipsafe.toml": ASKS + waiver()})
    two = commit(root, {"shipsafe.toml": ASKS + after})
    assert list(brought(root).changes) == [two]


@pytest.mark.parametrize(
    "after",
    [
        waiver().replace("because", "for a reason"),
        waiver().replace("ann@", "bob@"),
        waiver().replace("layers/unpinned", "LAYERS/unpinned"),
        f"\n\n# moved\n{waiver()}",
    ],
)
def test_a_waiver_that_is_reworded_or_moved_is_the_same(root: Path, after: str) -> None:
    one = commit(root, {"shipsafe.toml": ASKS + waiver()})
    commit(root, {"shipsafe.toml": ASKS + after})
    assert list(brought(root).changes) == [one]


def test_one_that_went_and_came_back_is_of_the_commit_that_brought_it_back(root: Path) -> None:
    commit(root, {"shipsafe.toml": ASKS + waiver()})
    commit(root, {"shipsafe.toml": ASKS})
    back = commit(root, {"shipsafe.toml": ASKS + waiver()})
    assert list(brought(root).changes) == [back]


def test_one_that_has_ended_allows_nothing(root: Path) -> None:
    commit(root, {"shipsafe.toml": ASKS + waiver(expires="2026-11-20") + waiver("lint/B602", expires="2026-11-21")})
    assert list(brought(root).changes.values()) == [("lint/B602 for function:Pay (waiver in shipsafe.toml)",)]


def test_what_a_branch_brought_is_of_its_merge(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "change")
    commit(root, {"shipsafe.toml": ASKS + waiver()})
    commit(root, {"a": "1"})
    git(root, "checkout", "-q", "main")
    commit(root, {"b": "1"})
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "change")
    assert list(brought(root).changes) == [git(root, "rev-parse", "HEAD")]


def test_what_stands_in_a_base_of_the_repository_is_traced_through_its_move(root: Path) -> None:
    def extending(name: str, text: str) -> str:
        digest = subprocess.run(["sha256sum"], input=text, capture_output=True, text=True, check=True).stdout.split()[0]
        return f'extends = {{ path = "{name}", sha256 = "{digest}" }}\n{ASKS}'

    base = waiver()
    one = commit(root, {"base.toml": base, "shipsafe.toml": extending("base.toml", base)})
    commit(root, {"base.toml": None, "policies/base.toml": base, "shipsafe.toml": extending("policies/base.toml", base)})
    assert brought(root).changes == {one: ("layers/unpinned for function:Pay (waiver in policies/base.toml)",)}


def test_a_base_from_outside_counts_where_it_waives_something(tmp_path: Path) -> None:
    def project(name: str, base: str) -> Path:
        (tmp_path / f"{name}.toml").write_text(base)
        digest = subprocess.run(["sha256sum"], input=base, capture_output=True, text=True, check=True).stdout.split()[0]
        text = f'extends = {{ path = "../{name}.toml", sha256 = "{digest}" }}\n{ASKS}'
        return repository(tmp_path / f"project-{name}", {"shipsafe.toml": text})

    assert brought(project("plain", "required = []\n")).changes == {}
    assert list(brought(project("waiving", waiver())).changes.values()) == [
        ("whatever ../waiving.toml waives (`extends` in shipsafe.toml)",)
    ]


def test_statements_and_entries_do_what_waivers_do_and_are_traced_like_them(root: Path) -> None:
    policy = f'vex = ["security/vex.json"]\nbaseline = "known.toml"\n{ASKS}'
    one = commit(root, {"shipsafe.toml": policy, "security/vex.json": vex("CVE-1"), "known.toml": KNOWN.format(key="a")})
    two = commit(root, {"security/vex.json": vex("CVE-2", "CVE-1")})
    three = commit(root, {"known.toml": KNOWN.format(key="a") + KNOWN.format(key="b").partition("\n\n")[2]})
    assert brought(root).changes == {
        three: ("lint/B602 for function:Pay (known in known.toml)",),
        two: ("not_affected of CVE-2 (VEX in security/vex.json)",),
        one: ("lint/B602 for function:Pay (known in known.toml)", "not_affected of CVE-1 (VEX in security/vex.json)"),
    }


@pytest.mark.parametrize(
    ("before", "after", "by"),
    [
        ({"status": "under_investigation"}, {"status": "fixed"}, ["two", "one"]),
        ({}, {"timestamp": "2026-11-20T00:00:00Z"}, ["two", "one"]),
        (
            {"justification": None, "impact_statement": None},
            {"justification": None, "impact_statement": "trust me"},
            ["two"],
        ),  # before it was none
        ({}, {"impact_statement": "it is not there"}, ["one"]),
    ],
)
def test_a_statement_that_does_more_or_for_longer_is_another(
    root: Path, before: dict[str, object], after: dict[str, object], by: list[str]
) -> None:
    def document(changed: dict[str, object]) -> str:
        told = {key: value for key, value in {**statement("CVE-1"), **changed}.items() if value is not None}
        if told["status"] != "not_affected":
            told.pop("justification")
        return json.dumps({**VEX, "statements": [told, statement("CVE-2")]})

    one = commit(root, {"shipsafe.toml": f'vex = ["vex.json"]\n{ASKS}', "vex.json": document(before)})
    two = commit(root, {"vex.json": document(after)})
    assert list(brought(root).changes) == [{"one": one, "two": two}[name] for name in by]


def test_a_policy_below_the_top_and_one_in_pyproject_are_read_where_they_lie(tmp_path: Path) -> None:
    text = f"[tool.shipsafe.approvals]\nwaivers = 'required'\n{waiver().replace('[[waivers]]', '[[tool.shipsafe.waivers]]')}"
    root = repository(tmp_path / "mono", {"services/pay/pyproject.toml": text})
    head = git(root, "rev-parse", "HEAD")
    assert brought(root / "services/pay").changes == {head: ("layers/unpinned for function:Pay (waiver in services/pay/pyproject.toml)",)}


def test_where_the_history_is_cut_off_nobody_can_tell(root: Path, tmp_path: Path) -> None:
    commit(root, {"shipsafe.toml": ASKS + waiver()})
    commit(root, {"app.py": "x = 1\n"})
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), str(shallow))
    found = brought(shallow)
    assert found.changes == {}
    assert found.unknown == ("layers/unpinned for function:Pay (waiver in shipsafe.toml)",)


def test_an_earlier_policy_that_cannot_be_read_allowed_nothing(root: Path) -> None:
    commit(root, {"shipsafe.toml": ASKS + waiver()})
    commit(root, {"shipsafe.toml": "not toml ="})
    two = commit(root, {"shipsafe.toml": ASKS + waiver()})
    assert list(brought(root).changes) == [two]


def test_a_file_that_was_never_committed_allows_nothing_that_anybody_can_trace(root: Path) -> None:
    commit(root, {"shipsafe.toml": f'baseline = "known.toml"\n{ASKS}'})
    (root / "known.toml").write_text(KNOWN.format(key="a"))
    with pytest.raises(ConfigError, match=r"known.toml: The policy names this file, and it is not in the repository"):
        brought(root)


def test_nothing_that_the_repository_configures_is_started(root: Path, tmp_path: Path) -> None:
    commit(root, {"shipsafe.toml": ASKS + waiver(), ".gitattributes": "*.toml filter=evil diff=evil\n"})
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\ncat\n")
    script.chmod(0o755)
    for name in ("filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor", "diff.external"):
        git(root, "config", name, str(script))
    assert len(brought(root).changes) == 1
    assert not (tmp_path / "started").exists()


def test_names_of_files_are_no_patterns_and_no_options(tmp_path: Path) -> None:
    names = [":(top)x.json", "*.json", "--all.json"]
    policy = f"vex = {json.dumps(names)}\n{ASKS}"
    root = repository(tmp_path / "odd", {"shipsafe.toml": policy, **{name: vex(f"CVE-{number}") for number, name in enumerate(names)}})
    first = git(root, "rev-parse", "HEAD")
    two = commit(root, {"*.json": vex("CVE-9")})
    commit(root, {"other.json": vex("CVE-7")})
    assert set(brought(root).changes) == {first, two}
