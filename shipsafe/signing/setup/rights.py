"""What the role of a job may do: the policies of configs/iam with their placeholders filled, for every place that the job works at.

    rights(Job.SIGN, [site, ...], policy)

A statement about something that the policy does not name (no bucket of evidence, no key in KMS, no CodeDeploy, no role for functions that
are new) is left out. Statements that differ only in what they are about are one. Where a stage names its stack, CloudFormation changes the
functions, and the role may change none of them itself.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from shipsafe.adapters.aws.kms import KEY_ARN
from shipsafe.errors import ConfigError
from shipsafe.model.deployment import Stage
from shipsafe.model.pipeline import Job
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.trust import host_of
from shipsafe.signing.setup.values import as_list, as_written

GOING = (Job.DEPLOY, Job.VERIFY)  # jobs that work where releases go live, and not where they are signed
_OF_JOB = {
    Job.BUILD: ("build",),
    Job.SIGN: ("sign",),
    Job.DEPLOY: ("deploy", "deploy-codedeploy", "deploy-stack"),
    Job.VERIFY: ("verify", "doctor", "evidence"),  # what runs on a schedule looks at permissions and at all that is kept, too
}
_SHIFTING = "deploy-codedeploy"  # where CodeDeploy moves the alias
_THROUGH = "deploy-stack"  # where CloudFormation changes the functions, as whoever has the stack's role
_DIRECTLY = (  # of `deploy`, where nobody else changes them
    "DeployFunctions",
    "RememberInOwnTagsAlone",
    "PublishLayers",
    "FindLayersThatWerePublished",
    "LetLambdaReadWhatWasSigned",
    "GiveNewFunctionsTheirRole",
)
_HANDING = "transport"  # of every role, where artifacts lie in a bucket between jobs; the one that verifies only reads
_PLACEHOLDER = re.compile(r"arn:aws(?=:)|amazonaws\.com|(?:BUCKET|EVIDENCE|TRANSPORT)/|\b[A-Z_]{3,}\b")
_CREATING = "lambda:CreateFunction"
_AS_ROLE = "cloudformation:RoleArn"  # a stack without one in the policy may have its own already
_LONGEST = 10_240  # characters without white space of all inline policies of a role: "IAM and AWS STS quotas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One account and Region where a job works. In a template its names are what stands for them there.

    Attributes:
        suffix: of the partition's host names.
        bucket, prefix, kms_key: where code is signed; `keeper` is the account of the bucket.
        profile, version: who signs, and the ten characters, which are not known before the profile is made; `owner` is its account.
        tagged: whether what is uploaded gets tags.
        stack, stack_role: of the stage; None where its functions belong to no stack, or nobody names a role for it.
    """

    partition: str
    suffix: str = "amazonaws.com"
    account: str
    region: str
    bucket: str
    prefix: str = ""
    kms_key: str | None = None
    keeper: str
    profile: str
    version: str | None = None
    owner: str
    tagged: bool = False
    stack: str | None = None
    stack_role: str | None = None


def statements(name: str) -> list[dict[str, Any]]:
    """The statements of configs/iam/NAME.json, placeholders and all."""
    told: list[dict[str, Any]] = json.loads(_text(name))["Statement"]
    return told


def rights(job: Job, sites: Sequence[Site], policy: Policy) -> dict[str, Any]:
    """The permissions policy of a job's role.

    Raises:
        ConfigError: the key of the evidence is named by an alias, or the policy would be longer than IAM takes.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, template in _templates(job, policy):
        for site in sites:
            if _concerns(name, template, site) and (one := _filled(template, site, policy)) is not None:
                _add(found, one)
    document = {"Version": "2012-10-17", "Statement": list(found.values())}
    if len(json.dumps(document, separators=(",", ":"))) > _LONGEST:
        what = f"The policy of the role that may {job} would be longer than IAM takes: it is about {len(sites)} places."
        raise ConfigError(what, remedy="Give some targets a policy file of their own, with other `roles`.", path=policy.path)
    return document


def stages_at(policy: Policy, target: SignTarget) -> tuple[Stage | None, ...]:
    """The stages that go where a target stands by now: at its account and Region, as its role; None alone where there is none."""
    [base] = [one for one in policy.sign.targets if one.name == target.name]
    here = (target.account, target.region, target.role)
    several = [one for one in policy.deploy.stages if one.target == target.name]
    found = [one for one in several if (one.account or base.account, one.region or base.region, one.role or base.role) == here]
    return tuple(found) or (None,)


def _templates(job: Job, policy: Policy) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements of a job with the name of their policy."""
    for name in _OF_JOB[job]:
        if name != _SHIFTING or policy.deploy.groups:
            yield from ((name, one) for one in statements(name))
    yield from ((_HANDING, one) for one in statements(_HANDING) if job is not Job.VERIFY or not one["Sid"].startswith("Put"))


def _concerns(name: str, template: dict[str, Any], site: Site) -> bool:
    """Whether what a statement is for is done there: functions are changed directly, or through their stack."""
    if site.stack is None:
        return name != _THROUGH
    return name != _SHIFTING and not (name == "deploy" and template["Sid"] in _DIRECTLY)


@cache
def _text(name: str) -> str:
    return (files("shipsafe.signing") / "data" / "iam" / f"{name}.json").read_text(encoding="utf-8")


def _add(found: dict[str, dict[str, Any]], one: dict[str, Any]) -> None:
    """Keep it beside the others; what says the same of something else is joined to it."""
    sid, number = one["Sid"], 1
    while (there := found.get(one["Sid"])) is not None:
        if {**there, "Resource": None} == {**one, "Resource": None}:
            there["Resource"] = as_written([*as_list(there["Resource"]), *as_list(one["Resource"])])
            return
        number += 1
        one = one | {"Sid": f"{sid}{number}"}
    found[one["Sid"]] = one


def _filled(template: dict[str, Any], site: Site, policy: Policy) -> dict[str, Any] | None:
    """The statement for a site; None where it is about something that there is not."""
    roles = _roles(policy)
    actions = [one for one in as_list(template["Action"]) if roles or one != _CREATING]
    if "s3:PutObjectTagging" in actions and not site.tagged:
        return None
    resources = [text for one in as_list(template["Resource"]) for text in _resources(one, site, policy, roles)]
    if not resources:
        return None
    one = template | {"Action": as_written(actions), "Resource": as_written(resources)}
    if "Condition" not in template:
        return one
    conditions = _conditions(template, site, policy)
    return one | {"Condition": conditions} if conditions else {key: value for key, value in one.items() if key != "Condition"}


def _conditions(template: dict[str, Any], site: Site, policy: Policy) -> dict[str, Any]:
    keepers = _keepers(str(template["Resource"]), site, policy)
    found = {
        operator: {
            key: as_written(keepers)
            if key == "aws:ResourceAccount"
            else as_written([_fill(each, site, policy) or each for each in as_list(value)])
            for key, value in keys.items()
            if key != _AS_ROLE or site.stack_role
        }
        for operator, keys in template["Condition"].items()
    }
    return {operator: keys for operator, keys in found.items() if keys}


def _keepers(resource: str, site: Site, policy: Policy) -> list[str]:
    """Whose a bucket may be: that of the evidence is one of the policy's accounts', that between jobs the one's who uses it, or as said."""
    if "EVIDENCE" in resource:
        return sorted({site.account, *policy.accounts})
    if "TRANSPORT" in resource and policy.pipeline.transport_owner:
        return [policy.pipeline.transport_owner]
    return [site.keeper if "BUCKET" in resource else site.account]


def _resources(text: str, site: Site, policy: Policy, roles: Sequence[str]) -> Iterator[str]:
    if text.endswith(":role/ROLE"):
        yield from roles
    elif "APPLICATION" in text:
        for name in sorted({one.application for one in policy.deploy.groups}):
            yield str(_fill(text, site, policy)).replace("APPLICATION", name)
    elif (filled := _fill(text, site, policy)) is not None:
        yield filled


def _fill(text: str, site: Site, policy: Policy) -> str | None:
    """A text with its placeholders filled; None where one stands for nothing."""
    owner = site.owner if "PROFILE" in text else site.account
    words: dict[str, str | None] = {
        "arn:aws": f"arn:{site.partition}",
        "amazonaws.com": site.suffix if text.startswith("s3.") else "amazonaws.com",  # service principals are the same everywhere
        "ACCOUNT": owner,
        "REGION": site.region,
        "BUCKET": site.bucket,
        "BUCKET/": f"{site.bucket}/{site.prefix}",
        "PROFILE": site.profile,
        "VERSION": site.version,
        "KEY": site.kms_key,
        "SIGNING_KEY": _key(policy),
        "APPLICATION": "APPLICATION",
        "STACK": site.stack,
        "STACK_ROLE": site.stack_role,
        "ROLES": policy.pipeline.roles,
        "ISSUER": host_of(policy.pipeline.issuer),
    }
    for name, place in (("EVIDENCE", policy.evidence), ("TRANSPORT", policy.pipeline.transport)):
        bucket, prefix = _place(place)
        words |= {name: bucket, f"{name}/": f"{bucket}/{prefix}" if bucket else None}
    found = [words[one] for one in _PLACEHOLDER.findall(text)]
    return None if None in found else _PLACEHOLDER.sub(lambda one: str(words[one[0]]), text)


def _place(text: str | None) -> tuple[str | None, str]:
    """The bucket and the prefix, which ends in a slash, of `s3://bucket/prefix`; no bucket for a folder."""
    if not text or not text.startswith("s3://"):
        return None, ""
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    return bucket, f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""


def _key(policy: Policy) -> str | None:
    """The ARN of the key in KMS that signs evidence."""
    name = (policy.pipeline.key or "").removeprefix("awskms:")
    if not name or name == policy.pipeline.key:
        return None
    if KEY_ARN.fullmatch(name) is None or ":key/" not in name:
        what = f"[pipeline] key names {name}, and rights in IAM are for the key, not for an alias or an id of it."
        raise ConfigError(what, remedy="Write awskms: and the ARN of the key, arn:aws:kms:REGION:ACCOUNT:key/ID.", path=policy.path)
    return name


def _roles(policy: Policy) -> list[str]:
    """The roles that new functions get."""
    named = (policy.deploy.default.role, *(rule.changes.get("role") for rule in policy.deploy.rules))
    return sorted({str(one) for one in named if one})
