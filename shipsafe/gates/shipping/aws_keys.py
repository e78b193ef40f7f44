"""`workflows/long-lived-keys`: no AWS key lies in a repository's secrets where a token of the run would do."""

import re
from collections.abc import Iterator

from shipsafe.adapters.shown import shown
from shipsafe.gates.shipping.document import Node
from shipsafe.gates.shipping.files import File, jobs_like, steps
from shipsafe.gates.shipping.found import finding
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.severity import Severity

_KEY_ID = re.compile(r"\bAKIA[A-Z0-9]{16}\b")
_WRITTEN = re.compile(r"aws_(?:access_key_id|secret_access_key)\b.{0,200}?(\$\{\{\s{0,20}secrets\b.{0,200}?\}\})", re.IGNORECASE)
_NAMES = frozenset(("aws_access_key_id", "aws_secret_access_key"))
_TEMPORARY = "aws_session_token"  # what comes with one ends by itself

LONG_LIVED = Rule(
    id="workflows/long-lived-keys",
    severity=Severity.HIGH,
    summary="A workflow uses an AWS access key that does not end, where OIDC would do.",
    remedy="Give the job `id-token: write` and a role with `role-to-assume`; `shipsafe bootstrap` makes provider and roles. Then delete "
    "the key.",
    why="A key in the secrets of a repository holds until somebody deletes it, for everybody who ever read it, from any place. With OIDC "
    "AWS asks GitHub which repository, environment and workflow wants in, and what it gives ends within the hour.",
    bad="with:\n  aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}\n  aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}",
    good="permissions:\n  id-token: write\n...\nwith:\n  role-to-assume: arn:aws:iam::111122223333:role/orders-sign",
    references=("https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws",),
)


def long_lived(file: File) -> Iterator[Finding]:
    """Places where such a key is handed to a step, a job or the whole workflow, once for each place."""
    yield from _keys(file, "env", file.root.at("env"))
    for job_id, job in jobs_like(file):
        for part in ("env", "with", "secrets"):
            yield from _keys(file, f"{job_id}:{part}", job.at(part))
        yield from _keys(file, f"{job_id}:container", job.at("container", "env"))
        for step in steps(job):
            for part in ("env", "with"):
                yield from _keys(file, f"{job_id}:{part}", step.at(part))
            run = step.at("run")
            if run and (written := _WRITTEN.search(run.text)):
                yield finding(LONG_LIVED, file, run, f"{shown(written[1])} is an AWS key that does not end.", key=f"{job_id}:{written[1]}")


def _keys(file: File, place: str, table: Node | None) -> Iterator[Finding]:
    given = {name.lower().replace("-", "_"): value for name, value in table.fields.items()} if table else {}
    if given.get(_TEMPORARY) is not None and given[_TEMPORARY].text:
        return
    for name in sorted(_NAMES & given.keys()):
        value = given[name]
        if _KEY_ID.search(value.text):
            message = "An AWS access key stands in the workflow itself: whoever reads the repository has it."
            yield finding(LONG_LIVED, file, value, message, key=f"{place}:literal", severity=Severity.CRITICAL)
            return
        if "secrets." in value.text or "secrets[" in value.text:
            yield finding(LONG_LIVED, file, value, f"{shown(value.text)} is an AWS key that does not end.", key=f"{place}:{value.text}")
            return
