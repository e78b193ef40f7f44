"""What another tool built, from the command line: the way out of a makefile, asked, packed, and said in the manifest and the SBOM."""

import json
import zipfile
from pathlib import Path

import pytest

from shipsafe.packing import manifest
from tests.end_to_end.program import shipsafe
from tests.packing.builds import installed
from tests.packing.staging import write

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: makefile}}
    Properties: {{Runtime: python3.13, Handler: app.handler, CodeUri: {code}}}
"""
POLICY = """\
[advisories]
source = { path = "advisories", date = 2026-11-01 }
max-age = "off"
"""
RECORD = """\
{"id": "PYSEC-0000-1", "modified": "2026-01-01T00:00:00Z", "summary": "Bad.", "affected": [{"package": {"ecosystem": "PyPI",
"name": "worn"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}],
"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}
"""
APP = "def handler(event, context):\n    return {}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose function is built by a makefile, and what `sam build` left of it."""
    return write(tmp_path / "project", {
        "template.yaml": TEMPLATE.format(code="src"), "shipsafe.toml": POLICY, "advisories/PYSEC-0000-1.json": RECORD,
        "src/app.py": APP, "src/Makefile": "build-Pay:\n\tcp app.py $(ARTIFACTS_DIR)\n",
        "src/requirements.txt": f"good==1.0 --hash=sha256:{'a' * 64}\n",
        ".aws-sam/build/template.yaml": TEMPLATE.format(code="Pay"), ".aws-sam/build/Pay/app.py": APP,
        **{f".aws-sam/build/Pay/{name}": data for name, data in installed("good").items()}})  # fmt: skip


def test_a_makefile_is_not_asked_and_says_the_way_out(project: Path) -> None:
    done = shipsafe("check", "--format", "json", cwd=project)
    [outcome] = [one for one in done.report["outcomes"] if one["gate"] == "dependencies"]
    assert outcome["state"] == "not-asked"
    assert "Run `sam build`, then `shipsafe build --prebuilt .aws-sam/build`." in outcome["reason"]


def test_a_build_is_asked_packed_and_named_in_manifest_and_sbom(project: Path) -> None:
    done = shipsafe("build", "--prebuilt", ".aws-sam/build", "--check-reproducible", "--format", "json", cwd=project)
    assert done.code == 0, done.err
    assert {one["state"] for one in done.report["outcomes"]} == {"answered"}
    assert done.rules >= {"dependencies/unproven"}
    [artifact] = json.loads((project / "dist" / "shipsafe.json").read_text())["artifacts"]
    assert artifact["source"] == "prebuilt"
    schema = json.loads((Path(manifest.__file__).parent / "data" / "release-manifest.schema.json").read_text())
    assert "source" in schema["$defs"]["artifact"]["required"]
    bom = json.loads((project / "dist" / "Pay.cdx.json").read_text())
    [good] = [one for one in bom["components"] if one["type"] == "library"]
    assert (good["purl"], {"name": "shipsafe:source", "value": "prebuilt"} in good["properties"]) == ("pkg:pypi/good@1.0", True)
    with zipfile.ZipFile(project / "dist" / "Pay.zip") as archive:
        assert archive.namelist() == sorted(
            ["app.py", "good.py", *(f"good-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL"))]
        )


def test_the_versions_that_are_there_are_audited_and_not_those_of_the_lock(project: Path) -> None:
    """The lock knows nothing of `worn`; it is in the build, and it is vulnerable."""
    write(project / ".aws-sam/build/Pay", installed("worn"))
    done = shipsafe("build", "--prebuilt", ".aws-sam/build", "--format", "json", cwd=project)
    assert done.code == 1, done.err
    assert done.rules >= {"dependencies/vulnerable", "package/lock-mismatch"}
    assert not (project / "dist").exists()


def test_a_changed_dependency_is_found_and_linted(project: Path) -> None:
    (project / ".aws-sam/build/Pay/good.py").write_text("import subprocess\nsubprocess.call('id', shell=True)\n")
    done = shipsafe("check", "--prebuilt", ".aws-sam/build", "--format", "json", cwd=project)
    assert done.code == 1, done.err
    assert done.rules >= {"package/modified-dependency", "lint/B602"}


def test_strict_refuses_what_another_tool_built(project: Path) -> None:
    (project / "shipsafe.toml").write_text('extends = "strict"\n' + POLICY)
    done = shipsafe("check", "--prebuilt", ".aws-sam/build", "--format", "json", cwd=project)
    assert done.code == 1, done.err
    assert "package/prebuilt" in done.rules


def test_a_function_that_the_build_does_not_have_is_incomplete(project: Path) -> None:
    template = TEMPLATE.format(code="src")
    (project / "template.yaml").write_text(template + template.partition("Resources:\n")[2].replace("Pay", "Late"))
    done = shipsafe("check", "--prebuilt", ".aws-sam/build", "--format", "json", cwd=project)
    assert done.code == 4, done.err
    [reason] = [one["reason"] for one in done.report["outcomes"] if one["subject"] == "function:Late" and one["gate"] == "package"]
    assert "The code of Late is not there: .aws-sam/build/Late." in reason


def test_a_zip_can_be_named_for_a_function(project: Path) -> None:
    with zipfile.ZipFile(project / "pay.zip", "w") as archive:
        for name, data in {"app.py": APP.encode(), **installed("good")}.items():
            archive.writestr(name, data)
    done = shipsafe("build", "--prebuilt", "Pay=pay.zip", "--format", "json", cwd=project)
    assert done.code == 0, done.err
    by_folder = shipsafe("build", "--prebuilt", ".aws-sam/build", "--out", "other", "--format", "json", cwd=project)
    assert by_folder.code == 0, by_folder.err
    assert (project / "dist" / "Pay.zip").read_bytes() == (project / "other" / "Pay.zip").read_bytes(), "equal contents, equal bytes"


def test_nothing_staged_is_a_usage_error(project: Path) -> None:
    done = shipsafe("check", "--prebuilt", "Pay=nowhere", cwd=project)
    assert done.code == 2, done.err
    assert "nowhere: There is nothing staged." in done.err


def test_a_proof_names_the_files_of_which_there_is_none(project: Path) -> None:
    """Offline there are no wheels: the source's own files are proven, the dependency's are not."""
    (project / "shipsafe.toml").write_text('prebuilt = "prove"\n' + POLICY)
    done = shipsafe("check", "--prebuilt", ".aws-sam/build", "--offline", "--format", "json", cwd=project)
    assert done.code == 1, done.err
    [finding] = [one for one in done.report["findings"] if one["rule"] == "package/prebuilt"]
    assert (
        "and 4 of its files are neither the source's nor those of a wheel whose hash stands in the lock: good-1.0.dist-info/METADATA, "
        in finding["message"]
    )
    [notes] = [one["notes"] for one in done.report["outcomes"] if one["gate"] == "package"]
    assert any(note.startswith("The build was not compared with the wheels of its lock: ") for note in notes)
