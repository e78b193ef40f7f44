"""Nothing that was handed over is believed: what a build found is found again in its zips, and what somebody put in their place is, too."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.model.attestation import Role
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision
from shipsafe.reports.json_report import read
from tests.end_to_end.program import shipsafe
from tests.flows.attested import signed_by, trusting
from tests.flows.shop import POLICY, TODAY, asked, built, copied, files, policy, replaced
from tests.packing.builds import installed
from tests.packing.staging import write

ONLY_A_BUILD_SEES = {"package/unlocked", "package/escaping-link", "package/lock-mismatch"}
PREBUILT = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/}
"""
SHELL = b"import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['z'], shell=True)\n"
Change = Callable[[dict[str, bytes]], None]


def found(record: RunRecord) -> set[tuple[str, str, str, str, bool]]:
    """Every finding by what makes it this one, with what decides about it."""
    return {
        (one.identity, one.rule, one.key, str(one.severity), bool(one.suppressed))
        for outcome in record.outcomes
        for one in outcome.findings
        if one.rule not in ONLY_A_BUILD_SEES
    }


def report(project: Path) -> RunRecord:
    path = project / "report.json"
    return read(path.read_text(), path=str(path))


def rules(record: RunRecord) -> set[str]:
    return {one.rule for one in record.verdict.blocking}


def test_what_passed_a_build_passes_again_with_the_same_findings(shop: Path) -> None:
    then, now = report(shop), asked(shop)
    assert then.verdict.decision is now.record.verdict.decision is Decision.PASS, now.record.verdict
    assert found(then) == found(now.record)
    states = [{(one.gate, one.subject, one.state) for one in record.outcomes} for record in (then, now.record)]
    assert states[0] == states[1]
    assert {one.rule for outcome in then.outcomes for one in outcome.findings} >= {
        "dependencies/unaudited", "dependencies/vulnerable", "lint/B602", "package/name-collision", "sbom/ntia",
    }, "the project has something of everything"  # fmt: skip


def test_waivers_the_baseline_and_suppressions_in_the_code_go_on_holding(shop: Path) -> None:
    then, now = report(shop).verdict, asked(shop).record.verdict
    assert {one.finding.identity for one in then.waived} == {one.finding.identity for one in now.waived} != set()
    assert {one.finding.identity for one in then.baselined} == {one.finding.identity for one in now.baselined} != set()
    assert {one.identity for one in then.allowed if one.suppressed} == {one.identity for one in now.allowed if one.suppressed} != set()


def test_the_record_names_the_release(shop: Path) -> None:
    now = asked(shop).record
    assert (now.command, now.project, now.template, now.policy) == ("sign", "shop", "template.yaml", "shipsafe.toml")
    assert [one.path for one in now.artifacts] == ["Pay.zip", "Stock.zip", "Node.zip", "Inline.zip", "Common.zip"]


def test_waivers_end_and_advisories_are_of_the_day_on_which_is_asked(shop: Path) -> None:
    (shop / "advisories" / "PYSEC-2026-8.json").write_text(
        (shop / "advisories" / "PYSEC-2026-7.json")
        .read_text()
        .replace("2026-7", "2026-8")
        .replace('"beta"', '"gamma"')
        .replace("2.0", "3.0")
    )
    try:
        assert {(one.rule, one.subject) for one in asked(shop).record.verdict.blocking} == {
            ("dependencies/vulnerable", "function:Pay"), ("dependencies/vulnerable", "layer:Common")}  # fmt: skip
    finally:
        (shop / "advisories" / "PYSEC-2026-8.json").unlink()
    later = asked(shop, today=date(2999, 1, 2)).record.verdict
    assert rules_of(later) >= {"dependencies/vulnerable"}
    assert later.decision is Decision.INCOMPLETE, "what was waived because nobody could look at it is back, too"


def rules_of(verdict: Any) -> set[str]:
    return {one.rule for one in verdict.blocking}


def test_nobody_vouches_for_what_only_the_builder_knows(shop: Path) -> None:
    now = asked(shop)
    assert now.builder == "unattested"
    assert {claim.vouched_by for claim in now.claims} == {"nobody"}
    told = {(claim.subject, claim.name): claim.value for claim in now.claims}
    assert told["function:Pay", "runtime"] == "python3.13"
    assert told["function:Pay", "handler"] == "app.handler"
    assert told["function:Pay", "architecture"] == "arm64"
    assert told["layer:Common", "runtime"] == "python3.13", "its SBOM says so alone"
    assert (told["function:Pay", "lock"] or "").startswith("lib/pyproject.toml sha256:")
    assert (told["function:Stock", "index"] or "").startswith("http://127.0.0.1:")
    assert told["project", "commit"] is None


def test_a_policy_that_takes_only_attested_builders_takes_no_unsigned_statement(shop: Path) -> None:
    text = (shop / "shipsafe.toml").read_text() + '\n[sign]\nbuilder = "attested"\n'
    with pytest.raises(IntegrityError, match=r"\w+ cannot be signed\. The policy takes only attested builders, and trusts no key of one\."):
        asked(shop, policy(shop, text))


def test_strict_has_nothing_else_to_say_of_what_passed_under_strict(address: str, tmp_path: Path) -> None:
    everything = files(address)
    changed = {
        "src/pay/app.py": "import alpha\nimport gamma\n\n\ndef handler(event, context):\n    return alpha, gamma\n",
        "src/pay/requirements.txt": str(everything["src/pay/requirements.txt"]).replace("-e ../../lib\n", ""),
        "template.yaml": str(everything["template.yaml"]).replace("return eval('1')", "return 1"),
        "shipsafe.toml": 'extends = "strict"\n' + str(everything["shipsafe.toml"]).replace("2999-01-01", str(TODAY + timedelta(days=40))),
    }
    changed["shipsafe.toml"] += trusting("ci", Role.BUILDER)
    project = built(tmp_path, address, changed, without=("src/pay/vendored", "src/pay/alpha", "src/stock/requirements"))
    signed_by(project / "dist", "ci")
    now = asked(project).record
    assert found(report(project)) == found(now)
    assert now.verdict.unanswered == ()
    assert now.verdict.blocking == ()


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("Pay", lambda zipped: zipped.update({"app.py": SHELL}), "lint/B602"),
        ("Pay", lambda zipped: zipped.update({"more.py": SHELL}), "lint/B602"),
        ("Common", lambda zipped: zipped.update({"python/common.py": SHELL.replace(b"handler", b"shared")}), "lint/B602"),
        ("Pay", lambda zipped: zipped.update({".env": b"TOKEN=abc\n"}), "package/secret-file"),
        ("Node", lambda zipped: zipped.update({".env": b"TOKEN=abc\n"}), "package/secret-file"),
        ("Pay", lambda zipped: zipped.update({".git/config": b"[core]\n", ".git/HEAD": b"x"}), "package/secret-file"),
        ("Pay", lambda zipped: zipped.update({"src/.hg/store/00changelog.i": b"x"}), "package/secret-file"),
        ("Pay", lambda zipped: zipped.update({"__pycache__/app.cpython-313.pyc": b"x"}), "package/compiled-python"),
        ("Common", lambda zipped: zipped.update({"python/common.pyc": b"x"}), "package/compiled-python"),
        ("Pay", lambda zipped: zipped.update({"start.pth": b"import os\n"}), "package/startup-hook"),
        ("Pay", lambda zipped: zipped.update({"gamma.py": b"version = 'changed'\n"}), "package/modified-dependency"),
        ("Inline", lambda zipped: zipped.update({"index.py": b"none = 1\n"}), "package/handler-missing"),
    ],
)  # fmt: skip
def test_bad_content_is_found_when_zip_sbom_and_manifest_were_replaced_together(
    shop: Path, tmp_path: Path, name: str, change: Change, rule: str
) -> None:  # fmt: skip
    dist = copied(shop, tmp_path)
    replaced(dist, name, change)
    now = asked(shop, dist=dist).record
    assert rules(now) == {rule}
    assert now.verdict.exit_code == 1, now.verdict.unanswered
    assert now.artifacts == ()


def test_a_vulnerable_distribution_is_found_that_the_sbom_lists_and_the_build_never_had(shop: Path, tmp_path: Path) -> None:
    dist = copied(shop, tmp_path)
    new = installed("beta", "2.0")

    def list_it(document: Any) -> None:
        like = next(one for one in document["components"] if one["name"] == "gamma")
        document["components"].append(json.loads(json.dumps(like).replace("gamma", "beta").replace("3.0", "2.0")))
        document["dependencies"].append({"ref": "pkg:pypi/beta@2.0?repository_url=" + like["bom-ref"].partition("=")[2]})
        for one in document["components"]:
            if one["name"] in new:
                one["properties"].append({"name": "shipsafe:distribution", "value": document["components"][-1]["bom-ref"]})

    replaced(dist, "Pay", lambda zipped: zipped.update(new), list_it)
    assert rules(asked(shop, dist=dist).record) == {"dependencies/vulnerable"}


@pytest.mark.parametrize("word", ["allow", "prove"])
def test_what_another_tool_built_passes_again_and_what_was_proven_stays_so(address: str, tmp_path: Path, word: str) -> None:
    lock, app = str(files(address)["layer/requirements.txt"]), "import gamma\n\n\ndef handler(event, context):\n    return gamma\n"
    policy_text = POLICY.format(address=address).replace("baseline", f'prebuilt = "{word}"\n#')
    project = write(tmp_path / "shop", {
        ".git/HEAD": "", "template.yaml": PREBUILT, "shipsafe.toml": policy_text,
        "advisories/PYSEC-2026-7.json": files(address)["advisories/PYSEC-2026-7.json"], "src/app.py": app, "src/requirements.txt": lock,
        "built/app.py": app, "built/requirements.txt": lock, **{f"built/{path}": data for path, data in installed("gamma", "3.0").items()},
    })  # fmt: skip
    env = {"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), "UV_CACHE_DIR": str(tmp_path / "uv"), "SOURCE_DATE_EPOCH": "1795000000"}
    done = shipsafe("build", "--quiet", "--prebuilt", "built", "--report", "json=report.json", cwd=project, env=env)
    assert done.code == 0, done.out + done.err
    now = asked(project).record
    assert now.verdict.decision is Decision.PASS
    assert found(report(project)) == found(now)
    assert ("dependencies/unproven" in {one.rule for outcome in now.outcomes for one in outcome.findings}) == (word == "allow")
