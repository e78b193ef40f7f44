"""A second run asks and packs only what has changed, equal dependencies are dealt with once, and a profile says where the time went."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.program import Ended, shipsafe

pytestmark = pytest.mark.registry

TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
"""
FUNCTION = """  {name}:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: src/{name}/, Handler: app.handler, Runtime: python3.12, Architectures: [x86_64]}}
"""
LOCK = (
    "six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"
    " --hash=sha256:1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926\n"
)
NAMES = ("First", "Second", "Third")


@pytest.fixture
def project(tmp_path: Path, repository: Path) -> Path:
    """Three functions with equal dependencies and code of their own."""
    root = tmp_path / "project"
    for name in NAMES:
        (root / "src" / name).mkdir(parents=True)
        (root / "src" / name / "app.py").write_text(f"import six\n\n\ndef handler(event, context):\n    return six.text_type('{name}')\n")
        (root / "src" / name / "requirements.txt").write_text(LOCK)
    (root / "template.yaml").write_text(TEMPLATE + "".join(FUNCTION.format(name=name) for name in NAMES))
    shutil.copytree(repository / "examples/orders/advisories", root / "advisories")
    (root / "shipsafe.toml").write_text(
        'extends = "baseline"\n[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n'
        '[gates.sbom]\nsupplier = "Us"\n'
    )
    return root


def build(project: Path, *words: str) -> tuple[Ended, list[dict[str, Any]]]:
    """A build, and the legs of its profile."""
    env = {"SHIPSAFE_CACHE_DIR": str(project.parent / "cache"), "SHIPSAFE_PROFILE": str(project.parent / "profile.json")}
    done = shipsafe("build", *words, cwd=project, env={**env, "SHIPSAFE_CONFIG_DIR": str(project.parent / "config")})
    profile: dict[str, Any] = json.loads((project.parent / "profile.json").read_text())
    assert profile["wall"] >= max(leg["end"] for leg in profile["legs"]) - 0.001
    assert 0 < profile["critical_path"] <= profile["wall"]
    return done, profile["legs"]


def release(project: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((project / "dist").iterdir()) if path.is_file()}


def done_anew(legs: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Questions that were asked, and archives that were packed, in earnest. Gates without a memory (layers) are left out."""
    kinds = ("dependencies", "lint", "package", "sbom", "compress", "seal", "install")
    return {(leg["leg"], leg["subject"]) for leg in legs if leg["leg"] in kinds and not leg["cached"]}


def test_equal_dependencies_are_resolved_and_installed_once(project: Path) -> None:
    done, legs = build(project)
    assert done.code == 0, done.out + done.err
    assert len([leg for leg in legs if leg["leg"] == "resolve"]) == 1
    assert len([leg for leg in legs if leg["leg"] == "install"]) == 1


def test_a_second_run_does_nothing_again_and_leaves_the_same_bytes(project: Path) -> None:
    assert build(project)[0].code == 0
    before = release(project)
    done, legs = build(project)
    assert done.code == 0
    assert done_anew(legs) == set()
    assert release(project) == before


def test_without_the_last_release_nothing_is_asked_and_the_same_bytes_are_packed(project: Path) -> None:
    assert build(project)[0].code == 0
    before = release(project)
    shutil.rmtree(project / "dist")
    done, legs = build(project)
    assert done.code == 0
    assert {kind for kind, _ in done_anew(legs)} == {"compress", "seal", "install"}, "the files are wanted again, the answers are known"
    assert release(project) == before


def test_one_changed_file_is_one_functions_work(project: Path) -> None:
    assert build(project)[0].code == 0
    before = release(project)
    with (project / "src/Second/app.py").open("a") as file:
        file.write("\n\ndef more():\n    return 1\n")
    done, legs = build(project)
    assert done.code == 0
    # Their dependencies are installed under the name of who wanted them first.
    assert {subject for kind, subject in done_anew(legs) if kind != "install"} == {"function:Second"}
    after = release(project)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"Second.zip", "Second.cdx.json", "Second.intoto.jsonl", "shipsafe.json"}


def test_a_release_that_somebody_has_written_into_is_made_again(project: Path) -> None:
    assert build(project)[0].code == 0
    before = release(project)
    with (project / "dist/Third.zip").open("r+b") as file:
        file.write(b"something else")
    assert build(project)[0].code == 0
    assert release(project) == before


def test_a_stricter_policy_judges_what_was_answered_before(project: Path) -> None:
    with (project / "src/First/app.py").open("a") as file:
        file.write("\nimport subprocess\n\n\ndef run(words):\n    return subprocess.run(words)\n")
    assert build(project)[0].code == 0
    policy = project / "shipsafe.toml"
    policy.write_text(policy.read_text() + '[gates.lint]\nfail-on = "low"\n')
    done, legs = build(project)
    assert done.code == 1
    assert ("lint", "function:First") not in done_anew(legs), "what bandit said is known; what it means is not"


def test_a_profile_is_a_line_per_leg_and_the_critical_path(project: Path) -> None:
    done, _ = build(project, "--profile", "--quiet")
    lines = done.err.splitlines()
    assert lines[0].split() == ["leg", "of", "cached", "start", "took"]
    assert sum(line.startswith("lint ") for line in lines) == len(NAMES)
    assert any(line.startswith("critical path ") and "start" in line and "publish" in line for line in lines)
    assert lines[-1].startswith("wall ")
