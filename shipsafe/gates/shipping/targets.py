"""`workflows/pull-request-target-checkout`: no run that has the repository's secrets looks at what a stranger proposes."""

import re
from collections.abc import Iterator

from shipsafe.adapters.shown import shown
from shipsafe.gates.shipping.document import Node
from shipsafe.gates.shipping.files import File, steps
from shipsafe.gates.shipping.found import finding
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.severity import Severity

_TRIGGER = "pull_request_target"
_CHECKOUT = re.compile(r"actions/checkout(?:@|$)", re.IGNORECASE)
_FETCHES = re.compile(r"\bgh\s+pr\s+checkout\b|\bgit\s+(?:fetch|pull|checkout|switch)\b[^\n]{0,300}(?:\bpull/|\bhead\b|HEAD_REF|head_ref)")

CHECKOUT = Rule(
    id="workflows/pull-request-target-checkout",
    severity=Severity.CRITICAL,
    summary="A workflow that runs on pull_request_target checks code out.",
    remedy="Run on `pull_request`, which has no secrets; leave what needs rights to a second workflow that runs nothing of the change.",
    why="On pull_request_target a run has the secrets and the token of the repository, also for a pull request of a stranger. Whatever it "
    "checks out of the change and then runs (a build, a test, an action of the repository, a configuration of a linter) is the stranger's.",
    bad="on: pull_request_target\n...\n- uses: actions/checkout@...\n  with:\n    ref: ${{ github.event.pull_request.head.sha }}",
    good="on: pull_request\n...\n- uses: actions/checkout@...",
    references=("https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/",),
)


def checked_out(file: File) -> Iterator[Finding]:
    """Steps that bring code into a run on pull_request_target.

    What the base branch holds is code of one's own: it is said, as nothing but a line separates it from the change, and weighs less.
    """
    if _TRIGGER not in file.triggers:
        return
    for job_id, job in file.jobs.items():
        for step in steps(job):
            if named := _of_the_change(step):
                yield finding(CHECKOUT, file, step, f"Job {shown(job_id)} has secrets and checks out {named}.", key=f"{job_id}:{named}")
            elif (uses := step.at("uses")) and _CHECKOUT.match(uses.text):
                message = f"Job {shown(job_id)} has secrets and checks out the base branch: one `ref:` away from running a stranger's code."
                yield finding(CHECKOUT, file, step, message, key=f"{job_id}:base", severity=Severity.MEDIUM)


def _of_the_change(step: Node) -> str:
    """What of a pull request a step checks out, or ""."""
    uses, run = step.at("uses"), step.at("run")
    if uses and _CHECKOUT.match(uses.text):
        for name in ("ref", "repository"):
            value = step.at("with", name)
            if value and ("${{" in value.text or value.text.startswith("refs/pull/")):
                return shown(value.text)
    found = _FETCHES.search(run.text) if run else None
    return f"the change (`{shown(found[0])}`)" if found else ""
