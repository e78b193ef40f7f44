"""`workflows/unpinned-action`: what a workflow runs of others is one commit, and not a name that they can move."""

import re
from collections.abc import Iterator

from shipsafe.adapters.shown import shown
from shipsafe.gates.shipping.document import Node
from shipsafe.gates.shipping.files import File, jobs_like, steps
from shipsafe.gates.shipping.found import finding
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.severity import Severity

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_IMAGE = re.compile(r"docker://.+@sha256:[0-9a-f]{64}")

UNPINNED = Rule(
    id="workflows/unpinned-action",
    severity=Severity.HIGH,
    summary="A workflow runs an action, a workflow or an image by a name that its owner can move.",
    remedy="Name the full commit, with the version as a comment (`@0123...cdef # v4.2.2`); an image by its sha256 digest.",
    why="A tag or a branch is whatever its owner, or whoever stole the owner's account, says today. In March 2025 all tags of a popular "
    "action were moved to a commit that printed the secrets of 23,000 repositories; who had named a commit was not touched.",
    bad="- uses: actions/checkout@v4",
    good="- uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
    references=(
        "https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions",
        "https://github.com/advisories/ghsa-mrrh-fwg8-r2c3",
    ),
)


def unpinned(file: File) -> Iterator[Finding]:
    """Everything in a file that is used by a movable name."""
    for job_id, job in jobs_like(file):
        for uses in _uses(job):
            if not _is_pinned(uses.text):
                named = shown(uses.text)
                yield finding(UNPINNED, file, uses, f"{named} can be another program tomorrow.", key=f"{job_id}:{uses.text}")


def _uses(job: Node) -> Iterator[Node]:
    for one in (job, *steps(job)):
        uses = one.at("uses")
        if uses is not None and uses.text:
            yield uses


def _is_pinned(uses: str) -> bool:
    if uses.startswith(("./", "$/")):
        return True  # of this repository, at the commit that runs
    if uses.startswith("docker://"):
        return _IMAGE.fullmatch(uses) is not None
    return _COMMIT.fullmatch(uses.rpartition("@")[2]) is not None and "@" in uses
