"""The lists of all parts, so that a lost file is loud, and the generated files."""

import subprocess
import sys
from pathlib import Path

from shipsafe.gates import all_gates, all_rules, project_gates
from shipsafe.policy.keys import ABOUT_PROJECT, GATES
from shipsafe.reports import names


def test_these_are_all_gates_and_reports() -> None:
    assert [gate.id for gate in all_gates()] == ["dependencies", "layers", "lint", "package", "sbom", "workflows"]
    assert [gate.id for gate in project_gates()] == list(ABOUT_PROJECT)
    assert sorted(GATES) == [gate.id for gate in all_gates()]
    assert names() == ("csv", "cyclonedx-vex", "github", "json", "junit", "markdown", "openvex", "sarif", "text")


def test_rules_are_named_after_their_gate_and_never_twice() -> None:
    ids = [rule.id for rule in all_rules()]
    assert len(ids) == len(set(ids))
    for gate in all_gates():
        assert gate.rules
        assert all(rule.id.startswith(f"{gate.id}/") and rule.summary and rule.remedy and rule.why for rule in gate.rules)


def test_generated_files_are_what_the_code_says(repository: Path) -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
