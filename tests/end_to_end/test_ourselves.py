"""This repository passes its own gates: its code, the dependencies of its lock, and its workflows.

The advisories are example data: no feed can be reached from where the tests run. The workflow `ci` asks today's.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.program import shipsafe

_ADVISORIES = '[advisories]\nsource = {{ path = "{folder}", date = 2026-11-01 }}\nmax-age = "off"\n'


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """The files of this repository that git knows of, as they are now, under its own policy."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached"], cwd=repository, check=True, capture_output=True, text=True).stdout
    copy = tmp_path / "shipsafe"
    for name in filter(None, listed.split("\0")):
        if (repository / name).is_file() and not name.startswith(("tests/", "examples/", "bench/", "docs/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, copy / name)
    policy = copy / "shipsafe.toml"
    text = policy.read_text()
    assert "[advisories]" not in text, "it asks the snapshot, as everybody does"
    policy.write_text(
        text.replace("[gates.sbom]", _ADVISORIES.format(folder=repository / "examples/rules/advisories") + "\n[gates.sbom]", 1)
    )
    return copy


@pytest.mark.registry
def test_this_repository_passes_its_own_gates(checkout: Path) -> None:
    done = shipsafe("check", "--format", "json", cwd=checkout)
    answers = {(one["gate"], one["subject"]): one["state"] for one in done.report["outcomes"]}
    assert done.code == 0, [one for one in done.report["findings"] if one["decision"] == "blocking"] or done.out
    assert answers == {
        **{(gate, "function:Program"): "answered" for gate in ("dependencies", "layers", "lint", "package", "sbom")},
        ("workflows", "project"): "answered",
    }
    looked = next(one["evidence"] for one in done.report["outcomes"] if one["gate"] == "workflows")
    workflows, actions = (len(list((checkout / folder).glob(pattern))) for folder, pattern in
                          ((".github/workflows", "*.yml"), ("actions", "*/action.yml")))  # fmt: skip
    assert (looked["workflows"], looked["actions"]) == (workflows, actions)
    assert workflows >= 2
