"""Pull requests: what a change brings in fails it, what was there is shown, and a fork may only read."""

import json

import pytest

from tests.pipeline.conftest import Opened

OLD = "import subprocess\n\n\ndef handler(event, context):\n    return subprocess.run(event['old'], shell=True)\n"
NEW = "import subprocess\n\n\ndef handler(event, context):\n    return subprocess.run(event['new'], shell=True)\n"
pytestmark = pytest.mark.registry
PASSED = ("success",)
FAILED = ("failure",)
SKIPPED = ("skipped",)
MACHINES = 2
RELEASING = ("approval", "attest", "sign", "deploy", "verify")


def test_only_new_findings_fail_a_pull_request_and_its_one_comment_shows_all(opened: Opened, four_lines: str) -> None:
    """On two machines, of which each asks where the change began. A second run changes the comment that the first one wrote."""
    consumer = opened({"pay/app.py": OLD}, caller=four_lines.replace("with: {path: .}", "with: {path: ., shards: 2}"))
    consumer.git("push", "-q", str(consumer.origin), "main:main")

    ran = consumer.pull_request({"stock/app.py": NEW})
    assert ran.results["collect"] == FAILED, ran.told()
    assert len(ran.results["build"]) == MACHINES
    assert "failure" in ran.results["build"]
    assert ran.results["code-scanning"] == ran.results["comment"] == PASSED, ran.told()
    assert {ran.results[job] for job in RELEASING} == {SKIPPED}
    (reports,) = (consumer.kept / "artifacts").glob("*-reports")
    report = json.loads((reports / "report.json").read_text())
    found = {one["subject"]: one["decision"] for one in report["findings"] if one["rule"] == "lint/B602"}
    assert found == {"function:Stock": "blocking", "function:Pay": "baselined"}
    (comment,) = consumer.github.comments[7]
    assert "stock/app.py" in comment["body"]
    assert "pay/app.py" in comment["body"]
    assert "FAIL" in comment["body"]
    assert not consumer.github.tokens

    before = comment["body"]
    ran = consumer.pull_request({"stock/app.py": "def handler(event, context):\n    return 1\n"})
    assert ran.results["collect"] == PASSED, ran.told()
    assert ran.results["comment"] == PASSED, ran.told()
    (comment,) = consumer.github.comments[7]
    assert comment["body"] != before
    assert "PASS" in comment["body"]
    assert [method for method, _, job in consumer.github.calls if job == "ship/comment"].count("POST") == 1


def test_what_waits_in_a_merge_queue_is_held_to_what_its_pull_request_was(opened: Opened, four_lines: str) -> None:
    """What was there is known there, too; what is new is not merged. Nothing is released, and there is no pull request to comment."""
    consumer = opened({"pay/app.py": OLD}, caller=four_lines.replace("on: [push", "on: [merge_group, push"))
    consumer.git("push", "-q", str(consumer.origin), "main:main")
    ran = consumer.merge_queue({"README": "new"})
    assert ran.results["collect"] == PASSED, ran.told()
    assert {ran.results[job] for job in ("comment", *RELEASING)} == {SKIPPED}
    assert "Nothing is signed or deployed: this is a merge queue." in ran.summaries["plan"]
    ran = consumer.merge_queue({"stock/app.py": NEW}, number=8)
    assert ran.results["collect"] == FAILED, ran.told()


def test_a_pull_request_from_a_fork_is_built_and_judged_and_nothing_is_written(opened: Opened) -> None:
    """The summary says why there is no comment. Each job installs shipsafe itself, as on a runner."""
    consumer = opened(install_anew=True)
    consumer.git("push", "-q", str(consumer.origin), "main:main")
    ran = consumer.pull_request({"stock/app.py": NEW}, fork=True)
    assert ran.results["plan"] == PASSED
    assert ran.results["collect"] == FAILED, ran.told()
    assert {ran.results[job] for job in ("code-scanning", "comment", *RELEASING)} == {SKIPPED}
    assert "It comes from a fork: its token may only read" in ran.summaries["plan"]
    assert "**FAIL**" in ran.summaries["collect"]
    assert not consumer.github.tokens
    assert not consumer.github.calls
