"""Revoked signatures and profiles: for good, in every Region, and from when on."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from shipsafe.local.call import ApiError, Call
from shipsafe.local.pki import LocalRoot
from tests.local.stores import ACCOUNT, BEGIN, REGION, ask
from tests.local.test_signer_jobs import LAMBDA, Desk

NOTATION = "Notation-OCI-SHA384-ECDSA"
PAYLOAD = b'{"targetArtifact":{"digest":"sha256:00","mediaType":"application/vnd.oci.image.manifest.v1+json","size":1}}'
FORMAT = "application/vnd.cncf.notary.payload.v1+json"


@pytest.fixture
def desk(local_root: LocalRoot) -> Desk:
    return Desk(local_root)


def arn(job: str) -> str:
    return f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/{job}"


def is_revoked(desk: Desk, job: str, *, after: timedelta = timedelta(seconds=1)) -> bool:
    return desk.signer.revoked(job_arn=arn(job), profile_version_arn=desk.profile["profileVersionArn"], signed_at=BEGIN + after)


def status(desk: Desk, service: str, platform: str, profile: str, job: str) -> Any:
    words = {"signatureTimestamp": BEGIN, "platformId": platform, "profileVersionArn": profile, "jobArn": job, "certificateHashes": ["00"]}
    call = Call(service=service, operation="GetRevocationStatus", parameters=words, account=ACCOUNT, region="us-east-1")
    return desk.signer.handle(call)["revokedEntities"]


def test_a_revoked_signature_stays_revoked_with_its_first_record(desk: Desk) -> None:
    job = desk.ended()["jobId"]
    assert not is_revoked(desk, job)
    ask(desk.signer, "RevokeSignature", jobId=job, reason="stolen", caller=f"arn:aws:iam::{ACCOUNT}:user/ann")
    desk.clock.pass_time(days=1)
    ask(desk.signer, "RevokeSignature", jobId=job, reason="again")
    assert is_revoked(desk, job)
    assert desk.describe(job)["revocationRecord"] == {
        "reason": "stolen",
        "revokedAt": BEGIN + timedelta(seconds=1),
        "revokedBy": f"arn:aws:iam::{ACCOUNT}:user/ann",
    }
    assert desk.describe(job)["status"] == "Succeeded"


def test_another_job_of_the_profile_is_not_revoked_with_it(desk: Desk) -> None:
    one, two = desk.ended()["jobId"], desk.ended(clientRequestToken="t2")["jobId"]
    ask(desk.signer, "RevokeSignature", jobId=one, reason="stolen")
    assert (is_revoked(desk, one), is_revoked(desk, two)) == (True, False)


def test_a_job_that_has_signed_nothing_cannot_be_revoked(desk: Desk) -> None:
    job = desk.start()
    with pytest.raises(ApiError, match="InProgress") as caught:
        ask(desk.signer, "RevokeSignature", jobId=job, reason="x")
    assert caught.value.code == "ValidationException"


@pytest.mark.parametrize("reason", ["", "x" * 501])
def test_a_reason_has_one_to_500_characters(desk: Desk, reason: str) -> None:
    job = desk.ended()["jobId"]
    with pytest.raises(ApiError, match="length"):
        ask(desk.signer, "RevokeSignature", jobId=job, reason=reason)
    assert not is_revoked(desk, job)


def test_a_profile_is_revoked_for_what_it_signed_from_then_on(desk: Desk) -> None:
    job = desk.ended()["jobId"]
    desk.clock.pass_time(days=2)
    words = {"profileName": "prod", "profileVersion": desk.profile["profileVersion"], "reason": "lost"}
    ask(desk.signer, "RevokeSigningProfile", **words, effectiveTime=BEGIN + timedelta(days=1))
    assert not is_revoked(desk, job, after=timedelta(days=1, milliseconds=-1))
    assert is_revoked(desk, job, after=timedelta(days=1))
    ask(desk.signer, "RevokeSigningProfile", **words, effectiveTime=BEGIN - timedelta(days=1))
    assert is_revoked(desk, job)


def test_cancelling_leaves_signatures_good(desk: Desk) -> None:
    job = desk.ended()["jobId"]
    ask(desk.signer, "CancelSigningProfile", profileName="prod")
    assert not is_revoked(desk, job)


def test_what_this_signer_does_not_know_is_not_revoked(desk: Desk) -> None:
    job = desk.ended()["jobId"]
    ask(desk.signer, "RevokeSignature", jobId=job, reason="stolen")
    elsewhere = arn(job).replace(REGION, "us-east-1")
    assert not desk.signer.revoked(job_arn=elsewhere, profile_version_arn="nonsense", signed_at=BEGIN)


@pytest.mark.parametrize("service", ["signer", "signer-data"])
def test_the_status_of_lambdas_signatures_is_not_told(desk: Desk, service: str) -> None:
    """In the live service's words."""
    with pytest.raises(ApiError) as caught:
        status(desk, service, LAMBDA, desk.profile["profileVersionArn"], arn(desk.ended()["jobId"]))
    assert (caught.value.code, caught.value.message) == ("ValidationException", "Invalid platformId: AWSLambda-SHA384-ECDSA")


@pytest.mark.parametrize("service", ["signer", "signer-data"])
def test_the_status_of_an_images_signature_is_told_in_every_region(desk: Desk, service: str) -> None:
    profile = ask(desk.signer, "PutSigningProfile", profileName="images", platformId=NOTATION)["profileVersionArn"]
    job = ask(desk.signer, "SignPayload", profileName="images", payload=PAYLOAD, payloadFormat=FORMAT)["jobId"]
    assert status(desk, service, NOTATION, profile, arn(job)) == []
    ask(desk.signer, "RevokeSignature", jobId=job, reason="stolen")
    assert status(desk, service, NOTATION, profile, arn(job)) == [arn(job)]
    words = {"profileName": "images", "profileVersion": profile[-10:], "reason": "lost", "effectiveTime": BEGIN}
    ask(desk.signer, "RevokeSigningProfile", **words)
    assert status(desk, service, NOTATION, profile, arn(job)) == [profile, arn(job)]


def test_the_data_endpoint_has_one_operation(desk: Desk) -> None:
    call = Call(service="signer-data", operation="ListSigningJobs", parameters={}, account=ACCOUNT, region=REGION)
    with pytest.raises(ApiError) as caught:
        desk.signer.handle(call)
    assert caught.value.status == 501


def test_a_payload_is_signed_for_images_alone(desk: Desk) -> None:
    with pytest.raises(ApiError, match="not supported for platform AWSLambda"):
        ask(desk.signer, "SignPayload", profileName="prod", payload=PAYLOAD, payloadFormat=FORMAT)
    ask(desk.signer, "PutSigningProfile", profileName="images", platformId=NOTATION)
    wrong: tuple[dict[str, Any], ...] = ({"payload": b""}, {"payload": b"x" * 4097}, {"payloadFormat": "application/json"})
    for words in wrong:
        with pytest.raises(ApiError) as caught:
            ask(desk.signer, "SignPayload", **{"profileName": "images", "payload": PAYLOAD, "payloadFormat": FORMAT} | words)
        assert caught.value.code == "ValidationException"
    assert len(ask(desk.signer, "ListSigningJobs")["jobs"]) == 0


def test_the_envelope_of_a_payload_verifies(desk: Desk) -> None:
    """RFC 7515, with the leaf's key; its headers name the profile and the job."""

    def decoded(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    profile = ask(desk.signer, "PutSigningProfile", profileName="images", platformId=NOTATION)["profileVersionArn"]
    told = ask(desk.signer, "SignPayload", profileName="images", payload=PAYLOAD, payloadFormat=FORMAT)
    envelope = json.loads(told["signature"])
    assert decoded(envelope["payload"]) == PAYLOAD
    headers = json.loads(decoded(envelope["protected"]))
    assert headers["com.amazonaws.signer.signingProfileVersion"] == profile
    assert headers["com.amazonaws.signer.signingJob"] == arn(told["jobId"])
    raw = decoded(envelope["signature"])
    signature = encode_dss_signature(int.from_bytes(raw[:48], "big"), int.from_bytes(raw[48:], "big"))
    key = x509.load_der_x509_certificate(base64.b64decode(envelope["header"]["x5c"][0])).public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    key.verify(signature, f"{envelope['protected']}.{envelope['payload']}".encode(), ECDSA(hashes.SHA384()))
    assert desk.describe(told["jobId"])["status"] == "Succeeded"
