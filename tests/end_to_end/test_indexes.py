"""Private indexes from the command line: what is ours comes from ours, and who we are there is written down nowhere."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.program import Ended, shipsafe
from tests.packing.loopback import index, sdist, wheel
from tests.packing.staging import write

SECRET = "hunter2-and-more"
TEMPLATE = """Transform: AWS::Serverless-2016-10-31
Resources:
  Billing:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/}
"""
POLICY = """first-party = ["acme-*"]

[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[indexes]
default = "{public}"
mirrors-pypi = ["{public}"]

[gates.dependencies]
allow-sdist = ["acme-made"]
{more}

[[indexes.named]]
name = "acme"
url = "{private}"
packages = ["acme-*"]
"""
CODE = "import acme_core, acme_made, plain\n\n\ndef handler(event, context):\n    return {}\n"
RECORD = '{"id": "PYSEC-0000-1", "modified": "2026-01-01T00:00:00Z", "affected": []}'


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A public one, where somebody has published a higher `acme-core`, and ours, behind a password."""
    ours = (wheel("acme_core", "1.0"), sdist("acme_made", "1.0", str(tmp_path / "ran")))
    times = {wheel("plain", "1.0")[0]: "2020-01-01T00:00:00Z"}
    with (
        index(wheel("plain", "1.0"), wheel("acme_core", "99.0"), uploaded=times) as public,
        index(*ours, user=("ci", SECRET)) as private,
    ):
        yield public, private


def run(tmp_path: Path, indexes: tuple[str, str], *words: str, more: str = "", **variables: str) -> Ended:
    """Build the project with folders of its own for everything."""
    text = POLICY.format(public=indexes[0], private=indexes[1], more=more)
    project = write(tmp_path / "project", {
        ".git/HEAD": "", "template.yaml": TEMPLATE, "shipsafe.toml": text, "src/app.py": CODE,
        "src/requirements.txt": "acme-core\nacme-made\nplain\n", "advisories/PYSEC-0000-1.json": RECORD})  # fmt: skip
    own = {
        "SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "SHIPSAFE_CONFIG_DIR": str(tmp_path / "etc"),
    }
    return shipsafe(*words, cwd=project, env=own | variables)


def holds(folder: Path, text: str) -> list[Path]:
    """Files that hold a text."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_build_from_a_private_index_ships_what_is_ours_and_writes_no_credentials(tmp_path: Path, indexes: tuple[str, str]) -> None:
    known = {"UV_INDEX_ACME_USERNAME": "ci", "UV_INDEX_ACME_PASSWORD": SECRET, "SHIPSAFE_DEBUG": "1"}
    done = run(tmp_path, indexes, "build", "--verbose", "--out", "out", "--format", "json", more='cooldown = "7d"', **known)
    assert done.code == 0, done.err + done.out
    notes = [note for outcome in done.report["outcomes"] for note in outcome["notes"]]
    assert any(note.startswith("acme-made 1.0 was built here from source, ") for note in notes)
    made = [json.loads(path.read_text()) for path in (tmp_path / "project" / "out").rglob("*.cdx.json")]
    components = {
        one["name"].replace("_", "-"): one["version"] for document in made for one in document["components"] if one["type"] == "library"
    }
    assert components == {"acme-core": "1.0", "acme-made": "1.0", "plain": "1.0"}
    assert SECRET not in done.out + done.err
    assert holds(tmp_path, SECRET) == []


def test_without_credentials_the_verdict_is_incomplete_and_says_what_to_set(tmp_path: Path, indexes: tuple[str, str]) -> None:
    done = run(tmp_path, indexes, "check")
    assert done.code == 4
    assert "UV_INDEX_ACME_PASSWORD" in done.out + done.err


def test_a_policy_that_claims_nothing_for_what_is_ours_is_told_of_the_stranger(tmp_path: Path, indexes: tuple[str, str]) -> None:
    public, _ = indexes
    text = POLICY.format(public=public, private=public, more="").partition("[[indexes.named]]")[0]
    project = write(tmp_path / "project", {
        ".git/HEAD": "", "template.yaml": TEMPLATE, "shipsafe.toml": text, "src/app.py": "import acme_core\n",
        "src/requirements.txt": "acme-core\n", "advisories/PYSEC-0000-1.json": RECORD})  # fmt: skip
    done = shipsafe(
        "check", "--format", "json", cwd=project, env={"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), "UV_CACHE_DIR": str(tmp_path / "uv")}
    )
    assert done.code == 1
    (finding,) = [one for one in done.report["findings"] if one["rule"] == "dependencies/confusion"]
    assert finding["severity"] == "critical"
    assert finding["location"]["path"] == "src/requirements.txt"
