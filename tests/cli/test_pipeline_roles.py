"""What `shipsafe bootstrap` and `shipsafe doctor` say of the roles of a pipeline, and how they end, against the local endpoint."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import fault_of
from tests.local_endpoint import ACCOUNT, client
from tests.signing.setup.pipeline_side import KEY, ROLES, WORKFLOW, policy

DENIED = {"service": "iam", "operation": "GetRole", "kind": "error", "code": "AccessDenied", "message": "no", "status": 403, "times": 0}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    policy(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> tuple[int, list[str]]:
    code = run(words)
    return code, [line.removeprefix("LOCAL ") for line in capsys.readouterr().out.splitlines()]


def test_the_plan_says_whose_tokens_each_role_takes_and_doctor_finds_what_was_loosened(
    local_aws: Endpoint, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = told(capsys, ["bootstrap", "--yes", str(project)])
    assert code == ExitCode.PASS
    planned = [line for line in lines if line.startswith("  prod: make role ")]
    assert [line.partition(" role ")[2].partition(",")[0] for line in planned] == [
        f"{ROLES}-{one}" for one in ("build", "sign", "deploy", "verify")
    ]
    assert planned[1] == (
        f"  prod: make role {ROLES}-sign, which signs code, and cannot deploy (for aud sts.amazonaws.com;"
        " sub repo:acme/orders:environment:release or repo:acme@11/orders@22:environment:release;"
        f" job_workflow_ref {WORKFLOW}; repository_id 22)"
    )
    assert f"  prod: set what role {ROLES}-sign may do (the policies of the job `sign`, and nothing else)" in lines
    code, lines = told(capsys, ["doctor", str(project)])
    assert code == ExitCode.PASS
    assert f"ok      prod: trust of {ROLES}-sign: One job of one workflow." in lines
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    client("iam").update_assume_role_policy(
        RoleName=f"{ROLES}-sign", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    )
    code, lines = told(capsys, ["doctor", str(project)])
    assert code == ExitCode.INTEGRITY
    place = lines.index(f"wrong   prod: trust of {ROLES}-sign: It lets in more than one job: lets AWS * in; allows sts:AssumeRole.")
    assert lines[place + 1] == "        Run `shipsafe bootstrap`."
    assert local_aws.trail.events(service="iam", operation="CreateRole")


@pytest.mark.usefixtures("local_aws")
def test_without_the_numbers_of_newer_subjects_every_plan_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy(tmp_path, owner_id=None, repository_id=None)
    code, lines = told(capsys, ["bootstrap", "--dry-run", str(tmp_path)])
    assert code == ExitCode.PASS
    place = next(number for number, line in enumerate(lines) if line.startswith("subjects note: The policy has no `owner-id`"))
    assert lines[place + 1] == "    Add both to [pipeline]: docs/guides/github.md."


def test_roles_that_may_not_be_looked_at_stop_bootstrap_and_are_unknown_to_doctor(
    local_aws: Endpoint, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local_aws.faults.add(fault_of(DENIED))
    code, lines = told(capsys, ["bootstrap", "--yes", str(project)])
    assert (code, lines[-1]) == (ExitCode.INCOMPLETE, "Nothing was changed.")
    assert client("s3").list_buckets()["Buckets"] == []
    code = run(["doctor", "--format", "json", str(project)])
    checks = json.loads(capsys.readouterr().out)["checks"]
    states = {one["about"]: one["state"] for one in checks}
    assert states[f"role {ROLES}-sign"] == "unknown"
    assert code == ExitCode.INCOMPLETE


@pytest.mark.usefixtures("local_aws")
def test_a_stage_stands_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="--stage stands alone"):
        run(["bootstrap", "--stage", "live", "--target", "prod", str(project)])
    with pytest.raises(ConfigError, match=r"no \[\[deploy.stage\]\] 'live'"):
        run(["bootstrap", "--stage", "live", str(project)])
    policy(project, '[[deploy.stage]]\nname = "live"\ntarget = "prod"\n')
    code, lines = told(capsys, ["bootstrap", "--stage", "live", "--dry-run", str(project)])
    assert code == ExitCode.PASS
    assert next(line for line in lines if "make " in line).startswith("  prod: make the identity provider")
    assert not [line for line in lines if "bucket" in line or f"{ROLES}-sign" in line]


@pytest.mark.parametrize("form", ["cloudformation", "terraform"])
def test_a_template_has_the_roles(project: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert run(["bootstrap", "--print", form, str(project)]) == ExitCode.PASS
    text = capsys.readouterr().out
    assert f'"{ROLES}-deploy"' in text
    assert KEY in text
    assert ACCOUNT not in text.replace(KEY, "").replace(f"--account {ACCOUNT}", "")  # it is the account of the stack, whichever that is
