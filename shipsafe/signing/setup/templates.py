"""The roles of the pipeline as a template has them: the same documents, with what stands for account, Region and version there.

A template is of one target, and IAM knows no Regions: where several targets are of one account, the template of the first has the roles,
for all of them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.model.deployment import Stage
from shipsafe.model.pipeline import Job
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.rights import GOING, Site, rights, stages_at
from shipsafe.signing.setup.roles import POLICY, TAG, description
from shipsafe.signing.setup.trust import trust

_PLAIN = re.compile(r"(?!(?i:null|true|false|yes|no|on|off|y|n)$)[A-Za-z][\w.:/-]*")  # keys that YAML takes for texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a template writes for what it is only told when it is deployed; `version` is that of the profile that it makes."""

    partition: str
    account: str
    region: str
    suffix: str
    version: str
    provider: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRole:
    """A role, in words of a template."""

    job: Job
    name: str
    description: str
    tags: Mapping[str, str]
    policy: str
    trust: dict[str, Any]
    rights: dict[str, Any]


def template_roles(policy: Policy, target: SignTarget, going: Sequence[SignTarget], words: Words) -> tuple[TemplateRole, ...]:
    """The roles of the template of a target; none where the policy names none, or where they are in another target's.

    Args:
        policy: names the roles.
        target: whose template it is.
        going: where the releases of the policy's targets go live.
        words: of the template.

    Raises:
        ConfigError: the policy names roles and not who may take them; or signing profiles of other templates, and not their version.
    """
    pipeline = policy.pipeline
    here = [one for one in policy.sign.targets if _account(one) == _account(target)]
    if pipeline.roles is None or here[:1] != [target]:
        return ()
    if pipeline.repository is None or pipeline.workflow is None:
        raise ConfigError(
            "[pipeline] names roles, and nobody whose jobs could take them.",
            remedy="Add `repository` and `workflow` to [pipeline].",
            path=policy.path,
        )
    live = [one for one in going if _account(one) == _account(target)]
    made = []
    for job in Job:
        if job in GOING:
            at = here if job is Job.VERIFY and not live else live  # who may sign is looked at where nothing goes live, too
            sites = [_site(policy, one, target, words, stage) for one in at for stage in stages_at(policy, one)]
        else:
            sites = [_site(policy, one, target, words) for one in here]
        allowed = rights(job, sites, policy)
        if allowed["Statement"]:
            made.append(
                TemplateRole(
                    job=job,
                    name=str(pipeline.role_name(job)),
                    description=description(job),
                    tags={TAG: str(job)},
                    policy=POLICY,
                    trust=trust(job, pipeline, words.provider),
                    rights=allowed,
                )
            )
    return tuple(made)


def _account(target: SignTarget) -> tuple[str | None, ...]:
    """What tells its account from that of another target: its number, else how one gets there."""
    return (target.account,) if target.account else (None, target.aws_profile, target.role)


def _site(policy: Policy, one: SignTarget, target: SignTarget, words: Words, stage: Stage | None = None) -> Site:
    """A place of the account; what the template of `target` makes has its version there."""
    own = (one.name, one.profile_version) == (target.name, None)
    if one.profile_version is None and not own:
        raise ConfigError(
            f"The role that signs is for signing profile {one.profile} of target {one.name}, too, and the policy names no version of it.",
            remedy=f"Make the template of {one.name} first (`--target {one.name}`), then pin its `profile-version` in the policy.",
            path=policy.path,
        )
    region = one.region if one.region and one.name != target.name else words.region
    return Site(
        partition=words.partition,
        suffix=words.suffix,
        account=words.account,
        region=region,
        bucket=one.bucket_in(words.account, region),
        prefix=one.prefix,
        kms_key=one.kms_key,
        keeper=words.account,
        profile=one.profile,
        version=words.version if own else one.profile_version,
        owner=one.profile_owner or words.account,
        tagged=bool(one.tags),
        stack=stage.stack if stage else None,
        stack_role=stage.stack_role if stage else None,
    )


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A value that a template has as it is written here."""

    text: str


def yaml_lines(value: Any, indent: int) -> Iterator[str]:
    """A document as a block of YAML; texts with `${...}` are filled in by CloudFormation."""
    pad = " " * indent
    items = value.items() if isinstance(value, dict) else ((None, one) for one in value)
    for key, one in items:
        head = f"{pad}-" if key is None else f"{pad}{key if _PLAIN.fullmatch(key) else json.dumps(key)}:"
        if isinstance(one, dict) and key is None:
            first, *rest = yaml_lines(one, indent + 2)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
        elif isinstance(one, dict | list):
            yield head
            yield from yaml_lines(one, indent + 2)
        else:
            yield f"{head} {_yaml(one)}"


def _yaml(value: Any) -> str:
    if isinstance(value, Verbatim):
        return value.text
    return f"{'!Sub ' if '${' in str(value) else ''}{json.dumps(value)}"


def hcl_lines(value: Any, indent: int) -> str:
    """A document as an expression of HCL, whose braces close at `indent`."""
    pad = " " * (indent + 2)
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, dict):
        inner = "\n".join(
            f"{pad}{key if re.fullmatch(r'[A-Za-z]+', key) else json.dumps(key)} = {hcl_lines(one, indent + 2)}"
            for key, one in value.items()
        )
        return f"{{\n{inner}\n{' ' * indent}}}"
    if isinstance(value, list):
        inner = "\n".join(f"{pad}{hcl_lines(one, indent + 2)}," for one in value)
        return f"[\n{inner}\n{' ' * indent}]"
    return json.dumps(value)
