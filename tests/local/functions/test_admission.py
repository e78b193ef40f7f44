"""Each row of the table of what a code-signing configuration lets through, in Enforce and in Warn."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.local.call import ApiError
from tests.local.functions.world import ACCOUNT, FILES, JOB, OTHER, PROFILE, REGION, STRANGER, Local, a_root, entries, zipped

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
UNACCEPTED = (
    "Lambda cannot deploy the function. "
    "The function or layer might be signed using a signature that the client is not configured to accept. "
    f"Check the provided signature for {ARN}."
)
NOT_PROPERLY = "code is not properly signed. This can mean that the code was signed incorrectly or modified after it was signed"


@pytest.fixture(params=["Enforce", "Warn"])
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bound(local: Local, policy: str) -> Local:
    """A function that was deployed signed, bound to a configuration."""
    local.create(code=local.sign(zipped()), CodeSigningConfigArn=local.config(policy))
    return local


def update(local: Local, code: bytes, **more: Any) -> dict[str, Any]:
    answer = local("UpdateFunctionCode", FunctionName="orders", ZipFile=code, **more)
    local.settle()
    return answer


def last_event(local: Local) -> dict[str, Any]:
    return local.core.events()[-1]


def changed(archive: bytes) -> bytes:
    return zipped([(name, body + b"# more" if name == "handler.py" else body) for name, body in entries(archive)])


def renamed(archive: bytes) -> bytes:
    return zipped([("handler2.py" if name == "handler.py" else name, body) for name, body in entries(archive)])


def reordered(archive: bytes) -> bytes:
    first, second, *rest = entries(archive)
    return zipped([second, first, *rest])


def added(archive: bytes) -> bytes:
    return zipped([("evil.py", b"import os"), *entries(archive)])


def signature_of_another(archive: bytes) -> bytes:
    return zipped([*FILES.items(), ("more.py", b""), *entries(archive)[-2:]])


def nonsense(archive: bytes) -> bytes:
    return zipped([*entries(archive)[:-1], (entries(archive)[-1][0], b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n")])


def test_signed_code_is_deployed_and_the_answer_names_profile_and_job(bound: Local) -> None:
    code = bound.sign(zipped({"handler.py": b"def main(*_): return 2\n"}))
    answer = update(bound, code)
    assert (answer["SigningProfileVersionArn"], answer["SigningJobArn"]) == (PROFILE, JOB)
    assert answer["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert bound.configured()["SigningJobArn"] == JOB
    assert last_event(bound)["additionalEventData"] == {
        "signatureStatus": "VALID",
        "signingJobArn": JOB,
        "signingProfileVersionArn": PROFILE,
    }
    assert last_event(bound)["eventName"] == "UpdateFunctionCode20150331v2"
    assert bound.metrics == []


def test_unsigned_code_is_refused_under_enforce_and_noted_under_warn(bound: Local, policy: str) -> None:
    before = bound.configured()
    if policy == "Enforce":
        with pytest.raises(ApiError) as refused:
            update(bound, zipped())
        assert (refused.value.code, refused.value.status, refused.value.message) == ("CodeVerificationFailedException", 400, UNACCEPTED)
        assert last_event(bound)["errorCode"] == "CodeVerificationFailedException"
        assert last_event(bound)["additionalEventData"] is None
        assert bound.configured() == before
        assert bound.metrics == []
    else:
        answer = update(bound, zipped())
        assert "SigningJobArn" not in answer
        assert "SigningProfileVersionArn" not in bound.configured()
        assert last_event(bound)["additionalEventData"] == {"signatureStatus": "MISMATCH"}
        assert bound.metrics == [("SignatureValidationErrors", 1.0, {"FunctionName": "orders"})]


@pytest.mark.parametrize("tamper", [changed, renamed, reordered, added, signature_of_another, nonsense])
def test_tampered_code_is_refused_under_warn_too(bound: Local, tamper: Callable[[bytes], bytes]) -> None:
    before = bound.configured()
    with pytest.raises(ApiError) as refused:
        update(bound, tamper(bound.sign(zipped())))
    assert refused.value.code == "CodeVerificationFailedException"
    assert NOT_PROPERLY in refused.value.message
    assert refused.value.message.endswith(f"Check the provided signature for {ARN}.")
    assert bound.configured() == before


def test_the_switch_makes_tampered_code_the_documented_exception_and_unsigned_code_not(bound: Local, policy: str) -> None:
    bound.core.configure({"integrity_code": "InvalidCodeSignatureException"})
    with pytest.raises(ApiError) as refused:
        update(bound, changed(bound.sign(zipped())))
    assert refused.value.code == "InvalidCodeSignatureException"
    if policy == "Enforce":
        with pytest.raises(ApiError) as unsigned:
            update(bound, zipped())
        assert unsigned.value.code == "CodeVerificationFailedException"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_compressing_anew_keeps_the_signature_and_changes_the_digest(bound: Local, compression: int) -> None:
    code = bound.sign(zipped(compression=zipfile.ZIP_DEFLATED if compression == zipfile.ZIP_STORED else zipfile.ZIP_STORED))
    first = update(bound, code)
    second = update(bound, zipped(entries(code), compression))
    assert second["SigningJobArn"] == JOB
    assert first["CodeSha256"] != second["CodeSha256"]


def test_other_times_and_permissions_keep_the_signature(bound: Local) -> None:
    code = bound.sign(zipped())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in entries(code):
            info = zipfile.ZipInfo(name, (2031, 5, 1, 12, 0, 0))
            info.external_attr = 0o100777 << 16
            archive.writestr(info, body)
    first, second = update(bound, code), update(bound, out.getvalue())
    assert second["SigningJobArn"] == JOB
    assert first["CodeSha256"] != second["CodeSha256"]


def test_a_dry_run_verifies_and_changes_nothing(bound: Local, policy: str) -> None:
    before = bound.configured()
    if policy == "Enforce":
        with pytest.raises(ApiError) as refused:
            update(bound, zipped(), DryRun=True)
        assert refused.value.code == "CodeVerificationFailedException"
    else:
        candidate = update(bound, zipped(), DryRun=True)
        assert candidate["CodeSha256"] == base64.b64encode(hashlib.sha256(zipped()).digest()).decode()
        assert "SigningJobArn" not in candidate
        assert bound.metrics == []
    with pytest.raises(ApiError, match="not properly signed"):
        update(bound, changed(bound.sign(zipped())), DryRun=True)
    assert bound.configured() == before


@pytest.mark.parametrize("status", ["MISMATCH", "EXPIRED", "REVOKED", "REVOKED profile"])
def test_another_profile_an_expired_and_a_revoked_signature_are_refused_under_enforce_alone(bound: Local, policy: str, status: str) -> None:
    code = bound.sign(zipped(), profile=STRANGER if status == "MISMATCH" else PROFILE, valid=timedelta(days=1))
    if status == "EXPIRED":
        bound.clock.moved += timedelta(days=1)
    bound.revoked.update({"REVOKED": {JOB}, "REVOKED profile": {PROFILE}}.get(status, set()))
    if policy == "Enforce":
        with pytest.raises(ApiError) as refused:
            update(bound, code)
        assert (refused.value.code, refused.value.message) == ("CodeVerificationFailedException", UNACCEPTED)
    else:
        update(bound, code)
        noted = last_event(bound)["additionalEventData"]
        assert noted["signatureStatus"] == status.partition(" ")[0]
        assert noted["signingJobArn"] == JOB
        assert len(bound.metrics) == 1


def test_expiry_is_looked_at_before_the_profile_and_the_profile_before_revocation(local: Local) -> None:
    local.create(code=zipped(), CodeSigningConfigArn=local.config("Warn"))
    code = local.sign(zipped(), profile=STRANGER, valid=timedelta(hours=1))
    local.revoked.add(JOB)
    update(local, code)
    assert last_event(local)["additionalEventData"]["signatureStatus"] == "MISMATCH"
    local.clock.moved += timedelta(hours=1)
    update(local, code)
    assert last_event(local)["additionalEventData"]["signatureStatus"] == "EXPIRED"


def test_a_signature_under_another_root_is_not_a_proper_one(bound: Local, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="not properly signed"):
        update(bound, bound.sign(zipped(), root=a_root(tmp_path / "other")))


def test_a_function_without_a_configuration_takes_anything(local: Local) -> None:
    local.create(code=changed(local.sign(zipped())))
    assert "SigningJobArn" not in local.configured()
    update(local, zipped())
    update(local, local.sign(zipped()))
    assert local.configured()["SigningJobArn"] == JOB
    assert all(event["additionalEventData"] is None for event in local.core.events())


def test_a_configuration_holds_from_the_next_deployment_on(local: Local) -> None:
    local.create(code=zipped())
    config = local.config("Warn")
    local("PutFunctionCodeSigningConfig", FunctionName="orders", CodeSigningConfigArn=config)
    update(local, zipped())
    local("UpdateCodeSigningConfig", CodeSigningConfigArn=config, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    assert local.configured()["State"] == "Active"
    with pytest.raises(ApiError, match="not configured to accept"):
        update(local, zipped())
    local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9)
    local.settle()
    local("DeleteFunctionCodeSigningConfig", FunctionName="orders")
    update(local, zipped())


def test_creating_a_function_is_checked_and_a_refused_one_does_not_exist(local: Local, policy: str) -> None:
    config = local.config(policy)
    with pytest.raises(ApiError, match="not properly signed"):
        local.create(code=changed(local.sign(zipped())), CodeSigningConfigArn=config)
    if policy == "Enforce":
        with pytest.raises(ApiError, match="not configured to accept"):
            local.create(code=zipped(), CodeSigningConfigArn=config)
        assert local.core.events()[-1]["eventName"] == "CreateFunction20150331"
    assert local("ListFunctions")["Functions"] == []
    assert local.create(code=local.sign(zipped()), CodeSigningConfigArn=config)["SigningJobArn"] == JOB


def test_an_image_is_not_covered(local: Local) -> None:
    image = {"PackageType": "Image", "Code": {"ImageUri": "1.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:" + "a" * 64}}
    parameters: dict[str, Any] = {"FunctionName": "boxed", "Role": f"arn:aws:iam::{OTHER}:role/r", **image}
    assert local("CreateFunction", **parameters)["CodeSha256"] == "a" * 64
    with pytest.raises(ApiError) as refused:
        local("PutFunctionCodeSigningConfig", FunctionName="boxed", CodeSigningConfigArn=local.config())
    assert refused.value.code == "InvalidParameterValueException"
    with pytest.raises(ApiError) as refused:
        local("CreateFunction", **{**parameters, "FunctionName": "b2"}, CodeSigningConfigArn=local.config())
    assert refused.value.code == "InvalidParameterValueException"
