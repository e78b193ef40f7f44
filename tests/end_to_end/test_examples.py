"""The two examples, run as the README runs them."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.program import shipsafe

pytestmark = pytest.mark.registry


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`orders`, built once for this file: a copy of the project with its `dist`."""
    project = tmp_path_factory.mktemp("built") / "orders"
    shutil.copytree(repository / "examples" / "orders", project)
    cache = tmp_path_factory.mktemp("cache")
    done = shipsafe("build", "--check-reproducible", "--report", "json=report.json", cwd=project, env={"SHIPSAFE_CACHE_DIR": str(cache)})
    assert done.code == 0, done.out + done.err
    assert done.out.rstrip().splitlines()[-1].startswith("PASS")
    assert "advisories: example data" in done.out
    return project


def test_a_passing_build_leaves_a_zip_an_sbom_and_evidence_for_each_function_and_layer(built: Path) -> None:
    names = sorted(path.name for path in (built / "dist").iterdir() if not path.name.startswith("."))
    parts = ("CreateOrder", "ExportReport", "Notify", "Shared")
    assert names == sorted([*(f"{part}{end}" for part in parts for end in (".zip", ".cdx.json", ".intoto.jsonl")), "shipsafe.json"])


def test_the_manifest_names_the_bytes_that_lie_there(built: Path) -> None:
    manifest = json.loads((built / "dist" / "shipsafe.json").read_text())
    assert manifest["verdict"] == {"decision": "PASS"}
    for artifact in manifest["artifacts"]:
        data = (built / "dist" / artifact["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == artifact["digests"]["sha256"]
        assert hashlib.sha512(data).hexdigest() == artifact["digests"]["sha512"]
        sbom = (built / "dist" / artifact["sbom"]["path"]).read_bytes()
        assert hashlib.sha256(sbom).hexdigest() == artifact["sbom"]["sha256"]


def test_the_sbom_lists_every_file_of_the_zip_with_its_digest(built: Path) -> None:
    for name in ("CreateOrder", "Shared"):
        document = json.loads((built / "dist" / f"{name}.cdx.json").read_text())
        listed = {
            component["name"]: next(one["content"] for one in component["hashes"] if one["alg"] == "SHA-256")
            for component in document["components"]
            if component["type"] == "file"
        }
        with zipfile.ZipFile(built / "dist" / f"{name}.zip") as archive:
            actual = {member: hashlib.sha256(archive.read(member)).hexdigest() for member in archive.namelist()}
        assert listed == actual
        root = {one["alg"]: one["content"] for one in document["metadata"]["component"]["hashes"]}
        data = (built / "dist" / f"{name}.zip").read_bytes()
        assert root["SHA-256"] == hashlib.sha256(data).hexdigest()
        assert root["SHA-512"] == hashlib.sha512(data).hexdigest()


def test_no_machine_path_and_no_cache_ships(built: Path) -> None:
    for path in (built / "dist").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                assert "__pycache__" not in member
                assert not member.endswith((".pyc", "direct_url.json", "/.lock"))
                if member.endswith("RECORD"):
                    assert b"bin/" not in archive.read(member)
            assert all(info.date_time == (1980, 1, 1, 0, 0, 0) and not info.extra for info in archive.infolist())


def test_the_same_source_gives_the_same_bytes_from_another_place(built: Path, tmp_path: Path, repository: Path) -> None:
    project = tmp_path / "another place ü" / "orders"
    shutil.copytree(repository / "examples" / "orders", project)
    done = shipsafe("build", "--out", "elsewhere", "--jobs", "1", cwd=project, env={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"})
    assert done.code == 0, done.out + done.err
    for path in (built / "dist").glob("*.zip"):
        assert (project / "elsewhere" / path.name).read_bytes() == path.read_bytes()


def test_a_second_build_changes_nothing(built: Path) -> None:
    before = {path.name: path.read_bytes() for path in (built / "dist").iterdir() if path.is_file()}
    assert shipsafe("build", "--quiet", cwd=built).code == 0
    assert {path.name: path.read_bytes() for path in (built / "dist").iterdir() if path.is_file()} == before


def test_a_failing_build_keeps_the_older_good_one(built: Path, tmp_path: Path) -> None:
    project = tmp_path / "orders"
    shutil.copytree(built, project)
    before = {path.name: path.read_bytes() for path in (project / "dist").iterdir() if path.is_file()}
    (project / "src" / "notify" / ".env").write_text("TOKEN=made-up\n")
    done = shipsafe("build", "--format", "json", cwd=project)
    assert done.code == 1
    assert "package/secret-file" in done.rules
    assert {path.name: path.read_bytes() for path in (project / "dist").iterdir() if path.is_file()} == before


def test_the_report_can_be_rendered_again_in_every_format(built: Path) -> None:
    text = shipsafe("report", "show", "report.json", cwd=built)
    assert text.code == 0
    assert text.out.rstrip().splitlines()[-1].startswith("PASS")
    for kind in ("json", "sarif", "markdown", "github"):
        assert shipsafe("report", "show", "report.json", "--format", kind, cwd=built).code == 0
    again = shipsafe("report", "show", "report.json", "--format", "json", cwd=built)
    assert again.out == (built / "report.json").read_text()


def test_one_function_can_be_chosen_and_brings_its_layers(built: Path) -> None:
    done = shipsafe("check", "--function", "ExportReport", "--format", "json", cwd=built)
    assert done.code == 0
    assert {outcome["subject"] for outcome in done.report["outcomes"]} == {"function:ExportReport", "layer:Shared"}
    wrong = shipsafe("check", "--function", "ExportReprot", cwd=built)
    assert wrong.code == 2
    assert "Did you mean 'ExportReport'?" in wrong.err


def test_offline_opens_no_socket(built: Path, tmp_path: Path) -> None:
    """In a network name space without any network, children included, the second build gives the same verdict."""
    done = shipsafe("build", "--offline", "--out", tmp_path / "dist", cwd=built, before=["unshare", "-rn"])
    assert done.code == 0, done.out + done.err
    assert (tmp_path / "dist" / "CreateOrder.zip").read_bytes() == (built / "dist" / "CreateOrder.zip").read_bytes()


def test_the_broken_example_fails_in_every_gate_but_the_inventory(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "dist"
    done = shipsafe("build", "examples/orders-broken", "--format", "json", "--out", out, cwd=repository)
    assert done.code == 1, done.err
    report = done.report
    blocking = [finding for finding in report["findings"] if finding["severity"] in ("critical", "high") and not finding["waived"]]
    assert len(blocking) >= 12
    assert {finding["rule"].partition("/")[0] for finding in blocking} == {"dependencies", "lint", "layers", "package"}
    assert not out.exists(), "not even an empty folder"
    waived = [finding for finding in report["findings"] if finding["waived"]]
    assert [finding["advisory"] for finding in waived] == ["PYSEC-2023-212"]
    requests = next(finding for finding in report["findings"] if finding["advisory"] == "PYSEC-2023-74")
    assert requests["severity"] == "medium", "a GHSA record scores its PYSEC twin"
    assert (requests["location"]["path"], requests["location"]["line"]) == ("src/pay/requirements.txt", 2)
