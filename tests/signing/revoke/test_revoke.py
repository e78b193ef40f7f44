"""`shipsafe revoke` against the local endpoint: what it lists, what it changes, and what it says where it could not look."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from shipsafe.adapters.aws.functions import Running, list_functions
from shipsafe.adapters.aws.session import Aws, open_aws
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError
from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.recorded import code_sha256_of
from shipsafe.evidence.signing_record import signing_record
from shipsafe.evidence.store import open_store
from shipsafe.flows.revoke import carry_out, survey
from shipsafe.flows.targets import policy_of
from shipsafe.model.attestation import Resource
from shipsafe.model.signing import ProfileVersion
from shipsafe.signing.revoke.wanted import Revocation
from tests.flows.evidence_shop import SIGNED
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.revoke.fleet import ELSEWHERE, Fleet, Run, function_arn, pace

BECAUSE = ("--reason", "the build machine was broken into")


def test_it_lists_functions_versions_aliases_and_layers_then_revokes(fleet: Fleet, run: Run) -> None:
    """A version by its code, one through a layer, the same bytes elsewhere; and not the function whose code is another job's."""
    job, code = fleet.sign()
    other, other_code = fleet.sign("other")
    fleet.create("pay", code)
    functions = fleet.client("lambda")
    assert functions.publish_version(FunctionName="pay")["Version"] == "1"
    functions.update_function_code(FunctionName="pay", ZipFile=other_code, Publish=True)
    functions.create_alias(FunctionName="pay", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}})
    fleet.create("apart", other_code)
    layer = fleet.layer(code)
    fleet.create("mail", Layers=[layer])
    fleet.create("pay", code, ELSEWHERE)
    exit_code, out = run("--job", job, *BECAUSE, "--region", ELSEWHERE, "--yes")
    assert exit_code == ExitCode.PASS
    assert fleet.revoked(job)
    assert not fleet.revoked(other)
    assert f"revoke the signature of {job}" in out
    assert f"account {ACCOUNT}, {REGION}: 2 run code with it, of 5 versions of 3 functions" in out
    assert "  pay  1 (alias live (10%))  its code" in out
    assert f"  mail  $LATEST  through {layer}" in out
    assert f"account {ACCOUNT}, {ELSEWHERE}: 1 runs code with it, of 1 version of 1 function" in out
    assert "apart" not in out
    assert out.endswith(f"{job}: revoked.")


def test_an_arn_of_another_partition_is_refused_before_signer_finds_its_id(fleet: Fleet, run: Run) -> None:
    """It is the id that Signer is asked for, and the whole ARN that is looked for in functions: nobody would be found to run it."""
    job, code = fleet.sign()
    fleet.create("pay", code)
    with pytest.raises(ConfigError, match="which is in partition aws"):
        run("--job", job.replace("arn:aws:", "arn:aws-cn:"), *BECAUSE, "--stop", "--yes")
    assert not fleet.revoked(job)


def test_half_a_signature_in_a_list_is_asked_for_whole(fleet: Fleet, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job without its profile version: who looks for the profile would find nobody."""
    _, code = fleet.sign()
    fleet.create("pay", code)
    fleet.create("mail", Layers=[fleet.layer(code)])

    def halved(aws: Aws) -> Iterator[Running]:
        for one in list_functions(aws):
            yield replace(one, profile_version="", layers=tuple(replace(layer, profile_version="") for layer in one.layers))

    monkeypatch.setattr("shipsafe.signing.revoke.users.list_functions", halved)
    _, out = run("--profile-version", fleet.profile, *BECAUSE, "--effective", "2026-01-01T00:00Z", "--dry-run")
    assert f"account {ACCOUNT}, {REGION}: 2 run code with it" in out


@pytest.mark.parametrize("region", ["", "../../x", "eu-west", "eu-west-1\n"])
@pytest.mark.usefixtures("local_aws")
def test_what_cannot_be_a_region_is_refused_before_anything_is_asked(run: Run, region: str) -> None:
    """Where nothing answers under such a name, nothing would be found."""
    with pytest.raises(ConfigError, match="cannot be an AWS region"):
        run("--job", f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/0b39c1d4-8d3e-4a55-9c86-2a1e2b3c4d5e", *BECAUSE, "--region", region)
    with pytest.raises(ConfigError, match="region"):
        run("--job", f"arn:aws:signer:mars-west-1:{ACCOUNT}:/signing-jobs/0b39c1d4-8d3e-4a55-9c86-2a1e2b3c4d5e", *BECAUSE)


@pytest.mark.parametrize("time", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"])
def test_a_time_that_there_is_not_in_utc_is_none(fleet: Fleet, run: Run, time: str) -> None:
    with pytest.raises(ConfigError, match="is no time"):
        run("--profile-version", fleet.profile, *BECAUSE, "--effective", time)


def test_once_more_changes_nothing_and_says_so(fleet: Fleet, run: Run) -> None:
    """Without --yes, too: there is nothing to ask."""
    job, code = fleet.sign()
    fleet.create("pay", code)
    assert run("--job", job, *BECAUSE, "--yes")[0] == ExitCode.PASS
    before = fleet.snapshot()
    exit_code, out = run("--job", job, "--reason", "again")
    assert exit_code == ExitCode.PASS
    assert f"{job}: revoked already: the build machine was broken into" in out
    assert fleet.snapshot() == before


def test_a_dry_run_changes_nothing(fleet: Fleet, run: Run) -> None:
    job, code = fleet.sign()
    fleet.create("pay", code)
    before = fleet.snapshot()
    exit_code, out = run("--job", job, *BECAUSE, "--stop", "--dry-run")
    assert exit_code == ExitCode.PASS
    assert f"stop {function_arn('pay')}: reserved concurrency 0" in out
    assert out.endswith("Nothing was changed: --dry-run stops after the plan.")
    assert fleet.snapshot() == before


def test_without_a_terminal_it_stops_after_the_plan(fleet: Fleet, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    job, _ = fleet.sign()
    with pytest.raises(ConfigError, match="there is no terminal to ask on"):
        run("--job", job, *BECAUSE)
    assert "it cannot be taken back" in capsys.readouterr().out
    assert not fleet.revoked(job)


@pytest.mark.parametrize(("answer", "revoked"), [("no\n", False), ("\n", False), ("y\n", True)])
def test_a_person_decides(fleet: Fleet, run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, *, revoked: bool) -> None:
    job, _ = fleet.sign()
    terminal = StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    exit_code, _ = run("--job", job, *BECAUSE)
    assert exit_code == (ExitCode.PASS if revoked else ExitCode.INTERRUPTED)
    assert fleet.revoked(job) == revoked


def test_a_region_that_may_not_be_looked_at_stops_nothing_and_is_named(fleet: Fleet, run: Run) -> None:
    """The emergency goes before; exit 4 says that the list was not whole."""
    job, _ = fleet.sign()
    fleet.deny("ListFunctions")
    exit_code, out = run("--job", job, *BECAUSE, "--yes", "--region", ELSEWHERE)
    assert exit_code == ExitCode.INCOMPLETE
    assert fleet.revoked(job)
    assert f"not looked at: Could not list the functions of account 123456789012 in {REGION}" in out.splitlines()[-1]


def test_where_nobody_names_the_regions_those_that_are_known_are_asked(
    fleet: Fleet, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """And it is said that there may be more: exit 4."""
    import boto3.session  # noqa: PLC0415 - with the endpoint

    job, code = fleet.sign()
    fleet.create("pay", code, ELSEWHERE)
    monkeypatch.setattr(boto3.session.Session, "get_available_regions", lambda *_, **__: [REGION, ELSEWHERE, "us-east-1"])
    fleet.deny("DescribeRegions", "ec2")
    exit_code, out = run("--job", job, *BECAUSE, "--yes", "--all-regions")
    assert exit_code == ExitCode.INCOMPLETE
    assert "Every region that this version of botocore knows was asked instead." in out
    assert f"account {ACCOUNT}, {ELSEWHERE}: 1 runs code with it" in out
    assert f"account {ACCOUNT}, {REGION}, us-east-1: none run code with it, of 0 versions of 0 functions" in out
    assert fleet.revoked(job)


def test_what_was_listed_before_a_refusal_counts(fleet: Fleet, run: Run) -> None:
    job, code = fleet.sign()
    for number in range(51):
        fleet.create(f"fn{number:02}", code if number == 0 else None)
    fleet.deny("ListFunctions", skip=1)
    exit_code, out = run("--job", job, *BECAUSE, "--yes", "--stop")
    assert exit_code == ExitCode.INCOMPLETE
    assert f"account {ACCOUNT}, {REGION}: 1 runs code with it, of 50 versions of 50 functions" in out
    assert fleet.reserved("fn00") == 0


def test_a_profile_version_spares_what_it_signed_before(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where Lambda names no signature, by the bytes. The endpoint's clock goes ahead of ours: this asks below the command line."""
    from shipsafe.adapters.aws import functions  # noqa: PLC0415 - one function of it is replaced

    early, early_code = fleet.sign("early")
    fleet.endpoint.advance(timedelta(hours=2))
    late, late_code = fleet.sign("late")
    fleet.create("early", early_code)
    fleet.create("late", late_code)
    fleet.create("early_copy", early_code)
    fleet.create("late_copy", late_code)
    real = functions.running_of

    def silent(told: object) -> functions.Running:
        one = real(told)
        return replace(one, job="", profile_version="") if one.name.endswith("copy") else one

    monkeypatch.setattr(functions, "running_of", silent)
    fleet.create("mine", fleet.sign("mine", fleet.new_profile("mine").split("/")[-2])[1])
    now = fleet.endpoint.clock.now().replace(microsecond=0)
    wanted = Revocation(what=ProfileVersion.parse(fleet.profile), reason="leaked", effective=now - timedelta(hours=1), now=now)
    found = survey(wanted, policy_of(Path(), None, now.date()), open_aws, regions=(), all_regions=False, pace=pace, say=lambda _: None)
    (region,) = found.regions
    assert [use.name for use in region.uses] == ["late", "late_copy"]
    assert [use.name for use in region.spared] == ["early"]
    assert not carry_out(found, stopping=True, pace=pace, say=lambda _: None).failed
    assert fleet.client("signer").get_signing_profile(profileName="orders")["status"] == "Revoked"
    assert [fleet.reserved(name) for name in ("early", "early_copy", "late", "late_copy", "mine")] == [None, None, 0, 0, None]
    assert not fleet.revoked(early)
    assert not fleet.revoked(late)


def test_a_profile_version_is_revoked_from_a_time_on(fleet: Fleet, run: Run) -> None:
    """Which one has to say: from now on would revoke nothing that was ever signed, and from ever on cannot be taken back."""
    _, code = fleet.sign()
    fleet.create("pay", code)
    with pytest.raises(ConfigError, match="revoked from a time on"):
        run("--profile-version", fleet.profile, *BECAUSE, "--yes")
    exit_code, out = run("--profile-version", fleet.profile, *BECAUSE, "--effective", "2026-01-01", "--yes")
    assert exit_code == ExitCode.PASS
    assert f"revoke all that was signed with {fleet.profile}" in out
    assert "from    2026-01-01 00:00:00 UTC on; what it signed before stays good" in out
    assert "  pay  $LATEST  its code" in out


def test_the_time_of_a_revoked_profile_is_moved_back_and_never_forward(fleet: Fleet, run: Run) -> None:
    now = fleet.endpoint.clock.now()
    words = ("--profile-version", fleet.profile, *BECAUSE, "--yes", "--effective")
    assert run(*words, (now - timedelta(hours=1)).isoformat())[0] == ExitCode.PASS
    _, out = run(*words, (now - timedelta(minutes=30)).isoformat())
    assert "revoked already for what it signed from" in out
    exit_code, out = run(*words, (now - timedelta(hours=9)).isoformat())
    assert exit_code == ExitCode.PASS
    assert "that time is moved back" in out
    record = fleet.client("signer").get_signing_profile(profileName="orders")["revocationRecord"]
    assert record["revocationEffectiveFrom"] == (now - timedelta(hours=9)).replace(microsecond=0)


def test_code_for_which_lambda_names_no_signature_is_found_by_its_bytes(fleet: Fleet, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a list or an answer leaves the members out: the same bytes run in another function that has them."""
    from shipsafe.adapters.aws import functions  # noqa: PLC0415 - one function of it is replaced

    job, code = fleet.sign()
    fleet.create("pay", code)
    fleet.create("silent", code)
    real = functions.running_of

    def silent(told: object) -> functions.Running:
        one = real(told)
        return replace(one, job="", profile_version="") if one.name == "silent" else one

    monkeypatch.setattr(functions, "running_of", silent)
    _, out = run("--job", job, *BECAUSE, "--dry-run")
    assert "  silent  $LATEST  its code, by its bytes" in out


def test_code_is_found_by_the_bytes_that_a_signing_record_names(fleet: Fleet, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Lambda names the signature nowhere; a store that cannot be read is told, and stops nothing."""
    from shipsafe.adapters.aws import functions  # noqa: PLC0415 - likewise

    job, code = fleet.sign()
    fleet.create("silent", code)
    fleet.create("apart")
    real = functions.running_of
    monkeypatch.setattr(functions, "running_of", lambda told: replace(real(told), job="", profile_version=""))
    Path("shipsafe.toml").write_text('evidence = "evidence"\n')
    exit_code, out = run("--job", job, *BECAUSE, "--dry-run")
    assert exit_code == ExitCode.PASS
    assert "There is no folder of that name." in out
    sha256 = hashlib.sha256(code).hexdigest()
    unsigned = "1" * 64
    record = replace(SIGNED, job=job, unsigned_sha256=unsigned, sha256=sha256, code_sha256=code_sha256_of(sha256))
    zipped = Resource(name="pay.zip", digests={"sha256": unsigned})
    statement = signing_record(record, zipped=zipped, claims=(), vouched_by=())
    open_store("evidence", home=Path.cwd()).keep(read_envelope(written(statement, ()), shown="test"), statement)
    _, out = run("--job", job, *BECAUSE, "--dry-run")
    assert "  silent  $LATEST  its code, by its bytes" in out
    assert "apart" not in out
    assert "not looked at" not in out


def test_a_list_without_signatures_is_completed_by_asking_for_each(fleet: Fleet, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing promises that ListFunctions has them."""
    from shipsafe.local.functions import configuration, functions  # noqa: PLC0415 - with the endpoint

    job, code = fleet.sign()
    fleet.create("pay", code)
    listed = configuration.listed
    monkeypatch.setattr(functions, "listed", lambda *a: {k: v for k, v in listed(*a).items() if not k.startswith("Signing")})
    _, out = run("--job", job, *BECAUSE, "--dry-run")
    assert "  pay  $LATEST  its code" in out


def test_a_layer_that_was_deleted_is_not_taken_for_one_without_a_signature(fleet: Fleet, run: Run) -> None:
    from tests.local.functions.world import zipped  # noqa: PLC0415 - likewise

    job, _ = fleet.sign()
    layer = fleet.layer(zipped())
    fleet.create("mail", Layers=[layer])
    fleet.client("lambda").delete_layer_version(LayerName="shared", VersionNumber=1)
    exit_code, out = run("--job", job, *BECAUSE, "--yes")
    assert exit_code == ExitCode.INCOMPLETE
    assert f"not looked at: Layer {layer} was deleted" in out
    assert fleet.revoked(job)


def test_what_signer_does_not_know_is_not_revoked(fleet: Fleet, run: Run) -> None:
    job, _ = fleet.sign()
    unknown = job[:-4] + ("0000" if not job.endswith("0000") else "1111")
    with pytest.raises(IncompleteError, match="Signer knows no job"):
        run("--job", unknown, *BECAUSE, "--yes")
    version = fleet.profile[:-10] + "AAAAAAAAAA"
    with pytest.raises(ConfigError, match="has version"):
        run("--profile-version", version, *BECAUSE, "--yes", "--effective", "2026-01-01")
    assert not fleet.revoked(job)


def test_that_one_may_not_look_at_the_job_stops_nothing(fleet: Fleet, run: Run) -> None:
    job, _ = fleet.sign()
    fleet.deny("DescribeSigningJob", "signer", times=0)
    exit_code, out = run("--job", job, *BECAUSE, "--yes")
    fleet.endpoint.faults.clear()
    assert exit_code == ExitCode.PASS
    assert "  now     not known. Could not look at signing job" in out
    assert fleet.revoked(job)


def test_another_accounts_job_is_an_error_of_trust(fleet: Fleet, run: Run) -> None:
    """Code 5, before anything is asked: these are not the credentials that are meant."""
    job, _ = fleet.sign()
    with pytest.raises(IntegrityError, match="111122223333"):
        run("--job", job.replace("123456789012", "111122223333"), *BECAUSE, "--yes")


OTHER = "210987654321"
LENT = """
[[sign.target]]
name = "shop"
account = "{account}"
region = "eu-west-1"
profile = "{profile}"
profile-owner = "123456789012"
bucket = "b-shop"
role = "arn:aws:iam::{account}:role/shop"
"""


def test_accounts_that_sign_with_our_profile_are_looked_through_and_stopped(fleet: Fleet, run: Run) -> None:
    """By the role of their target; one that cannot be reached is told, and stops nothing."""
    job, code = fleet.sign()
    theirs = client("lambda", account=OTHER)
    role = f"arn:aws:iam::{OTHER}:role/orders"
    theirs.create_function(FunctionName="shop", Role=role, Runtime="python3.13", Handler="app.main", Code={"ZipFile": code})
    Path("shipsafe.toml").write_text(LENT.format(account=OTHER, profile="orders"))
    exit_code, out = run("--job", job, *BECAUSE, "--yes", "--stop")
    assert exit_code == ExitCode.PASS, out
    assert fleet.revoked(job)
    assert f"account {OTHER}, {REGION}: 1 runs code with it" in out
    assert theirs.get_function_concurrency(FunctionName="shop")["ReservedConcurrentExecutions"] == 0
    fleet.deny("AssumeRole", "sts")
    exit_code, out = run("--job", job, *BECAUSE, "--yes")
    assert exit_code == ExitCode.INCOMPLETE
    assert f"not looked at: Account {OTHER} (target shop)" in out


def test_who_signed_with_a_lent_profile_may_revoke_its_jobs(fleet: Fleet, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the permission of the profile's owner, whose job it is (`jobOwner`)."""
    job, _ = fleet.sign()
    Path("shipsafe.toml").write_text(LENT.format(account=OTHER, profile="orders").replace("role =", "# role ="))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", OTHER)
    exit_code, out = run("--job", job, *BECAUSE, "--yes")
    assert exit_code == ExitCode.INCOMPLETE
    assert "AccessDeniedException" in out
    signer = fleet.client("signer")
    signer.add_profile_permission(profileName="orders", action="signer:RevokeSignature", principal=OTHER, statementId="lent")
    assert run("--job", job, *BECAUSE, "--yes")[0] == ExitCode.PASS
    assert fleet.revoked(job)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "One thing is revoked"),
        (("--job", "x", "--profile-version", "y"), "One thing is revoked"),
        (("--job", "arn:aws:s3:::x", *BECAUSE), "not the ARN of a signing job"),
        (("--job", "JOB"), "A reason has 1 to 500"),
        (("--job", "JOB", "--reason", "x" * 501), "A reason has 1 to 500"),
        (("--job", "JOB", *BECAUSE, "--effective", "2026-01-01"), "A job is revoked as a whole"),
        (("--profile-version", "PROFILE", *BECAUSE, "--effective", "yesterday"), "is no time"),
        (("--profile-version", "PROFILE", *BECAUSE, "--effective", "2999-01-01"), "is in the future"),
        (("--job", "JOB", *BECAUSE, "pay"), "named with --restore alone"),
    ],
)
def test_a_command_line_that_cannot_be_meant(fleet: Fleet, run: Run, words: tuple[str, ...], message: str) -> None:
    job, _ = fleet.sign()
    with pytest.raises(ConfigError, match=message):
        run(*(word.replace("JOB", job).replace("PROFILE", fleet.profile) for word in words))
