"""What `layers vendor` and `enforce --rotate` ask of AWS, from nothing to a run that finds everything done."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.adapters.timeline import Timeline
from shipsafe.enforce.rotate import Rotation
from shipsafe.flows.enforce import EnforceRequest
from shipsafe.flows.layer_copy import Original
from shipsafe.flows.rotate import carry_out, turns
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.vendor import VendorRequest, planned, vendored, vendoring
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.reports.live import silent_progress
from tests.local.functions.world import zipped
from tests.local_endpoint import ACCOUNT, client
from tests.signing.place import Site

_POLICY = """
[advisories]
source = {{ path = "advisories", date = {today} }}
max-age = "off"
[gates.sbom]
supplier = "ACME Ltd"
[gates.dependencies]
mode = "observe"
[[sign.target]]
name = "{target.name}"
region = "{target.region}"
profile = "{target.profile}"
bucket = "{target.bucket}"
"""
_RECORD = '{"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": []}'


def vendor_twice(endpoint: Endpoint, folder: Path, target: SignTarget, connect: Callable[[Place], Aws]) -> None:
    """A stranger's layer is copied and published; a second run finds it."""
    theirs = client("lambda", account="999988887777")
    arn = theirs.publish_layer_version(
        LayerName="tools", Content={"ZipFile": zipped()}, CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"]
    )["LayerVersionArn"]
    theirs.add_layer_version_permission(LayerName="tools", VersionNumber=1, StatementId="a", Action="lambda:GetLayerVersion", Principal="*")
    today = datetime.now(UTC).date()
    (folder / "advisories").mkdir()
    (folder / "advisories" / "PYSEC-2026-1.json").write_text(_RECORD)
    (folder / "shipsafe.toml").write_text(_POLICY.format(target=target, today=today))
    sign = SignRequest(out=folder / "vendored", today=today, policy=folder / "shipsafe.toml", local_root=endpoint.fingerprint)
    request = VendorRequest(original=Original.parse(arn), sign=sign, name="tools", templates=())
    for run in (1, 2):
        with vendoring(request, silent_progress(), Timeline(), connect) as case:
            assert case.case.release is not None, case.case.record.verdict
            plan = planned(case, case.case.release)
            assert plan.changes == (run == 1)
            assert vendored(case, case.case.release, plan, lambda _line: None, lambda _seconds: None).exit_code == 0


def rotate_to_the_end(endpoint: Endpoint, folder: Path, policy: Policy, target: SignTarget, connect: Callable[[Place], Aws]) -> None:
    """Both are let in while a function runs what the old one signed, beside one with an unsigned layer; then the new one alone."""
    endpoint.functions.configure({"creating": 0, "updating": 0})
    functions = client("lambda")
    layer = functions.publish_layer_version(LayerName="plain", Content={"ZipFile": zipped()})["LayerVersionArn"]
    old = client("signer").get_signing_profile(profileName=target.profile)["profileVersionArn"]
    configuration = target.code_signing_config
    (signed,) = Site(endpoint, folder, target=target).run().signed
    words = {"Role": f"arn:aws:iam::{ACCOUNT}:role/orders", "Runtime": "python3.13", "Handler": "app.main"}
    functions.create_function(FunctionName="plain", Code={"ZipFile": zipped()}, Layers=[layer], **words)
    code = {"S3Bucket": signed.object.bucket, "S3Key": signed.object.key}
    functions.create_function(FunctionName="orders", Code=code, CodeSigningConfigArn=configuration, **words)
    rotation = Rotation(old=target.profile, new="orders_2027")
    for profile in (target.profile, "orders_2027"):
        request = EnforceRequest(policy=replace(policy, sign=replace(policy.sign, targets=(replace(target, profile=profile),))))
        made = turns(request, rotation, connect, clock=lambda: 0.0, sleep=lambda _seconds: None, say=lambda _line: None)
        assert not carry_out(made, lambda _change: None)
        functions.delete_function(FunctionName="orders" if profile == target.profile else "plain")
    told = functions.get_code_signing_config(CodeSigningConfigArn=configuration)["CodeSigningConfig"]["AllowedPublishers"]
    assert old not in told["SigningProfileVersionArns"]
