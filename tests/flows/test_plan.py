"""`build --plan` says what a build would do and what is cached, touches nothing and asks nobody; its shares are those of every machine."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.program import Ended, shipsafe
from tests.flows.fleet import RECORD, build, fleet, machine, packages

ALL = ["dependencies", "lint", "package", "sbom", "archive"]  # `layers` reads the template alone and is asked each time
FUNCTIONS = ["function:One", "function:Two", "function:Three", "function:Four", "function:Node"]


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """What the index was asked for."""
    return []


@pytest.fixture(scope="module")
def address(asked: list[str]) -> Iterator[str]:
    with packages(asked) as address:
        yield address


def plan(project: Path, env: dict[str, str], *words: str) -> dict[str, Any]:
    """The plan by subject."""
    done = shipsafe("build", "--plan", "--format", "json", *words, cwd=project, env=env)
    assert done.code == 0, done.err
    return {row["subject"]: row for row in done.report["subjects"]}


def cached(project: Path, env: dict[str, str]) -> dict[str, list[str]]:
    return {name: row["cached"] for name, row in plan(project, env).items()}


def matrix(project: Path, env: dict[str, str], count: int) -> Ended:
    done = shipsafe("build", "--plan", "--shards", str(count), cwd=project, env=env)
    assert done.code == 0, done.err
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, address: str) -> tuple[Path, dict[str, str]]:
    """A project that was built here, and the machine."""
    root = tmp_path_factory.mktemp("built")
    project, env = fleet(root, address), machine(root)
    done = build(project, env=env)
    assert done.code == 0, done.err + done.out
    return project, env


def test_a_plan_fetches_nothing_and_leaves_nothing(tmp_path: Path, address: str, asked: list[str]) -> None:
    project, env = fleet(tmp_path, address), machine(tmp_path)
    before, seen = sorted(project.rglob("*")), len(asked)
    rows = plan(project, env)
    assert len(asked) == seen
    assert sorted(project.rglob("*")) == before
    assert not (tmp_path / "uv").exists()
    assert {name: row["cached"] for name, row in rows.items()} == {name: [] for name in [*FUNCTIONS, "layer:Common", "function:Boxed"]}
    assert rows["function:One"]["inputs"] == ["template.yaml", "src/one/requirements.txt", "src/one"]
    assert (rows["function:One"]["files"], rows["function:One"]["distributions"], rows["function:One"]["weight"]) == (2, 1, 11)
    assert rows["function:One"]["dependencies"] == rows["function:Two"]["dependencies"] == rows["layer:Common"]["dependencies"]
    assert len({rows[name]["dependencies"] for name in ("function:One", "function:Three", "function:Four")}) == 3
    assert (rows["function:Boxed"]["weight"], rows["function:Boxed"]["problem"]) == (0, "")


def test_everything_is_cached_after_a_build(built: tuple[Path, dict[str, str]]) -> None:
    rows = cached(*built)
    python = {name: found for name, found in rows.items() if name not in ("function:Node", "function:Boxed")}
    assert python == dict.fromkeys(python, ALL)
    assert len(python) == 5
    assert "archive" in rows["function:Node"]
    assert rows["function:Boxed"] == []


def test_an_archive_that_is_gone_is_packed_again(built: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    project = shutil.copytree(built[0], tmp_path / "fleet")
    shutil.rmtree(project / "dist")
    rows = cached(project, built[1])
    assert rows["function:One"] == [part for part in ALL if part != "archive"]


def test_after_a_change_only_that_function_is_not_cached(built: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    project = shutil.copytree(built[0], tmp_path / "fleet")
    (project / "src/four/app.py").write_text("def handler(event, context):\n    return {'new': 1}\n")
    rows = cached(project, built[1])
    assert rows["function:Four"] == []
    assert [rows[name] for name in FUNCTIONS[:3]] == [ALL] * 3


def test_after_a_change_of_a_layer_its_functions_are_asked_and_not_packed_again(built: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    project = shutil.copytree(built[0], tmp_path / "fleet")
    (project / "layer/common.py").write_text("def shared():\n    return 2\n")
    rows = cached(project, built[1])
    assert rows["layer:Common"] == []
    assert "archive" in rows["function:One"]
    assert "package" not in rows["function:One"]  # what unzips together is one of its questions
    assert rows["function:Four"] == ALL


def test_after_an_advisory_only_the_audit_is_not_cached(built: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    project = shutil.copytree(built[0], tmp_path / "fleet")
    (project / "advisories/PYSEC-2026-8.json").write_text(RECORD.replace("2026-7", "2026-8") % "beta")
    rows = cached(project, built[1])
    assert [rows[name] for name in FUNCTIONS[:4]] == [[part for part in ALL if part != "dependencies"]] * 4


def test_a_new_waiver_costs_nothing(built: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    project = shutil.copytree(built[0], tmp_path / "fleet")
    with (project / "shipsafe.toml").open("a") as file:
        file.write('\n[[waivers]]\nrule = "lint/B602"\nsubject = "One"\nreason = "r"\nowner = "o"\nexpires = 2999-01-01\n')
    assert cached(project, built[1]) == cached(*built)


def test_another_user_has_nothing_cached(built: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    env = {**built[1], "SHIPSAFE_CONFIG_DIR": str(tmp_path / "etc")}
    assert not any(cached(built[0], env).values())


def test_a_matrix_is_one_line_that_a_workflow_takes_and_the_same_on_every_machine(
    built: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:  # fmt: skip
    warm = matrix(*built, 3)
    assert warm.out.count("\n") == 1
    jobs = warm.report["include"]
    assert [job["shard"] for job in jobs] == ["1/3", "2/3", "3/3"]
    assert sorted(name for job in jobs for name in job["subjects"]) == sorted([*FUNCTIONS, "layer:Common", "function:Boxed"])
    assert all(isinstance(job["weight"], int) for job in jobs)
    other = shutil.copytree(built[0], tmp_path / "another place" / "another name")
    assert matrix(other, machine(tmp_path), 3).out == warm.out


def test_there_are_no_more_jobs_than_work(built: tuple[Path, dict[str, str]]) -> None:
    jobs = matrix(*built, 256).report["include"]
    assert len(jobs) == 5
    done = shipsafe("build", "--shard", "6/256", cwd=built[0], env=built[1])
    assert (done.code, "There are only 5 shares to do, and this is number 6." in done.err) == (3, True)


def test_a_plan_needs_no_index(tmp_path: Path) -> None:
    """Nobody listens there; a plan says what is known all the same."""
    project, env = fleet(tmp_path, "http://127.0.0.1:9/simple"), machine(tmp_path)
    assert [row["problem"] for row in plan(project, env).values()] == [""] * 7
    assert len(matrix(project, env, 2).report["include"]) == 2


def test_what_cannot_be_staged_has_its_reason_and_is_in_a_share(tmp_path: Path, address: str) -> None:
    project, env = fleet(tmp_path, address), machine(tmp_path)
    shutil.rmtree(project / "src/two")
    rows = plan(project, env)
    assert "The code of Two is not there: src/two" in rows["function:Two"]["problem"]
    assert rows["function:One"]["problem"] == ""
    assert "function:Two" in matrix(project, env, 2).out
    text = shipsafe("build", "--plan", cwd=project, env=env).out
    assert "The code of Two is not there" in text


def test_a_build_of_another_tool_counts_with_the_source_that_it_was_made_of(tmp_path: Path, address: str) -> None:
    project, env = fleet(tmp_path, address), machine(tmp_path)
    shutil.copytree(project / "src", project / ".aws-sam/build")
    for name in ("One", "Two", "Three", "Four", "Node"):
        (project / ".aws-sam/build" / name.lower()).rename(project / ".aws-sam/build" / f"{name}-made")
    template = (project / "template.yaml").read_text()
    for name in ("One", "Two", "Three", "Four", "Node"):
        template = template.replace(f"src/{name.lower()}/", f"{name}-made")
    shutil.copytree(project / "layer", project / ".aws-sam/build/Common")
    (project / ".aws-sam/build/template.yaml").write_text(template.replace("layer/", "Common"))
    row = plan(project, env, "--prebuilt", ".aws-sam/build")["function:Four"]
    assert ".aws-sam/build/Four-made" in row["inputs"]
    assert "src/four" in row["inputs"]
    (project / ".aws-sam/build/Four-made/big.bin").write_bytes(bytes(5 << 20))
    assert plan(project, env, "--prebuilt", ".aws-sam/build")["function:Four"]["weight"] == row["weight"] + 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shards", "2"), "--shards is how a plan is shared."),
        (("--plan", "--shard", "1/2"), "--plan speaks of the whole project."),
        (("--plan", "--format", "sarif"), "A plan has no format 'sarif'."),
        (("--shard", "3/2"), "--shard '3/2' is not of the form K/N."),
        (("--shard", "0/2"), "--shard '0/2' is not of the form K/N."),
    ],
)
def test_what_makes_no_sense_is_refused(built: tuple[Path, dict[str, str]], words: tuple[str, ...], said: str) -> None:
    done = shipsafe("build", *words, cwd=built[0], env=built[1])
    assert (done.code, said in done.err) == (2, True)


def test_the_text_names_everything(built: tuple[Path, dict[str, str]]) -> None:
    text = shipsafe("build", "--plan", cwd=built[0], env=built[1]).out
    assert json.dumps(ALL[0])[1:-1] in text
    for name in FUNCTIONS:
        assert name in text
