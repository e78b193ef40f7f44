"""The gate `workflows` from the command line: one answer about the project, in every report, in the evidence, and never asked of zips."""

import shutil
from pathlib import Path

import pytest

from tests.end_to_end.program import shipsafe
from tests.end_to_end.signing_with_keys import Run, bundle, keys, project, run, stated, trusting
from tests.end_to_end.test_revisions import commit, git
from tests.local_endpoint import local_aws, local_root  # noqa: F401 - fixtures
from tests.packing.staging import write

__all__ = ["keys", "project", "run"]  # fixtures
POLICY = '[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n'
RELEASE = """\
name: release
on: push
permissions: {}
jobs:
  ship:
    runs-on: ubuntu-24.04
    permissions: {id-token: write}
    steps:
      - run: shipsafe build --out dist
      - run: shipsafe sign dist --yes
"""
CLEAN = RELEASE.replace("      - run: shipsafe sign dist --yes\n", "")
FILE = ".github/workflows/release.yml"
WAIVER = """
[[waivers]]
rule = "workflows/build-and-sign"
subject = "project"
reason = "One machine of ours."
owner = "team@example.com"
expires = 2099-01-31
"""


@pytest.fixture
def shop(project: Path) -> Path:
    """Two functions and a workflow that builds and signs in one job."""
    return write(project, {FILE: RELEASE})


def policy(root: Path, top: str = "", more: str = "") -> None:
    """The policy of the project, with more above and below."""
    from tests.end_to_end.test_sign import POLICY as OWN  # noqa: PLC0415 - the same name as ours

    (root / "shipsafe.toml").write_text(f"{top}\n{OWN}\n{more}")


REQUIRED = 'required = ["dependencies", "lint", "sbom", "layers", "package", "workflows"]'


def test_it_is_one_row_of_the_table_and_blocks(shop: Path) -> None:
    done = shipsafe("check", cwd=shop)
    assert done.code == 1, done.err
    assert [line.split() for line in done.out.splitlines()[3:7]] == [
        ["subject", "dependencies", "layers", "lint", "package", "sbom", "workflows"],
        ["function:Pay", "pass", "pass", "pass", "pass", "pass", "-"],
        ["function:Stock", "pass", "pass", "pass", "pass", "pass", "-"],
        ["project", "-", "-", "-", "-", "-", "1", "high"],
    ]
    assert "HIGH  workflows/build-and-sign  .github/workflows/release.yml:10\n" in done.out
    assert done.out.splitlines()[-1] == "FAIL  1 finding blocks (1 high) in 1 of 3 subjects. exit 1"


def test_a_waiver_allows_it_and_sarif_names_the_file(shop: Path) -> None:
    policy(shop, more=WAIVER)
    done = shipsafe("check", "--format", "sarif", cwd=shop)
    assert done.code == 0, done.err
    (told,) = [one for run in done.report["runs"] for one in run["results"] if one["ruleId"] == "workflows/build-and-sign"]
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == FILE
    assert told["suppressions"][0]["justification"] == "One machine of ours. (team@example.com until 2099-01-31)"


def test_an_answer_is_kept_until_a_workflow_changes(shop: Path, tmp_path: Path) -> None:
    env = {"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache")}

    def cached() -> bool:
        done = shipsafe("check", "--profile", cwd=shop, env=env)
        (line,) = [line.split() for line in done.err.splitlines() if line.startswith("workflows ")]
        return line[1:3] == ["project", "yes"]

    assert [cached(), cached()] == [False, True]
    write(shop, {"pay/app.py": "def handler(event, context):\n    return 2\n"})
    assert cached()
    write(shop, {FILE: CLEAN})
    assert not cached()


def test_without_workflows_nothing_is_said_unless_it_is_required(shop: Path) -> None:
    shutil.rmtree(shop / ".github")
    assert "workflows" not in shipsafe("check", cwd=shop).out
    assert "workflows" not in shipsafe("check", "--format", "json", cwd=shop).out
    policy(shop, REQUIRED)
    done = shipsafe("check", cwd=shop)
    assert done.code == 0
    assert "Not asked (1)\n  workflows for project: There is no workflow in .github/workflows of this project.\n" in done.out


def test_reports_show_the_file_of_a_deeper_project_where_it_lies(shop: Path) -> None:
    write(shop, {".git/HEAD": ""})
    shutil.move(shop / "shipsafe.toml", shop / "whole.toml")
    inner = write(shop / "services" / "pay", {"app/app.py": "def handler(event, context):\n    return 1\n"})
    functions = '[[functions]]\nname = "Pay"\nhandler = "app.handler"\nruntime = "python3.13"\ncode = "app"\n'
    advisories = POLICY.replace('"advisories"', '"../../advisories"')
    (inner / "shipsafe.toml").write_text(f"{REQUIRED}\n{advisories}{functions}")
    report = shipsafe("check", "--format", "sarif", "--report", "github=notes", cwd=inner)
    assert report.code == 1, report.err
    (told,) = [one for run in report.report["runs"] for one in run["results"] if one["ruleId"] == "workflows/build-and-sign"]
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == FILE
    assert f"file={FILE},line=10," in (inner / "notes").read_text()


def test_what_cannot_be_read_makes_the_verdict_incomplete(shop: Path) -> None:
    write(shop, {FILE: "on: [\n"})
    done = shipsafe("check", cwd=shop)
    assert done.code == 4
    assert "workflows for project: .github/workflows/release.yml:2:1: Not YAML:" in done.out


def test_workflows_alone_are_no_pass(shop: Path) -> None:
    template = (
        'Resources:\n  Boxed:\n    Type: AWS::Lambda::Function\n    Properties: {PackageType: Image, Code: {ImageUri: "1.dkr/x:1"}}\n'
    )
    write(shop, {"template.yaml": template, FILE: CLEAN, "shipsafe.toml": POLICY})
    done = shipsafe("check", cwd=shop)
    assert (done.code, done.out.splitlines()[-1]) == (3, "NOTHING  nothing was answered. exit 3")


def test_a_pull_request_brings_in_what_was_not_there(shop: Path) -> None:
    git(shop, "init", "-q", "-b", "main")
    commit(shop)
    git(shop, "checkout", "-q", "-b", "change")
    write(shop, {FILE: f"# moved\n{RELEASE}"})
    known = shipsafe("check", "--baseline-ref", "main", cwd=shop)
    assert known.code == 0, known.out
    assert "1 known" in known.out
    write(shop, {".github/workflows/more.yml": RELEASE})
    done = shipsafe("check", "--baseline-ref", "main", cwd=shop)
    assert done.code == 1
    assert done.out.splitlines()[-1] == "FAIL  1 finding blocks (1 high) in 1 of 3 subjects; the baseline knows 1 more. exit 1"


def test_shares_are_joined_with_one_answer(shop: Path, tmp_path: Path) -> None:
    policy(shop, more=WAIVER)
    folders = []
    for number in (1, 2):
        out = tmp_path / f"share-{number}"
        words = ("--quiet", "--shard", f"{number}/2", "--out", out, "--report", f"json={out / 'report.json'}")
        assert shipsafe("build", *words, cwd=shop).code == 0
        folders.append(out)
    done = shipsafe("report", "collect", *folders, "--format", "json", "--out", tmp_path / "all", cwd=shop)
    assert done.code == 0, done.err
    (answer,) = [one for one in done.report["outcomes"] if one["gate"] == "workflows"]
    assert (answer["subject"], answer["state"]) == ("project", "answered")


def test_it_stands_in_the_evidence_and_zips_are_not_asked(run: Run, shop: Path, keys: object) -> None:
    assert isinstance(keys, dict)
    (ci, builder), (release, signer) = keys["ci"], keys["release"]
    write(shop, {FILE: CLEAN})
    trusting(shop, ci=builder, release=signer)
    text = (shop / "shipsafe.toml").read_text()
    (shop / "shipsafe.toml").write_text(f"{REQUIRED}\n{text}")
    assert run("build", "--key", ci).code == 0
    done = run("sign", "--yes", "--key", release)
    assert done.code == 0, done.out + done.err
    said = [stated(one)["predicate"] for one in bundle(shop) if stated(one)["predicateType"] == "urn:shipsafe:gates:v1"]
    asked = {one["askedBy"]: next(it for it in one["outcomes"] if it["gate"] == "workflows") for one in said}
    assert {who: (one["subject"], one["state"]) for who, one in asked.items()} == {
        "builder": ("project", "answered"), "signer": ("project", "not-asked"),
    }  # fmt: skip
    assert asked["signer"]["reason"] == "Zips hold no project: a build asks, and says so in its evidence."
    assert run("verify").code == 0
