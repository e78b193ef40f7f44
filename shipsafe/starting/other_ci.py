"""The pipeline of systems other than GitHub's: GitLab includes ours at a commit; Bitbucket and CodeBuild get a copy.

The copies are those of `configs/ci`, which a wheel cannot see: docs/generate.py keeps both the same.
"""

from importlib.resources import files

from shipsafe.starting.answers import Answers, Host, Release, Source
from shipsafe.starting.policy_text import TARGET

GITLAB = ".gitlab-ci.yml"
# Where each belongs. CodeBuild is told the name; `buildspec.yml` is that of whatever is built there already.
COPIES = {Host.BITBUCKET: "bitbucket-pipelines.yml", Host.CODEBUILD: "buildspec-shipsafe.yml"}
_TEXTS = {Host.BITBUCKET: "bitbucket-pipelines.yml", Host.CODEBUILD: "codebuild.yml"}
_OURS = "configs/ci/gitlab.yml"


def gitlab(source: Source, answers: Answers, release: Release) -> str:
    """The text of `.gitlab-ci.yml`, or what is to be added to one."""
    tag = f" # {release.tag}" if release.tag else ""
    policy = "shipsafe.toml" if source.folder == "." else f"{source.folder}/shipsafe.toml"
    key = f'      key: "{answers.key}"\n' if answers.key else ""
    stage = f'      stage: "{TARGET}"\n' if answers.stack else ""
    account = answers.account or "111122223333"
    return f"""\
# Audit, build, sign, deploy and verify what AWS Lambda runs. From `shipsafe init`; what is allowed stands in shipsafe.toml.
include:
  - remote: https://raw.githubusercontent.com/{release.home}/{release.commit}/{_OURS}{tag}
    inputs:
      shipsafe: {release.commit}
      path: "{source.path}"
      policy: "{policy}"
      region: "{answers.region or ""}"
{stage}{key}      # A job whose role is not named does not run.
      # build-role: "arn:aws:iam::{account}:role/shipsafe-{source.name}-build"
      # sign-role: "arn:aws:iam::{account}:role/shipsafe-{source.name}-sign"
      # deploy-role: "arn:aws:iam::{account}:role/shipsafe-{source.name}-deploy"
      # verify-role: "arn:aws:iam::{account}:role/shipsafe-{source.name}-verify"
"""


def includes_ours(text: str) -> bool:
    """Whether a `.gitlab-ci.yml` includes it already."""
    return _OURS in text


def copied(source: Source) -> str:
    """The text of a copy, for the branch and the folder of the project."""
    text = (files(__package__) / "data" / _TEXTS[source.host]).read_text(encoding="utf-8")
    return text.replace("\n    main:\n", f'\n    "{source.branch}":\n').replace('SHIPSAFE_PATH: "."', f'SHIPSAFE_PATH: "{source.path}"')
