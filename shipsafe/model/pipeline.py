"""The pipeline of a repository: who runs it, under which roles, and where its artifacts lie between its jobs."""

from dataclasses import dataclass, field
from enum import StrEnum

from shipsafe.model.signing import SignTarget

# Where shipsafe itself lives on GitHub: the one place that names its owner.
OWNER = "OWNER"
HOME = f"{OWNER}/shipsafe"
PIPELINE = f"{HOME}/.github/workflows/pipeline.yml"
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


class Job(StrEnum):
    """A part of the pipeline that has a role of its own on AWS; none can do what another does.

    BUILD signs what the builder states (with a key of KMS) and hands artifacts over, VERIFY only reads.
    """

    BUILD = "build"
    SIGN = "sign"
    DEPLOY = "deploy"
    VERIFY = "verify"

    @property
    def session(self) -> int:
        """For how many seconds its job may have its role: a roll-out may take as long as a job of GitHub's, six hours."""
        return 21_600 if self is Job.DEPLOY else 3_600  # an hour is the least that AWS takes as the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinePolicy:
    """`[pipeline]` of a policy.

    Attributes:
        repository: on GitHub, `acme/orders`; None where no repository is trusted.
        owner_id, repository_id: GitHub's numbers of both, which stay when names change; None for the older form of subjects.
        workflows: the reusable workflow that may take the roles, `OWNER/shipsafe/.github/workflows/pipeline.yml@SHA` (`job_workflow_ref`);
            two while one commit of it takes the place of another, none where nobody may.
        branch: whose policy holds in a release, and which may be released: `main`. names_branch: whether somebody said so.
        environments: the GitHub environment of the jobs that sign and deploy; jobs without one have none.
        roles: what the names of the four roles begin with: `PREFIX-sign`.
        issuer: of the tokens; another one on GitHub Enterprise Server.
        key: what signs evidence: `sigstore:`, `awskms:ARN`, or None.
        transport: `s3://bucket/prefix` where artifacts lie between jobs; None for those of GitHub.
        transport_owner: the account of that bucket; None where each job's own is meant.
    """

    repository: str | None = None
    owner_id: str | None = None
    repository_id: str | None = None
    workflows: tuple[str, ...] = ()
    branch: str = "main"
    names_branch: bool = False
    environments: dict[Job, str] = field(default_factory=lambda: {Job.SIGN: "release", Job.DEPLOY: "production"})
    roles: str | None = None
    issuer: str = GITHUB_ISSUER
    key: str | None = None
    transport: str | None = None
    transport_owner: str | None = None

    @property
    def workflow(self) -> str | None:
        """The first of the workflows: the one that runs while the other is not merged yet."""
        return self.workflows[0] if self.workflows else None

    def role_name(self, job: Job) -> str | None:
        """The name of a job's role, None where the policy names no roles."""
        return f"{self.roles}-{job}" if self.roles else None

    def role_arn(self, job: Job, target: SignTarget) -> str | None:
        """Its ARN in the account of a target; None where role or account are not named."""
        name = self.role_name(job)
        return f"arn:{_partition(target.region)}:iam::{target.account}:role/{name}" if name and target.account else None


class Approving(StrEnum):
    """Whether a waiver needs somebody's approval before it holds in a release."""

    OFF = "off"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """`[approvals]` of a policy.

    Attributes:
        waivers: whether one that came with the change must have been approved by somebody other than the author of the change.
        source: who is asked: `github`, or a file of JSON (absolute) that another system's job has written.
    """

    waivers: Approving = Approving.OFF
    source: str = "github"


def _partition(region: str | None) -> str:
    """By a Region's name: AWS has three partitions that are open to many."""
    return "aws-cn" if (region or "").startswith("cn-") else "aws-us-gov" if (region or "").startswith("us-gov-") else "aws"
