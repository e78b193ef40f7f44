"""What holds in a release is the policy of the protected branch, whatever the change says of it."""

import pytest

from tests.approval.pulls import R, review, tell
from tests.pipeline.aws import DEPLOY, AwsSide
from tests.pipeline.conftest import Opened

pytestmark = pytest.mark.registry
PASSED = ("success",)
FAILED = ("failure",)
SKIPPED = ("skipped",)
FOUND = 1
HANDLER = "import subprocess\n\n\ndef handler(event, context):\n    return subprocess.run(event['command'], shell=True)\n"
WAIVER = """
[[waivers]]
rule = "lint/B602"
subject = "function:Pay"
reason = "There is no other way to run it."
owner = "Mallory"
expires = 2099-10-31
"""
APPROVALS = """
[approvals]
waivers = "required"
"""


def _asks(four_lines: str) -> str:
    return four_lines.replace("with: {path: .}", "with: {path: ., release: 'true'}")


def test_a_commit_with_a_weaker_policy_is_signed_under_the_policy_of_today(opened: Opened, aws: AwsSide, four_lines: str) -> None:
    """A release that is asked for of an earlier commit: its build passes under its own policy, and the signer asks again under ours."""
    weaker = {".github/workflows/ship.yml": _asks(four_lines), "pay/app.py": HANDLER, "shipsafe.toml": aws.keyless + WAIVER}
    consumer = opened(weaker, aws=aws)
    consumer.git("branch", "hotfix")
    consumer.commit({"shipsafe.toml": aws.keyless})
    consumer.git("push", "-q", str(consumer.origin), "main:main")
    before = aws.running()
    ran = consumer.push(branch="hotfix")
    assert ran.results["collect"] == PASSED, ran.told()
    assert ran.results["sign"] == FAILED, ran.told()
    assert ran.ended("sign") == FOUND
    assert "lint/B602" in ran.summaries["sign"]
    assert {ran.results[job] for job in ("deploy", "verify")} == {SKIPPED}
    assert aws.running() == before


def test_what_was_not_merged_is_no_release_whatever_its_own_workflow_asks(opened: Opened, aws: AwsSide, four_lines: str) -> None:
    """It is built and judged; the summary says why nothing is signed, and no job of it asks for a token."""
    consumer = opened(aws=aws)
    consumer.git("push", "-q", str(consumer.origin), "main:main")
    ran = consumer.push({"README": "new", ".github/workflows/ship.yml": _asks(four_lines)}, branch="hotfix")
    assert ran.results["collect"] == PASSED, ran.told()
    assert {ran.results[job] for job in ("approval", "attest", "sign", "deploy", "verify")} == {SKIPPED}
    assert "Nothing is signed or deployed: this is not a run of a commit that the protected branch has." in ran.summaries["plan"]
    assert not consumer.github.tokens


def test_a_waiver_needs_the_approval_of_somebody_who_did_not_write_it(opened: Opened, aws: AwsSide) -> None:
    """Asked of GitHub in a job before `sign`, with a token that only reads; unapproved, nothing is signed."""
    consumer = opened(aws=aws)
    consumer.git("push", "-q", str(consumer.origin), "main:main")
    policy = aws.keyless.replace(DEPLOY, "") + APPROVALS + WAIVER
    commit = consumer.commit({"pay/app.py": HANDLER, "shipsafe.toml": policy})
    github = consumer.github
    tell(github, commit, reviews=[review("ann")])  # type: ignore[arg-type]  # it has `always`, too
    ran = consumer.push()
    assert ran.results["approval"] == FAILED, ran.told()
    assert ran.ended("approval") == FOUND
    assert {ran.results[job] for job in ("sign", "deploy", "verify")} == {SKIPPED}
    assert {job for _, _, job in github.calls} == {"ship/approval"}

    tell(github, commit, reviews=[])  # type: ignore[arg-type]  # likewise
    github.always[f"GET /{R}/pulls/12/reviews"] = [review("bob")]
    ran = consumer.push()
    assert ran.results["approval"] == ran.results["sign"] == PASSED, ran.told()
    assert ran.results["deploy"] == ran.results["verify"] == SKIPPED
    assert "Nothing is deployed: the policy has no [deploy]" in ran.summaries["plan"]
