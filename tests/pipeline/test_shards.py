"""A matrix of four machines: what `collect` joins has the bytes that one machine makes."""

import base64
import json
from pathlib import Path

import pytest

from tests.pipeline.conftest import Opened
from tests.pipeline.project import FILES, handler, template

pytestmark = pytest.mark.registry
PASSED, FAILED = ("success",), ("failure",)
UNSEEN = 4
NAMES = ("Pay", "Stock", "Ship", "Bill", "Mail")


FOLDER = "services/shop"
LOSE = """\
import shutil
import sys

name, folder = sys.argv[1:]
if name.endswith("-share-2"):
    shutil.rmtree(folder)
"""


def test_four_machines_give_the_bytes_of_one(opened: Opened, four_lines: str, tmp_path: Path) -> None:
    """Archives, SBOMs, statements and the manifest, of a project below the root; without the share of one of them nothing passes."""
    below = four_lines.replace("path: .", f"path: {FOLDER}")
    project = {**FILES, "template.yaml": template(*NAMES), **{f"{name.lower()}/app.py": handler(name) for name in NAMES}}
    consumer = opened({f"{FOLDER}/{name}": text for name, text in project.items()}, caller=below)
    consumer.commit({".github/workflows/shared.yml": below.replace(FOLDER, f"{FOLDER}, shards: 4"), **dict.fromkeys(FILES)})
    one = consumer.push()
    assert one.results["build"] == PASSED, one.told()
    alone = _release(consumer.kept)
    consumer.workflow = ".github/workflows/shared.yml"
    four = consumer.push()
    assert four.results["build"] == PASSED * 4, four.told()
    assert four.results["collect"] == PASSED, four.told()
    assert {name for name in alone if name.endswith(".zip") and "/" not in name} == {f"{name}.zip" for name in NAMES}
    assert _release(consumer.kept) == alone
    assert ".github/workflows/pipeline.yml@" in _builder(alone["Pay.intoto.jsonl"])

    (tmp_path / "lose.py").write_text(LOSE)
    lost = consumer.push(meddler=tmp_path / "lose.py")
    assert lost.results["collect"] == FAILED, lost.told()
    assert lost.outputs("collect")["decision"] == "INCOMPLETE"
    assert lost.ended("collect") == UNSEEN


def _builder(bundle: bytes) -> str:
    """The builder that the provenance names."""
    for line in bundle.splitlines():
        statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
        if statement["predicateType"] == "https://slsa.dev/provenance/v1":
            return str(statement["predicate"]["runDetails"]["builder"]["id"])
    return ""


def _release(kept: Path) -> dict[str, bytes]:
    (folder,) = (kept / "artifacts").glob("*-built")
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
