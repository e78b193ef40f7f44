"""What Signer has written down of a signature: revoked, expired, cancelled, of other objects, or nothing at all."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shipsafe.model.chain import Hold
from shipsafe.model.signing import ProfileVersion, S3Object
from tests.local_endpoint import ACCOUNT, client
from tests.verify.live_world import CODE, World, broken, make_configuration, the, told


def _job(world: World) -> str:
    return world.done["Orders"].job.rpartition("/")[2]


def test_a_revoked_signature_is_broken(orders: World) -> None:
    orders.signer.revoke_signature(jobId=_job(orders), reason="a key leaked")
    found = orders.verify("orders:live")
    assert broken(found) == ("signing-job", 5)
    sentence = the(found.chains[0], "signing-job").sentence
    assert sentence.startswith(f"The signature of job {_job(orders)} was revoked: a key leaked")


def test_a_revoked_profile_is_broken(orders: World) -> None:
    version = ProfileVersion.parse(orders.profile)
    orders.signer.revoke_signing_profile(profileName=version.name, profileVersion=version.version, reason="leaked",
                                         effectiveTime=orders.site.now() - timedelta(days=1))  # fmt: skip
    found = orders.verify("orders:live")
    assert broken(found) == ("signing-profile", 5)
    assert "was revoked: what it has signed from" in the(found.chains[0], "signing-profile").sentence


def test_what_was_signed_before_a_revocation_took_effect_holds_with_a_note(orders: World) -> None:
    orders.endpoint.advance(timedelta(days=3))
    version = ProfileVersion.parse(orders.profile)
    orders.signer.revoke_signing_profile(profileName=version.name, profileVersion=version.version, reason="leaked",
                                         effectiveTime=orders.site.now() - timedelta(days=1))  # fmt: skip
    found = orders.verify("orders:live")
    assert found.exit_code == 0, told(found)
    assert "this was signed before" in the(found.chains[0], "signing-profile").notes[0]


def test_a_record_that_says_it_was_signed_earlier_does_not_get_round_a_revocation(world: World) -> None:
    """The signer's key leaked, too: what counts is when Signer itself started the job."""
    one = world.signed("Orders", {"app.py": CODE})
    world.evidence.pop()
    world.record(replace(one, signed_at=one.signed_at - timedelta(days=30)))
    world.deploy("orders", one)
    version = ProfileVersion.parse(world.profile)
    world.signer.revoke_signing_profile(profileName=version.name, profileVersion=version.version, reason="leaked",
                                        effectiveTime=world.site.now() - timedelta(days=1))  # fmt: skip
    assert broken(world.verify("orders:$LATEST")) == ("signing-profile", 5)


def test_a_profile_that_was_cancelled_after_signing_holds_with_a_note(orders: World) -> None:
    orders.signer.cancel_signing_profile(profileName=orders.targets[0].profile)
    found = orders.verify("orders:live")
    assert found.exit_code == 0, told(found)
    assert "is cancelled" in the(found.chains[0], "signing-profile").notes[0]


def test_an_expired_signature_is_broken(orders: World) -> None:
    expires = orders.done["Orders"].expires
    found = orders.verify("orders:live", now=expires + timedelta(days=1))
    assert broken(found) == ("signing-job", 5)
    assert f"expired on {expires:%Y-%m-%d}" in the(found.chains[0], "signing-job").sentence


def test_a_clock_that_is_off_by_a_day_breaks_nothing(orders: World) -> None:
    for off in (timedelta(days=1), timedelta(days=-1)):
        found = orders.verify("orders:live", now=orders.site.now() + off)
        assert found.exit_code == 0, told(found)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": S3Object(bucket="other", key="unsigned/a.zip", version="v1")}, "signed another object than the one that we uploaded"),
        ({"object": S3Object(bucket="other", key="signed/a.zip", version="v1")}, "wrote another object"),
        ({"days": 400}, "says another day"),
    ],
)
def test_a_job_that_did_something_else_than_the_record_says_is_broken(world: World, changes: dict[str, object], says: str) -> None:
    one = world.signed("Orders", {"app.py": CODE})
    world.evidence.pop()
    if "days" in changes:
        changes = {"expires": one.expires - timedelta(days=400)}
    world.record(replace(one, **changes))  # type: ignore[arg-type]  # of the parameters
    world.deploy("orders", one)
    found = world.verify("orders:$LATEST")
    assert broken(found) == ("signing-job", 5)
    assert says in the(found.chains[0], "signing-job").sentence


def test_the_job_of_another_zip_is_broken(world: World) -> None:
    one, two = world.signed("Orders", {"app.py": CODE}), world.signed("Billing", {"app.py": CODE + b"\n"})
    world.evidence.pop(3)
    world.record(replace(one, job=two.job))
    world.deploy("orders", one)
    found = world.verify("orders:$LATEST")
    assert broken(found) == ("function-signature", 5)
    link = the(found.chains[0], "function-signature")
    assert (link.expected, link.found) == (two.job, one.job)


def test_a_job_that_signer_does_not_know_is_broken(world: World) -> None:
    one = world.signed("Orders", {"app.py": CODE})
    world.deploy("orders", one)
    world.refuse("DescribeSigningJob", service="signer", code="ResourceNotFoundException", status=404)
    assert broken(world.verify("orders:$LATEST")) == ("signing-job", 5)


def test_a_job_that_is_older_than_signers_memory_could_not_be_looked_at(orders: World) -> None:
    orders.refuse("DescribeSigningJob", service="signer", code="ResourceNotFoundException", status=404)
    found = orders.verify("orders:live", now=orders.site.now() + timedelta(days=800))
    assert broken(found) == ("signing-job", 4)


def test_a_profile_that_the_policy_does_not_name_is_broken(orders: World) -> None:
    orders.targets = (replace(orders.targets[0], profile="billing_2026"),)
    found = orders.verify("orders:live")
    assert broken(found) == ("signing-profile", 5)
    assert the(found.chains[0], "publishers").hold is Hold.BROKEN
    orders.publishers = (ProfileVersion.parse(orders.profile),)
    assert orders.verify("orders:live").exit_code == 0


def test_a_profile_version_that_the_target_does_not_pin_is_broken(orders: World) -> None:
    orders.targets = (replace(orders.targets[0], profile_version="0123456789"),)
    found = orders.verify("orders:live")
    assert broken(found) == ("signing-profile", 5)
    assert "pins version 0123456789" in the(found.chains[0], "signing-profile").sentence


def test_a_policy_that_trusts_nobody_passes_nothing(orders: World) -> None:
    orders.targets = ()
    assert broken(orders.verify("orders:live")) == ("signing-profile", 5)


def test_a_profile_of_another_account_is_asked_for_there(world: World) -> None:
    """The owner lets us sign and look; the job is the owner's, and tells its invoker."""
    owner = "210987654321"
    theirs = client("signer", account=owner)
    arn = theirs.put_signing_profile(profileName="shared_2026", platformId="AWSLambda-SHA384-ECDSA")["profileVersionArn"]
    for number, action in enumerate(("signer:StartSigningJob", "signer:GetSigningProfile")):
        theirs.add_profile_permission(profileName="shared_2026", action=action, principal=ACCOUNT, statementId=f"s{number}")
    target = replace(world.targets[0], profile="shared_2026", profile_owner=owner)
    world.targets = (target,)
    world.configuration = make_configuration([arn])
    world.deploy("orders", world.signed("Orders", {"app.py": CODE}))
    found = world.verify("orders:$LATEST")
    assert found.exit_code == 0, told(found)
    theirs.remove_profile_permission(
        profileName="shared_2026", statementId="s1", revisionId=theirs.list_profile_permissions(profileName="shared_2026")["revisionId"]
    )
    found = world.verify("orders:$LATEST")
    assert broken(found) == ("signing-profile", 4)


def test_a_region_without_signer_could_not_be_looked_at(orders: World) -> None:
    orders.refuse("*", service="signer", code="UnrecognizedClientException", status=400)
    found = orders.verify("orders:live")
    assert broken(found) == ("signing-job", 4)
    assert the(found.chains[0], "signing-profile").hold is Hold.UNANSWERED
