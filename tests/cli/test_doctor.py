"""What `shipsafe doctor` finds, and how it ends: 0 all well, 4 missing or not looked at, 5 trust."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.aws.code_signing import Configuration, ListedProfile
from shipsafe.adapters.aws.session import Aws
from shipsafe.cli.app import run
from shipsafe.errors import ExitCode
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.check import State
from shipsafe.signing.setup.identity import identity_checks
from shipsafe.signing.setup.users import publisher_checks
from tests.local_endpoint import ACCOUNT, REGION, client

POLICY = """
accounts = ["222233334444"]
[[sign.target]]
name = "dev"
region = "eu-west-1"
profile = "orders"
bucket = "orders-${AWS::AccountId}"
"""
FOREIGN = "arn:aws:signer:eu-west-1:{}:/signing-profiles/theirs/AbCdE12345"
Doctor = Callable[..., tuple[int, Any]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shipsafe.toml").write_text(POLICY)
    return tmp_path


@pytest.fixture
def ready(project: Path, local_aws: Endpoint, capsys: pytest.CaptureFixture[str]) -> Endpoint:
    """Everything that bootstrap makes."""
    assert run(["bootstrap", "--yes", str(project)]) == ExitCode.PASS
    capsys.readouterr()
    return local_aws


@pytest.fixture
def doctor(project: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    def look() -> tuple[int, Any]:
        code = run(["doctor", "--format", "json", str(project)])
        return code, json.loads(capsys.readouterr().out)

    return look


def _states(document: Any, about: str) -> list[str]:
    return [check["state"] for check in document["checks"] if check["about"] == about]


def _configuration(*publishers: str, policy: str = "Enforce") -> None:
    """Change the one that there is."""
    functions = client("lambda")
    [one] = functions.list_code_signing_configs()["CodeSigningConfigs"]
    functions.update_code_signing_config(
        CodeSigningConfigArn=one["CodeSigningConfigArn"],
        AllowedPublishers={"SigningProfileVersionArns": [*one["AllowedPublishers"]["SigningProfileVersionArns"], *publishers]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
    )


@pytest.mark.usefixtures("ready")
def test_all_is_well(doctor: Doctor) -> None:
    code, document = doctor()
    assert code == document["exit_code"] == ExitCode.PASS
    assert {check["state"] for check in document["checks"]} == {"ok", "note"}
    [place] = document["places"]
    [profile] = place["profiles"]
    [configuration] = place["code_signing_configurations"]
    assert (place["account"], place["region"], place["partition"], place["targets"]) == (ACCOUNT, REGION, "aws", ["dev"])
    assert document["local"] is True
    assert profile["users"] == [configuration["arn"]]
    assert (profile["name"], profile["status"], profile["validity"], profile["platform"]) == ("orders", "Active", "135 MONTHS", PLATFORM)
    assert configuration["publishers"] == [profile["arn"]]


@pytest.mark.usefixtures("local_aws")
def test_what_is_missing_is_named_with_the_command_that_makes_it(doctor: Doctor) -> None:
    code, document = doctor()
    assert code == ExitCode.INCOMPLETE
    missing = [check for check in document["checks"] if check["state"] == "missing"]
    assert [check["about"] for check in missing] == ["bucket", "profile", "code-signing configuration"]
    assert {check["remedy"] for check in missing} == {"Run `shipsafe bootstrap`."}


@pytest.mark.parametrize(
    ("operation", "about"),
    [
        ("HeadBucket", "bucket"),
        ("GetBucketVersioning", "versioning"),
        ("GetBucketEncryption", "encryption"),
        ("GetPublicAccessBlock", "public access"),
        ("GetBucketOwnershipControls", "ownership"),
        ("GetBucketPolicy", "policy"),
        ("GetBucketLifecycleConfiguration", "life cycle"),
        ("GetSigningProfile", "profile"),
        ("ListSigningProfiles", "profiles"),
        ("ListSigningJobs", "signatures"),
        ("ListCodeSigningConfigs", "code-signing configurations"),
        ("ListFunctionsByCodeSigningConfig", "functions"),
    ],
)
def test_what_may_not_be_looked_at_is_never_taken_for_well(ready: Endpoint, doctor: Doctor, operation: str, about: str) -> None:
    ready.faults.add(Fault(operation=operation, code="AccessDeniedException", status=403, times=0))
    code, document = doctor()
    assert code == ExitCode.INCOMPLETE
    assert "unknown" in _states(document, about)


def test_a_configuration_that_warns_is_a_matter_of_trust(ready: Endpoint, doctor: Doctor) -> None:  # noqa: ARG001 - it must be there
    _configuration(policy="Warn")
    code, document = doctor()
    assert code == ExitCode.INTEGRITY
    assert _states(document, "code-signing configuration") == ["wrong"]


@pytest.mark.parametrize(
    ("publisher", "state", "code"),
    [
        (FOREIGN.format("999988887777"), "wrong", ExitCode.INTEGRITY),
        (FOREIGN.format("222233334444"), "note", ExitCode.PASS),  # the policy says that it is ours
        (FOREIGN.format(ACCOUNT), "wrong", ExitCode.INTEGRITY),  # never was
        (FOREIGN.format(ACCOUNT).replace("eu-west-1", "us-east-1"), "note", ExitCode.PASS),
    ],
)
@pytest.mark.usefixtures("ready")
def test_another_publisher(doctor: Doctor, publisher: str, state: str, code: ExitCode) -> None:
    _configuration(publisher)
    ended, document = doctor()
    assert ended == code
    assert _states(document, "publisher") == ["ok", state]


@pytest.mark.usefixtures("ready")
def test_a_publisher_that_was_revoked(doctor: Doctor) -> None:
    signer = client("signer")
    made = signer.put_signing_profile(profileName="old", platformId=PLATFORM)
    _configuration(made["profileVersionArn"])
    moment = datetime.now(UTC) - timedelta(minutes=1)
    signer.revoke_signing_profile(profileName="old", profileVersion=made["profileVersion"], reason="leaked", effectiveTime=moment)
    code, document = doctor()
    assert code == ExitCode.INTEGRITY
    assert _states(document, "publisher") == ["ok", "wrong"]
    assert {profile["name"]: profile["status"] for profile in document["places"][0]["profiles"]} == {"orders": "Active", "old": "Revoked"}


def test_a_publisher_without_a_version_matches_nothing() -> None:
    """AWS's model would let it through; the local endpoint does not."""
    arn = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/orders"
    aws = Aws(session=None, account=ACCOUNT, region=REGION, partition="aws", caller="", local=True)
    [check] = publisher_checks(aws, ("dev",), Configuration(arn="", description="", publishers=(arn,), policy="Enforce"), (), ())
    assert (check.state, check.code) == (State.WRONG, ExitCode.INTEGRITY)


@pytest.mark.parametrize(("status", "state"), [("Active", State.OK), ("Canceled", State.NOTE), ("Revoked", State.WRONG)])
def test_the_state_of_a_publisher(status: str, state: State) -> None:
    arn = FOREIGN.format(ACCOUNT)
    aws = Aws(session=None, account=ACCOUNT, region=REGION, partition="aws", caller="", local=True)
    one = ListedProfile(name="theirs", version="AbCdE12345", arn=arn, status=status, platform=PLATFORM, validity="")
    trusted = Configuration(arn="", description="", publishers=(arn,), policy="Enforce")
    assert [check.state for check in publisher_checks(aws, (), trusted, [one], ())] == [state]
    other = replace(one, platform="Notation-OCI-SHA384-ECDSA")
    assert [check.state for check in publisher_checks(aws, (), trusted, [other], ())] == [State.WRONG if status != "Revoked" else state]


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(0, State.OK), (90, State.NOTE), (-90, State.NOTE), (600, State.MISSING), (-600, State.MISSING)],
)
@pytest.mark.usefixtures("local_aws")
def test_a_clock_that_is_wrong(ahead: int, state: State) -> None:
    from shipsafe.adapters.aws.session import Place, open_aws  # noqa: PLC0415 - beside its use

    aws = open_aws(Place(region=REGION))
    checks = list(identity_checks(aws, (), lambda: datetime.now(UTC) + timedelta(seconds=ahead)))
    assert [check.state for check in checks] == [State.OK, state]


@pytest.mark.usefixtures("ready")
def test_signatures_that_expire_soon_are_counted(doctor: Doctor) -> None:
    """A roll-back to what they are on is refused from then on."""
    s3, signer = client("s3"), client("signer")
    signer.put_signing_profile(profileName="short", platformId=PLATFORM, signatureValidityPeriod={"value": 10, "type": "DAYS"})
    from tests.signing.zips import zip_bytes  # noqa: PLC0415 - beside its use

    version = s3.put_object(Bucket=f"orders-{ACCOUNT}", Key="a.zip", Body=zip_bytes({"app.py": b"1"}))["VersionId"]
    for name in ("short", "orders"):
        signer.start_signing_job(
            source={"s3": {"bucketName": f"orders-{ACCOUNT}", "key": "a.zip", "version": version}},
            destination={"s3": {"bucketName": f"orders-{ACCOUNT}", "prefix": f"signed/{name}/"}},
            profileName=name,
        )
    code, document = doctor()
    assert code == ExitCode.PASS
    said = [check["says"] for check in document["checks"] if check["about"] == "signatures"]
    assert len(said) == 1
    assert said[0].startswith("1 of profile short expire before ")


def test_without_credentials_nothing_is_known(project: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(project / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(project / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    code, document = doctor()
    assert code == ExitCode.INCOMPLETE
    assert _states(document, "credentials") == ["unknown"]
    assert document["places"] == []


@pytest.mark.usefixtures("local_aws")
def test_credentials_of_another_account_are_a_matter_of_trust(project: Path, doctor: Doctor) -> None:
    (project / "shipsafe.toml").write_text(POLICY + 'account = "111122223333"\n')
    code, document = doctor()
    assert code == ExitCode.INTEGRITY
    assert _states(document, "credentials") == ["wrong"]


@pytest.mark.usefixtures("ready")
def test_a_role_is_who_we_are_and_its_credentials_end(project: Path, doctor: Doctor) -> None:
    (project / "shipsafe.toml").write_text(POLICY + f'role = "arn:aws:iam::{ACCOUNT}:role/signer"\n')
    code, document = doctor()
    assert code == ExitCode.PASS
    [place] = document["places"]
    assert place["caller"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/signer/shipsafe"
    assert datetime.fromisoformat(place["credentials_until"]) > datetime.now(UTC)


@pytest.mark.usefixtures("local_aws")
def test_a_project_without_a_target_sees_the_account(project: Path, doctor: Doctor) -> None:
    """Which profiles there are is worth knowing before one is named."""
    (project / "shipsafe.toml").write_text("")
    client("signer").put_signing_profile(profileName="somebodys", platformId=PLATFORM)
    code, document = doctor()
    assert code == ExitCode.INCOMPLETE
    assert _states(document, "policy") == ["missing"]
    assert [profile["name"] for profile in document["places"][0]["profiles"]] == ["somebodys"]


@pytest.mark.usefixtures("ready")
def test_the_screen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", str(project)]) == ExitCode.PASS
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("LOCAL ") for line in lines)
    assert "LOCAL ok      dev: versioning: Enabled." in lines
    assert f"LOCAL Signing profiles of account {ACCOUNT} in {REGION}:" in lines
    assert lines[-1].endswith(" exit 0")
