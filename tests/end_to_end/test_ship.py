"""The front door: `shipsafe ship --sandbox examples/orders`, as the README has it, and the second release that goes back."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.program import shipsafe


@pytest.mark.registry
def test_the_example_ships_in_a_sandbox_and_a_bad_release_of_it_goes_back(repository: Path, tmp_path: Path) -> None:
    """All five legs pass, and then the alias of the changed function leads where it led. Nothing is left in the project."""
    project = repository / "examples" / "orders"
    before = sorted(path for path in project.rglob("*"))
    summary = tmp_path / "summary.md"
    ended = shipsafe("ship", "--sandbox", "--seed-alarm", "--format", "json", "--quiet", project, cwd=tmp_path,
                     env={"GITHUB_STEP_SUMMARY": str(summary), "SHIPSAFE_CONFIG_DIR": str(tmp_path / "config")})  # fmt: skip
    assert ended.code == 6, ended.err
    assert ended.err == ""
    decoder = json.JSONDecoder()
    first, end = decoder.raw_decode(ended.out)
    second, _ = decoder.raw_decode(ended.out[end:].lstrip())
    assert [leg["state"] for leg in first["legs"]] == ["passed"] * 5
    assert {(one["function"], one["alias"], one["version"], one["verdict"]) for one in first["functions"]} == {
        (name, "live", "2", "PASS") for name in ("CreateOrder", "ExportReport", "Notify")
    }
    assert second["ended_at"] == "deploy"
    assert sorted(one["ending"] for one in second["functions"]) == ["rolled-back", "unchanged", "unchanged"]
    back = next(one for one in second["functions"] if one["ending"] == "rolled-back")
    assert (back["before"], [shift["percent"] for shift in back["shifts"]]) == ("2", [40, 0])
    assert summary.read_text().count("| function | version | digest | signer | verdict |") == 2
    assert sorted(path for path in project.rglob("*")) == before
