"""GitHub's own parser and zizmor find nothing in what this repository gives to others, and would find it if it were there."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.workflows import ALL, WORKFLOWS, complaints

_ZIZMOR = Path(sysconfig.get_path("scripts")) / "zizmor"


@pytest.fixture
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def test_githubs_parser_finds_nothing(tools: Path) -> None:
    """In workflows, in actions, and in the expressions between."""
    assert complaints(ALL, tools) == {str(path): [] for path in ALL}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("    needs: [plan, deploy]\n", "    needs: [plan, deploi]\n", "unknown job 'deploi'"),
        ("github.base_ref", "githup.base_ref", "Unrecognized named-value: 'githup'"),
        ("    runs-on: ${{ inputs.runner }}\n", "    runs_on: x\n", "Unexpected value 'runs_on'"),
        ("needs.plan.outputs.verify-role", "needs.plan.outputs.verify-rolle", "Context access might be invalid: verify-rolle"),
        ("steps.facts.outputs.account", "steps.factz.outputs.account", "Context access might be invalid: factz"),
    ],
)
def test_githubs_parser_would_find_it(tools: Path, tmp_path: Path, right: str, wrong: str, said: str) -> None:
    """One mistake at a time, as somebody might make it."""
    text = (WORKFLOWS / "pipeline.yml").read_text()
    assert right in text
    broken = tmp_path / "pipeline.yml"
    broken.write_text(text.replace(right, wrong))
    found = complaints([broken], tools)[str(broken)]
    assert any(said in one for one in found), found


def test_zizmor_finds_nothing_under_its_pedantic_eye() -> None:
    """Nothing is left out but the advice to write `$/`, where a server has none."""
    done = _zizmor("--pedantic", *map(str, ALL))
    assert json.loads(done.stdout) == []
    assert done.returncode == 0, done.stderr
    left_out = {line.partition("zizmor: ")[2] for path in ALL for line in path.read_text().splitlines() if "zizmor: " in line}
    assert left_out <= {"ignore[self-repository] $/ is github.com's alone"}


def test_zizmor_would_find_it(tmp_path: Path) -> None:
    """A name in a shell, a credential that is kept, an action that can be moved."""
    text = (WORKFLOWS / "pipeline.yml").read_text()
    broken = tmp_path / ".github/workflows/pipeline.yml"
    broken.parent.mkdir(parents=True)
    text = text.replace("          persist-credentials: false\n", "", 1).replace(
        "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", 1
    )
    broken.write_text(text.replace('-- "$PROJECT"', '-- "${{ github.head_ref }}"', 1))
    found = {one["ident"] for one in json.loads(_zizmor("--pedantic", str(broken)).stdout)}
    assert {"artipacked", "unpinned-uses", "template-injection"} <= found


def _zizmor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_ZIZMOR, "--offline", "--format=json", *arguments], capture_output=True, text=True, check=False)
