"""From a finding to a waiver to a VEX document, and back, as the guide tells it."""

import json
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.program import Ended, shipsafe

BLOCKS = "PYSEC-2023-192"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"SHIPSAFE_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "orders-broken"
    shutil.copytree(repository / "examples" / "orders-broken", copy)
    (copy / ".git").mkdir()
    return copy


def decisions(run: Ended) -> dict[str, str]:
    """What became of each advisory."""
    return {finding["advisory"]: finding["decision"] for finding in run.report["findings"] if finding["advisory"]}


@pytest.mark.registry
def test_a_waiver_with_a_justification_becomes_vex_that_says_the_same(project: Path, cache: dict[str, str]) -> None:
    """Everything in one line: what blocks, waived, written as both kinds of VEX, and read again in place of the waiver."""
    before = (project / "shipsafe.toml").read_text()
    check = ("check", "--format", "json", "--function", "Pay")
    assert decisions(shipsafe(*check, cwd=project, env=cache))[BLOCKS] == "blocking"
    words = ("--reason", "Pay sends no cookies.", "--expires", "30d", "--owner", "payments@example.com")
    waive = shipsafe("policy", "waive", "CVE-2023-43804", "function:Pay", *words, "--justification",
                     "vulnerable_code_not_in_execute_path", "--yes", cwd=project)  # fmt: skip
    assert waive.code == 0, waive.err
    reports = ("--report", "openvex=open.json", "--report", "cyclonedx-vex=cyclonedx.json")
    assert decisions(shipsafe(*check, *reports, cwd=project, env=cache))[BLOCKS] == "waived"
    (project / "shipsafe.toml").write_text(before)
    for document in ("open.json", "cyclonedx.json"):
        again = shipsafe(*check, "--vex", document, cwd=project, env=cache)
        assert decisions(again)[BLOCKS] == "waived"
        (found,) = [finding for finding in again.report["findings"] if finding["advisory"] == BLOCKS]
        assert (found["statement"]["source"], found["statement"]["status"]) == (document, "not_affected")
        assert again.report["vex"][0]["path"] == document
    (project / "shipsafe.toml").write_text(f'vex = ["open.json"]\n{before}')
    (project / "other.json").write_text((project / "open.json").read_text().replace("function", "x").replace("Pay", "Other"))
    # Of the whole project: where only some functions are asked, a statement may speak of the others.
    run = shipsafe("check", "--format", "json", "--vex", "other.json", cwd=project, env=cache)
    assert decisions(run)[BLOCKS] == "waived"
    assert [note["source"] for note in run.report["verdict"]["vex_notes"] if note["news"] == "unmatched"] == ["other.json"]


def test_a_document_that_cannot_be_read_ends_the_run_before_anything_is_asked(project: Path, cache: dict[str, str]) -> None:
    (project / "vex.json").write_text(json.dumps({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "a"}))
    run = shipsafe("check", "--vex", "vex.json", cwd=project, env=cache)
    assert (run.code, run.out) == (2, "")
    assert run.err.rstrip().endswith("error: vex.json: There is no `timestamp`. Add `timestamp`.")


def test_waivers_are_listed_with_their_state_and_place(project: Path) -> None:
    text = (project / "shipsafe.toml").read_text()
    old = '[[waivers]]\nrule = "lint/B101"\nsubject = "*"\nreason = "r\\u001b[2J"\nowner = "o"\nexpires = 2020-01-01\n'
    (project / "shipsafe.toml").write_text(f"{text}\n{old}")
    run = shipsafe("policy", "waivers", cwd=project)
    head, expired, live = run.out.splitlines()
    assert (run.code, head.split()) == (0, ["state", "allows", "at", "until", "owner", "where", "reason"])
    assert expired.split() == ["expired", "lint/B101", "*", "2020-01-01", "o", "shipsafe.toml:20", "r"]
    assert live.split()[:3] == ["live", "CVE-2023-45803", "Pay"]
    soon = shipsafe("policy", "waivers", "--expiring", "30", "--json", cwd=project)
    (one,) = json.loads(soon.out)["waivers"]
    assert (soon.code, one["state"], one["path"], one["line"], one["used"]) == (1, "expired", "shipsafe.toml", 20, None)
    (project / "shipsafe.toml").write_text(text)
    none = shipsafe("policy", "waivers", "--expiring", "30", cwd=project)
    assert (none.code, none.out) == (0, "No waiver has ended or ends within 30 days.\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("lint/B602", "Pay"), 2, "Nothing was written, because there is no terminal to ask at. Pass --yes to write it."),
        (("lint/B602", "Pay", "--dry-run"), 0, ""),
        (("lint/B6022", "Pay", "--yes"), 2,
         "There is no rule 'lint/B6022'. Did you mean 'lint/B602'? `shipsafe explain` lists all; an advisory is named by its id."),
        (("unpinned", "Pay", "--yes"), 2,
         "There is no rule 'unpinned'. Did you mean 'layers/unpinned'? `shipsafe explain` lists all; an advisory is named by its id."),
        (("cve-2023-45803", "Pay", "--yes"), 2, "shipsafe.toml:10: CVE-2023-45803 is already waived for Pay. Edit that waiver."),
        (("lint/B602", "Shop.Billing", "--yes"), 0, ""),
        (("lint/B602", " ", "--yes"), 2, "' ' is no place. Write function:ID, layer:ID, project, an ID, or '*'."),
        (("CVE-1", "Pay", "--yes", "--justification", "component_absent"), 2,
         ("'component_absent' is no justification. Did you mean component_not_present? Choose one of component_not_present, "
          "vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, "
          "inline_mitigations_already_exist.")),
    ],
)  # fmt: skip
def test_what_is_said_of_words_that_make_no_waiver(project: Path, words: tuple[str, ...], code: int, said: str) -> None:
    before = (project / "shipsafe.toml").read_text()
    run = shipsafe("policy", "waive", *words, "--reason", "r", "--owner", "o", "--expires", "30d", cwd=project)
    assert (run.code, run.err.rstrip()) == (code, f"error: {said}" if said else "")
    assert ((project / "shipsafe.toml").read_text() == before) is not (code == 0 and "--dry-run" not in words)


@pytest.mark.parametrize(("end", "said"), [("2020-01-01", "has passed"), ("soon", "is no day"), ("2026-02-30", "is no day")])
def test_an_end_is_a_day_to_come(project: Path, end: str, said: str) -> None:
    run = shipsafe("policy", "waive", "lint/B602", "Pay", "--reason", "r", "--owner", "o", "--expires", end, cwd=project)
    assert run.code == 2
    assert said in run.err


def test_a_waiver_without_an_end_is_asked_for_one(project: Path) -> None:
    run = shipsafe("policy", "waive", "lint/B602", "Pay", "--reason", "r", "--owner", "o", cwd=project)
    assert (run.code, run.err.rstrip()) == (2, "error: A waiver has an end. Say --expires 30d or YYYY-MM-DD, or --until-fixed.")


def test_who_answers_is_who_commits(project: Path, tmp_path: Path) -> None:
    words = ("policy", "waive", "lint/B602", "Pay", "--reason", "r", "--expires", "30d", "--dry-run")
    (tmp_path / ".gitconfig").write_text("[user]\n\temail = me@example.com\n")
    assert 'owner = "me@example.com"' in shipsafe(*words, cwd=project, env={"HOME": str(tmp_path)}).out
    (tmp_path / ".gitconfig").write_text("")
    run = shipsafe(*words, cwd=project, env={"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"})
    assert run.err.rstrip() == "error: Nobody answers for this waiver. Name somebody with --owner."
