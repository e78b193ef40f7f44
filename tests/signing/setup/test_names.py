"""Profiles that are there, are burnt, or are another account's; and configurations that the policy names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.errors import ExitCode
from shipsafe.local.faults import Fault
from shipsafe.signing.setup.check import State
from shipsafe.signing.setup.profiles import next_free
from shipsafe.signing.setup.wanted import description
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.setup.side import OTHER, Side, about, configuration, profile, target

NAMES = st.from_regex(r"\A[A-Za-z0-9_]{2,64}\Z")


@pytest.mark.parametrize(
    ("name", "taken", "free"),
    [
        ("orders_2026", [], "orders_2026_2"),
        ("orders_2026", ["orders_2026_2", "orders_2026_3"], "orders_2026_4"),
        ("orders_2", [], "orders_3"),
        ("orders_99", [], "orders_100"),
        ("_2", [], "_2_2"),
        ("a" * 64, [], "a" * 62 + "_2"),
    ],
)
def test_the_next_free_name(name: str, taken: list[str], free: str) -> None:
    assert next_free(name, {name, *taken}) == free


@given(NAMES, st.integers(min_value=0, max_value=12))
def test_a_proposed_name_is_always_one_that_aws_takes(name: str, burnt: int) -> None:
    taken = {name}
    for _ in range(burnt):
        taken.add(next_free(name, taken))
    free = next_free(name, taken)
    assert free not in taken
    assert 2 <= len(free) <= 64
    assert free.replace("_", "").isalnum() or set(free) == {"_"}


def test_a_cancelled_name_is_refused_with_a_free_one_before_anything_is_made(side: Side) -> None:
    profile()
    profile("orders_2026_2")
    client("signer").cancel_signing_profile(profileName="orders_2026")
    [stop] = side.look().stops
    assert stop.code is ExitCode.INCOMPLETE
    assert "is Canceled: it signs nothing, and its name cannot be used again" in stop.says
    assert stop.remedy == "Take another name in the policy: orders_2026_3 is free."
    assert side.changes == []


def test_a_revoked_profile_is_a_matter_of_trust(side: Side) -> None:
    version = profile().rpartition("/")[2]
    moment = datetime.now(UTC) - timedelta(minutes=1)
    client("signer").revoke_signing_profile(profileName="orders_2026", profileVersion=version, reason="leaked", effectiveTime=moment)
    [stop] = side.look().stops
    assert stop.code is ExitCode.INTEGRITY
    assert "was revoked on " in stop.says
    assert stop.remedy.endswith("orders_2026_2 is free.")


def test_where_names_cannot_be_listed_one_is_proposed_as_unsure(side: Side) -> None:
    profile()
    client("signer").cancel_signing_profile(profileName="orders_2026")
    side.endpoint.faults.add(Fault(operation="ListSigningProfiles", code="AccessDeniedException", status=403))
    [stop] = side.look().stops
    assert stop.remedy.endswith("orders_2026_2, if that is free (profiles could not be listed).")


def test_a_profile_for_containers_is_not_used(side: Side) -> None:
    client("signer").put_signing_profile(profileName="orders_2026", platformId="Notation-OCI-SHA384-ECDSA")
    [stop] = side.look().stops
    assert "is for Notation-OCI-SHA384-ECDSA, and Lambda needs AWSLambda-SHA384-ECDSA" in stop.says


def test_a_version_that_is_pinned_cannot_be_made(side: Side) -> None:
    [stop] = side.look(target(profile_version="AbCdE12345")).stops
    assert "AWS chooses the version of a new profile" in stop.remedy


def test_another_version_than_the_pinned_one_is_a_matter_of_trust(side: Side) -> None:
    profile()
    [stop] = side.look(target(profile_version="AbCdE12345")).stops
    assert stop.code is ExitCode.INTEGRITY
    assert "and the policy pins AbCdE12345" in stop.says


def test_a_profile_of_another_account_is_never_made_and_its_owner_is_told_what_to_run(side: Side) -> None:
    """The bucket is made all the same; when the owner has run it, the next run goes on."""
    foreign = target(profile_owner=OTHER)
    survey = side.make(foreign)
    assert "PutSigningProfile" not in side.changes
    assert survey.exit_code is ExitCode.INCOMPLETE
    [one] = about(survey.checks, "profile")
    commands = [line.split() for line in one.remedy.splitlines()[1:]]
    assert [command[:3] for command in commands] == [["aws", "signer", "add-profile-permission"]] * 2
    arn = profile(account=OTHER)
    signer = client("signer", account=OTHER)
    for command in commands:
        given_words = dict(zip(command[3::2], command[4::2], strict=True))
        assert given_words["--region"] == REGION
        signer.add_profile_permission(
            profileName=given_words["--profile-name"],
            principal=given_words["--principal"],
            action=given_words["--action"],
            statementId=given_words["--statement-id"],
        )
    survey = side.make(foreign)
    assert {check.state for check in survey.checks} == {State.OK}
    [found] = survey.looked.configurations[0].found
    assert found.publishers == (arn,)


def test_a_profile_owner_that_is_the_account_itself_is_no_other(side: Side) -> None:
    survey = side.make(target(profile_owner=ACCOUNT))
    assert {check.state for check in survey.checks} == {State.OK}


def test_a_configuration_that_the_policy_names_is_checked_and_never_made(side: Side) -> None:
    arn = configuration(profile())
    survey = side.make(target(code_signing_config=arn))
    assert "CreateCodeSigningConfig" not in side.changes
    assert [check.state for check in about(survey.checks, "code-signing configuration")] == [State.OK]


def test_one_that_is_named_and_not_there(side: Side) -> None:
    profile()
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
    [one] = about(side.look(target(code_signing_config=arn)).checks, "code-signing configuration")
    assert (one.state, one.mends, one.says) == (State.MISSING, (), f"There is no {arn}.")


@pytest.mark.parametrize("place", [f"us-east-1:{ACCOUNT}", f"{REGION}:{OTHER}"])
def test_one_that_is_named_and_elsewhere_is_not_taken_for_looked_at(side: Side, place: str) -> None:
    """Functions may run in another account than the one that signs."""
    profile()
    arn = f"arn:aws:lambda:{place}:code-signing-config:csc-0123456789abcdef0"
    survey = side.make(target(code_signing_config=arn))
    [one] = about(survey.checks, "code-signing configuration")
    assert (one.state, one.stops) == (State.UNKNOWN, False)
    assert "GetCodeSigningConfig" not in [operation for _, operation, _ in side.calls]


def test_one_that_only_warns_is_told_and_left(side: Side) -> None:
    arn = configuration(profile(), policy="Warn")
    survey = side.make(target(code_signing_config=arn))
    assert survey.exit_code is ExitCode.INTEGRITY
    [one] = about(survey.checks, "code-signing configuration")
    assert one.remedy.splitlines()[1].endswith("--code-signing-policies UntrustedArtifactOnDeployment=Enforce")
    assert client("lambda").get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]["CodeSigningPolicies"] == {
        "UntrustedArtifactOnDeployment": "Warn"
    }


def test_one_that_trusts_others_is_not_added_to(side: Side) -> None:
    """Whoever adds a publisher adds somebody whose code will run: a person does, with the command that is printed."""
    theirs, ours = profile("theirs"), profile()
    arn = configuration(theirs)
    survey = side.make(target(code_signing_config=arn))
    [one] = about(survey.checks, "code-signing configuration")
    assert one.state is State.MISSING
    assert one.remedy.endswith(f"--allowed-publishers SigningProfileVersionArns={theirs},{ours}")


def test_ours_is_known_by_its_description_also_when_it_trusts_more(side: Side) -> None:
    """Two profiles are trusted while one takes over from the other."""
    arn = configuration(profile("next"), profile(), description=description("orders_2026"))
    assert side.make().exit_code is ExitCode.PASS
    assert side.standing().configuration == arn


def test_one_that_enforces_and_trusts_the_profile_alone_will_do(side: Side) -> None:
    arn = configuration(profile(), description="made by hand")
    side.make()
    assert side.standing().configuration == arn


def test_one_of_somebody_else_that_also_trusts_the_profile_is_not_taken(side: Side) -> None:
    theirs = configuration(profile("theirs"), profile(), description="theirs")
    side.make()
    assert side.standing().configuration != theirs


def test_of_several_that_would_do_the_same_one_is_taken_every_time_and_the_others_are_told(side: Side) -> None:
    """Two people ran bootstrap at once."""
    arn = profile()
    both = sorted(configuration(arn, description=description("orders_2026")) for _ in range(2))
    survey = side.make()
    assert side.standing().configuration == both[0]
    assert survey.exit_code is ExitCode.PASS
    [note] = [check for check in survey.checks if check.state is State.NOTE]
    assert note.says == f"{both[1]} would do as well."
