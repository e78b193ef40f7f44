"""A release that was built from Terraform's plan goes live by Terraform: it leaves no mark on its functions, so the plan counts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.local.endpoint import Endpoint
from shipsafe.local.pki import LocalRoot
from tests.deploy.scene import Scene, make_scene
from tests.deploy.shop import POLICY
from tests.readers.test_terraform import archive, configured, document, lambda_function, resource
from tests.tampering.world import shipsafe
from tests.verify.desk import BUILDER, SIGNER, TARGET, Desk, advisory


@pytest.fixture
def planned_shop(local_aws: Endpoint, local_root: LocalRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "config"))
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "app.py").write_text("def handler(event, context):\n    return 'pay'\n")
    plan = document(
        [lambda_function("aws_lambda_function.pay", function_name="pay-prod"),
         resource("aws_lambda_alias.live", {"name": "live"}, unknown={"function_name": True})],
        before=[archive(source_dir="src")],
        written=[configured("aws_lambda_alias.live", function_name=["aws_lambda_function.pay.function_name", "aws_lambda_function.pay"])],
    )  # fmt: skip
    (project / "plan.json").write_text(json.dumps(plan))
    (project / "advisories").mkdir()
    advisory(project, "PYSEC-2026-1", "nobodys")
    (project / "shipsafe.toml").write_text(POLICY + TARGET + BUILDER.table("builder") + SIGNER.table("signer"))
    done = shipsafe("build", "--key", BUILDER.write(tmp_path), cwd=project)
    assert done.code == 0, done.out + done.err
    return make_scene(replace(Desk(project=project, root=local_root)), local_aws, tmp_path)


def test_it_is_handed_over_and_what_lands_is_verified(planned_shop: Scene) -> None:
    scene = planned_shop
    scene.function("pay-prod")
    done = shipsafe("deploy", "--yes", "--offline-advisories", cwd=scene.desk.project)
    assert done.code == 0, done.out + done.err
    assert "Terraform manages it: the release was built from its plan." in done.out
    assert "terraform plan -out=tfplan" in done.out
    written = json.loads((scene.desk.project / "shipsafe.auto.tfvars.json").read_text())["shipsafe"]["pay"]
    signed = scene.all_signed["pay"]
    assert (written["s3_object_version"], written["source_code_hash"]) == (signed.object.version, signed.code_sha256)
    assert scene.alias("pay-prod") == ("1", {})
    code = {"S3Bucket": written["s3_bucket"], "S3Key": written["s3_key"], "S3ObjectVersion": written["s3_object_version"]}
    scene.lambda_.update_function_code(FunctionName="pay-prod", Publish=True, **code)
    scene.lambda_.update_alias(FunctionName="pay-prod", Name="live", FunctionVersion="2")
    done = shipsafe("deploy", "--via", "terraform", "--landed", "--offline-advisories", cwd=scene.desk.project)
    assert done.code == 0, done.out + done.err
    assert "PASS" in done.out


def test_a_function_that_is_not_there_is_not_made_either(planned_shop: Scene) -> None:
    """Terraform would find it there, and fail."""
    role = "arn:aws:iam::123456789012:role/pay"
    done = shipsafe("deploy", "--create", "--role", role, "--dry-run", "--offline-advisories", cwd=planned_shop.desk.project)
    assert done.code == 0, done.out + done.err
    assert "writes shipsafe.auto.tfvars.json" in done.out
    assert "CreateFunction" not in done.out
