"""A pull request on several machines: what was there before is known, as to one machine; and a release takes no such word."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.program import shipsafe
from tests.end_to_end.test_revisions import commit, git
from tests.flows.fleet import SHELL, TEMPLATE, built_shares, collect, fleet, machine, packages, same_as_one_machine

NOTHING = "def handler(event, context):\n    return {}\n"
AGAIN = SHELL + "\n\ndef other(event, context):\n    subprocess.call(event['y'], shell=True)\n"
PULL_REQUEST = ("--baseline-ref", "main")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with packages() as address:
        yield address


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, address: str) -> tuple[Path, list[Path]]:
    """`main` has a finding in three functions, of which a change takes one away and mends another; and what two machines leave of it."""
    place = tmp_path_factory.mktemp("made")
    root = fleet(place, address, {"src/one/app.py": SHELL, "src/three/app.py": SHELL, "src/four/app.py": SHELL})
    shutil.rmtree(root / ".git")
    git(root, "init", "-q", "-b", "main")
    commit(root)
    git(root, "checkout", "-q", "-b", "change")
    four = TEMPLATE[TEMPLATE.index("  Four:") : TEMPLATE.index("  Node:")]
    (root / "template.yaml").write_text(TEMPLATE.replace(four, ""))
    (root / "src/one/app.py").write_text("# A line more.\n" + SHELL)
    (root / "src/three/app.py").write_text(NOTHING)
    commit(root)
    return root, built_shares(place, root, 2, *PULL_REQUEST)


@pytest.fixture
def project(made: tuple[Path, list[Path]], tmp_path: Path) -> Path:
    """A checkout of its own."""
    return shutil.copytree(made[0], tmp_path / "fleet")


def test_what_was_there_does_not_fail_and_a_baseline_file_holds_beside_it(tmp_path: Path, project: Path) -> None:
    (project / "src/two/app.py").write_text(SHELL)
    wrote = shipsafe("check", "--quiet", "--function", "Two", "--write-baseline", "known.toml", "--baseline-owner", "o", cwd=project,
                     env=machine(tmp_path / "known"))  # fmt: skip
    assert wrote.code == 0, wrote.err
    (project / "shipsafe.toml").write_text('baseline = "known.toml"\n' + (project / "shipsafe.toml").read_text())
    commit(project)
    report = same_as_one_machine(tmp_path, project, *PULL_REQUEST, shares=3)
    assert report["verdict"]["decision"] == "PASS"
    assert [one["subject"] for one in report["findings"] if one["decision"] == "baselined"] == ["function:One", "function:Two"]
    assert sorted(one["subject"] for one in report["verdict"]["vanished"]) == ["function:Four", "function:Three"]
    assert report["baseline"]["path"].startswith("known.toml and main (")
    assert report["baseline"]["entries"] == 4


def test_what_is_new_fails_and_all_is_shown(tmp_path: Path, project: Path) -> None:
    (project / "src/two/app.py").write_text(SHELL)
    (project / "src/one/app.py").write_text(AGAIN)
    commit(project)
    report = same_as_one_machine(tmp_path, project, *PULL_REQUEST, shares=2)
    assert report["verdict"]["decision"] == "FAIL"
    told = sorted((one["subject"], one["decision"]) for one in report["findings"] if one["decision"] != "allowed")
    assert told == [("function:One", "baselined"), ("function:One", "blocking"), ("function:Two", "blocking")]


def test_a_project_that_was_not_there_is_all_new(tmp_path: Path, project: Path) -> None:
    """Every share says so, and all of them together say it once."""
    tree = git(project, "write-tree")
    empty = git(project, "commit-tree", "-m", "nothing", "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
    git(project, "reset", "-q", "--hard", git(project, "commit-tree", "-p", empty, "-m", "all", tree))
    git(project, "branch", "-q", "-f", "main", empty)
    left = built_shares(tmp_path, project, 2, *PULL_REQUEST)
    ended = collect(project, left, *PULL_REQUEST, "--format", "json", env=machine(tmp_path))
    assert ended.code == 1, ended.err
    assert str(json.loads(ended.out)["hints"]).count("there is nothing of this yet: all of it counts as new.") == 1


def test_a_release_takes_no_share_of_a_pull_request(tmp_path: Path, project: Path, made: tuple[Path, list[Path]]) -> None:
    """Nor a pull request one that was compared with something else: what is known would be anybody's choice."""
    for words in ((), ("--baseline-ref", "HEAD")):
        ended = collect(project, made[1], *words, env=machine(tmp_path))
        assert (ended.code, "differ in their baseline" in ended.err) == (5, True), ended.err
    assert not (project / "dist" / "shipsafe.json").exists()


def test_a_policy_that_fixes_what_is_known_takes_none(tmp_path: Path, project: Path, made: tuple[Path, list[Path]]) -> None:
    policy = project / "shipsafe.toml"
    policy.write_text('fixed = ["baseline"]\n' + policy.read_text())
    ended = collect(project, made[1], *PULL_REQUEST, env=machine(tmp_path))
    assert (ended.code, "--baseline-ref would add to it" in ended.err) == (2, True), ended.err


def test_a_checkout_without_history_says_what_it_lacks(tmp_path: Path, made: tuple[Path, list[Path]]) -> None:
    here = tmp_path / "here" / "fleet"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{made[0]}", str(here))
    ended = collect(here, made[1], *PULL_REQUEST, env=machine(tmp_path))
    assert (ended.code, "fetch-depth: 0" in ended.err) == (2, True), ended.err
