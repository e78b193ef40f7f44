"""`shipsafe layers vendor` from the ARN of a stranger's layer to a template that names our own, against the local endpoint."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError, NothingError
from shipsafe.flows.sign import asking
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.place import BUCKET, make_bucket, make_profile
from tests.signing.zips import zip_bytes

STRANGER = "999988887777"
POLICY = f"""
accounts = ["{ACCOUNT}"]
[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"
[gates.sbom]
supplier = "ACME Ltd"
[[sign.target]]
name = "prod"
region = "{REGION}"
profile = "orders_2026"
bucket = "{BUCKET}"
"""
RECORD = {"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nobodys"},
          "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}  # fmt: skip
CODE = zip_bytes({"python/tools.py": b"ONE = 1\n"})
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {{Runtime: python3.13, Handler: app.handler, CodeUri: src/, Layers: [{arn}]}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_aws: Endpoint) -> Path:  # noqa: ARG001 - a fixture, which sets the environment
    """A policy with a place to sign, and the working directory; the endpoint has bucket and profile."""
    make_bucket()
    make_profile()
    (tmp_path / "project" / "advisories").mkdir(parents=True)
    (tmp_path / "project" / "advisories" / "PYSEC-2026-1.json").write_text(json.dumps(RECORD))
    (tmp_path / "project" / "shipsafe.toml").write_text(POLICY)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def offer(code: bytes = CODE, *, region: str = REGION, **words: Any) -> str:
    """A stranger's layer that everybody may use."""
    theirs = client("lambda", account=STRANGER, region=region)
    told = theirs.publish_layer_version(LayerName="tools", Content={"ZipFile": code}, **words)
    theirs.add_layer_version_permission(
        LayerName="tools", VersionNumber=told["Version"], StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
    )
    return str(told["LayerVersionArn"])


def ours() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client("lambda").list_layer_versions(LayerName="tools")["LayerVersions"]
    return found


def test_a_strangers_layer_becomes_ours_and_the_template_names_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked, signed, published with what the original says of itself, and pinned; a second run changes nothing."""
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"], LicenseInfo="MIT")
    (project / "template.yaml").write_text(TEMPLATE.format(arn=arn))
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS
    (version,) = ours()
    mine = version["LayerVersionArn"]
    assert (version["CompatibleRuntimes"], version["LicenseInfo"]) == (["python3.13"], "MIT")
    assert version["Description"].endswith(f"; copy of {arn}")
    content = client("lambda").get_layer_version_by_arn(Arn=mine)["Content"]
    assert content["SigningProfileVersionArn"].split("/")[-2] == "orders_2026"
    assert (project / "template.yaml").read_text() == TEMPLATE.format(arn=mine)
    noted = json.loads((project / "dist" / "vendored" / "tools-1" / "vendored.json").read_text())
    assert noted["original"]["arn"] == arn
    assert [one["arn"] for one in noted["published"]] == [mine]
    told = capsys.readouterr().out
    assert all(line.startswith("LOCAL") for line in told.splitlines())
    assert "LOCAL edit template.yaml: our version in the place of the original, line 5" in told
    before = client("signer").list_signing_jobs()["jobs"]
    assert run(["layers", "vendor", arn]) == ExitCode.PASS  # without --yes: there is nothing to ask about
    assert f"nothing: {mine} is there" in capsys.readouterr().out
    assert len(ours()) == 1
    assert client("signer").list_signing_jobs()["jobs"] == before


@pytest.mark.usefixtures("project")
def test_a_function_takes_our_copy_under_enforce(project: Path) -> None:
    """It is the way out: the original is refused, the copy is let in."""
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    profile = client("signer").get_signing_profile(profileName="orders_2026")["profileVersionArn"]
    functions = client("lambda")
    made = functions.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile]}, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}
    )["CodeSigningConfig"]["CodeSigningConfigArn"]
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS
    (mine,) = [one["LayerVersionArn"] for one in ours()]
    signed = json.loads((project / "dist" / "vendored" / "tools-1" / "shipsafe.json").read_text())["artifacts"][0]["signatures"][0][
        "object"
    ]
    code = {"S3Bucket": signed["bucket"], "S3Key": signed["key"], "S3ObjectVersion": signed["version"]}  # a zip is a zip
    words = {"Role": f"arn:aws:iam::{ACCOUNT}:role/orders", "Runtime": "python3.13", "Handler": "tools.main", "CodeSigningConfigArn": made}
    with pytest.raises(functions.exceptions.CodeVerificationFailedException):
        functions.create_function(FunctionName="a", Code=code, Layers=[arn], **words)
    functions.create_function(FunctionName="b", Code=code, Layers=[mine], **words)


@pytest.mark.usefixtures("project")
def test_what_does_not_pass_is_neither_signed_nor_published(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody says what it runs on: the gates cannot answer, and that is not a pass."""
    assert run(["layers", "vendor", offer(), "--yes"]) == ExitCode.INCOMPLETE
    assert "Nothing was signed" in capsys.readouterr().out
    assert client("signer").list_signing_jobs()["jobs"] == []
    assert ours() == []


@pytest.mark.usefixtures("project")
def test_what_the_original_does_not_say_can_be_said() -> None:
    assert run(["layers", "vendor", offer(), "--yes", "--runtime", "python3.13", "--architecture", "x86_64"]) == ExitCode.PASS
    assert ours()[0]["CompatibleRuntimes"] == ["python3.13"]


def test_on_another_machine_nothing_is_made_twice(project: Path) -> None:
    """Without the folder of the copy: bucket and layer say what was done."""
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS
    shutil.rmtree(project / "dist")
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS
    assert (len(ours()), len(client("signer").list_signing_jobs()["jobs"])) == (1, 1)


def test_a_dry_run_makes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    (project / "template.yaml").write_text(TEMPLATE.format(arn=arn))
    assert run(["layers", "vendor", arn, "--dry-run"]) == ExitCode.PASS
    assert capsys.readouterr().out.endswith("LOCAL Nothing was changed: --dry-run stops after the plan.\n")
    assert (project / "template.yaml").read_text() == TEMPLATE.format(arn=arn)
    assert ours() == []


@pytest.mark.usefixtures("project")
def test_what_runs_beside_every_function_is_said_before_it_is_signed(capsys: pytest.CaptureFixture[str]) -> None:
    arn = offer(zip_bytes({"extensions/agent": b"#!/bin/sh\n", "python/tools.py": b"TOOLS = 1\n"}), CompatibleRuntimes=["python3.13"])
    run(["layers", "vendor", arn, "--dry-run"])
    assert "EXTENSIONS run beside every function that has it, and no gate reads them: agent" in capsys.readouterr().out


def test_other_bytes_than_lambda_names_are_refused(project: Path, local_aws: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers in the place of the download can change nothing."""
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    monkeypatch.setattr("shipsafe.flows.layer_copy.download", lambda _url, sink, **_words: sink.write(CODE + b"more"))
    with pytest.raises(IntegrityError, match="is not what Lambda names"):
        run(["layers", "vendor", arn, "--yes"])
    assert not list((project / "dist" / "vendored").rglob("*.zip"))
    assert local_aws.faults is not None


@pytest.mark.parametrize(
    ("arn", "says"),
    [
        (f"arn:aws:lambda:{REGION}:{STRANGER}:layer:tools", "names no version"),
        ("arn:aws:lambda:::awslayer:AmazonLinux1703", "names no version, account or region"),
        (f"arn:aws:lambda:{REGION}:{STRANGER}:function:tools:1", "is not the ARN of a layer version"),
        (f"arn:aws:lambda:${{AWS::Region}}:{STRANGER}:layer:tools:1", "is not the ARN of a layer version"),
        (f"arn:aws:lambda:us-east-1:{STRANGER}:layer:tools:1", "can be attached in us-east-1 alone"),
        (f"arn:aws-cn:lambda:{REGION}:{STRANGER}:layer:tools:1", "is in partition aws-cn"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_copied_is_said(arn: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("$", r"\$")):
        run(["layers", "vendor", arn, "--yes"])


@pytest.mark.usefixtures("project")
def test_a_layer_that_is_not_there_or_not_for_us_is_no_answer() -> None:
    with pytest.raises(IncompleteError, match="There is no"):
        run(["layers", "vendor", f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:none:1", "--yes"])
    theirs = client("lambda", account=STRANGER).publish_layer_version(LayerName="own", Content={"ZipFile": CODE})
    with pytest.raises(IncompleteError):
        run(["layers", "vendor", theirs["LayerVersionArn"], "--yes"])


def test_a_run_that_failed_half_way_is_continued(project: Path, local_aws: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """Signed, not published: 4, and the template stays; the next run signs nothing again."""
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    (project / "template.yaml").write_text(TEMPLATE.format(arn=arn))
    local_aws.faults.add(Fault(service="lambda", operation="PublishLayerVersion", times=1, code="AccessDeniedException", status=403))
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.INCOMPLETE
    assert "NOT DONE: Could not publish a version of layer tools" in capsys.readouterr().out
    assert (project / "template.yaml").read_text() == TEMPLATE.format(arn=arn)
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS
    assert len(client("signer").list_signing_jobs()["jobs"]) == 1
    assert (project / "template.yaml").read_text() == TEMPLATE.format(arn=ours()[0]["LayerVersionArn"])


def test_a_template_that_cannot_be_edited_is_said_before_anything_is_signed(project: Path) -> None:
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    (project / "template.yaml").write_text(f"Metadata: {{Tools: &tools {arn}}}\n" + TEMPLATE.format(arn="*tools"))
    with pytest.raises(ConfigError, match="Write out anchors"):
        run(["layers", "vendor", arn, "--yes"])
    assert client("signer").list_signing_jobs()["jobs"] == []


def test_layers_of_a_project_are_told_with_who_signed_them(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unsigned: 5, with the command that is the way out; signed by us afterwards: 0."""
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    (project / "template.yaml").write_text(TEMPLATE.format(arn=arn.replace(REGION, "${AWS::Region}").join(("!Sub '", "'"))))
    assert run(["layers", "check"]) == ExitCode.INTEGRITY
    told = capsys.readouterr().out
    assert f"LOCAL   {arn}  (Orders)\nLOCAL     REFUSED: Layer {arn} has no signature" in told
    assert f"shipsafe layers vendor {arn}" in told
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS
    capsys.readouterr()
    assert run(["layers", "check"]) == ExitCode.PASS
    assert capsys.readouterr().out.endswith("Every layer is let in. exit 0\n")


def test_layers_that_cannot_be_read_looked_at_or_attached_are_not_let_in(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TEMPLATE.format(arn="!Ref Tools").replace("Resources:", "Parameters: {Tools: {Type: String}}\nResources:")
    (project / "template.yaml").write_text(text)
    assert run(["layers", "check"]) == ExitCode.INCOMPLETE
    assert "NOT LOOKED AT: It cannot be read" in capsys.readouterr().out
    far = f"arn:aws:lambda:us-east-1:{STRANGER}:layer:tools:1"
    assert run(["layers", "check", "--parameter-overrides", f"Tools={far}"]) == ExitCode.INTEGRITY
    assert "functions of eu-west-1 cannot attach it" in capsys.readouterr().out
    (project / "template.yaml").write_text(TEMPLATE.format(arn=""))
    with pytest.raises(NothingError, match="uses a layer"):
        run(["layers", "check"])


def signed_by(endpoint: Endpoint, account: str) -> bytes:
    """A layer's zip, signed with a profile of that account."""
    name = f"theirs-{account}"
    make_bucket(name, account=account)
    make_profile("theirs", account=account)
    s3, signer = client("s3", account=account), client("signer", account=account)
    version = s3.put_object(Bucket=name, Key="a.zip", Body=CODE)["VersionId"]
    source, to = {"bucketName": name, "key": "a.zip", "version": version}, {"bucketName": name, "prefix": "signed/"}
    job = signer.start_signing_job(source={"s3": source}, destination={"s3": to}, profileName="theirs")["jobId"]
    where = signer.describe_signing_job(jobId=job)["signedObject"]["s3"]
    assert endpoint.fingerprint
    return bytes(s3.get_object(Bucket=where["bucketName"], Key=where["key"])["Body"].read())


def test_a_strangers_signature_is_taken_off_unless_the_policy_trusts_it(project: Path, local_aws: Endpoint) -> None:
    """What is left is the zip as it was before they signed it; a copy of what is trusted is not needed."""
    arn = offer(signed_by(local_aws, STRANGER), CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    theirs = client("lambda", account=STRANGER).get_layer_version_by_arn(Arn=arn)["Content"]["SigningProfileVersionArn"]
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS
    assert (project / "dist" / "vendored" / "tools-1" / "tools.zip").read_bytes() == CODE
    assert json.loads((project / "dist" / "vendored" / "tools-1" / "vendored.json").read_text())["original"]["profile_version"] == theirs
    (project / "shipsafe.toml").write_text(POLICY + f'[sign]\npublishers = ["{theirs}"]\n')
    with pytest.raises(ConfigError, match="which the policy trusts"):
        run(["layers", "vendor", arn, "--yes"])


@pytest.mark.usefixtures("project")
def test_a_signature_that_lambda_does_not_count_is_no_layer_to_copy(local_aws: Endpoint) -> None:
    """Somebody changed it after it was signed."""
    data = signed_by(local_aws, STRANGER)
    with zipfile.ZipFile(io.BytesIO(data)) as signed:
        signature = signed.read("META_INF/aws_signer_signature_v1.0.SF")
    arn = offer(zip_bytes({"python/tools.py": b"TWO = 2\n", "META_INF/aws_signer_signature_v1.0.SF": signature}),
                CompatibleRuntimes=["python3.13"])  # fmt: skip
    with pytest.raises(IntegrityError, match="a signature that Lambda does not count"):
        run(["layers", "vendor", arn, "--yes"])


def test_under_a_policy_that_wants_a_builders_word_nobody_has_given_one(project: Path) -> None:
    """It says so before anything is downloaded."""
    (project / "shipsafe.toml").write_text(POLICY + '[sign]\nbuilder = "attested"\n')
    with pytest.raises(IntegrityError, match="nobody attests what is in"):
        run(["layers", "vendor", offer(), "--yes"])
    assert not (project / "dist" / "vendored").exists()


def test_a_waiver_by_name_lets_a_copy_through_where_other_builds_are_refused(project: Path) -> None:
    """Somebody answers for it, until a day."""
    (project / "shipsafe.toml").write_text('prebuilt = "refuse"\n' + POLICY)
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.FINDINGS
    waiver = '[[waivers]]\nrule = "package/prebuilt"\nsubject = "layer:tools"\nreason = "read"\nowner = "ops"\nexpires = 2099-01-31\n'
    (project / "shipsafe.toml").write_text('prebuilt = "refuse"\n' + POLICY + waiver)
    assert run(["layers", "vendor", arn, "--yes"]) == ExitCode.PASS


def test_two_targets_get_a_version_each_and_one_note_names_both(project: Path) -> None:
    """One after the other, for a template names the layer of one account; what Lambda runs nothing by any more is left out."""
    make_profile("other")
    second = POLICY[POLICY.index("[[sign.target]]") :].replace('"prod"', '"test"').replace('"orders_2026"', '"other"')
    (project / "shipsafe.toml").write_text(POLICY + second)
    arn = offer(CompatibleRuntimes=["python2.7", "python3.13"], CompatibleArchitectures=["x86_64"], LicenseInfo="MIT")
    (project / "template.yaml").write_text(TEMPLATE.format(arn=arn))
    with pytest.raises(ConfigError, match="names the layer of one account, and there are several targets: prod, test"):
        run(["layers", "vendor", arn, "--yes"])
    for target in ("prod", "test"):
        assert run(["layers", "vendor", arn, "--yes", "--target", target]) == ExitCode.PASS
    noted = json.loads((project / "dist" / "vendored" / "tools-1" / "vendored.json").read_text())["published"]
    assert [one["target"] for one in noted] == ["prod", "test"]
    assert len({one["arn"] for one in noted} & {one["LayerVersionArn"] for one in ours()}) == 2
    assert ours()[0]["CompatibleRuntimes"] == ["python3.13"]
    assert ours()[0]["LicenseInfo"] == "MIT"


def test_a_copy_that_somebody_changes_meanwhile_is_not_signed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the download and the gates it lies in a folder."""
    arn = offer(CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])

    def swapped(*words: Any) -> Any:
        (project / "dist" / "vendored" / "tools-1" / "original" / "tools.zip").write_bytes(zip_bytes({"python/tools.py": b"TWO = 2\n"}))
        return asking(*words)

    monkeypatch.setattr("shipsafe.flows.vendor.asking", swapped)
    with pytest.raises(IntegrityError, match="is not the copy of"):
        run(["layers", "vendor", arn, "--yes"])
    assert client("signer").list_signing_jobs()["jobs"] == []
