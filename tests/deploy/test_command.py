"""`shipsafe deploy` as a user runs it: the plan, the question, the report in its forms, and the exit code."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.deploy.scene import Scene
from tests.end_to_end.program import Ended
from tests.tampering.world import shipsafe

LIVE = '[deploy]\nalias = "live"'


def run(scene: Scene, *words: str) -> Ended:
    """The program, in the project."""
    return shipsafe("deploy", "dist", "--offline-advisories", *words, cwd=scene.desk.project)


def fits_the_schema(document: Any) -> None:
    """The published one."""
    schema = (Path(__file__).resolve().parents[2] / "configs" / "deployments.schema.json").read_text()
    assert not list(jsonschema_rs.validator_for(json.loads(schema)).iter_errors(document))


def test_the_plan_names_every_step_and_its_reason(scene: Scene) -> None:
    """And `--dry-run` stops after it."""
    scene.function()
    scene.add(LIVE)
    done = run(scene, "--dry-run")
    assert done.code == 0, done.err
    lines = [line.removeprefix("LOCAL ").rstrip() for line in done.out.splitlines()]
    assert lines[0].startswith("deployment record: unsigned")
    assert lines[1].startswith("target prod: account 123456789012, eu-west-1, as arn:aws:")
    assert "function Pay:live: all-at-once" in lines
    calls = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert calls == ["TagResource", "UpdateFunctionCode", "PublishVersion", "UpdateAlias"]
    assert "      It has other code:" in done.out.replace("LOCAL ", "")
    assert lines[-1] == "Nothing was changed: --dry-run stops after the plan."
    assert scene.alias() == ("1", {})


def test_it_says_what_came_of_it_in_every_form(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.function()
    scene.add(LIVE)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(scene.desk.project / "summary.md"))
    done = run(scene, "--yes", "--report", "json=told.json")
    assert done.code == 0, done.err + done.out
    assert "LOCAL Pay:live  deployed, version 2 (before: 1), verify: PASS\n" in done.out
    assert done.out.endswith("LOCAL 1 deployed. exit 0\n")
    document = json.loads((scene.desk.project / "told.json").read_text())
    fits_the_schema(document)
    assert document["remarks"] == ["LOCAL: what answered is the endpoint on this machine, and not AWS."]
    (told,) = document["deployments"]
    assert (told["function"], told["alias"], told["version"], told["before"], told["verdict"]) == ("Pay", "live", "2", "1", "PASS")
    assert (told["code_sha256"], told["profile_version"]) == (scene.signed.code_sha256, scene.signed.profile_version)
    summary = (scene.desk.project / "summary.md").read_text()
    assert "| function | how it ended | version | before |" in summary
    assert f"| Pay:live | deployed | 2 | 1 | {scene.signed.code_sha256[:8]}" in summary
    again = run(scene, "--format", "json")
    assert (again.code, json.loads(again.out)["summary"]) == (0, "1 ran it already. exit 0"), again.err


def test_a_report_that_cannot_be_written_hides_nothing_of_what_was_done(scene: Scene) -> None:
    scene.function()
    scene.add(LIVE)
    (scene.desk.project / "file").write_text("")
    done = run(scene, "--yes", "--report", "json=file/told.json")
    assert done.code == 4
    assert done.out.endswith("LOCAL 1 deployed. exit 0\n")
    assert "error: " in done.err
    assert scene.alias() == ("2", {})


def test_without_a_terminal_nobody_is_asked_and_nothing_is_done(scene: Scene) -> None:
    scene.function()
    scene.add(LIVE)
    done = run(scene)
    assert (done.code, "Add --yes" in done.err) == (2, True), done.err
    assert scene.alias() == ("1", {})


def test_what_does_not_hold_is_told_link_by_link(scene: Scene) -> None:
    scene.function()
    scene.add(LIVE)
    scene.lambda_.delete_function_code_signing_config(FunctionName="Pay")
    report = scene.desk.project / "told.md"
    done = run(scene, "--yes", "--report", f"markdown={report}")
    assert done.code == 5
    assert done.out.count("has no code-signing configuration") == 2, done.out  # the first sentence, and the link
    assert done.out.endswith("LOCAL nothing was deployed. exit 5\n")
    assert report.read_text().count("has no code-signing configuration") == 1  # there is no table of links
    quiet = run(scene, "--yes", "--quiet")
    assert (quiet.code, quiet.out.count("has no code-signing configuration")) == (5, 1), quiet.out
    told = json.loads(run(scene, "--yes", "--format", "json").out)
    fits_the_schema(told)
    assert (told["exit_code"], told["deployments"]) == (5, [])
    assert told["remarks"][0].startswith("function:Pay: Function Pay has no code-signing configuration")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "orders"), "is not the ARN of a role"),
        (("--target", "nowhere"), "no [[sign.target]] 'nowhere'"),
        (("--stage", "nowhere"), "no [[deploy.stage]] 'nowhere'"),
        (("--function", "Nobody"), "has no function 'Nobody'"),
        (("--format", "sarif"), "sarif"),
        (("--break-glass", "now"), ""),
    ],
)
def test_what_cannot_be_meant_ends_with_two(scene: Scene, words: tuple[str, ...], said: str) -> None:
    scene.function()
    scene.add(LIVE)
    done = run(scene, "--dry-run", *words)
    if not said:  # a clean release needs no override, and takes none
        assert done.code == 0, done.err
        return
    assert (done.code, said in done.err) == (2, True), done.err
