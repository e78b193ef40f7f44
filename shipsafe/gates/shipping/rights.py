"""Rights of jobs: `workflows/missing-permissions`, and `workflows/build-and-sign` for a job that has too many at once."""

import re
from collections.abc import Iterator

from shipsafe.adapters.shown import shown
from shipsafe.gates.shipping.document import Node
from shipsafe.gates.shipping.files import File, jobs_like, steps
from shipsafe.gates.shipping.found import finding
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.severity import Severity

_PERMISSIONS = "https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions"

MISSING = Rule(
    id="workflows/missing-permissions",
    severity=Severity.MEDIUM,
    summary="A job does not say which rights its token has.",
    remedy="Write `permissions: {}` at the top of the workflow, and at each job the few that it needs.",
    why="Without it the token has what the settings of the repository or organisation say, which may be the right to write everywhere, and "
    "which somebody can change without touching the workflow. Every action and every build script of the job can use that token.",
    bad="jobs:\n  test:\n    runs-on: ubuntu-24.04",
    good="permissions: {}\njobs:\n  test:\n    permissions:\n      contents: read\n    runs-on: ubuntu-24.04",
    references=(_PERMISSIONS,),
)
TOGETHER = Rule(
    id="workflows/build-and-sign",
    severity=Severity.HIGH,
    summary="One job runs the project's code or its dependencies' and can sign what ships.",
    remedy="Let one job build, without id-token and secrets, and another one sign what it is handed; the reusable pipeline of shipsafe "
    "does so.",
    why="A build runs code that others wrote: build backends, plugins, tests. In the job that signs, that code can ask for the same token, "
    "and have anything signed. Separate jobs run on separate machines, and the one that signs runs nothing of the project.",
    bad="permissions:\n  id-token: write\nsteps:\n  - run: sam build\n  - run: shipsafe sign dist",
    good="build:\n  permissions:\n    contents: read\n  steps:\n    - run: shipsafe build\nsign:\n  needs: build\n  permissions:\n"
    "    id-token: write\n  environment: release\n  steps:\n    - run: shipsafe sign dist",
    references=("https://slsa.dev/spec/v1.2/build-requirements#isolated", _PERMISSIONS),
)

# Commands that run what a project or its dependencies bring along, where a command can begin. What installs shipsafe itself is none.
# Everything that may repeat has a bound: a hostile line of a megabyte is looked through once, and not once for each word in it.
_BUILDS = re.compile(
    r"\bshipsafe\s+build\b|"
    r"(?:^|[;&|(!{]|\b(?:then|do|else|sudo|time|exec|npx|uvx|poetry\s+run))[ \t]*(?:"
    r"sam\s+build|cdk\s+(?:synth|deploy)|chalice\s+package|(?:serverless|sls)\s+package|docker\s+(?:buildx\s+)?build|make\b|just\b|"
    r"(?:\S*python[\d.]*\s+-m\s+)?(?:pip[\d.]*\s+(?:install|wheel)|pipenv|build|pytest|tox|nox)\b(?![^;&|\n]{0,300}\bshipsafe\b)|"
    r"poetry\s+(?:install|build)|uv\s+(?:sync|build|pip|run)\b(?![^;&|\n]{0,300}\bshipsafe\b)|(?:npm|pnpm|yarn)\s+(?:ci|install|run|test|build))\b",
    re.MULTILINE)  # fmt: skip
_SIGNS = re.compile(
    r"\bshipsafe\s+(?:sign|ship)\b|\baws\s+signer\s+start-signing-job\b|\bcosign\s+(?:sign|attest)\b|"
    r"\bsam\s+(?:package|deploy)\b.{0,300}--signing-profiles\b|\bsigstore\s+sign\b|\bgpg\b.{0,300}--(?:detach-)?sign\b")  # fmt: skip
_BOTH = re.compile(r"\bshipsafe\s+ship\b")
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_BUILDERS = re.compile(r"(?:^|/)(?:actions/build|build-push-action|pypa/build)(?:@|$)")
_SIGNERS = re.compile(r"(?:^|/)(?:actions/sign|gh-action-sigstore-python)(?:@|$)")


def missing(file: File) -> Iterator[Finding]:
    """Jobs whose rights nobody has said. What is only ever called has those of the job that calls it."""
    if file.root.at("permissions") is not None or file.triggers == {"workflow_call"}:
        return
    for job_id, job in file.jobs.items():
        if job.at("permissions") is None:
            named = shown(job_id)
            yield finding(MISSING, file, job, f"Neither the workflow nor its job {named} says `permissions`.", key=job_id)


def together(file: File) -> Iterator[Finding]:
    """Jobs that build and sign."""
    for job_id, job in jobs_like(file):
        signing = next((step for step in steps(job) if _does(step, _SIGNS, _SIGNERS)), None)
        if signing is None:
            continue
        building = next((step for step in steps(job) if _does(step, _BUILDS, _BUILDERS) or _does(step, _BOTH, None)), None)
        if building is not None:
            how = f"builds in line {building.line} and signs" if building is not signing else "builds and signs in one step"
            message = f"Job {shown(job_id)} {how}: what is built can have anything signed."
            yield finding(TOGETHER, file, signing, message, key=job_id)


def _does(step: Node, command: re.Pattern[str], action: re.Pattern[str] | None) -> bool:
    run, uses = step.at("run"), step.at("uses")
    script = _COMMENT.sub("", run.text).replace("\\\n", " ") if run else ""
    return bool(command.search(script) or (uses and action and action.search(uses.text)))
