"""What the jobs of a pipeline must know before they start: where they go, as whom, and which of them do not run, with the reason.

    told = facts(policy, stage="prod")      # of the policy of the protected branch
    told.values["sign-role"], told.jobs["deploy"], told.left_out

It looks at the policy alone. Whether a run is a release at all (no pull request, the protected branch) is what the workflow knows.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shipsafe.errors import ConfigError
from shipsafe.flows.stages import stage_of, target_at
from shipsafe.flows.targets import targets_of
from shipsafe.model.pipeline import GITHUB_ISSUER, Job, PipelinePolicy
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget

ATTEST = "attest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a pipeline is told.

    Attributes:
        values: facts by name, "" where the policy says nothing.
        jobs: whether `attest`, `sign`, `deploy` and `verify` have what they need.
        left_out: a sentence for each job that has not.
    """

    values: Mapping[str, str]
    jobs: Mapping[str, bool]
    left_out: tuple[str, ...]


def facts(policy: Policy, *, stage: str | None = None, target: str | None = None) -> Facts:
    """The facts of one stage, or of one target; where the policy has only one, nobody needs to name it.

    Raises:
        ConfigError: there is no such stage or target, there are several and none is named, or both are.
    """
    signing, going = _places(policy, stage, target)
    pipeline, name = policy.pipeline, stage or _only_stage(policy, target)
    values = {
        "repository": pipeline.repository,
        "workflow": "\n".join(pipeline.workflows),
        "branch": pipeline.branch if pipeline.names_branch else None,  # else it is the default branch, which GitHub knows
        "stage": name,
        "stack": stage_of(policy, name).stack if name else None,
        "target": signing.name if signing else None,
        "account": signing.account if signing else None,
        "region": signing.region if signing else None,
        "deploy-account": going.account if going else None,
        "deploy-region": going.region if going else None,
        "sign-environment": pipeline.environments.get(Job.SIGN),
        "deploy-environment": pipeline.environments.get(Job.DEPLOY),
        "build-role": pipeline.role_arn(Job.BUILD, signing) if signing else None,
        "sign-role": pipeline.role_arn(Job.SIGN, signing) if signing else None,
        "deploy-role": pipeline.role_arn(Job.DEPLOY, going) if going else None,
        "verify-role": pipeline.role_arn(Job.VERIFY, going) if going else None,
        "doctor-role": pipeline.role_arn(Job.VERIFY, signing) if signing else None,
        "key": pipeline.key,
        "transport": pipeline.transport.rstrip("/") if pipeline.transport else None,
        "transport-owner": pipeline.transport_owner,
        "evidence": policy.evidence,
        "approvals": str(policy.approvals.waivers),
        "approvals-source": "github" if policy.approvals.source == "github" else "file",
        "policy-digest": policy.digest,
    }
    missing = dict(_missing(policy, signing, going))
    jobs = {job: job not in missing for job in (ATTEST, *(str(one) for one in (Job.SIGN, Job.DEPLOY, Job.VERIFY)))}
    return Facts(values={name: value or "" for name, value in values.items()}, jobs=jobs, left_out=tuple(missing.values()))


def unlike_here(pipeline: PipelinePolicy, environment: Mapping[str, str]) -> str | None:
    """Why AWS may give no job of this repository a role, although the policy names them: GitHub's numbers, which its runner knows.

    Args:
        pipeline: of the policy.
        environment: of a job; https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    here = environment.get("GITHUB_REPOSITORY_OWNER_ID", ""), environment.get("GITHUB_REPOSITORY_ID", "")
    if pipeline.issuer != GITHUB_ISSUER or not all(re.fullmatch(r"[1-9]\d{0,18}", one, re.ASCII) for one in here):
        return None
    lines = f'`owner-id = "{here[0]}"` and `repository-id = "{here[1]}"`'
    if not pipeline.owner_id or not pipeline.repository_id:
        return (
            "AWS gives no job a role if this repository was made, renamed or moved since 15 July 2026: its tokens name numbers that"
            f" [pipeline] lacks. Add {lines}, and run `shipsafe bootstrap`."
        )
    if (pipeline.owner_id, pipeline.repository_id) != here:
        return f"AWS gives no job a role: [pipeline] has the numbers of another repository. This one has {lines}."
    return None


def _places(policy: Policy, stage: str | None, target: str | None) -> tuple[SignTarget | None, SignTarget | None]:
    """Where is signed, and where it goes live."""
    if stage and target:
        raise ConfigError("--stage and --target were both given.", remedy="A stage names its target: leave out --target.")
    known = stage or _only_stage(policy, target)
    if known:
        one = stage_of(policy, known)
        return next(each for each in policy.sign.targets if each.name == one.target), target_at(policy, one)
    if not policy.sign.targets and not target:
        return None, None
    targets = targets_of(policy, (target,) if target else ())
    if len(targets) > 1 and (names := [one.name for one in policy.deploy.stages]):
        what = f"The policy has the stages {', '.join(names)}, and a pipeline goes to one of them."
        raise ConfigError(what, remedy="Name it: `stage:` of the workflow, or --stage.", path=policy.path)
    if len(targets) > 1:
        what = f"The policy has the targets {', '.join(one.name for one in targets)}, and a pipeline signs for one of them."
        raise ConfigError(what, remedy="Add a [[deploy.stage]] for each, and name it: `stage:` of the workflow.", path=policy.path)
    return targets[0], targets[0]


def _only_stage(policy: Policy, target: str | None) -> str | None:
    """The stage that nobody needs to name."""
    return policy.deploy.stages[0].name if len(policy.deploy.stages) == 1 and not target else None


def _missing(policy: Policy, signing: SignTarget | None, going: SignTarget | None) -> Iterator[tuple[str, str]]:
    """Jobs that cannot run, and why."""
    pipeline = policy.pipeline
    if not pipeline.key:
        yield ATTEST, "Nobody signs what the builder states: [pipeline] names no key (`sigstore:` or `awskms:ARN`)."
    elif pipeline.key.startswith("awskms:") and (lack := _lack(policy, signing)):
        yield ATTEST, f"Nobody signs what the builder states: {lack}"
    if lack := _lack(policy, signing):
        yield Job.SIGN, f"Nothing is signed: {lack}"
    if lack := _lack(policy, going):
        yield Job.DEPLOY, f"Nothing is deployed: {lack}"
        yield Job.VERIFY, f"Nothing is verified on AWS: {lack}"
    elif not policy.effective.get("deploy"):
        yield Job.DEPLOY, "Nothing is deployed: the policy has no [deploy]; `rollout` in it says how functions go live."
        yield Job.VERIFY, "Nothing is verified on AWS: nothing is deployed."


def _lack(policy: Policy, target: SignTarget | None) -> str | None:
    """What a job lacks to take its role on AWS."""
    if target is None:
        return "the policy names no [[sign.target]]."
    for value, name in ((target.account, "account"), (target.region, "region")):
        if value is None:
            return f"[[sign.target]] {target.name} names no {name}."
    return None if policy.pipeline.roles else "[pipeline] names no `roles`, what the names of the roles on AWS begin with."
