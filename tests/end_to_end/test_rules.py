"""Every rule has its smallest bad example, and the program finds it there."""

import shutil
from pathlib import Path

import pytest

from shipsafe.gates import all_rules, workflows
from tests.end_to_end.program import shipsafe

RULES = [rule.id for rule in all_rules()]
FROM_REGISTRY = (
    *(f"dependencies/{name}" for name in ("confusion", "too-new", "unused", "vulnerable")),
    *("package/name-collision", "package/unlocked"),
)
# Of these one project holds them all, or nothing: what zizmor finds and this shipsafe has no name for.
TOGETHER = {rule for rule in RULES if rule.startswith("lint/")} | {rule.id for rule in workflows.BY_ZIZMOR} | {workflows.UNNAMED.id}
_TOO_LARGE = 263 * 1024 * 1024


def found_in(path: Path, cwd: Path) -> set[str]:
    prebuilt: list[str | Path] = ["--prebuilt", path / "built"] if (path / "built").is_dir() else []
    done = shipsafe("check", path, *prebuilt, "--format", "json", cwd=cwd)
    assert done.code in (0, 1, 4), done.err
    return done.rules


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in TOGETHER and rule not in FROM_REGISTRY])
def test_the_example_breaks_its_rule(rule: str, repository: Path, tmp_path: Path) -> None:
    copy = tmp_path / "rules"
    shutil.copytree(repository / "examples" / "rules", copy, symlinks=True)
    if rule == "package/too-large":
        with (copy / rule / "src" / "model.bin").open("wb") as file:
            file.truncate(_TOO_LARGE)
    assert rule in found_in(copy / rule, tmp_path)


@pytest.mark.registry
@pytest.mark.parametrize("rule", FROM_REGISTRY)
def test_the_example_with_dependencies_breaks_its_rule(rule: str, repository: Path) -> None:
    assert rule in found_in(repository / "examples" / "rules" / rule, repository)


def test_the_lint_example_breaks_every_rule_of_bandit(repository: Path) -> None:
    found = found_in(repository / "examples" / "rules" / "lint", repository)
    assert {rule for rule in RULES if rule.startswith("lint/")} <= found


def test_the_zizmor_example_breaks_every_rule_of_zizmor(repository: Path) -> None:
    found = found_in(repository / "examples" / "rules" / "zizmor", repository)
    assert {rule.id for rule in workflows.BY_ZIZMOR} <= found
    assert workflows.UNNAMED.id not in found


def test_no_example_is_left_without_its_rule(repository: Path) -> None:
    root = repository / "examples" / "rules"
    there = {path.parent.relative_to(root).as_posix() for path in root.glob("*/*/template.yaml")}
    assert there == set(RULES) - TOGETHER
