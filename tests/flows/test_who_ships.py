"""`shipsafe report who-ships`: what is found, and that "nobody" is only said when it is known."""

import csv
import io
import json
from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, NothingError
from tests.evidence.speakers import key, trusted_key
from tests.flows.evidence_shop import Kept, deployment, digest, library, provenance, sbom, signing

GHSA, CVE, PYSEC = "GHSA-q2x7-8rv6-6q7h", "CVE-2024-56326", "PYSEC-2026-1"
BEFORE_FIX = ({"introduced": "0"}, {"fixed": "3.1.5"})


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Two records of one flaw, joined by the CVE that both name."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    made = Kept(project)
    made.advise("jinja2", *BEFORE_FIX, id=PYSEC, aliases=[CVE])
    made.advise("Jinja2", {"introduced": "0"}, {"fixed": "3.1.4"}, id=GHSA, aliases=[CVE])
    return made


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["report", "who-ships", *words])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("name", [CVE, GHSA, PYSEC, CVE.lower(), GHSA.upper()])
def test_any_id_of_a_flaw_finds_what_any_of_its_records_affects(kept: Kept, capsys: pytest.CaptureFixture[str], name: str) -> None:
    kept.release("orders", library("Jinja2", "3.1.4"), library("requests", "2.32.0"))
    kept.release("clean", library("jinja2", "3.1.6"))
    code, out = ask(capsys, name)
    assert code == ExitCode.PASS
    lines = out.splitlines()
    assert lines[0].startswith("1 of 2 kept SBOMs in ")
    assert lines[0].endswith(f"evidence lists jinja2 as {CVE}, {GHSA}, {PYSEC} affects it (test records).")
    assert lines[1] == "orders  function:orders"
    assert lines[2:] == [
        "  ships     jinja2 3.1.4",
        "  source    git+https://github.com/acme/orders at 1f0c2c5e, by urn:shipsafe:builder:local",
        f"  unsigned  sha256:{digest('orders')}",
        "  signed    prod, account 111122223333, eu-central-1: s3://b/signed/a.zip?versionId=v2",
        lines[6],
        "  deployed  orders:7 (live) in account 111122223333, eu-central-1, 2026-11-20",
        "  SBOM      nobody vouches for it",
    ]
    assert lines[6].startswith("            CodeSha256 ")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("jinja2", ["new", "old"]),
        ("JINJA2==3.1.4", ["old"]),
        ("jinja2<3.1.6", ["old"]),
        ("jinja2>=3.2a1", ["new"]),
        ("requests", []),
    ],
)
def test_a_package_and_its_versions(kept: Kept, capsys: pytest.CaptureFixture[str], asked: str, found: list[str]) -> None:
    """Names in any spelling; what came before a final release counts, because it may ship."""
    kept.release("old", library("Jinja2", "3.1.4"))
    kept.release("new", library("jinja2", "3.2b1"))
    code, out = ask(capsys, asked, "--format", "json")
    told = json.loads(out)
    assert (code, told["exit_code"]) == (0, 0)
    assert [one["artifact"] for one in told["releases"]] == found
    assert told["advisory"] is None


def test_an_id_that_nobody_knows_is_not_nobody_ships_it(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", library("jinja2", "3.1.4"))
    for unknown in ("CVE-2099-1", "GHSA-xxxx", "PYSEC-2099-12345"):
        with pytest.raises(IncompleteError, match=r"know no .*, so that nobody can say what it affects"):
            ask(capsys, unknown)
    kept.advise("jinja2", *BEFORE_FIX, id="PYSEC-2026-9", withdrawn="2026-01-01T00:00:00Z")
    with pytest.raises(NothingError, match="was withdrawn"):
        ask(capsys, "PYSEC-2026-9")
    assert capsys.readouterr().out == ""


def test_an_online_service_cannot_be_asked_by_an_id(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", library("jinja2", "3.1.4"))
    (kept.folder / "shipsafe.toml").write_text('evidence = "evidence"\n[advisories]\nsource = "pypi"\n')
    with pytest.raises(IncompleteError, match="asked about distributions and not by an id"):
        ask(capsys, CVE)
    assert ask(capsys, "jinja2")[0] == ExitCode.PASS


def test_a_store_without_sboms_and_none_at_all(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(IncompleteError, match="There is no folder"):
        ask(capsys, "jinja2")
    kept.keep(provenance("orders"))
    with pytest.raises(NothingError, match="No SBOM is kept"):
        ask(capsys, "jinja2")
    kept.policy(evidence="")
    with pytest.raises(ConfigError, match="No place is named"):
        ask(capsys, "jinja2")


@pytest.mark.parametrize("words", ["", "jinja2[async]", "jinja2 @ https://example.org/x.whl", "a b c", "jinja2; python_version<'3'"])
def test_what_is_neither_an_id_nor_a_package(kept: Kept, capsys: pytest.CaptureFixture[str], words: str) -> None:
    kept.release("orders", library("jinja2", "3.1.4"))
    with pytest.raises(ConfigError):
        ask(capsys, words)


def test_an_sbom_that_was_changed_is_told_and_ends_in_five(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", library("jinja2", "3.1.4"))
    kept.release("other", library("jinja2", "3.1.4"))
    changed = next(path for path in kept.objects("sbom") if digest("other") in str(path))
    changed.write_bytes(changed.read_bytes().replace(b"}", b" }", 1))
    code, out = ask(capsys, "requests")
    assert code == ExitCode.INTEGRITY
    assert out.startswith("None that could be looked into of 2 kept SBOMs")
    assert f"not looked into: {changed}" in out
    assert out.endswith("This is not the whole answer. exit 5\n")
    assert run(["report", "who-ships", "requests", "--format", "csv"]) == ExitCode.INTEGRITY
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    assert told.err.endswith("This is not the whole answer. exit 5\n")


def test_an_sbom_that_nobody_trusted_signed_does_not_count(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    trusted = trusted_key(key("ci"))
    kept.policy(f'[[attest.key]]\nname = "ci"\nfor = ["builder"]\npublic = """\n{trusted.pem}"""\n')
    kept.keep(sbom("orders", [library("jinja2", "3.1.4")]), key("ci"))
    kept.keep(sbom("forged", [library("jinja2", "3.1.4")]), key("somebody"))
    code, out = ask(capsys, "jinja2")
    assert code == ExitCode.INTEGRITY
    assert "  SBOM      vouched for by ci" in out
    assert "forged" not in out
    assert "No key that the policy trusts as builder signed it." in out


def test_a_release_without_an_sbom_is_told(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    """By any statement about it; what is joined to an SBOM by its signing record is not one of them."""
    kept.release("orders", library("requests", "2.32.0"))
    kept.keep(provenance("lost"))
    kept.keep(signing("lost"))
    kept.keep(deployment("unknown"))
    code, out = ask(capsys, "jinja2")
    assert code == ExitCode.INCOMPLETE
    assert "None that could be looked into of 1 kept SBOM in" in out
    lost = {digest("lost"), digest("signed lost"), digest("signed unknown")}
    assert "2 zips have evidence here and no SBOM" in out
    assert {line.partition("sha256:")[2] for line in out.splitlines() if line.startswith("  sha256:")} <= lost


def test_a_version_that_cannot_be_compared_is_not_left_out(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", library("jinja2", "unknown-dev"), library("markupsafe", "3.0"))
    for asked in (CVE, "jinja2<3"):
        code, out = ask(capsys, asked)
        assert code == ExitCode.INCOMPLETE
        assert "jinja2 unknown-dev (a version that cannot be compared: look yourself)" in out
    assert ask(capsys, "jinja2")[0] == ExitCode.PASS


def test_a_distribution_of_another_kind_of_package_is_another(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", {**library("jinja2", "3.1.4"), "purl": "pkg:npm/jinja2@3.1.4"})
    assert json.loads(ask(capsys, CVE, "--format", "json")[1])["releases"] == []


@pytest.mark.parametrize("purl", ["pkg:PyPI/jinja2@3.1.4", "PKG:pypi/jinja2@3.1.4", "pkg://pypi/jinja2@3.1.4", ""])
def test_a_package_url_that_says_pypi_in_another_spelling_hides_nothing(kept: Kept, capsys: pytest.CaptureFixture[str], purl: str) -> None:
    kept.release("orders", {**library("jinja2", "3.1.4"), "purl": purl})
    assert len(json.loads(ask(capsys, CVE, "--format", "json")[1])["releases"]) == 1


def test_a_local_version_is_looked_up_without_its_suffix(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", library("jinja2", "3.1.4+acme.1"))
    assert len(json.loads(ask(capsys, CVE, "--format", "json")[1])["releases"]) == 1


def test_csv_has_a_row_for_each_signed_zip_and_no_formula(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", library("jinja2", "3.1.4", index="=cmd()"))
    code, out = ask(capsys, "jinja2", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert code == ExitCode.PASS
    assert row["package"] == "jinja2"
    assert row["index"] == "'=cmd()"
    assert row["commit"] == "1f0c2c5e"
    assert row["unsigned_sha256"] == digest("orders")
    assert row["signed_sha256"] == digest("signed orders")
    assert row["deployed"] == "orders:live"


def test_another_place_than_the_policys(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.release("orders", library("jinja2", "3.1.4"))
    kept.policy(evidence="")
    assert ask(capsys, "jinja2", "--evidence", "evidence")[0] == ExitCode.PASS
