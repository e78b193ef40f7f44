"""The text of a new `shipsafe.toml`: whose pipeline it is, where it signs, and what it examines where no template says it."""

import json
from collections.abc import Iterator

from shipsafe.model.pipeline import GITHUB_ISSUER
from shipsafe.starting.answers import Answers, Handler, Host, Release, Source
from shipsafe.starting.workflow_text import file_of

TARGET = "prod"
_HEAD = """\
# The policy of this project, from `shipsafe init`. `shipsafe policy show --origin` prints what holds and where it comes from.
# For editors: `shipsafe policy schema`. In a release the policy of the protected branch holds: a change cannot weaken its own.
extends = "baseline"      # or "strict", for releases

# An old project begins with `shipsafe check --write-baseline shipsafe-baseline.toml`; later runs fail only on what is new.
# baseline = "shipsafe-baseline.toml"

# Distributions that are ours and in no advisory feed.
# first-party = ["acme-*"]
"""
_SUPPLIER = """
# Who supplies what ships, for its SBOMs.
# [gates.sbom]
# supplier = "Acme Ltd"
"""
_EVIDENCE = """
# Where evidence is kept, beyond the folder of the newest release: going back, audits, promotion and the weekly look at what is shipped need
# that of older ones. Keep what must last for years in a bucket with Object Lock.
"""
_NO_TARGET = """
# Where AWS Signer signs. Name your account, then run `shipsafe bootstrap`; until then the pipeline builds and reports, and signs nothing.
# A profile's name takes no hyphens, and is taken for ever.
# [[sign.target]]
# name = "prod"
# account = "111122223333"
# region = "eu-central-1"
# profile = "{profile}"
# bucket = "{bucket}"
"""
_DEPLOYS = """
# How functions go live.
[deploy]
rollout = "all-at-once"   # or canary or linear, where they have an alias

# They have to be there, and are called in the account as here, unless this says otherwise.
# [[deploy.function]]
# function = "{function}"
# name = "{function}-prod"
"""
_DEPLOYS_STACK = """
# How functions go live: through one change set of the stack that they belong to, which moves their aliases as its template says.
"""
_DEPLOYS_NOT = """
# With this table the pipeline lets functions go live. Alarms and a smoke test take a release back by themselves.
# [deploy]
# rollout = "canary"
# alarms = ["errors"]
"""
_DEPLOYS_ELSEWHERE = """
# What a template describes goes live by its own tool. A stack of SAM or CloudFormation the pipeline changes, where a stage names it.
# [[deploy.stage]]
# name = "prod"
# target = "prod"
# stack = "orders"
# stack-role = "arn:aws:iam::111122223333:role/orders-cloudformation"   # as which CloudFormation changes it
"""


def policy_text(source: Source, answers: Answers, release: Release | None, *, year: int) -> str:
    """A policy that loads as it stands.

    Args:
        source: what was seen.
        answers: what was said.
        release: of ours, whose workflow may take the roles; None where the pipeline is not GitHub's.
        year: for the name of the signing profile, which nobody can have again.
    """
    bucket = _known_bucket(source, answers)
    parts = [_HEAD, _EVIDENCE, f'evidence = "s3://{bucket}/evidence"\n' if bucket else '# evidence = "s3://orders-evidence/shipsafe"\n']
    if answers.account:
        parts.append(f'\n# Layers from these accounts are ours.\naccounts = ["{answers.account}"]\n')
    if source.repository and release:
        parts.append(_pipeline(source, answers, release))
    parts.append(_target(source, answers, year))
    parts.append(_going_live(source, answers))
    if answers.key == "sigstore:" and source.repository and release:
        parts.append(_identity(source, release))
    parts.append(_SUPPLIER)
    parts += [_function(one) for one in source.handlers]
    return "".join(parts)


def pipeline_lines(source: Source, answers: Answers, release: Release) -> Iterator[str]:
    """The lines of `[pipeline]`."""
    yield "[pipeline]"
    yield f'repository = "{source.repository}"'
    if answers.numbers:
        yield "# GitHub's numbers of owner and repository, which stay when names change: tokens of newer repositories name them."
        yield f'owner-id = "{answers.numbers.owner}"'
        yield f'repository-id = "{answers.numbers.repository}"'
    elif source.host is Host.GITHUB:
        yield "# MISSING: a repository that was made, renamed or moved since 15 July 2026 gets no role on AWS without these two."
        yield f'# owner-id = "..."        # gh api repos/{source.repository} --jq .owner.id'
        yield f'# repository-id = "..."   # gh api repos/{source.repository} --jq .id'
    yield f'workflow = "{release.home}/.github/workflows/{file_of(source.host)}@{release.commit}"'
    yield f'branch = "{source.branch}"'
    yield f'roles = "shipsafe-{source.name}"'
    if source.host is Host.GITHUB_SERVER:
        yield f'issuer = "{issuer(source)}"'
    if answers.key:
        yield f"key = {json.dumps(answers.key)}"
    if source.host is Host.GITHUB_SERVER:
        bucket = _known_bucket(source, answers)
        yield f'transport = "s3://{bucket}/pipeline"' if bucket else '# transport = "s3://orders-runs/pipeline"   # it does not run without'


def stage_lines(answers: Answers, *, target: str = TARGET) -> Iterator[str]:
    """The lines of the `[[deploy.stage]]` that names a stack; `target` is the one whose signatures run there."""
    yield "[[deploy.stage]]"
    yield f'name = "{target}"'
    yield f'target = "{target}"'
    yield f'stack = "{answers.stack}"'
    if answers.stack_role:
        yield f'stack-role = "{answers.stack_role}"'
    else:
        yield "# MISSING: without it CloudFormation has only the rights of the role that deploys, which may change no function."
        yield '# stack-role = "arn:aws:iam::111122223333:role/..."'


def issuer(source: Source) -> str:
    """Who issues the tokens of its jobs.

    https://docs.github.com/en/enterprise-server@latest/actions/reference/security/oidc, and for data residency
    https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/feature-overview-for-github-enterprise-cloud-with-data-residency
    """
    if source.server.endswith(".ghe.com"):
        return f"https://token.actions.{source.server}"
    return GITHUB_ISSUER if source.host is Host.GITHUB else f"https://{source.server}/_services/token"


def _going_live(source: Source, answers: Answers) -> str:
    if answers.stack:
        return f"{_DEPLOYS_STACK}{_joined([*stage_lines(answers)])}"
    if answers.deploy:
        return _DEPLOYS.format(function=source.handlers[0].name if source.handlers else "Orders")
    return _DEPLOYS_NOT if source.handlers else _DEPLOYS_ELSEWHERE


def _pipeline(source: Source, answers: Answers, release: Release) -> str:
    lines = [*pipeline_lines(source, answers, release)]
    lines += ["# GitHub environments of the jobs that sign and deploy: protect both, with reviewers and for this branch alone."]
    lines += ['# sign-environment = "release"', '# deploy-environment = "production"']
    if not answers.key and source.host is Host.GITHUB_SERVER:
        lines += ["# What signs evidence: a key of KMS.", '# key = "awskms:arn:aws:kms:eu-central-1:111122223333:key/..."']
    elif not answers.key:
        lines += ["# What signs evidence: a key of KMS (awskms:ARN), or Sigstore, whose log is public, with this repository's name in it."]
        lines += ['# key = "sigstore:"']
    return f"\n# The workflow that may sign and deploy, at its commit, and the roles that it takes.\n{_joined(lines)}"


def _target(source: Source, answers: Answers, year: int) -> str:
    profile = f"{source.name.replace('-', '_')}_{year}"
    bucket = _bucket(source, "${AWS::AccountId}", "${AWS::Region}")
    if not answers.account:
        return _NO_TARGET.format(profile=profile, bucket=bucket)
    lines = [
        "[[sign.target]]",
        f'name = "{TARGET}"',
        f'account = "{answers.account}"',
        f'region = "{answers.region}"',
        f'profile = "{profile}"',
        f'bucket = "{bucket}"',
    ]
    return f"\n# Where AWS Signer signs: `shipsafe bootstrap` makes what is missing there.\n{_joined(lines)}"


def _bucket(source: Source, account: str, region: str) -> str:
    return f"{source.name}-artifacts-{account}-{region}"


def _known_bucket(source: Source, answers: Answers) -> str | None:
    return _bucket(source, answers.account, answers.region) if answers.account and answers.region else None


def _identity(source: Source, release: Release) -> str:
    lines = [
        "[[attest.identity]]",
        'name = "pipeline"',
        'for = ["builder", "signer", "deployer"]',
        f'identity = "https://{source.server}/{release.home}/.github/workflows/{file_of(source.host)}@{release.commit}"',
        f'issuer = "{issuer(source)}"',
        f'repository = "https://{source.server}/{source.repository}"',
    ]
    return f"\n# Whose keyless statements count: that workflow's, run for this repository.\n{_joined(lines)}"


def _function(one: Handler) -> str:
    lines = ["[[functions]]", f'name = "{one.name}"', f'handler = "{one.handler}"', f'runtime = "{one.runtime}"', f'code = "{one.code}"']
    return f"\n{_joined(lines)}"


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
