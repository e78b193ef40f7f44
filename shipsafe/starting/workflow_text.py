"""The workflow of a repository: four lines that call ours at a commit, and when; and another that runs by the calendar."""

from collections.abc import Mapping
from zlib import crc32

from shipsafe.starting.answers import Host, Release, Source

_SCHEDULED = "scheduled.yml"
# What the jobs of the pipeline need among them, which none of them has alone: a called workflow has at most its caller's.
RIGHTS = {
    "actions: read": "code scanning asks which workflow it was",
    "attestations: write": "GitHub keeps the provenance",
    "contents: read": "the source, and the policy of the protected branch",
    "id-token: write": "the roles on AWS, one for each job",
    "pull-requests: write": "one comment, and who approved a waiver",
    "security-events: write": "findings, for code scanning",
}
_RIGHTS_ON_A_SERVER = {right: why for right, why in RIGHTS.items() if right != "attestations: write"}  # which it does not know
_RIGHTS_AGAIN = {"contents: read": "the policy", "id-token: write": "the role on AWS that only reads"}
_EARLIEST, _HOURS = 3, 4  # o'clock, UTC


def file_of(host: Host) -> str:
    """Which of our reusable workflows runs there: `$/`, attestations and newer artifacts are github.com's alone."""
    return "pipeline-ghes.yml" if host is Host.GITHUB_SERVER else "pipeline.yml"


def uses(file: str, release: Release) -> str:
    """What follows `uses:`: a commit, which nobody can move, and its tag for people and Dependabot."""
    tag = f" # {release.tag}" if release.tag else ""
    return f"{release.home}/.github/workflows/{file}@{release.commit}{tag}"


def four_lines(path: str, release: Release) -> str:
    """The job, as the README prints it."""
    return f"""\
ship:
  permissions: {{{", ".join(RIGHTS)}}}
  uses: {uses(file_of(Host.GITHUB), release)}
  with: {{path: {path}}}
"""


def pipeline_workflow(source: Source, release: Release) -> str:
    """The workflow that calls ours on pushes to the default branch and on pull requests."""
    return f"""\
# Audit, build, sign, deploy and verify what AWS Lambda runs. From `shipsafe init`; what is allowed stands in shipsafe.toml.
# The jobs that sign and deploy wait for the environments `release` and `production` of this repository: protect both.
name: {_called("ship", source)}

on:
  push:
    branches: [{_scalar(source.branch)}]
  pull_request:
    types: [opened, synchronize, reopened, edited] # what is new depends on the branch that it goes to, which an edit can change
  merge_group: # a merge queue waits for the same check
  workflow_dispatch: # on the protected branch: a release once more

permissions: {{}}

concurrency:
  group: {_called("ship", source)} ${{{{ github.ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}} # a release is never cancelled in the middle

jobs:
  ship:
{_own_name(source)}{_permissions(RIGHTS if source.host is Host.GITHUB else _RIGHTS_ON_A_SERVER)}
    uses: {uses(file_of(source.host), release)}
    with:
      path: {_scalar(source.path)}
"""


def scheduled_workflow(source: Source, release: Release) -> str:
    """The workflow that looks again at what is shipped already: advisories every week, permissions every quarter."""
    minute, hour = spread(source)
    return f"""\
# What was safe when it was shipped: every Monday against today's advisories, every quarter who may sign and change it.
# From `shipsafe init`.
name: {_called("shipsafe", source)}

on:
  schedule:
    - cron: "{minute} {hour} * * 1"
    - cron: "{minute} {hour} 2 1,4,7,10 *"
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: {_called("shipsafe", source)}
  cancel-in-progress: false

jobs:
  look-again:
{_permissions(_RIGHTS_AGAIN)}
    uses: {uses(_SCHEDULED, release)}
    with:
      path: {_scalar(source.path)}
"""


def spread(source: Source) -> tuple[int, int]:
    """Minute and hour of the schedules: the same in every run, and not the same in every repository, nor at a full hour.

    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
    """
    number = crc32(f"{source.repository}/{source.path}".encode())
    return 5 + number % 50, _EARLIEST + number // 50 % _HOURS


def verdict_check(source: Source) -> str:
    """What GitHub calls the check that is the verdict: the job of the caller, and that of the pipeline."""
    return f"{_called('ship', source)} / collect"


def _own_name(source: Source) -> str:
    """A name of the job, where the repository has several: a rule that asks for a check takes any of that name."""
    return "" if source.path == "." else f"    name: {_called('ship', source)}\n"


def _called(name: str, source: Source) -> str:
    """A name that no other project of the repository has: of two runs in one group, one would wait or be cancelled."""
    return name if source.path == "." else f"{name} {source.path}"


def _permissions(rights: Mapping[str, str]) -> str:
    return "\n".join(["    permissions:", *(f"      {right} # {why}" for right, why in rights.items())])


def _scalar(text: str) -> str:
    """A text of `plain_path` in YAML; quoted, because `on` and `1.0` alone are no texts there."""
    return f'"{text}"'
