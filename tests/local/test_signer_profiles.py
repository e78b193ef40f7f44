"""Signing profiles: names burn, validity is capped, a cancelled or revoked one stays what it is."""

import re
from datetime import timedelta
from typing import Any

import pytest

from shipsafe.local.call import ApiError
from shipsafe.local.pki import LocalRoot
from shipsafe.local.signer import Signer
from tests.local.stores import ACCOUNT, BEGIN, OTHER_ACCOUNT, REGION, HandClock, Memory, ask

LAMBDA = "AWSLambda-SHA384-ECDSA"
NOTATION = "Notation-OCI-SHA384-ECDSA"
IOT = "AWSIoTDeviceManagement-SHA256-ECDSA"


@pytest.fixture
def signer(local_root: LocalRoot) -> Signer:
    return Signer(HandClock(), Memory(), local_root)


def put(signer: Signer, name: str = "prod", **words: Any) -> dict[str, str]:
    return ask(signer, "PutSigningProfile", **{"profileName": name, "platformId": LAMBDA} | words)


def refused(signer: Signer, operation: str, **words: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        ask(signer, operation, **words)
    return caught.value


def test_a_new_profile_has_one_version_of_ten_characters(signer: Signer) -> None:
    told = put(signer)
    assert told["arn"] == f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/prod"
    assert re.fullmatch("[A-Za-z0-9]{10}", told["profileVersion"])
    assert told["profileVersionArn"] == f"{told['arn']}/{told['profileVersion']}"


def test_a_profile_says_what_it_is(signer: Signer) -> None:
    """The default validity is 135 months, as botocore's documentation says."""
    told = put(signer, tags={"team": "orders"})
    assert ask(signer, "GetSigningProfile", profileName="prod") == told | {
        "profileName": "prod",
        "platformId": LAMBDA,
        "platformDisplayName": "AWS Lambda",
        "signatureValidityPeriod": {"value": 135, "type": "MONTHS"},
        "status": "Active",
        "tags": {"team": "orders"},
    }


@pytest.mark.parametrize("after", ["nothing", "CancelSigningProfile"])
def test_a_name_is_used_once_and_for_ever(signer: Signer, after: str) -> None:
    put(signer)
    if after != "nothing":
        ask(signer, after, profileName="prod")
    error = refused(signer, "PutSigningProfile", profileName="prod", platformId=LAMBDA)
    assert (error.code, error.status, error.message) == ("ValidationException", 400, "Profile with name prod already exists")


def test_a_revoked_profiles_name_is_burnt_too(signer: Signer) -> None:
    version = put(signer)["profileVersion"]
    ask(signer, "RevokeSigningProfile", profileName="prod", profileVersion=version, reason="lost", effectiveTime=BEGIN)
    assert refused(signer, "PutSigningProfile", profileName="prod", platformId=LAMBDA).message == "Profile with name prod already exists"


@pytest.mark.parametrize("where", [{"account": OTHER_ACCOUNT}, {"region": "us-east-1"}])
def test_a_name_is_of_one_account_and_region(signer: Signer, where: dict[str, str]) -> None:
    put(signer)
    put(signer, **where)
    assert len(ask(signer, "ListSigningProfiles")["profiles"]) == 1


@pytest.mark.parametrize("name", ["my-profile", "a", "x" * 65, "prod ", "prod/x", "größe", ""])
def test_a_name_that_aws_refuses_is_refused(signer: Signer, name: str) -> None:
    """The model's pattern has no `$`; AWS takes it for the whole name all the same."""
    error = refused(signer, "PutSigningProfile", profileName=name, platformId=LAMBDA)
    assert error.code == "ValidationException"
    assert "at 'profileName' failed to satisfy constraint" in error.message


@pytest.mark.parametrize(
    "period",
    [
        {"value": 135, "type": "MONTHS"},
        {"value": 11, "type": "YEARS"},
        {"value": 4100, "type": "DAYS"},
        {"value": 1, "type": "DAYS"},
    ],
)
def test_a_validity_of_up_to_135_months_is_kept(signer: Signer, period: dict[str, object]) -> None:
    put(signer, signatureValidityPeriod=period)
    assert ask(signer, "GetSigningProfile", profileName="prod")["signatureValidityPeriod"] == period


@pytest.mark.parametrize(
    "period",
    [
        {"value": 136, "type": "MONTHS"},
        {"value": 12, "type": "YEARS"},
        {"value": 4200, "type": "DAYS"},
        {"value": 0, "type": "DAYS"},
        {"value": -1, "type": "MONTHS"},
        {"value": 10**12, "type": "YEARS"},
        {"value": 5, "type": "WEEKS"},
        {"value": 5},
        {"type": "DAYS"},
    ],
)
def test_another_validity_is_refused_and_burns_no_name(signer: Signer, period: dict[str, object]) -> None:
    error = refused(signer, "PutSigningProfile", profileName="prod", platformId=LAMBDA, signatureValidityPeriod=period)
    assert error.code == "ValidationException"
    put(signer)


def test_an_unknown_platform_is_refused(signer: Signer) -> None:
    assert refused(signer, "PutSigningProfile", profileName="prod", platformId="Other").message == "Invalid platformId: Other"


def test_lambda_takes_no_certificate_and_a_device_platform_needs_one(signer: Signer) -> None:
    material = {"certificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"}
    assert (
        refused(signer, "PutSigningProfile", profileName="prod", platformId=LAMBDA, signingMaterial=material).code == "ValidationException"
    )
    assert refused(signer, "PutSigningProfile", profileName="prod", platformId=IOT).message == "signing material cannot be null."
    put(signer, platformId=IOT, signingMaterial=material)
    assert ask(signer, "GetSigningProfile", profileName="prod")["signingMaterial"] == material


def test_a_profile_that_does_not_exist_is_named(signer: Signer) -> None:
    for operation in ("GetSigningProfile", "CancelSigningProfile", "ListProfilePermissions"):
        error = refused(signer, operation, profileName="prod")
        assert (error.code, error.status) == ("ResourceNotFoundException", 404)
        assert error.message == "profile with name prod does not exist"


def test_a_cancelled_profile_says_so_and_can_be_cancelled_again(signer: Signer) -> None:
    put(signer)
    for _ in range(2):
        assert ask(signer, "CancelSigningProfile", profileName="prod") == {}
        assert ask(signer, "GetSigningProfile", profileName="prod")["status"] == "Canceled"


def test_a_revoked_profile_cannot_be_cancelled(signer: Signer) -> None:
    version = put(signer)["profileVersion"]
    ask(signer, "RevokeSigningProfile", profileName="prod", profileVersion=version, reason="lost", effectiveTime=BEGIN)
    error = refused(signer, "CancelSigningProfile", profileName="prod")
    assert "cannot be canceled because it has been revoked" in error.message


def test_revoking_keeps_a_record_and_its_time_only_moves_back(signer: Signer) -> None:
    version = put(signer)["profileVersion"]
    words = {"profileName": "prod", "profileVersion": version, "reason": "key lost"}
    hour = timedelta(hours=1)
    assert refused(signer, "RevokeSigningProfile", **words, effectiveTime=BEGIN + hour).code == "ValidationException"
    assert refused(signer, "RevokeSigningProfile", **words, effectiveTime=BEGIN + timedelta(milliseconds=1)).code == "ValidationException"
    assert refused(signer, "RevokeSigningProfile", **words | {"profileVersion": "0123456789"}, effectiveTime=BEGIN).status == 404
    ask(signer, "RevokeSigningProfile", **words, effectiveTime=BEGIN - hour, caller="arn:aws:iam::111122223333:user/ann")
    assert refused(signer, "RevokeSigningProfile", **words, effectiveTime=BEGIN).code == "ValidationException"
    ask(signer, "RevokeSigningProfile", **words, effectiveTime=BEGIN - 2 * hour, caller="arn:aws:iam::111122223333:user/bob")
    told = ask(signer, "GetSigningProfile", profileName="prod")
    assert (told["status"], told["statusReason"]) == ("Revoked", "key lost")
    assert told["revocationRecord"] == {
        "revocationEffectiveFrom": BEGIN - 2 * hour,
        "revokedAt": BEGIN,
        "revokedBy": "arn:aws:iam::111122223333:user/bob",
    }


def test_a_list_has_the_active_ones_unless_others_are_asked_for(signer: Signer) -> None:
    put(signer, "active")
    put(signer, "images", platformId=NOTATION)
    put(signer, "canceled")
    ask(signer, "CancelSigningProfile", profileName="canceled")
    version = put(signer, "revoked")["profileVersion"]
    ask(signer, "RevokeSigningProfile", profileName="revoked", profileVersion=version, reason="lost", effectiveTime=BEGIN)

    def names(**words: Any) -> list[str]:
        return [profile["profileName"] for profile in ask(signer, "ListSigningProfiles", **words)["profiles"]]

    assert names() == ["active", "images"]
    assert names(includeCanceled=True) == ["active", "images", "canceled"]
    assert names(statuses=["Revoked", "Canceled"]) == ["canceled", "revoked"]
    assert names(platformId=NOTATION) == ["images"]


def test_pages_hold_25_and_go_on_after_an_item_has_left_the_filter(signer: Signer) -> None:
    for number in range(30):
        put(signer, f"p{number:02}")
    first = ask(signer, "ListSigningProfiles")
    assert len(first["profiles"]) == 25
    ask(signer, "CancelSigningProfile", profileName="p24")
    rest = ask(signer, "ListSigningProfiles", nextToken=first["nextToken"], maxResults=4)
    assert [profile["profileName"] for profile in rest["profiles"]] == ["p25", "p26", "p27", "p28"]
    last = ask(signer, "ListSigningProfiles", nextToken=rest["nextToken"], maxResults=4)
    assert [profile["profileName"] for profile in last["profiles"]] == ["p29"]
    assert "nextToken" not in last


@pytest.mark.parametrize(
    "words", [{"maxResults": 26}, {"maxResults": 0}, {"nextToken": "???"}, {"nextToken": "cHJvZA=="}, {"statuses": ["Gone"]}]
)
def test_a_list_refuses_what_aws_refuses(signer: Signer, words: dict[str, object]) -> None:
    put(signer)
    assert refused(signer, "ListSigningProfiles", **words).code == "ValidationException"


def test_tags_come_and_go(signer: Signer) -> None:
    arn = put(signer, tags={"a": "1"})["arn"]
    ask(signer, "TagResource", resourceArn=arn, tags={"b": "2", "a": "3"})
    ask(signer, "UntagResource", resourceArn=arn, tagKeys=["b", "c"])
    assert ask(signer, "ListTagsForResource", resourceArn=arn) == {"tags": {"a": "3"}}


def test_tags_are_refused_with_the_errors_that_are_modelled_for_them(signer: Signer) -> None:
    """BadRequestException and NotFoundException, not Signer's other ones."""
    arn = put(signer)["arn"]
    assert refused(signer, "ListTagsForResource", resourceArn="prod").code == "BadRequestException"
    assert refused(signer, "ListTagsForResource", resourceArn=f"{arn}x").code == "NotFoundException"
    assert refused(signer, "ListTagsForResource", resourceArn=arn, account=OTHER_ACCOUNT).code == "NotFoundException"
    assert refused(signer, "TagResource", resourceArn=arn, tags={"aws:x": "1"}).code == "BadRequestException"
    ask(signer, "CancelSigningProfile", profileName="prod")
    assert refused(signer, "TagResource", resourceArn=arn, tags={"x": "1"}).code == "BadRequestException"


def test_platforms_are_told_and_filtered(signer: Signer) -> None:
    told = ask(signer, "GetSigningPlatform", platformId=LAMBDA)
    assert (told["partner"], told["target"], told["category"], told["maxSizeInMB"]) == ("AWSLambda", "SHA384-ECDSA", "AWS", 250)
    assert told["revocationSupported"] is True
    assert ask(signer, "ListSigningPlatforms", partner="AWSLambda") == {"platforms": [told]}
    assert len(ask(signer, "ListSigningPlatforms", category="AWS")["platforms"]) == 5
    assert refused(signer, "GetSigningPlatform", platformId="Other").code == "ResourceNotFoundException"


def test_now_is_in_the_past_also_with_microseconds(signer: Signer) -> None:
    """The endpoint tells times to the millisecond."""
    version, now = put(signer)["profileVersion"], BEGIN + timedelta(microseconds=999)
    assert ask(signer, "RevokeSigningProfile", profileName="prod", profileVersion=version, reason="key lost", effectiveTime=now) == {}
