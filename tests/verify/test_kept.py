"""`shipsafe check --evidence`: every kept release, judged by what is known today."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipsafe.cli.app import run
from shipsafe.cli.check import _place
from shipsafe.errors import ConfigError, ExitCode, NothingError
from tests.evidence.speakers import key, trusted_key
from tests.flows.evidence_shop import SIGNED, Kept, digest, library, sbom, signing, zipped
from tests.verify.live_statements import built
from tests.verify.live_world import asked

SEVERE = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
BEFORE_FIX = ({"introduced": "0"}, {"fixed": "3.1.5"})


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Two releases; the advisories speak of something else."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    made = Kept(project)
    made.advise("requests", {"introduced": "0"})
    release(made, "Orders", "3.1.4")
    release(made, "Mail", "3.1.6")
    return made


def release(kept: Kept, name: str, jinja2: str) -> None:
    artifact = {"name": name, "subject": f"function:{name}", "runtimes": ["python3.13"], "handler": "app.handler",
                "architectures": ["x86_64"], "layers": [], "prebuilt": False}  # fmt: skip
    for statement in (
        built(zipped(name), artifact),
        sbom(name, [library("jinja2", jinja2)]),
        asked(zipped(name), f"function:{name}"),
        signing(name),
    ):
        kept.keep(statement, key("ci"))


def trusting(name: str) -> str:
    pem = trusted_key(key(name)).pem
    return f'[[attest.key]]\nname = "{name}"\nfor = ["builder", "signer"]\npublic = """\n{pem}"""\n'


def check(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["check", "--evidence", "--offline", *words])
    return code, capsys.readouterr().out


def subject(name: str) -> str:
    return f"function:{name} sha256:{digest(name)[:16]}"


def test_releases_that_today_allows(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = check(capsys, "--format", "json")
    told = json.loads(out)
    assert code == ExitCode.PASS, out
    assert [chain["subject"] for chain in told["chains"]] == [subject("Mail"), subject("Orders")]
    assert [link["id"] for link in told["chains"][0]["links"]] == ["bundle", "sbom", "provenance", "gates", "verdict"]
    assert all(link["hold"] == "held" for chain in told["chains"] for link in chain["links"])
    assert kept.folder.joinpath("evidence").is_dir()


def test_an_advisory_that_became_known_since_is_one(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    """The release that has it comes first, and the other one still passes."""
    kept.advise("jinja2", *BEFORE_FIX, id="GHSA-q2x7-8rv6-6q7h", severity=[SEVERE])
    code, out = check(capsys)
    assert code == ExitCode.FINDINGS
    assert out.startswith(subject("Orders"))
    assert "GHSA-q2x7-8rv6-6q7h" in out.splitlines()[0]
    _, quiet = check(capsys, "--quiet")
    assert quiet == out.splitlines()[0] + "\n"
    _, out = check(capsys, "--format", "json")
    assert [chain["exit_code"] for chain in json.loads(out)["chains"]] == [1, 0]


def test_a_gate_that_is_required_and_nobody_asked_keeps_it_incomplete(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    said = asked(zipped("Old"), "function:Old")
    for statement in (sbom("Old", []), replace(said, predicate=_without(said.predicate, "package"))):
        kept.keep(statement)
    _, out = check(capsys, "--format", "json")
    chain = next(one for one in json.loads(out)["chains"] if one["subject"] == subject("Old"))
    verdict = next(one for one in chain["links"] if one["id"] == "verdict")
    assert verdict["hold"] == "unanswered"
    assert "The policy requires package, and it was never asked." in verdict["sentence"]


def _without(predicate: Mapping[str, Any], gate: str) -> Mapping[str, Any]:
    return {**predicate, "outcomes": [one for one in predicate["outcomes"] if one["gate"] != gate]}


def test_without_advisories_nobody_says_that_it_passes(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    (kept.folder / "shipsafe.toml").write_text('evidence = "evidence"\n')
    code, out = check(capsys)
    assert code == ExitCode.INCOMPLETE
    assert "could not be looked up again" in out


def test_evidence_that_was_changed_is_five(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    changed = next(path for path in kept.objects("gates") if digest("Mail") in str(path))
    changed.write_bytes(changed.read_bytes().replace(b"}", b" }", 1))
    code, out = check(capsys)
    assert code == ExitCode.INTEGRITY
    assert out.startswith(subject("Mail"))
    assert "It is not what was filed" in out


def test_evidence_that_nobody_trusted_signed_is_five(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.policy(trusting("ci"))
    assert check(capsys)[0] == ExitCode.PASS
    kept.policy(trusting("other"))
    assert check(capsys)[0] == ExitCode.INTEGRITY


def test_a_record_that_nobody_has_to_vouch_for_lets_no_key_sign_after_its_end(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    ended = "until = 2000-01-01\n"
    kept.policy(trusting("ci").replace('"builder", "signer"', '"builder"') + ended)
    code, out = check(capsys)
    assert (code, "trusts until 2000-01-01 only" in out) == (ExitCode.INTEGRITY, True)
    yesterday = SIGNED.signed_at.date()
    kept.policy(trusting("ci") + f"until = {yesterday}\n")
    assert check(capsys)[0] == ExitCode.PASS  # the record is vouched for, and says that it was signed by then
    kept.policy(trusting("ci").replace('"builder", "signer"', '"builder"') + f"until = {yesterday}\n")
    assert check(capsys)[0] == ExitCode.INTEGRITY


def test_a_signing_record_alone_is_a_release_without_evidence(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.keep(signing("Lost"), key("ci"))
    code, out = check(capsys)
    assert code == ExitCode.INTEGRITY
    assert "There is no " in out.splitlines()[0]


def test_nothing_kept_is_nothing_to_judge(kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingError, match="No release is kept"):
        check(capsys, str(tmp_path / "empty"))
    kept.policy(evidence="")
    assert check(capsys, "evidence")[0] == ExitCode.PASS
    with pytest.raises(ConfigError, match="No place is named"):
        check(capsys)


@pytest.mark.usefixtures("kept")
def test_what_is_about_a_project_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="looks at no project"):
        check(capsys, "--function", "Orders")
    with pytest.raises(ConfigError, match="no format"):
        check(capsys, "--format", "junit")


def test_a_bucket_is_typed_as_everywhere() -> None:
    assert _place(Path("s3://bucket/prefix/deeper")) == "s3://bucket/prefix/deeper"
    assert _place(Path("evidence")) == "evidence"
    assert _place(Path()) is None
