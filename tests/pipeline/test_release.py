"""The whole pipeline from a consumer's repository, against AWS as it is on this machine: what ships, and what does not."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.program import shipsafe
from tests.iam.sessions import asked_by, beyond
from tests.pipeline.aws import PREFIX, AwsSide, assumed
from tests.pipeline.conftest import Opened
from tests.pipeline.project import advisory, handler
from tests.pipeline.staging import StagedJob

pytestmark = pytest.mark.registry
PASSED = ("success",)
FAILED = ("failure",)
SKIPPED = ("skipped",)
BROKEN = 5


def test_what_is_pushed_to_the_protected_branch_is_built_signed_deployed_and_verified(opened: Opened, aws: AwsSide, tmp_path: Path) -> None:
    """Every job has its rights and its role, and callers reach what was signed; nobody vouches for what was laid beside it."""
    consumer = opened({"pay/app.py": handler("pay, the first")}, aws=aws)
    before = aws.running()
    meddler = tmp_path / "meddler.py"
    meddler.write_text(_MEDDLERS["plant"])
    ran = consumer.push(meddler=meddler)
    assert ran.results == {
        "plan": PASSED,
        "build": PASSED,
        "collect": PASSED,
        "code-scanning": PASSED,
        "comment": SKIPPED,
        "approval": SKIPPED,
        "attest": PASSED,
        "sign": PASSED,
        "deploy": PASSED,
        "verify": PASSED,
    }, ran.told()
    assert ran.code == 0
    manifest = json.loads((_artifact(consumer.kept, "deployed") / "shipsafe.json").read_text())
    signed = {one["deployment"]["function_name"]: one["signatures"][0]["code_sha256"] for one in manifest["artifacts"]}
    assert aws.running() == signed != before
    assert consumer.github.tokens == [
        ("ship/attest", "sts.amazonaws.com"),
        ("ship/attest", "sigstore"),
        ("ship/sign", "sts.amazonaws.com"),
        ("ship/deploy", "sts.amazonaws.com"),
        ("ship/verify", "sts.amazonaws.com"),
    ]
    assert [path.name for path in (consumer.kept / "code-scanning").iterdir()] == ["default-report.sarif"]
    attested = json.loads((consumer.kept / "attestations/0.json").read_text())
    unsigned = {one["path"]: f"sha256:{one['digests']['sha256']}" for one in manifest["artifacts"]}
    assert attested["subjects"] == unsigned
    assert set(unsigned) == {"Pay.zip", "Stock.zip"}
    assert "**PASS**" in ran.summaries["collect"]
    assert ran.outputs("collect")["decision"] == "PASS"
    assert not ran.annotations("error")
    assert set(asked_by(aws.endpoint)) == {f"{PREFIX}-{job}" for job in ("build", "sign", "deploy", "verify")}
    assert not beyond(aws.endpoint)  # each job has the right to each of its calls


def test_no_job_can_have_the_role_of_another(opened: Opened, aws: AwsSide) -> None:
    """Not with its own token, and not from another workflow, repository or branch."""
    github = opened(aws=aws).github
    workflow = aws.workflow
    github.claims, github.workflows = {"ref": "refs/heads/main", "event_name": "push"}, {"ship": workflow}
    environments = {"build": "", "sign": "release", "deploy": "production", "verify": ""}
    for job, environment in environments.items():
        staged = StagedJob(name=f"ship/{job}", rights={"id-token": "write"}, labels=(), token="x")
        token = github.identity_token(staged, "sts.amazonaws.com", environment)
        mine = {role for role in environments if assumed(aws, role, token)}
        assert mine == ({"build", "verify"} if not environment else {job})
        assert not any(assumed(aws, role, github.identity_token(staged, "sigstore", environment)) for role in environments)
        for claims in (
            {"job_workflow_ref": workflow.replace("pipeline.yml", "other.yml")},
            {"job_workflow_ref": workflow[:-40] + "0" * 40},
            {"sub": "repo:acme/orders:ref:refs/heads/hotfix", "ref": "refs/heads/hotfix"},
            {"sub": "repo:acme/orders:pull_request", "event_name": "pull_request"},
            {"sub": "repo:acme/other:environment:release"},
        ):
            github.claims = {"ref": "refs/heads/main", "event_name": "push", **claims}
            other = github.identity_token(staged, "sts.amazonaws.com", environment)
            assert not any(assumed(aws, role, other) for role in environments)
        github.claims = {"ref": "refs/heads/main", "event_name": "push"}


def test_a_vulnerable_dependency_ends_the_release_before_anything_is_signed(opened: Opened, aws: AwsSide) -> None:
    """Code scanning gets the finding all the same."""
    consumer = opened(
        {
            "pay/requirements.txt": "idna==3.11 --hash=sha256:771a87f49d9defaf64091e6e6fe9c18d4833f140bd19464795bc32d966ca37ea\n",
            "advisories/PYSEC-2026-9.json": advisory("PYSEC-2026-9", "idna"),
        },
        aws=aws,
    )
    before = aws.running()
    ran = consumer.push()
    assert ran.results["collect"] == FAILED, ran.told()
    assert ran.results["code-scanning"] == PASSED
    assert {ran.results[job] for job in ("attest", "sign", "deploy", "verify")} == {SKIPPED}
    assert ran.outputs("collect")["decision"] == "FAIL"
    sarif = json.loads((consumer.kept / "code-scanning/default-report.sarif").read_text())
    assert "dependencies/vulnerable/PYSEC-2026-9" in {result["ruleId"] for run in sarif["runs"] for result in run["results"]}
    assert "PYSEC-2026-9" in ran.summaries["collect"]
    assert not consumer.github.tokens
    assert aws.running() == before


@pytest.mark.parametrize(
    ("handed", "meddling", "found_by"),
    [
        ("built", "exchange", "attest"),
        ("attested", "append", "sign"),
        ("signed", "exchange", "deploy"),
    ],
)
def test_a_bundle_that_was_changed_between_two_jobs_goes_no_further(
    opened: Opened, aws: AwsSide, tmp_path: Path, handed: str, meddling: str, found_by: str
) -> None:
    """Also where another release took its place that is whole in itself, as of an earlier run: what it has to be travels beside it."""
    before = aws.running()
    consumer = opened({"stock/app.py": handler(f"stock, {handed}")}, aws=aws)
    other = tmp_path / "other"
    if meddling == "exchange":
        _release_of(consumer.tree, other, aws, signed=handed == "signed")
    meddler = tmp_path / "meddler.py"
    meddler.write_text(_MEDDLERS[meddling].format(handed=handed, other=str(other)))
    ran = consumer.push(meddler=meddler)
    order = ["collect", "attest", "sign", "deploy", "verify"]
    at = order.index(found_by)
    assert {job: ran.results[job] for job in order} == {
        job: PASSED if place < at else FAILED if place == at else SKIPPED for place, job in enumerate(order)
    }, ran.told()
    assert ran.ended(found_by) == BROKEN, ran.told()
    assert aws.running() == before


def _release_of(project: Path, out: Path, aws: AwsSide, *, signed: bool) -> None:
    """A release of the same project that everybody would believe: made by whoever may, at another time."""
    (project / "pay/app.py").write_text(handler("pay, an older one"))
    built = shipsafe("build", "--key", aws.key, "--out", out, cwd=project, env=aws.owner)
    assert built.code == 0, built.err
    if signed:
        done = shipsafe("sign", "--yes", "--key", aws.key, "--policy", "shipsafe.toml", out, cwd=project, env=aws.owner)
        assert done.code == 0, done.err
    (project / "pay/app.py").write_text(handler("pay"))


_MEDDLERS = {
    "plant": """\
import sys
from pathlib import Path

name, folder = sys.argv[1:]
if name.endswith(("-built", "-attested", "-signed")):
    (Path(folder) / "Evil.zip").write_bytes(b"PK")
""",
    "append": """\
import sys
from pathlib import Path

name, folder = sys.argv[1:]
if name.endswith("-{handed}"):
    with (Path(folder) / "Pay.zip").open("ab") as file:
        file.write(b"more")
""",
    "exchange": """\
import shutil
import sys

name, folder = sys.argv[1:]
if name.endswith("-{handed}"):
    shutil.rmtree(folder)
    shutil.copytree({other!r}, folder)
""",
}


def _artifact(kept: Path, name: str) -> Path:
    found = list((kept / "artifacts").glob(f"*-{name}"))
    assert len(found) == 1, [path.name for path in (kept / "artifacts").iterdir()]
    return found[0]
