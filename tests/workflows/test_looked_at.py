"""What is looked at again: the script of the job `plan` of scheduled.yml with everything that its schedule and the policy may say."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.workflows import step

_SCHEDULE = {"SCHEDULE": "17 4 * * 1", "ASKED": "auto", "EVIDENCE": "s3://kept", "ROLE": "arn:aws:iam::1:role/x", "COMMIT": "1" * 40,
             "TRUSTED": f"acme/shipsafe/p.yml@{'1' * 40}"}  # fmt: skip


def decided(folder: Path, script: str, said: Mapping[str, str], code: int = 0) -> tuple[dict[str, str], str, str]:
    """Outputs, summary and what was printed, of a script that is told so."""
    output, summary = folder / "output", folder / "summary"
    output.write_text("")
    summary.write_text("")
    environment = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), **said}
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(bash, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr + done.stdout
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return outputs, summary.read_text(), done.stdout


def _on(outputs: dict[str, str]) -> set[str]:
    return {name for name, value in outputs.items() if value == "true"}


@pytest.mark.parametrize(
    ("schedule", "asked", "on"),
    [
        ("17 4 * * 1", "auto", {"advisories"}),
        ("17 4 2 1,4,7,10 *", "auto", {"permissions"}),
        ("", "auto", {"advisories", "permissions"}),
        ("17 4 2 1,4,7,10 *", "advisories", {"advisories"}),
        ("17 4 * * 1", "permissions", {"permissions"}),
        ("17 4 * * 1", "both", {"advisories", "permissions"}),
    ],
)
def test_a_schedule_that_names_a_day_of_the_month_is_the_review(tmp_path: Path, schedule: str, asked: str, on: set[str]) -> None:
    """Whoever starts it by hand gets both."""
    outputs, _, _ = decided(tmp_path, _scheduled(), {**_SCHEDULE, "SCHEDULE": schedule, "ASKED": asked})
    assert _on(outputs) == on


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"EVIDENCE": ""}, 3, "keeps no evidence"),
        ({"ROLE": "", "ASKED": "permissions"}, 3, "nothing to review"),
        ({"ASKED": "weekly"}, 2, "look-at is"),
    ],
)
def test_a_look_at_nothing_is_no_look(tmp_path: Path, said: dict[str, str], code: int, words: str) -> None:
    """It ends with an error, and not green."""
    outputs, _, printed = decided(tmp_path, _scheduled(), {**_SCHEDULE, **said}, code)
    assert not outputs
    assert words in printed


def test_a_schedule_of_another_commit_says_so_before_it_asks_for_its_role(tmp_path: Path) -> None:
    """The pipeline and what looks again are trusted at one commit."""
    assert not decided(tmp_path, _scheduled(), _SCHEDULE)[2]
    assert decided(tmp_path, _scheduled(), {**_SCHEDULE, "COMMIT": "2" * 40})[2].startswith(f"::warning::This is of commit {'2' * 40},")


def _scheduled() -> str:
    script: str = step("scheduled.yml", "plan", "Say what is looked at")["run"]
    return script
