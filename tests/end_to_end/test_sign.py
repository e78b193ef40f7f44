"""`shipsafe sign` as a user runs it, against the local AWS endpoint."""

import base64
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.local.endpoint import Endpoint
from tests.end_to_end.program import Ended, command, environment, shipsafe
from tests.local_endpoint import client, local_aws, local_root  # noqa: F401 - fixtures

BUCKET = "pay-artifacts-123456789012-eu-west-1"
POLICY = """
[advisories]
source = { path = "advisories", date = 2026-11-01 }
max-age = "off"

[gates.sbom]
supplier = "ACME Ltd"

[[functions]]
name = "Pay"
handler = "app.handler"
runtime = "python3.13"
code = "pay"

[[functions]]
name = "Stock"
handler = "app.handler"
runtime = "python3.13"
code = "stock"

[[sign.target]]
name = "dev"
region = "eu-west-1"
profile = "pay_dev"
bucket = "pay-artifacts-${AWS::AccountId}-${AWS::Region}"
"""
RECORD = {"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nobodys"},
          "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}  # fmt: skip


Sign = Callable[..., Ended]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two functions without dependencies."""
    root = tmp_path / "project"
    for name in ("pay", "stock"):
        (root / name).mkdir(parents=True)
        (root / name / "app.py").write_text(f"def handler(event, context):\n    return {name!r}\n")
    (root / "advisories").mkdir()
    (root / "advisories" / "PYSEC-2026-1.json").write_text(json.dumps(RECORD))
    (root / "shipsafe.toml").write_text(POLICY)
    return root


@pytest.fixture
def run(project: Path, tmp_path: Path, local_aws: Endpoint) -> Sign:  # noqa: F811, ARG001 - a fixture, which sets the environment
    """The program in the project, with the environment of the local endpoint; bucket and profile are there."""
    with closing(client("s3")) as s3, closing(client("signer")) as signer:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        signer.put_signing_profile(profileName="pay_dev", platformId="AWSLambda-SHA384-ECDSA")
    aws = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_LOCAL"))}

    def run(*words: str | Path) -> Ended:
        return shipsafe(*words, cwd=project, env={"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), **aws})

    built = run("build")
    assert built.code == 0, built.out + built.err
    return run


def _manifest(project: Path) -> Any:
    return json.loads((project / "dist" / "shipsafe.json").read_text())


def _jobs() -> int:
    with closing(client("signer")) as signer:
        return len(signer.list_signing_jobs()["jobs"])


def test_what_was_built_is_what_is_signed_and_the_manifest_says_where(run: Sign, project: Path) -> None:
    """The signed object that the manifest pins holds the audited bytes and a signature, and is what Lambda will report."""
    done = run("sign", "--yes")
    assert done.code == 0, done.out + done.err
    for entry in _manifest(project)["artifacts"]:
        (signature,) = entry["signatures"]
        place = signature["object"]
        with closing(client("s3")) as s3:
            body = s3.get_object(Bucket=place["bucket"], Key=place["key"], VersionId=place["version"])["Body"].read()
        assert hashlib.sha256(body).hexdigest() == signature["sha256"]
        assert base64.b64encode(hashlib.sha256(body).digest()).decode() == signature["code_sha256"]
        with zipfile.ZipFile(io.BytesIO(body)) as ours, zipfile.ZipFile(project / "dist" / entry["path"]) as audited:
            names = audited.namelist()
            assert ours.namelist() == [*names, "META_INF/", "META_INF/aws_signer_signature_v1.0.SF"]
            assert [ours.read(name) for name in names] == [audited.read(name) for name in names]
    signing = _manifest(project)["signing"]
    assert (signing["decision"], signing["builder"]) == ("PASS", "unattested")
    assert {"subject": "function:Pay", "name": "handler", "value": "app.handler", "vouched_by": "nobody"} in signing["claims"]


def test_every_line_says_that_it_is_not_the_real_account(run: Sign) -> None:
    done, failed = run("sign", "--yes"), run("sign", "--target", "nowhere")
    for text in (done.out, done.err, failed.err):
        assert text.splitlines()
        assert all(line.startswith("LOCAL") for line in text.splitlines())


def test_a_second_run_signs_nothing_again_and_says_the_same(run: Sign, project: Path) -> None:
    assert run("sign", "--yes").code == 0
    before, jobs = _manifest(project), _jobs()
    again = run("sign")  # nothing will be changed, so that nobody is asked
    assert again.code == 0, again.out + again.err
    assert (_manifest(project), _jobs()) == (before, jobs)


def test_a_release_that_was_built_again_is_not_signed_again(run: Sign, project: Path) -> None:
    """The journal may be lost with its folder: Signer itself knows the job."""
    assert run("sign", "--yes").code == 0
    jobs, before = _jobs(), _manifest(project)
    shutil.rmtree(project / "dist")
    assert run("build").code == 0
    assert run("sign", "--yes").code == 0
    assert _jobs() == jobs
    assert [one["signatures"] for one in _manifest(project)["artifacts"]] == [one["signatures"] for one in before["artifacts"]]


def test_dry_run_and_a_missing_yes_change_nothing(run: Sign, project: Path) -> None:
    before = (project / "dist" / "shipsafe.json").read_bytes()
    dry, asked = run("sign", "--dry-run"), run("sign")
    assert (dry.code, asked.code) == (0, 2)
    assert "upload, sign, read back" in dry.out
    assert "--yes" in asked.err
    assert _jobs() == 0
    with closing(client("s3")) as s3:
        assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
    assert (project / "dist" / "shipsafe.json").read_bytes() == before


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("name", ["Pay.zip", "Pay.cdx.json"])
def test_a_file_that_was_replaced_is_not_signed(run: Sign, project: Path, name: str, *, stored: bool) -> None:
    """Also where the store of the output folder still has the right one: whoever replaced it is to be found."""
    dist = project / "dist"
    shutil.copyfile(dist / name.replace("Pay", "Stock"), dist / "new")
    (dist / "new").replace(dist / name)
    if not stored:
        shutil.rmtree(dist / ".shipsafe")
    replaced = (dist / name).read_bytes()
    done = run("sign", "--yes")
    assert done.code == 5, done.out + done.err
    assert name in done.out + done.err
    assert (dist / name).read_bytes() == replaced
    assert _jobs() == 0
    assert run("build").code == 0
    assert run("sign", "--yes").code == 0


def test_a_zip_that_is_gone_is_taken_from_the_store(run: Sign, project: Path) -> None:
    """As after a build that was killed between its manifest and its files."""
    (project / "dist" / "Pay.zip").unlink()
    done = run("sign", "--yes")
    assert done.code == 0, done.out + done.err
    assert (project / "dist" / "Pay.zip").is_file()


def test_a_protected_policy_that_is_tighter_decides(run: Sign, project: Path) -> None:
    """The build passed under its own policy; the one that signs wants all findings gone."""
    (project / "pay" / "app.py").write_text(
        'import subprocess\n\ndef handler(event, context):\n    subprocess.run(event["command"], shell=True)\n'
    )
    loose = (project / "shipsafe.toml").read_text()
    (project / "shipsafe.toml").write_text(loose + '\n[gates.lint]\nmode = "observe"\n')
    assert run("build").code == 0
    protected = project.parent / "protected.toml"
    protected.write_text(loose.replace('"advisories"', f'"{project}/advisories"'))
    done = run("sign", "--yes", "--policy", protected)
    assert done.code == 1, done.out + done.err
    assert "B602" in done.out
    assert _jobs() == 0


def test_one_that_fails_does_not_stop_the_other(run: Sign, project: Path, local_aws: Endpoint) -> None:  # noqa: F811 - a fixture
    """What was signed is written down, the other is named, and the next run signs that one alone."""
    for _ in range(2):  # the job, and the one new attempt of the run
        local_aws.signer.fail_next("Signing failed: the service was busy.")
    done = run("sign", "--yes")
    assert done.code in (0, 4)
    again = run("sign", "--yes")
    assert again.code == 0, again.out + again.err
    assert all(len(entry["signatures"]) == 1 for entry in _manifest(project)["artifacts"])


def test_a_target_that_is_not_there_is_said(run: Sign, project: Path) -> None:
    missing = run("sign", "--target", "prod", "--yes")
    assert missing.code == 2
    assert "There are: dev" in missing.err
    unset = run("sign", "--target", "", "--yes")  # `--target "$TARGET"` in a pipeline that does not set it
    assert (unset.code, "There are: dev" in unset.err) == (2, True)
    (project / "shipsafe.toml").write_text(POLICY.partition("[[sign.target]]")[0])
    none = run("sign", "--yes")
    assert none.code == 2
    assert "[[sign.target]]" in none.err


def test_jobs_that_take_too_long_are_waited_for_by_the_next_run(run: Sign, project: Path, local_aws: Endpoint) -> None:  # noqa: F811
    local_aws.signer.delay = timedelta(days=1)
    late = run("sign", "--yes", "--timeout", "2")
    assert late.code == 4, late.out + late.err
    assert "signatures" not in _manifest(project)["artifacts"][0]
    local_aws.clock.moved += timedelta(days=2)
    local_aws.signer.delay = timedelta()  # of a job that a slow machine had not started yet
    assert run("sign", "--yes").code == 0
    assert _jobs() == 2, "one for each of the two, whichever run started it"


def test_a_zip_of_another_tool_is_asked_and_signed_when_it_is_said_what_it_is(run: Sign, project: Path) -> None:
    """What nobody says is unanswered, and nothing is left behind; with it said, the zip becomes a release with the bytes that it had."""
    zipped = project / "pay.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 1\n")
    unsaid = run("sign", "pay.zip", "--out", "other", "--yes")
    assert unsaid.code == 4, unsaid.out + unsaid.err
    assert "--runtime" in unsaid.out
    assert not (project / "other").exists()
    done = run(
        "sign", "pay.zip", "--out", "other", "--yes", "--runtime", "python3.13", "--architecture", "arm64", "--handler", "app.handler"
    )
    assert done.code == 0, done.out + done.err
    (entry,) = json.loads((project / "other" / "shipsafe.json").read_text())["artifacts"]
    assert (entry["source"], entry["digests"]["sha256"]) == ("prebuilt", hashlib.sha256(zipped.read_bytes()).hexdigest())
    assert entry["signatures"][0]["target"] == "dev"


def test_what_is_said_of_zips_is_not_said_of_a_release(run: Sign) -> None:
    assert run("sign", "dist", "--runtime", "python3.13").code == 2
    assert run("sign", "dist", "pay.zip").code == 2


def test_what_deploys_it_names_the_signed_objects(run: Sign, project: Path) -> None:
    """A template that cannot be rewritten is said before anything is signed; Terraform's variables hold what Lambda will report."""
    missing = run("sign", "--yes", "--rewrite", "nowhere.yaml=out.yaml")
    assert (missing.code, _jobs()) == (2, 0)
    done = run("sign", "--yes", "--tfvars", "shipsafe.auto.tfvars.json")
    assert done.code == 0, done.out + done.err
    assert "LOCAL shipsafe.auto.tfvars.json written" in done.out
    variables = json.loads((project / "shipsafe.auto.tfvars.json").read_text())["shipsafe"]
    for entry in _manifest(project)["artifacts"]:
        (signature,) = entry["signatures"]
        said = variables[entry["name"]]
        assert said["source_code_hash"] == signature["code_sha256"]
        assert (said["s3_bucket"], said["s3_key"], said["s3_object_version"]) == tuple(signature["object"].values())


def test_a_template_that_cannot_take_what_will_be_signed_is_said_before_it_is(run: Sign, project: Path) -> None:
    function = "    Type: AWS::Serverless::Function\n    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: "
    (project / "template.yaml").write_text(f"Resources:\n  Pay:\n{function}pay}}\n  Stock:\n{function}!If [A, stock, b]}}\n")
    done = run("sign", "--yes", "--rewrite", "template.yaml=out.yaml")
    assert (done.code, _jobs()) == (2, 0)
    assert "template.yaml:7: The code of Stock depends on a condition" in done.err
    (project / "template.yaml").write_text(f"Resources:\n  Pay:\n{function}pay}}\n  Stock:\n{function}stock}}\n")
    done = run("sign", "--yes", "--rewrite", "template.yaml=out.yaml", "--samconfig", "samconfig.toml")
    assert done.code == 0, done.out + done.err
    written = (project / "out.yaml").read_text()
    for entry in _manifest(project)["artifacts"]:
        place = entry["signatures"][0]["object"]
        assert f'{{Bucket: {place["bucket"]}, Key: {place["key"]}, Version: "{place["version"]}"}}' in written
    assert 'template_file = "out.yaml"' in (project / "samconfig.toml").read_text()


def test_a_policy_may_be_a_table_of_pyproject(run: Sign, project: Path) -> None:
    """The manifest names the file; the table in it holds."""
    (project / "shipsafe.toml").unlink()
    lines = POLICY.replace("[[", "[[tool.shipsafe.").replace("\n[", "\n[tool.shipsafe.").replace("[tool.shipsafe.[", "[[")
    (project / "pyproject.toml").write_text(lines)
    assert run("build").code == 0
    done = run("sign", "--yes")
    assert done.code == 0, done.out + done.err
    assert _manifest(project)["policy"]["location"] == "../pyproject.toml"
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    gone = run("sign", "--yes")
    assert (gone.code, "no [tool.shipsafe]" in gone.err) == (2, True)


def test_a_no_changes_nothing_and_does_not_count_as_done(run: Sign, project: Path, tmp_path: Path) -> None:
    """`shipsafe sign && deploy` must not deploy what nobody wanted signed."""
    terminal, end = os.openpty()
    os.write(terminal, b"n\n")
    aws = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_LOCAL"))}
    before = (project / "dist" / "shipsafe.json").read_bytes()
    done = subprocess.run(command("sign"), cwd=project, env=environment({"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), **aws}), stdin=end,
                          capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
    os.close(terminal)
    os.close(end)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (130, "LOCAL Go on? [y/N] LOCAL Nothing was changed.")
    assert "Interrupted" not in done.stderr
    assert _jobs() == 0
    assert (project / "dist" / "shipsafe.json").read_bytes() == before
    assert run("sign", "--dry-run").code == 0


def test_a_run_that_is_interrupted_says_that_its_jobs_go_on(run: Sign, project: Path, tmp_path: Path, local_aws: Endpoint) -> None:  # noqa: F811
    local_aws.signer.delay = timedelta(days=1)
    aws = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_LOCAL"))}
    env = environment({"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), **aws})
    child = subprocess.Popen(command("sign", "--yes"), cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    while not child.stderr.readline().endswith(" started\n"):
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    _, rest = child.communicate(timeout=300)
    assert child.returncode == 130
    assert "what AWS was asked for goes on there" in rest
    local_aws.clock.moved += timedelta(days=2)
    local_aws.signer.delay = timedelta()  # of a job that had not been started yet
    jobs = _jobs()
    done = run("sign", "--yes")
    assert (done.code, done.out.splitlines()[-1].endswith("2 signed; dist/shipsafe.json says where. exit 0")) == (0, True), done.out
    assert _jobs() <= max(jobs, 2)


def test_two_targets_are_too_many_for_one_template(run: Sign, project: Path) -> None:
    """It is said before anything is signed."""
    (project / "shipsafe.toml").write_text(
        POLICY + POLICY[POLICY.index("[[sign.target]]") :].replace('"dev"', '"prod"').replace("bucket", 'prefix = "prod/"\nbucket')
    )
    done = run("sign", "--yes", "--tfvars", "shipsafe.auto.tfvars.json")
    assert (done.code, _jobs()) == (2, 0), done.out + done.err
    assert "--target" in done.err
    assert run("sign", "--yes", "--target", "prod", "--tfvars", "shipsafe.auto.tfvars.json").code == 0
