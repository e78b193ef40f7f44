"""`shipsafe report audit`: every release that is kept, and nothing counted that nobody trusted signed."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode, IncompleteError
from shipsafe.evidence.recorded import code_sha256_of
from shipsafe.evidence.signing_record import signing_record
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from shipsafe.model.attestation import Predicate, Role, Statement
from shipsafe.reports.audit_data import schema
from tests.evidence.speakers import key, trusted_key
from tests.flows.evidence_shop import SIGNED, WHEN, Kept, deployment, digest, provenance, sbom, signing, zipped
from tests.local_endpoint import REGION, client

ALL = frozenset(Role)


def gates(name: str, asked_by: str = "builder", decision: str = "PASS", **waiver: Any) -> Statement:
    finding = {"rule": "dependencies/vulnerable", "advisory": "PYSEC-2026-1", "subject": f"function:{name}", "decision": "waived"}
    outcomes = [{"gate": "dependencies", "subject": f"function:{name}", "findings": [{**finding, "waiver": waiver or None}]}]
    told = {"askedBy": asked_by, "decision": decision, "policy": {"path": None, "digest": "sha256:0a"}, "outcomes": outcomes}
    return Statement(subjects=(zipped(name),), kind=Predicate.GATES, predicate=told)


def signed_on(name: str, moment: datetime) -> Statement:
    signed = digest(f"signed {name}")
    one = replace(SIGNED, artifact=name, unsigned_sha256=digest(name), sha256=signed, code_sha256=code_sha256_of(signed), signed_at=moment)
    return signing_record(one, zipped=zipped(name), claims=(), vouched_by=())


def trusting(kept: Kept, *names: str, **dates: date) -> None:
    """The policy trusts these keys for everything."""
    text = ""
    for name in names:
        public = trusted_key(key(name), name, roles=ALL)
        days = "".join(f"{word} = {day}\n" for word, day in dates.items())
        text += f"[[attest.key]]\nname = {name!r}\nfor = {json.dumps(sorted(ALL))}\n{days}public = '''\n{public.pem}'''\n"
    kept.policy(text)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    return Kept(project)


def audit(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """Exit code and the JSON, which must be of the published shape."""
    code = run(["report", "audit", "--format", "json", *words])
    found = json.loads(capsys.readouterr().out)
    jsonschema_rs.validator_for(json.loads(schema())).validate(found)
    assert found["exit_code"] == code
    return code, found


def test_a_release_is_told_whole(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    waiver: dict[str, Any] = {"owner": "jo@acme.example", "reason": "not reached", "expires": "2027-01-31", "until_fixed": False}
    for statement in (
        provenance("orders"),
        gates("orders", **waiver),
        gates("orders", "signer", **waiver),
        signing("orders"),
        deployment("orders"),
    ):
        kept.keep(statement, key("ci"))
    trusting(kept, "ci")
    code = run(["report", "audit"])
    out = capsys.readouterr().out
    assert code == ExitCode.PASS
    told = out[out.index("orders  sha256:") :].splitlines()
    assert told[0] == f"orders  sha256:{digest('orders')}"
    assert told[1] == "  built     commit 1f0c2c5e, git+https://github.com/acme/orders, by urn:shipsafe:builder:local"
    assert sorted(told[2:4]) == [
        "  decided   PASS, asked by the builder, under policy sha256:0a",
        "  decided   PASS, asked by the signer, under policy sha256:0a",
    ]
    what = "dependencies/vulnerable PYSEC-2026-1 at function:orders"
    assert told[4] == f"  waived    {what} until 2027-01-31: not reached (jo@acme.example)"
    assert told[5].startswith(
        f"  signed    {WHEN:%Y-%m-%d %H:%M} UTC at prod: account 111122223333, eu-central-1, {SIGNED.profile_version}, job "
    )
    assert told[6] == "  deployed  orders, version 7, alias live, 111122223333, eu-central-1, 2026-11-20"
    assert "  stated    signing of the signer: vouched for by ci" in told
    assert told[-1] == "5 statements: 5 vouched for by trusted keys. exit 0"


def test_a_step_on_github_is_told_what_was_deployed_for_whoever_verifies_it(
    kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ARN a line; where no record says it, nothing."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "told"))
    for statement in (provenance("orders"), signing("orders")):
        kept.keep(statement, key("ci"))
    trusting(kept, "ci")
    assert audit(capsys)[0] == ExitCode.PASS
    assert "arn:" not in (tmp_path / "told").read_text()
    kept.keep(deployment("orders"), key("ci"))
    assert audit(capsys)[0] == ExitCode.PASS
    assert "\narn:aws:lambda:eu-central-1:111122223333:function:orders:live\n" in (tmp_path / "told").read_text()


def test_what_nobody_vouches_for_is_told_as_that(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders")
    code, found = audit(capsys)
    assert code == ExitCode.PASS
    assert {one["standing"] for one in found["releases"][0]["statements"]} == {"unvouched"}
    assert found["releases"][0]["standing"] == "unvouched"


@pytest.mark.parametrize("by", [("mallory",), ()])
def test_a_forged_statement_is_listed_and_counts_for_nothing(kept: Kept, capsys: pytest.CaptureFixture[str], by: tuple[str, ...]) -> None:
    """Signed by a key that nobody trusts, or by none, where the policy trusts one."""
    trusting(kept, "ci")
    kept.keep(signing("orders"), key("ci"))
    kept.keep(gates("orders", decision="PASS"), *(key(name) for name in by))
    code, found = audit(capsys)
    [release] = found["releases"]
    assert code == ExitCode.INTEGRITY
    assert release["decided"] == []
    [refused] = [one for one in release["statements"] if one["standing"] == "refused"]
    assert refused["kind"] == "gates"
    assert refused["problem"]
    assert release["signed"]


def test_a_forged_signing_record_signs_nothing_and_joins_nothing(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    trusting(kept, "ci")
    kept.keep(provenance("orders"), key("ci"))
    kept.keep(signing("orders"), key("mallory"))
    kept.keep(deployment("orders"), key("ci"))
    code, found = audit(capsys)
    assert code == ExitCode.INTEGRITY
    told = {release["sha256"]: release for release in found["releases"]}
    assert told[digest("orders")]["signed"] == []
    assert told[digest("orders")]["built"][0]["commit"] == "1f0c2c5e"
    assert told[digest("orders")]["deployed"] == []


@pytest.mark.parametrize("kind", ["provenance", "gates", "signing", "deployment"])
def test_a_damaged_envelope_is_exit_5_and_its_release_still_listed(kept: Kept, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    kept.release("orders")
    kept.keep(gates("orders"))
    for path in kept.objects(kind):
        path.write_bytes(path.read_bytes().replace(b'"sig', b'"gis', 1))
    code, found = audit(capsys)
    assert code == ExitCode.INTEGRITY
    assert digest("orders") in [release["sha256"] for release in found["releases"]]
    problems = [one["problem"] for release in found["releases"] for one in release["statements"] if one["kind"] == kind]
    assert problems
    assert all("It is not what was filed" in one for one in problems)


def test_evidence_that_cannot_be_read_is_exit_4(local_aws: Endpoint, kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    client("s3").create_bucket(Bucket="acme-evidence", CreateBucketConfiguration={"LocationConstraint": REGION})
    kept.release("orders")
    for path in kept.objects("*"):
        key_ = f"x/{path.relative_to(kept.folder / 'evidence').as_posix()}"
        client("s3").put_object(Bucket="acme-evidence", Key=key_, Body=path.read_bytes())
    place = ("--evidence", "s3://acme-evidence/x")
    code, found = audit(capsys, *place)
    assert (code, found["local"]) == (ExitCode.PASS, True)
    local_aws.faults.add(Fault(service="s3", operation="GetObject", times=0, code="AccessDenied", status=403))
    code, found = audit(capsys, *place)
    assert code == ExitCode.INCOMPLETE
    assert {one["standing"] for release in found["releases"] for one in release["statements"]} == {"unread"}
    run(["report", "audit", *place])
    assert all(line.startswith("LOCAL") for line in capsys.readouterr().out.splitlines())


def test_a_release_of_which_only_the_sbom_is_left_is_listed(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.keep(sbom("orders", []))
    code, found = audit(capsys)
    assert (code, [one["sha256"] for one in found["releases"]]) == (ExitCode.PASS, [digest("orders")])
    run(["report", "audit"])
    assert "no signing record that counts" in capsys.readouterr().out


def test_an_empty_store_is_nothing_and_a_missing_one_is_incomplete(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(IncompleteError, match="There is no folder of that name"):
        run(["report", "audit"])
    (kept.folder / "evidence").mkdir()
    code, found = audit(capsys)
    assert (code, found["releases"]) == (ExitCode.NOTHING, [])


def test_a_policy_that_names_no_place_says_how_to(kept: Kept) -> None:
    kept.policy(evidence="")
    with pytest.raises(ConfigError, match="Set evidence ="):
        run(["report", "audit"])


def test_days_are_those_of_signing_and_count_themselves(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    days = {"old": datetime(2026, 3, 1, 23, 59, tzinfo=UTC), "new": datetime(2026, 3, 2, 0, 0, tzinfo=UTC)}
    for name, moment in days.items():
        kept.keep(signed_on(name, moment))
    kept.keep(provenance("never signed"))

    def listed(*words: str) -> list[str]:
        return [release["name"] for release in audit(capsys, *words)[1]["releases"]]

    assert sorted(listed()) == ["never signed", "new", "old"]
    assert listed("--since", "2026-03-02") == ["new"]
    assert listed("--until", "2026-03-01") == ["old"]
    assert listed("--since", "2026-03-01", "--until", "2026-03-02") == ["old", "new"]
    code, found = audit(capsys, "--since", "2026-03-03")
    assert (code, found["left_out"]) == (ExitCode.NOTHING, 3)
    with pytest.raises(ConfigError, match="--until is before --since"):
        run(["report", "audit", "--since", "2026-03-02", "--until", "2026-03-01"])


def test_a_release_whose_signing_record_does_not_count_is_in_every_range(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    """Else whoever damages a record takes the release out of the year's audit."""
    kept.release("orders")
    for path in kept.objects("signing"):
        path.write_bytes(b"{}")
    code, found = audit(capsys, "--since", "2020-01-01", "--until", "2020-12-31")
    assert code == ExitCode.INTEGRITY
    assert digest("orders") in [release["sha256"] for release in found["releases"]]


def test_a_key_that_has_ended_since_vouches_for_what_was_signed_before(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    for statement in (provenance("orders"), signed_on("orders", datetime(2026, 3, 1, tzinfo=UTC))):
        kept.keep(statement, key("ci"))
    trusting(kept, "ci", until=date(2026, 3, 31))
    assert audit(capsys)[0] == ExitCode.PASS
    trusting(kept, "ci", until=date(2026, 2, 28))
    code, found = audit(capsys)
    assert code == ExitCode.INTEGRITY
    assert "trusts until 2026-02-28 only" in json.dumps(found)


def test_a_record_that_nobody_has_to_vouch_for_dates_nothing(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.keep(provenance("orders"), key("ci"))
    kept.keep(signed_on("orders", datetime(2026, 3, 1, tzinfo=UTC)))
    public = trusted_key(key("ci"), "ci", roles=ALL)
    kept.policy(f"[[attest.key]]\nname = 'ci'\nfor = ['builder']\nuntil = 2026-03-31\npublic = '''\n{public.pem}'''\n")
    code, found = audit(capsys)
    assert code == ExitCode.INTEGRITY
    assert "trusts until 2026-03-31 only" in json.dumps(found)


def test_one_zip_signed_at_two_targets_is_one_release(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders")
    other = digest("signed elsewhere")
    one = replace(SIGNED, artifact="orders", target="dr", region="eu-west-1", unsigned_sha256=digest("orders"), sha256=other,
                  code_sha256=code_sha256_of(other), signed_at=WHEN + timedelta(hours=1))  # fmt: skip
    kept.keep(signing_record(one, zipped=zipped("orders"), claims=(), vouched_by=()))
    _, found = audit(capsys)
    [release] = found["releases"]
    assert [signed["target"] for signed in release["signed"]] == ["prod", "dr"]


def test_a_spreadsheet_runs_nothing_of_it(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.keep(gates("=cmd()", owner="@mallory", reason="+1|=2", expires=None))
    kept.keep(signing("=cmd()"))
    assert run(["report", "audit", "--format", "csv"]) == ExitCode.PASS
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["release"] for row in rows] == ["'=cmd()"]
    assert rows[0]["unvouched"] == "2"
    assert all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


def test_markdown_and_terminal_show_text_and_nothing_else(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    name = "<img src=x>|\x1b[2J@octocat"
    kept.keep(signing(name))
    kept.keep(gates(name, owner="jo", reason="a\n| b", expires="2027-01-31"))
    assert run(["report", "audit", "--format", "markdown"]) == ExitCode.PASS
    out = capsys.readouterr().out
    assert "<img" not in out
    assert "\x1b" not in out
    assert "@octocat" not in out
    assert len([line for line in out.splitlines() if line.startswith("| ")]) == 2
    assert "### Waivers" in out
    run(["report", "audit"])
    assert "\x1b" not in capsys.readouterr().out


def test_a_second_audit_sees_what_was_changed_since(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of the first is remembered."""
    kept.release("orders")
    assert audit(capsys)[0] == ExitCode.PASS
    [path] = kept.objects("provenance")
    path.write_bytes(b"{}")
    assert audit(capsys)[0] == ExitCode.INTEGRITY
