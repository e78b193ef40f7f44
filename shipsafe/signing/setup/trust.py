"""Who may take the role of a job: one workflow at one commit, for one repository, in one environment or on one branch.

At two commits, where the policy says so: while the next one takes the place of the one that runs.

Every condition is StringEquals, and names exact values: a pattern lets in what nobody has thought of. `sub` is listed in both of GitHub's
formats, with names and, where the policy has the numbers, with names and numbers; `job_workflow_ref` is the reusable workflow, so that
no other workflow of the repository gets the role, even in the same environment.

References: GitHub Docs, "OpenID Connect reference" ("Immutable subject claims", "Requiring a reusable workflow and other claims"); IAM User
Guide, "Available keys for AWS OIDC federation"; for job_workflow_ref and repository_id
https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
"""

import re
from collections.abc import Iterator
from typing import Any

from shipsafe.model.pipeline import Job, PipelinePolicy
from shipsafe.signing.setup.check import Check, State
from shipsafe.signing.setup.values import as_written

AUDIENCE = "sts.amazonaws.com"
ASSUME = "sts:AssumeRoleWithWebIdentity"
SCHEDULED = "scheduled.yml"  # what looks again every week and every quarter, beside the pipeline
_GITHUB = re.compile(r"token\.actions\.githubusercontent\.com(/[^/]+)?")


def host_of(issuer: str) -> str:
    """An issuer as IAM names it, in the ARN of its provider and before the colon of condition keys."""
    return issuer.removeprefix("https://").rstrip("/")


def provider_arn(pipeline: PipelinePolicy, *, partition: str, account: str) -> str:
    """Of the identity provider that an account has for the issuer."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{host_of(pipeline.issuer)}"


def reads_claims(host: str) -> bool:
    """Whether STS makes condition keys of GitHub's claims: for the issuer of github.com, and not for one's own server."""
    return _GITHUB.fullmatch(host) is not None


def subjects(job: Job, pipeline: PipelinePolicy) -> list[str]:
    """The subjects that a job's token may have.

    On a GitHub Enterprise Server the workflow is part of it, as STS reads no other claim there; see docs/guides/bootstrap.md.
    """
    repository = str(pipeline.repository)
    environment = pipeline.environments.get(job)
    context = f"environment:{environment}" if environment else f"ref:refs/heads/{pipeline.branch}"
    names = [f"repo:{repository}"]
    if pipeline.owner_id and pipeline.repository_id:
        owner, _, name = repository.partition("/")
        names.append(f"repo:{owner}@{pipeline.owner_id}/{name}@{pipeline.repository_id}")
    if reads_claims(host_of(pipeline.issuer)):
        return [f"{name}:{context}" for name in names]
    return [f"{name}:{context}:job_workflow_ref:{workflow}" for name in names for workflow in workflows(job, pipeline)]


def workflows(job: Job, pipeline: PipelinePolicy) -> list[str]:
    """The workflows, with their commits, that a job may be of: those on a schedule look at what runs with the role that only reads."""
    found = list(pipeline.workflows)
    return [*found, *map(_scheduled, found)] if job is Job.VERIFY else found


def _scheduled(workflow: str) -> str:
    """What looks again beside a pipeline, at the same commit."""
    path, _, commit = workflow.partition("@")
    return f"{path.rpartition('/')[0]}/{SCHEDULED}@{commit}"


def conditions(job: Job, pipeline: PipelinePolicy) -> dict[str, str | list[str]]:
    """What StringEquals asks of a token, by condition key."""
    host = host_of(pipeline.issuer)
    wanted: dict[str, str | list[str]] = {f"{host}:aud": AUDIENCE, f"{host}:sub": as_written(subjects(job, pipeline))}
    if reads_claims(host):
        wanted[f"{host}:job_workflow_ref"] = as_written(workflows(job, pipeline))
        if pipeline.repository_id:
            wanted[f"{host}:repository_id"] = pipeline.repository_id
    return wanted


def trust(job: Job, pipeline: PipelinePolicy, provider: Any) -> dict[str, Any]:
    """The trust policy of a job's role; `provider` is the ARN of the identity provider, or what stands for it in a template."""
    statement = {
        "Sid": "OneJobOfOneWorkflow",
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": ASSUME,
        "Condition": {"StringEquals": conditions(job, pipeline)},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def workflow_checks(pipeline: PipelinePolicy) -> Iterator[Check]:
    """A note while roles trust two commits of the workflow: the older one is for as long as something still runs it."""
    if len(pipeline.workflows) > 1 and pipeline.roles:
        says = f"Roles trust two commits of it: {' and '.join(pipeline.workflows)}."
        remedy = "When the branch calls the newer one, take the other out of [pipeline] workflow and run bootstrap again."
        yield Check(targets=(), about="workflow", state=State.NOTE, says=says, remedy=remedy)
