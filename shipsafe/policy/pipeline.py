"""`[pipeline]` and `[approvals]` of a policy: which workflow of which repository may sign and deploy, and who approves waivers.

[pipeline]
repository = "acme/orders"
workflow = "OWNER/shipsafe/.github/workflows/pipeline.yml@0123456789012345678901234567890123456789"
roles = "shipsafe-orders"

[approvals]
waivers = "required"
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipsafe.model.pipeline import GITHUB_ISSUER, ApprovalPolicy, Approving, Job, PipelinePolicy
from shipsafe.policy.document import Document

_MOST = 2  # commits of the workflow: more would let in what nobody means to run any more
SHAPES = {  # key: shape, and what to write instead
    "repository": (r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}", "Write OWNER/NAME, as GitHub does."),
    "owner-id": (r"[1-9]\d{0,18}", "It is a number: `gh api repos/OWNER/NAME --jq .owner.id`."),
    "repository-id": (r"[1-9]\d{0,18}", "It is a number: `gh api repos/OWNER/NAME --jq .id`."),
    "workflow": (
        r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}/\.github/workflows/[A-Za-z0-9._-]{1,100}\.ya?ml@[0-9a-f]{40}",
        "Write OWNER/NAME/.github/workflows/FILE.yml@SHA, with the whole commit: a tag or branch can be moved.",
    ),
    # git check-ref-format, and none of what GitHub's subjects and IAM's patterns take for something else
    "branch": (r"(?!.*(?:\.\.|//|/$|\.lock$|^/))[A-Za-z0-9._/-]{1,200}", "Write the name of a branch, without refs/heads/."),
    # GitHub takes more; a colon would be another part of the subject, a star a pattern of IAM
    "sign-environment": (r"[A-Za-z0-9._-]{1,100}", "Write letters, digits, dots, hyphens and underscores."),
    "deploy-environment": (r"[A-Za-z0-9._-]{1,100}", "Write letters, digits, dots, hyphens and underscores."),
    "roles": (r"[\w+=,.@-]{1,57}", "Write what the names of roles begin with: up to 57 letters, digits and +=,.@-_"),
    "issuer": (r"https://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:/[A-Za-z0-9._/-]{0,200})?", "Write the https URL that issues tokens."),
    "key": (r"sigstore:|awskms:[A-Za-z0-9:/_-]{1,300}", "Write `sigstore:` or `awskms:ARN`; a pipeline has no key in a file."),
    "transport": (r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9!_.*'()/-]{0,500})?", "Write s3://bucket/prefix."),
    "transport-owner": (r"\d{12}", "Write the twelve digits of an account."),
}


def pipeline_policy(document: Document, values: Mapping[str, Any]) -> PipelinePolicy:
    """What it says of pipelines; `document` is the project's own, for places.

    Raises:
        ConfigError: a value cannot be what its key says, one id stands without the other, or two jobs would share an environment.
    """
    table = values.get("pipeline", {})
    for key, value in table.items():
        shape, remedy = SHAPES[key]
        for one in _several(value):
            if not re.fullmatch(shape, one, re.ASCII):
                raise document.error(f"pipeline.{key}", f"{one[:120]!r} cannot be the `{key}` of a pipeline.", remedy)
    for one, other in (("owner-id", "repository-id"), ("repository-id", "owner-id")):
        if one in table and other not in table:
            raise document.error(f"pipeline.{one}", f"`{one}` needs `{other}` beside it.", f"Add `{other}`: subjects name both.")
    if "transport-owner" in table and "transport" not in table:
        raise document.error("pipeline.transport-owner", "`transport-owner` owns the bucket of `transport`, and there is none.", "Add it.")
    environments = {
        Job.SIGN: table.get("sign-environment", "release"),
        Job.DEPLOY: table.get("deploy-environment", "production"),
    }
    if environments[Job.SIGN].casefold() == environments[Job.DEPLOY].casefold():  # GitHub knows no case in their names
        what = f"Signing and deploying would share the environment {environments[Job.SIGN]!r}, and so each other's roles."
        raise document.error("pipeline.sign-environment", what, "Give each an environment of its own.")
    return PipelinePolicy(
        repository=table.get("repository"),
        owner_id=table.get("owner-id"),
        repository_id=table.get("repository-id"),
        workflows=_workflows(document, table),
        branch=table.get("branch", "main"),
        names_branch="branch" in table,
        environments=environments,
        roles=table.get("roles"),
        issuer=table.get("issuer", GITHUB_ISSUER),
        key=table.get("key"),
        transport=table.get("transport"),
        transport_owner=table.get("transport-owner"),
    )


def _workflows(document: Document, table: Mapping[str, Any]) -> tuple[str, ...]:
    """The commits of the workflow: one, or two of the same."""
    found = tuple(_several(table.get("workflow", [])))
    files, apart = {one.partition("@")[0] for one in found}, len(set(found)) == len(found)
    if "workflow" in table and not (len(files) == 1 and apart and len(found) <= _MOST):
        what = "`workflow` is one workflow at one commit, or in a list at two: the one that runs, and the next."
        raise document.error("pipeline.workflow", what, "Take out what nothing runs any more.")
    return found


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def approval_policy(values: Mapping[str, Any], home: Path) -> ApprovalPolicy:
    """What it says of approvals; `home` is the folder of the project's policy."""
    table = values.get("approvals", {})
    source = table.get("source", "github")
    return ApprovalPolicy(waivers=Approving(table.get("waivers", "off")), source=source if source == "github" else str(home / source))
