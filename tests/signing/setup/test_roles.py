"""The roles of a pipeline: what bootstrap makes, who can take which, and what doctor and bootstrap say of roles that are otherwise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.bootstrap import Survey, carry_out, survey, survey_stage
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.pipeline import GITHUB_ISSUER
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.check import Check, State
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.oidc import Issuer
from tests.signing.setup.pipeline_side import KEY, ROLES, SCHEDULED, SECOND, SUBJECTS, WORKFLOW, claims, look, make, policy, role
from tests.signing.setup.side import OTHER, Side

HOST = GITHUB_ISSUER.removeprefix("https://")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"


@pytest.fixture
def side(local_aws: Endpoint) -> Side:
    return Side(local_aws)


@pytest.fixture
def issuer(side: Side, tmp_path: Path) -> Issuer:
    """GitHub, and all that bootstrap makes for a pipeline."""
    make(side, policy(tmp_path))
    one = Issuer()
    one.register(side.endpoint.url)
    return one


def takes(token: str, arn: str) -> bool:
    sts = boto3.client("sts")
    try:
        sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="job", WebIdentityToken=token)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_each_job_takes_its_role_and_no_other(issuer: Issuer) -> None:
    """Those that build and verify have no environment and so one subject; neither of their roles changes anything that runs."""
    for job in SUBJECTS:
        token = issuer.token(**claims(job))
        wanted = {"build", "verify"} if job in ("build", "verify") else {job}
        assert {one for one in SUBJECTS if takes(token, role(one))} == wanted
    newer = "repo:acme@11/orders@22:environment:release"
    assert takes(issuer.token(**claims("sign", sub=newer)), role("sign"))
    assert not takes(issuer.token(**claims("sign", sub=newer.replace("@11", "@12"))), role("sign"))


def test_no_other_job_takes_any_role_but_what_runs_on_a_schedule_the_one_that_reads(issuer: Issuer) -> None:
    for others in (
        {"sub": "repo:acme/orders:pull_request"},
        {"sub": "repo:acme/orders:ref:refs/heads/feature"},
        {"sub": "repo:acme/other:environment:release"},
        {"repository_id": "23"},  # somebody else's repository, under the name that this one had
        {"job_workflow_ref": WORKFLOW.replace("1" * 40, "refs/heads/main")},
        {"job_workflow_ref": "acme/orders/.github/workflows/own.yml@refs/heads/main"},
        {"job_workflow_ref": SCHEDULED},
    ):
        token = issuer.token(**claims("sign", **others))
        assert not [one for one in SUBJECTS if takes(token, role(one))], others
    token = issuer.token(**claims("verify", job_workflow_ref=SCHEDULED))
    assert [one for one in SUBJECTS if takes(token, role(one))] == ["verify"]


def test_a_second_run_changes_nothing(side: Side, tmp_path: Path) -> None:
    make(side, policy(tmp_path))
    assert side.changes.count("CreateRole") == 4
    assert side.changes.count("PutRolePolicy") == 4
    before = len(side.changes)
    found = look(side, policy(tmp_path))
    assert not found.mends
    assert found.exit_code == ExitCode.PASS
    assert len(side.changes) == before


def test_an_interrupted_run_is_continued(side: Side, tmp_path: Path) -> None:
    """A role that was made, and killed before it had rights."""
    wanted = policy(tmp_path)
    made = look(side, wanted)
    for _, mend in made.mends:
        mend.act()
        if mend.what.startswith(f"make role {ROLES}-deploy,"):
            break
    left = [mend.what for _, mend in look(side, wanted).mends]
    assert left[0] == f"set what role {ROLES}-deploy may do"
    make(side, wanted)
    assert not look(side, wanted).mends


def checks(side: Side, folder: Path, **changes: Any) -> Callable[[str], list[Check]]:
    found = look(side, policy(folder, **changes))
    return lambda about: [check for check in found.checks if check.about == about]


def told(check: Check) -> tuple[State, str]:
    return check.state, check.says


@pytest.mark.usefixtures("issuer")
def test_a_trust_that_is_too_broad_is_wrong_and_bootstrap_tightens_it(side: Side, tmp_path: Path) -> None:
    _set_trust({"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"})
    found = look(side, policy(tmp_path))
    assert found.exit_code == ExitCode.INTEGRITY
    [check] = [one for one in found.checks if one.about == f"trust of {ROLES}-sign"]
    assert check.says == ("It lets in more than one job: asks for no `aud`; asks for no `sub`; asks for no `job_workflow_ref`.")
    make(side, policy(tmp_path))
    assert look(side, policy(tmp_path)).exit_code == ExitCode.PASS


def test_a_role_of_another_project_is_taken_from_nobody(side: Side, tmp_path: Path) -> None:
    """A policy that was copied names the same `roles`: bootstrap would let its own repository in, and the other one out."""
    make(side, policy(tmp_path, repository="acme/payments", owner_id="11", repository_id="33"))
    before = len(side.changes)
    found = look(side, policy(tmp_path))
    assert found.exit_code == ExitCode.INTEGRITY
    assert not [mend.what for _, mend in found.mends]
    said = {one.about: one for one in found.checks}[f"role {ROLES}-sign"]
    assert told(said) == (State.WRONG, f"{role('sign')} is of acme/payments, and bootstrap takes it from nobody.")
    assert said.remedy.startswith("Choose other `roles`.")
    assert len(side.changes) == before


def test_a_repository_that_was_renamed_keeps_its_roles(side: Side, tmp_path: Path) -> None:
    """Its number says that it is the same."""
    make(side, policy(tmp_path, repository="acme/shop"))
    make(side, policy(tmp_path))
    assert look(side, policy(tmp_path)).exit_code == ExitCode.PASS
    make(side, policy(tmp_path, owner_id=None, repository_id=None))
    make(side, policy(tmp_path, repository="ACME/Orders", owner_id=None, repository_id=None))
    assert not look(side, policy(tmp_path, repository="ACME/Orders", owner_id=None, repository_id=None)).mends


def _set_trust(*statements: Any) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    client("iam").update_assume_role_policy(RoleName=f"{ROLES}-sign", PolicyDocument=document)


@pytest.mark.usefixtures("issuer")
def test_another_commit_of_the_workflow_is_let_in_by_the_next_run_alone(side: Side, tmp_path: Path) -> None:
    newer = WORKFLOW.replace("1" * 40, "2" * 40)
    [check] = checks(side, tmp_path, workflow=newer)(f"trust of {ROLES}-sign")
    assert told(check)[0] is State.WRONG
    assert f"`job_workflow_ref` may be {WORKFLOW}" in check.says
    make(side, policy(tmp_path, workflow=newer))
    one = Issuer()
    one.register(side.endpoint.url)
    assert takes(one.token(**claims("sign", job_workflow_ref=newer)), role("sign"))
    assert not takes(one.token(**claims("sign")), role("sign"))


@pytest.mark.usefixtures("issuer")
def test_while_one_commit_takes_the_place_of_another_both_get_their_roles_and_doctor_says_so(side: Side, tmp_path: Path) -> None:
    """From `bootstrap` to the merge, and no third: also what runs on a schedule."""
    newer, third = (WORKFLOW.replace("1" * 40, digit * 40) for digit in "23")
    both = policy(tmp_path, workflow=(WORKFLOW, newer))
    make(side, both)
    found = look(side, both)
    assert (found.exit_code, found.mends) == (ExitCode.PASS, ())
    [note] = [one for one in found.checks if one.about == "workflow"]
    assert told(note) == (State.NOTE, f"Roles trust two commits of it: {WORKFLOW} and {newer}.")
    one = Issuer()
    one.register(side.endpoint.url)
    for workflow, trusted in ((WORKFLOW, True), (newer, True), (third, False)):
        assert takes(one.token(**claims("sign", job_workflow_ref=workflow)), role("sign")) is trusted
        scheduled = workflow.replace("pipeline.yml", "scheduled.yml")
        assert takes(one.token(**claims("verify", job_workflow_ref=scheduled)), role("verify")) is trusted
        assert not takes(one.token(**claims("sign", job_workflow_ref=scheduled)), role("sign"))
    make(side, policy(tmp_path, workflow=newer))
    assert not takes(one.token(**claims("sign")), role("sign"))
    assert "workflow" not in [check.about for check in look(side, policy(tmp_path, workflow=newer)).checks]


@pytest.mark.usefixtures("issuer")
def test_rights_beyond_the_policies_are_named_and_those_of_others_left_to_a_person(side: Side, tmp_path: Path) -> None:
    iam = client("iam")
    own = iam.get_role_policy(RoleName=f"{ROLES}-verify", PolicyName="shipsafe")["PolicyDocument"]
    own["Statement"].append({"Effect": "Allow", "Action": "lambda:UpdateFunctionCode", "Resource": "*"})
    iam.put_role_policy(RoleName=f"{ROLES}-verify", PolicyName="shipsafe", PolicyDocument=json.dumps(own))
    everything = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    arn = iam.create_policy(PolicyName="everything", PolicyDocument=everything)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=f"{ROLES}-sign", PolicyArn=arn)
    iam.put_role_policy(
        RoleName=f"{ROLES}-deploy",
        PolicyName="guard",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}),
    )
    found = checks(side, tmp_path)
    [verify], [sign] = found(f"rights of {ROLES}-verify"), found(f"rights of {ROLES}-sign")
    assert told(verify) == (State.WRONG, "More than the job needs: lambda:UpdateFunctionCode on *.")
    assert told(sign) == (State.WRONG, f"Policy {arn} adds what the job does not need: * on *.")
    assert (bool(verify.mends), bool(sign.mends)) == (True, False)
    assert sign.remedy == f"Take {arn} from the role."
    assert [check.state for check in found(f"rights of {ROLES}-deploy")] == [State.OK]  # what is denied is no right
    make(side, policy(tmp_path))
    assert [check.state for check in checks(side, tmp_path)(f"rights of {ROLES}-verify")] == [State.OK]


@pytest.mark.usefixtures("issuer")
def test_the_role_that_deploys_can_be_had_for_a_whole_roll_out_and_no_other_for_more_than_an_hour(side: Side, tmp_path: Path) -> None:
    iam = client("iam")
    longest = {job: iam.get_role(RoleName=f"{ROLES}-{job}")["Role"]["MaxSessionDuration"] for job in SUBJECTS}
    assert longest == {"build": 3600, "sign": 3600, "deploy": 21_600, "verify": 3600}
    iam.update_role(RoleName=f"{ROLES}-deploy", MaxSessionDuration=3600)
    [check] = checks(side, tmp_path)(f"session of {ROLES}-deploy")
    assert told(check) == (State.MISSING, "It can be had for 3600 seconds, and the job asks for 21600.")
    make(side, policy(tmp_path))
    assert not checks(side, tmp_path)(f"session of {ROLES}-deploy")
    assert iam.get_role(RoleName=f"{ROLES}-deploy")["Role"]["MaxSessionDuration"] == 21_600


def test_a_role_that_somebody_else_made_is_left_alone(side: Side, tmp_path: Path) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    client("iam").create_role(RoleName=f"{ROLES}-sign", AssumeRolePolicyDocument=json.dumps(document))
    make(side, policy(tmp_path))
    assert client("iam").get_role(RoleName=f"{ROLES}-sign")["Role"]["AssumeRolePolicyDocument"] == document
    found = checks(side, tmp_path)
    assert [check.state for check in found(f"role {ROLES}-sign")] == [State.MISSING]
    assert [check.state for check in found(f"trust of {ROLES}-sign")] == [State.WRONG]
    assert not [check for about in ("role", "trust of", "rights of") for check in found(f"{about} {ROLES}-sign") if check.mends]


def test_a_provider_that_takes_no_tokens_for_aws_is_told(side: Side, tmp_path: Path) -> None:
    client("iam").create_open_id_connect_provider(Url=GITHUB_ISSUER, ClientIDList=["https://github.com/acme"], ThumbprintList=[])
    [check] = checks(side, tmp_path)("identity provider")
    assert told(check) == (State.MISSING, f"{PROVIDER} takes no tokens for sts.amazonaws.com.")
    assert "add-client-id-to-open-id-connect-provider" in check.remedy


def test_what_the_policy_does_not_say_is_told(side: Side, tmp_path: Path) -> None:
    [check] = checks(side, tmp_path, workflow=None)("roles")
    assert told(check) == (State.MISSING, "[pipeline] names roles, and no `workflow` whose jobs could take them.")
    [check] = checks(side, tmp_path, owner_id=None, repository_id=None)("subjects")
    assert check.state is State.NOTE
    assert not [mend for _, mend in look(side, policy(tmp_path, roles=None)).mends if "role" in mend.what]
    with pytest.raises(ConfigError, match="not for an alias"):
        look(side, policy(tmp_path, key=f"awskms:arn:aws:kms:{REGION}:{ACCOUNT}:alias/evidence"))


def test_without_a_key_in_kms_nobody_builds_on_aws(side: Side, tmp_path: Path) -> None:
    make(side, policy(tmp_path, key="sigstore:"))
    made = {one["RoleName"] for one in client("iam").list_roles()["Roles"]}
    assert made == {f"{ROLES}-sign", f"{ROLES}-deploy", f"{ROLES}-verify"}


def test_the_role_that_builds_has_its_key_and_the_bucket_between_jobs(side: Side, tmp_path: Path) -> None:
    make(side, policy(tmp_path, transport="s3://orders-runs/pipeline"))
    document = client("iam").get_role_policy(RoleName=f"{ROLES}-build", PolicyName="shipsafe")["PolicyDocument"]
    resources = [one["Resource"] for one in document["Statement"]]
    assert resources == [KEY, "arn:aws:s3:::orders-runs", "arn:aws:s3:::orders-runs/pipeline/*", "arn:aws:s3:::orders-runs/pipeline/*"]
    document = client("iam").get_role_policy(RoleName=f"{ROLES}-verify", PolicyName="shipsafe")["PolicyDocument"]
    assert not [one for one in document["Statement"] if "Put" in str(one["Action"])]


def test_on_ones_own_server_the_subject_names_the_workflow(side: Side, tmp_path: Path) -> None:
    """AWS reads GitHub's claims of github.com alone."""
    own = "https://ghe.example.com/_services/token"
    make(side, policy(tmp_path, issuer=own))
    issuer = Issuer(url=own)
    issuer.register(side.endpoint.url)
    subject = f"repo:acme/orders:environment:release:job_workflow_ref:{WORKFLOW}"
    assert takes(issuer.token(**claims("sign", sub=subject)), role("sign"))
    assert not takes(issuer.token(**claims("sign")), role("sign"))
    assert not takes(
        issuer.token(**claims("sign", sub=subject.replace(WORKFLOW, "acme/orders/.github/workflows/own.yml@main"))), role("sign")
    )
    found = checks(side, tmp_path, issuer=own)
    assert State.NOTE in [check.state for check in found("identity provider")]


STAGES = f"""
[[deploy.stage]]
name = "test"
target = "prod"
[[deploy.stage]]
name = "live"
target = "prod"
account = "{OTHER}"
"""


def rights_of(job: str, **where: str) -> str:
    return json.dumps(client("iam", **where).get_role_policy(RoleName=f"{ROLES}-{job}", PolicyName="shipsafe")["PolicyDocument"])


def test_a_role_keeps_its_rights_for_targets_that_are_not_meant_this_time(side: Side, tmp_path: Path) -> None:
    """First one target alone, whose sibling has no profile yet; then the other; then each alone changes nothing."""
    wanted = policy(tmp_path, SECOND)
    first, second = wanted.sign.targets

    def one(target: SignTarget) -> Survey:
        return survey([target], side.connect, policy=wanted)

    carry_out(one(first), say=side.lines.append, sleep=lambda _seconds: None)
    assert "eu-central-1" not in rights_of("sign")
    carry_out(one(second), say=side.lines.append, sleep=lambda _seconds: None)
    assert "eu-central-1" in rights_of("sign")
    assert REGION in rights_of("sign")
    assert not one(first).mends
    assert not one(second).mends


def test_a_stage_in_another_account_has_its_roles_there(side: Side, tmp_path: Path) -> None:
    """With credentials of one account at a time: the other is said not to have been looked at, and is made with its own."""
    wanted = policy(tmp_path, STAGES)
    found = make(side, wanted)
    [check] = [check for check in found.checks if check.about == "stage"]
    assert check.state is State.UNKNOWN
    assert f"account {OTHER} is meant" in check.says
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", OTHER)
        there = Side(side.endpoint)
        made = survey_stage(wanted, "live", there.connect)
        carry_out(made, say=there.lines.append, sleep=lambda _seconds: None)
        assert not survey_stage(wanted, "live", there.connect).mends
    assert {one["RoleName"] for one in client("iam", account=OTHER).list_roles()["Roles"]} == {f"{ROLES}-deploy", f"{ROLES}-verify"}
    deploy = rights_of("deploy", account=OTHER)
    assert f"arn:aws:lambda:{REGION}:{OTHER}:function:*" in deploy
    assert f"arn:aws:s3:::orders-{ACCOUNT}-{REGION}/signed/*" in deploy  # what is signed lies where it was signed
    with pytest.raises(ConfigError, match="names no roles"):
        survey_stage(policy(tmp_path, STAGES, roles=None), "test", side.connect)


def test_who_only_reads_looks_at_who_may_sign_also_where_nothing_goes_live(
    side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks again every quarter has the role in both accounts, and each of its two looks ends well."""
    wanted = policy(tmp_path, f'[[deploy.stage]]\nname = "live"\ntarget = "prod"\naccount = "{OTHER}"\n')
    make(side, wanted)
    assert {one["RoleName"] for one in client("iam").list_roles()["Roles"]} == {f"{ROLES}-{job}" for job in ("build", "sign", "verify")}
    one = Issuer()
    one.register(side.endpoint.url)
    assert takes(one.token(**claims("verify", job_workflow_ref=SCHEDULED)), role("verify"))
    both = run(["doctor", str(tmp_path)])
    only = run(["doctor", "--signing-only", "--target", "prod", str(tmp_path)])
    assert (both, only) == (ExitCode.INCOMPLETE, ExitCode.PASS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", OTHER)
    assert run(["doctor", "--stage", "live", str(tmp_path)]) == ExitCode.INCOMPLETE
    assert run(["bootstrap", "--yes", "--stage", "live", str(tmp_path)]) == ExitCode.PASS
    assert run(["doctor", "--stage", "live", str(tmp_path)]) == ExitCode.PASS
    for words in (("--target", "prod"), ("--signing-only",)):
        with pytest.raises(ConfigError, match="stands alone"):
            run(["doctor", "--stage", "live", *words, str(tmp_path)])
